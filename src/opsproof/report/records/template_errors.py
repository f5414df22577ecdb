"""Where a template is broken."""

import traceback
from pathlib import Path


def place_of(error: Exception, templates: Path) -> str:
    """
    The template and line that an error comes from: `reports/templates/ko/end.md.j2:7`.

    Args:
        error: What reading, compiling or rendering a template raised.
        templates: The folder of the templates.

    Returns:
        "" if no template of that folder can be blamed.
    """
    from jinja2 import TemplateSyntaxError

    if isinstance(error, TemplateSyntaxError):
        return f"{error.filename or templates}:{error.lineno}"
    if isinstance(error, UnicodeDecodeError):
        line = error.object[: error.start].count(b"\n") + 1
        return next((f"{path}:{line}" for path in sorted(templates.rglob("*.j2")) if _holds(path, error.object)), "")
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).suffix == ".j2"]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content
