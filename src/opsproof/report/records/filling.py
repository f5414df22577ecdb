"""Filling in Jinja2 templates of reports: everything is text until it says that it is Markdown."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsproof.errors import OpsproofError, PreconditionMissing
from opsproof.report.markdown import prose
from opsproof.report.records.marks import Md
from opsproof.report.records.template_errors import place_of

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path("reports", "templates")


def find_templates(named: Path | None, run: Path) -> Path:
    """
    The folder of the templates.

    Args:
        named: As the operator named it; None looks below the current folder, then beside the folder of the runs.
        run: The run's folder.

    Raises:
        OpsproofError: There is none.
    """
    places = [named] if named else [TEMPLATES, run.resolve().parent.parent / "templates"]
    for place in places:
        if (place / "ko").is_dir() or (place / "en").is_dir():
            return place
    raise OpsproofError(
        "the templates of the records are not there",
        where=", ".join(map(str, places)),
        next_step="Run it in a checkout of opsproof, or name the folder that holds ko/ and en/ with --templates.",
    )


def need(libraries: Iterable[str], what: str, extra: str) -> None:
    """
    Refuse what cannot be written here.

    Args:
        libraries: Modules that it takes.
        what: What is to be written, with its verb: `records need`.
        extra: Of opsproof, which brings them.

    Raises:
        PreconditionMissing: One is not installed.
    """
    if absent := [library for library in libraries if find_spec(library) is None]:
        raise PreconditionMissing(
            f"{what} {' and '.join(absent)}", where="opsproof record", next_step=f"pip install 'opsproof[{extra}]'"
        )


def fill_in(templates: Path, name: str, names: Mapping[str, Any], *, explained: str) -> str:
    """
    Fill in a template; several empty lines become one.

    Args:
        templates: The folder that holds `ko/` and `en/`.
        name: Of the template, below that folder.
        names: What the template can say.
        explained: The page that explains these names.

    Raises:
        OpsproofError: The template is missing or broken: its line is named.
    """
    from jinja2 import TemplateError, TemplateNotFound

    try:
        return _tidy(_environment(templates).get_template(name).render(names))
    except TemplateNotFound as exc:
        raise OpsproofError(
            f"the template {exc.name} is not there",
            where=str(templates),
            next_step="Take reports/templates of this version of opsproof, or name another folder with --templates.",
        ) from exc
    except Exception as exc:  # a template can do anything that Python can: divide by zero, hand None to `when`
        what = str(exc.message) if isinstance(exc, TemplateError) else f"{type(exc).__name__}: {exc}"
        raise OpsproofError(
            f"the template cannot be used: {what}",
            where=place_of(exc, templates) or str(templates / name),
            next_step=f"Mend the template; its names are explained in {explained}.",
        ) from exc


@cache
def _environment(templates: Path) -> "Environment":
    """One for a folder: templates are compiled once, and again when their file has changed."""
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(  # Markdown is no HTML: `finalize` escapes, and not `autoescape`
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        finalize=_escaped,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _escaped(value: Any) -> str:
    return value if isinstance(value, Md) else Md(prose(str(value)))


def _tidy(text: str) -> str:
    """One empty line where a template left several."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        if line.strip() or (lines and lines[-1]):
            lines.append(line.rstrip())
    return "\n".join(lines)
