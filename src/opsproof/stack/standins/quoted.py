"""Strings as LogQL writes them: as Go does."""

import re

_ESCAPE = re.compile(r"\\(?:([abfnrtv\\\"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.?))", re.DOTALL)
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}


def unquoted(text: str) -> str:
    """
    What a string stands for; between backticks there are no escapes.

    Raises:
        ValueError: It has an escape that Go does not know: `"\\d"`.
    """
    if text.startswith("`"):
        return text[1:-1]
    return _ESCAPE.sub(_character, text[1:-1])


def _character(match: re.Match[str]) -> str:
    if match[1]:
        return _PLAIN[match[1]]
    if code := match[2] or match[3] or match[4]:
        return chr(int(code, 16))
    raise ValueError(f"invalid char escape {match[0]}")
