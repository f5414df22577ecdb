"""Nothing secret goes further than the report that brings it: not to the terminal, not to another plugin's file."""

import json
from collections.abc import Sequence
from pathlib import Path

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


def cleanse_files(folder: Path, redactor: Redactor) -> None:
    """
    Mask what is secret in the files of another plugin, which looks at exceptions and parameters by itself.

    Args:
        folder: Its JSON files stay JSON; what is no text is left as it is.
        redactor: Knows the secrets of all profiles of the run.

    Raises:
        OSError: A file cannot be read or written.
    """
    for path in folder.iterdir():
        try:
            text = path.read_text(encoding="utf-8")
            masked = json.dumps(redactor.value(json.loads(text))) if path.suffix == ".json" else redactor.text(text)
        except ValueError:
            continue
        if masked != text:
            path.write_text(masked, encoding="utf-8")


def compare_masked(
    config: pytest.Config, op: str, left: object, right: object, redactor: Redactor
) -> Sequence[str] | None:
    """
    Explain a comparison of texts that hold something secret by what may be shown of them.

    pytest shows of two long texts only where they differ, and so a piece of a secret that nobody knows again.

    Returns:
        The explanation; None where nothing is secret, and pytest may explain by itself.
    """
    masked = [redactor.text(side) if isinstance(side, str) else side for side in (left, right)]
    if masked == [left, right]:
        return None
    explained = config.hook.pytest_assertrepr_compare(config=config, op=op, left=masked[0], right=masked[1])
    return next((lines for lines in explained if lines), [f"{masked[0]!r} {op} {masked[1]!r}"])
