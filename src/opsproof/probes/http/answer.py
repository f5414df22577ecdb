"""An HTTP answer, the same live and from evidence."""

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

from opsproof.errors import BadAnswer, NoData, NotObserved, PreconditionMissing
from opsproof.probes.exposition import NotExposition, total
from opsproof.probes.fields import FieldMissing, field

KEPT_CHARACTERS = 64 * 1024
"""How much of a text body evidence keeps."""

_SHOWN = 80
_SEARCHED = 2000


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What an answer answers.

    Attributes:
        target: Name of the target.
        question: Method, path and what else sets the request apart.
        where: Target, question and address, as errors name them.
    """

    target: str
    question: str
    where: str


@dataclass(frozen=True, slots=True, repr=False)
class HttpAnswer:
    """
    An HTTP answer.

    Attributes:
        status: Status code.
        headers: Header values by lower-case name; values of a repeated header are joined by a comma.
        elapsed: Seconds from sending the request to the end of the body.
        redirects: Paths that redirected here, in order.
        size: Bytes of the body, unpacked.
        asked: What it answers.
    """

    status: int
    headers: Mapping[str, str]
    elapsed: float
    redirects: tuple[str, ...]
    size: int
    asked: Asked
    _body: bytes | None
    _charset: str = "utf-8"
    _redact: Callable[[str], str] = dataclasses.field(default=str, compare=False)

    def __repr__(self) -> str:
        return f"<{self.asked.question}: {self.describe()}, {self.size} bytes>"

    @property
    def ok(self) -> bool:
        """True for a status from 200 to 299."""
        return 200 <= self.status < 300

    @property
    def body(self) -> bytes:
        """
        The body, unpacked.

        Raises:
            PreconditionMissing: In a replay: evidence does not keep this body whole.
        """
        if self._body is None:
            raise self._error(
                PreconditionMissing,
                f"the evidence of that run does not keep this body of {self.size} bytes whole",
                f"Only text up to {KEPT_CHARACTERS // 1024} KiB is kept; run the check against the environment itself.",
            )
        return self._body

    @property
    def text(self) -> str:
        """The body as text; what is no text in the answer's character set becomes U+FFFD."""
        return self.body.decode(self._charset, errors="replace")

    def json(self) -> Any:
        """
        The body, read as JSON.

        Raises:
            BadAnswer: It is something else; says what.
        """
        try:
            return json.loads(self.body if self._charset == "utf-8" else self.text)
        except (ValueError, RecursionError) as exc:
            deep = isinstance(exc, RecursionError)
        what = "JSON too deeply nested to read" if deep else f"{self._form()} where JSON was expected"
        start = self._redact(" ".join(self.text[:_SEARCHED].split()))[:_SHOWN]
        raise self._error(
            BadAnswer,
            f"{self.status_line} with {what}{f': {start}' if start else ''}",
            "See what answers there by hand: a proxy, a login page or another service may stand in front.",
        )

    def field(self, name: str) -> Any:
        """
        A part of the JSON body.

        Args:
            name: Dotted name; a number picks from a list: `components.database.status`, `items.0.id`.

        Raises:
            BadAnswer: The body is no JSON.
            NoData: There is no such part; says which is missing and what is there.
        """
        whole = self.json()
        try:
            return field(whole, name)
        except FieldMissing as exc:
            missing = exc
        raise self._error(
            NoData,
            f"{self.status_line} without the field {name}: {missing.name or 'the answer'} {missing.there}",
            "Compare the answer by hand with the name in the profile; a release may rename it.",
        )

    def metric(self, name: str, *, without: str = "") -> float:
        """
        A metric of a body in Prometheus text format: the sum over all its labels.

        Args:
            name: Name of the sample, such as `http_requests_total`.
            without: Samples that have this value in a label are left out; "" for all of them.

        Raises:
            BadAnswer: The body is no exposition.
            NoData: It tells no such metric.
        """
        try:
            value = total(self.text, name, without=without)
        except NotExposition:
            value, what = None, f"{self.status_line} with {self._form()} where Prometheus metrics were expected"
            kind: type[NotObserved] = BadAnswer
        else:
            what, kind = f"{self.status_line} without the metric {name}", NoData
        if value is None:
            raise self._error(kind, what, "See by hand what is served there; the release may have renamed the metric.")
        return value

    @property
    def status_line(self) -> str:
        """`503 Service Unavailable`."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return str(self.status)

    def describe(self) -> str:
        """`503 Service Unavailable in 12 ms`."""
        return f"{self.status_line} in {self.elapsed * 1000:.0f} ms"

    def to_json(self) -> dict[str, Any]:
        """The answer as evidence keeps it; a long body is cut, of a binary one size and digest are kept."""
        return {
            "status": self.status,
            "headers": dict(self.headers),
            "elapsed": self.elapsed,
            "redirects": list(self.redirects),
            "size": self.size,
            "body": _kept(self.body, self._charset),
            "asked": {"target": self.asked.target, "question": self.asked.question, "where": self.asked.where},
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """The answer as evidence kept it."""
        body = kept["body"]
        content: bytes | None = None
        if "json" in body:
            content = json.dumps(body["json"], ensure_ascii=False).encode(errors="backslashreplace")
        elif "text" in body and not body.get("truncated"):
            content = body["text"].encode()
        return cls(
            status=kept["status"],
            headers=kept["headers"],
            elapsed=kept["elapsed"],
            redirects=tuple(kept["redirects"]),
            size=kept["size"],
            asked=Asked(**kept["asked"]),
            _body=content,
        )

    def _form(self) -> str:
        """What the body is, in a word or two."""
        start = self.body.lstrip()[:100].lower()
        if not start:
            return "an empty body"
        if start.startswith((b"<!doctype html", b"<html")):
            return "HTML"
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "text/html":
            return "HTML"
        if kind.endswith("json"):
            return "broken JSON"
        return kind or "text"

    def _error(self, kind: type[NotObserved], what: str, next_step: str) -> NotObserved:
        return kind(self._redact(what), where=self.asked.where, next_step=next_step, target=self.asked.target)


_CHARSET = re.compile(r"""(?i)\bcharset\s*=\s*["']?([\w.:-]+)""")


def charset(content_type: str) -> str:
    """The character set that a Content-Type names, or UTF-8."""
    named = _CHARSET.search(content_type)
    try:
        b"".decode(named[1] if named else "utf-8")
    except (LookupError, ValueError):
        return "utf-8"
    return named[1] if named else "utf-8"


def _kept(body: bytes, charset: str) -> dict[str, Any]:
    try:
        text = body.decode(charset)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        return {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    if len(text) > KEPT_CHARACTERS:
        return {"text": text[:KEPT_CHARACTERS] + "...", "truncated": True}
    if text.lstrip()[:1] in ("{", "["):
        try:
            return {"json": json.loads(text)}
        except (ValueError, RecursionError):
            return {"text": text}
    return {"text": text}
