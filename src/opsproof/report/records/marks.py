"""What a record says to this program: its first line, and the blanks that a person has to fill in."""

import re
from collections.abc import Mapping

from opsproof.judge.limits import Lang
from opsproof.report.markdown import prose

_BLANKS: Mapping[Lang, str] = {"ko": "담당자 입력", "en": "to fill in"}
_BLANK = re.compile(rf"\[\[(?:{'|'.join(_BLANKS.values())}): ([^\[\]]+)\]\]")
_HEADER = re.compile(r"<!-- opsproof record((?: [a-z]+=[\w./:+-]+)+) -->")


class Md(str):
    """Text that is Markdown already."""

    __slots__ = ()


def blank(what: str, lang: Lang) -> Md:
    """
    The mark for what only a person knows: `[[to fill in: root cause (one line)]]`.

    Args:
        what: What belongs there.
        lang: Language of the record.
    """
    return Md(f"[[{_BLANKS[lang]}: {prose(what)}]]")


def blanks(text: str) -> list[tuple[int, str]]:
    """The blanks that are left in a record: line (from 1) and what belongs there."""
    return [
        (number, match[1]) for number, line in enumerate(text.splitlines(), start=1) for match in _BLANK.finditer(line)
    ]


def header(facts: Mapping[str, str]) -> Md:
    """
    The first line of a record, which readers do not see.

    Args:
        facts: Short values without spaces; empty ones are left out.
    """
    return Md("<!-- opsproof record" + "".join(f" {key}={value}" for key, value in facts.items() if value) + " -->")


def read_header(text: str) -> dict[str, str]:
    """The facts of a record's first line; empty if it is no record."""
    match = _HEADER.match(text.removeprefix("\ufeff"))
    return dict(word.split("=", 1) for word in match[1].split()) if match else {}
