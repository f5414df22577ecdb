"""Writing Markdown in which text from targets stays text (design, section 7)."""

import re
from collections.abc import Iterable

from opsproof.report.text import one_line, printable, shortened

_MEANS_SOMETHING = re.compile(r"[\\`*\[\]<&~$]|(?<![^\W_])_|_(?![^\W_])|^[-+=#>]")
_LIST_NUMBER = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_LINKS_BY_ITSELF = re.compile(r"(?i)(https?|ftp|mailto|xmpp)(?=:)|www(?=\.)")
_NOTHING = "\u200b"


def prose(text: str, length: int = 400) -> str:
    """
    Text for a paragraph, a list item or a table cell: shown as it is, on one line, whatever it holds.

    Args:
        text: Any text.
        length: Characters that may stay; the report's files hold the rest.
    """
    line = shortened(one_line(text), length) or "(none)"
    line = _MEANS_SOMETHING.sub(r"\\\g<0>", line)
    line = _LIST_NUMBER.sub(r"\1\\\2", line)
    line = _LINKS_BY_ITSELF.sub(r"\g<0>\\", line)
    # A mention of a person or an issue is made after Markdown was read: only a character in between prevents it.
    return re.sub("[@#]", rf"\g<0>{_NOTHING}", line).replace("|", "&#124;")


def code(text: str) -> str:
    """A name of ours or a short value as code, for a paragraph or a table cell."""
    line = one_line(text)
    if not line:
        return ""
    if "|" in line or "`" in line:
        return f"<code>{prose(line)}</code>"
    return f"`{line}`"


def code_block(lines: Iterable[str]) -> str:
    """Text that people copy: a fence longer than every run of backticks inside it."""
    body = "\n".join(printable(line) for line in lines)
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{body}\n{fence}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; its cells are Markdown already."""
    head = tuple(head)
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
