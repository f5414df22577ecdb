"""Redaction: what is secret or personal never leaves the process (design, section 7)."""

import base64
import functools
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"

_SECRET_WORD = r"(?:password|passwd|pwd|secret|token|api[_-]?key|apikey|access[_-]?key|private[_-]?key|credentials?|authorization|cookie)"  # noqa: E501, S105
_SECRET_KEY = re.compile(rf"(?i)(?:[\w-]*[_-])?{_SECRET_WORD}(?:[_-][\w-]*)?")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_HARMLESS_KEY = re.compile(r"(?i).*[_-](?:bytes|length|count|used|limit|expires?|ttl|present)")

# Possessive quantifiers (`++`) keep these linear: a page of base64 must not hold up the gate.
_NAMED = re.compile(r"""(?<![\w-])(?P<key>[\w-]{1,100}+)(?P<is>(?P<quote>["']?)\s*+(?:=>|[=:])\s*+)""")
_NAMED_VALUE = re.compile(
    r"""(?ix)(?P<scheme>(?:bearer|basic)\s+)?"""
    r"""(?:"(?:[^"\\]|\\.)*+(?:"|\Z) | '(?:[^'\\]|\\.)*+(?:'|\Z) | [^\s,;&"'<>{}()\[\]]++)"""
)
_NOT_SECRET = ("null", "true", "false", "None", "True", "False", MASK)

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MASK),
    (re.compile(r"(?i)\b(bearer|basic)(\s+)(?!\*{3}|tokens?\b|auth\w*\b)[A-Za-z0-9._~+/=-]{4,}"), rf"\1\2{MASK}"),
    (re.compile(r"(?<![\w-])eyJ[A-Za-z0-9_-]{4,}+\.[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]*+)?"), MASK),
    (re.compile(r"(?<=://)[^\s/@'\"]+(?=@)"), MASK),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}"), MASK),
    (re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++"), MASK),
    (re.compile(r"(?<!\d)\d{6}-[1-8]\d{6}(?!\d)"), MASK),
    (re.compile(r"(?<![\d.-])01[016789][- ]?\d{3,4}[- ]?\d{4}(?![\d-])"), MASK),
    (re.compile(r"(?<![\d-])\d{4}-\d{4}-\d{4}-\d{4}(?![\d-])"), MASK),
)
_BROKEN_LITERAL = re.compile(r"""(['"])\n[ \tE>|]*b?\1""")
_SHORT = 6
_REMEMBERED = 200
"""Names of headers, keys and words come with every answer; texts up to this length are looked through once."""
_REMEMBERED_TEXTS = 16384
"""Those of a run of a thousand checks: what is looked through when it is seen comes again in the report."""
_DEEPEST = 100
_SHORTEST_PATTERN = 10
"""A single word shorter than this (a Korean phone number has 10 digits) fits none of the patterns."""
_CUT = "..."


class Redactor:
    """
    Masks known secrets, secrets known by their form, and personal data (mail, Korean phone, resident and card numbers).

    Args:
        secrets: Values that must never be shown, as the profile resolved them.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._forms: list[str] = []
        self._known: re.Pattern[str] | None = None
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Mask these values, too, from now on."""
        self._secrets.update(secret for secret in secrets if secret.strip())
        self._forms = sorted({form for secret in self._secrets for form in _forms(secret)}, key=len, reverse=True)
        self._known = re.compile("|".join(map(_exactly, self._forms))) if self._forms else None
        self._remembered = functools.lru_cache(_REMEMBERED_TEXTS)(self._masked)

    def text(self, text: str) -> str:
        """The text with everything secret or personal masked."""
        return self._remembered(text) if len(text) <= _REMEMBERED else self._masked(text)

    def _masked(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(MASK, self._whole_literals(text))
            if _CUT in text:
                text = self._mask_cut_secrets(text)
        if len(text) < _SHORTEST_PATTERN and text.isalnum():
            return text
        for pattern, mask in _PATTERNS:
            text = pattern.sub(mask, text)
        return _mask_named(text)

    def value(self, value: Any, *, _depth: int = 0) -> Any:
        """
        The same for a JSON value; the value of a key with a secret's name is masked whole, and so is what lies
        deeper than 100 levels.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (dict, list, tuple)) and _depth > _DEEPEST:
            return MASK
        if isinstance(value, dict):
            return {
                self.text(str(key)): MASK if _names_a_secret(str(key), item) else self.value(item, _depth=_depth + 1)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.value(item, _depth=_depth + 1) for item in value]
        return value

    def _whole_literals(self, text: str) -> str:
        """Put together what a pretty-printer has broken over several lines, if a secret comes of it."""
        if self._known is None or _BROKEN_LITERAL.search(text) is None:
            return text
        whole = _BROKEN_LITERAL.sub("", text)
        return whole if len(self._known.findall(whole)) > len(self._known.findall(text)) else text

    def _mask_cut_secrets(self, text: str) -> str:
        """Mask what is left of a secret that was cut short in the middle (`abcdef...uvwxyz`), as pytest cuts."""
        pieces = text.split(_CUT)
        for number, piece in enumerate(pieces):
            for secret in self._forms:
                if number + 1 < len(pieces):
                    piece = piece.removesuffix(_longest(secret, piece, head=True))
                if number > 0:
                    piece = piece.removeprefix(_longest(secret, piece, head=False))
            pieces[number] = piece
        return _CUT.join(pieces)


def _names_a_secret(key: str, value: Any) -> bool:
    if value is None or isinstance(value, bool) or (isinstance(value, (int, float)) and _HARMLESS_KEY.fullmatch(key)):
        return False
    return _is_secret_name(key)


def _is_secret_name(key: str) -> bool:
    """`client_secret`, `X-Api-Key` and `accessToken` name secrets; `token_count` does not."""
    name = _CAMEL.sub("_", key)
    return _SECRET_KEY.fullmatch(name) is not None and not _HARMLESS_KEY.fullmatch(name)


def _mask_named(text: str) -> str:
    """Mask what follows a secret's name (`password=...`, `"token": "..."`); JSON stays JSON."""
    pieces, done = [], 0
    for name in _NAMED.finditer(text):
        if name.start() < done or not _is_secret_name(name["key"]):
            continue
        value = _NAMED_VALUE.match(text, name.end())
        if value is None or value[0] in _NOT_SECRET:
            continue
        opening = value[0][len(value["scheme"] or "") :][:1]
        quote = opening if opening in "\"'" else name["quote"] if name["is"].strip().endswith(":") else ""
        pieces += [text[done : name.end()], value["scheme"] or "", quote, MASK, quote]
        done = value.end()
    return "".join([*pieces, text[done:]])


def _forms(secret: str) -> set[str]:
    """The secret as it stands, and as it looks in a URL, in JSON, in a Python literal and in base64."""
    return {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        base64.b64encode(secret.encode()).decode().rstrip("="),
    }


def _exactly(form: str) -> str:
    """A short secret is masked only where it stands alone; else it would eat parts of ordinary words."""
    pattern = re.escape(form)
    return rf"(?<!\w){pattern}(?!\w)" if len(form) < _SHORT else pattern


def _longest(secret: str, piece: str, *, head: bool) -> str:
    """The longest head (tail) of the secret, of at least six characters, that the piece ends (begins) with."""
    for length in range(min(len(secret), len(piece)), _SHORT - 1, -1):
        part = secret[:length] if head else secret[-length:]
        if piece.endswith(part) if head else piece.startswith(part):
            return part
    return ""
