"""Nothing secret goes further than the report that brings it: not to the terminal, not to another plugin's file."""

import pytest

from opsproof.evidence.redaction import Redactor


def cleanse(report: pytest.TestReport | pytest.CollectReport, redactor: Redactor) -> None:
    """
    Mask what is secret in a report's id, texts and properties.

    Args:
        report: Changed in place; an explanation that holds nothing secret keeps its form.
        redactor: Knows the secrets of all profiles of the run.
    """
    report.nodeid = redactor.text(report.nodeid)
    report.sections = [(redactor.text(title), redactor.text(text)) for title, text in report.sections]
    if isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        report.longrepr = (path, line, redactor.text(reason))
    elif report.longrepr is not None:
        text = str(report.longrepr)
        masked = redactor.text(text)
        if masked != text:
            report.longrepr = masked
    if isinstance(report, pytest.TestReport):
        path, number, name = report.location
        report.location = (path, number, redactor.text(name))
        report.user_properties = [(name, redactor.value(value)) for name, value in report.user_properties]
