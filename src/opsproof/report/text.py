"""Text from targets, made safe to show: no terminal commands, nothing that hides or reorders what is read."""

import re

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters: terminals act on them, XML forbids them
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"  # marks that reorder or break lines
    "\ud800-\udfff\ufffe\uffff]"  # no characters at all: neither UTF-8 nor XML can hold them
)
_NO_UTF8 = re.compile("[\ud800-\udfff]")


def printable(text: str) -> str:
    r"""The text with every character that acts instead of being seen written out: `\x1b`, `\u202e`. Lines stay."""
    return _UNSEEN.sub(_written_out, text.replace("\r\n", "\n"))


def encodable(text: str) -> str:
    r"""The text with lone surrogates written out (`\ud800`): a JSON answer may hold them, a file cannot."""
    return _NO_UTF8.sub(_written_out, text)


def one_line(text: str) -> str:
    """The text as one printable line, with single spaces."""
    return " ".join(printable(text).split())


def shortened(text: str, length: int) -> str:
    """
    The text, cut where it is too long.

    Args:
        text: Any text.
        length: Characters that may stay.
    """
    return text if len(text) <= length else text[: length - 4].rstrip() + " ..."


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
