"""What is right when a body comes that is too large, or not: status, error body, connection, and how early."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from opsproof.profile.payload import Hop, Payload
from opsproof.profile.payload_framing import RawCase
from opsproof.profile.payload_plan import BatchCase, SizeCase

_TOO_LARGE = 413
_STACK_TRACE = re.compile(
    r"Traceback \(most recent call last\)"
    r"|\bFile \\?\"[^\"]+\", line \d+"  # Python; a backslash, where it stands in JSON
    r"|(?:\n|\\n|^)\s*at [\w.$<>/]+ ?\([^()]*:\d+"  # Java, JavaScript
    r"|goroutine \d+ \["  # Go
)


class Seen(Protocol):
    """What became of a request; `probes.wire.WireAnswer` is one."""

    @property
    def end(self) -> str:
        """How it ended; `answered` for a whole answer."""
        ...

    @property
    def status(self) -> int:
        """Status code, or 0."""
        ...

    @property
    def headers(self) -> Any:
        """Header values by lower-case name."""
        ...

    @property
    def text(self) -> str:
        """The beginning of the body."""
        ...

    @property
    def elapsed(self) -> float:
        """Seconds to the answer, or to the end."""
        ...

    @property
    def early(self) -> int:
        """Bytes that were accepted before it was answered."""
        ...

    @property
    def continued(self) -> bool:
        """True if `100 Continue` came."""
        ...

    @property
    def after(self) -> int | None:
        """What a GET over the same connection got."""
        ...

    @property
    def says(self) -> str:
        """The answer in words."""
        ...

    def field(self, name: str) -> Any:
        """A part of the JSON body, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Judge:
    """
    Judges answers at one hop.

    Attributes:
        payload: What the profile says about the guard.
        hop: What it says about the hop.
        early_bytes: Bytes that may be accepted there after the size can be known.
        marker: Text of the payload that no answer may show.
    """

    payload: Payload
    hop: Hop
    early_bytes: int
    marker: str

    def of_size(self, case: SizeCase, seen: Seen, request_id: str) -> list[str]:
        """What is wrong with the answer to a body of a certain size; [] if nothing is."""
        if case.right == "refused":
            return [*self._refused(case, seen, request_id), *self._connection(seen)]
        if case.right == "taken":
            if seen.end != "answered" or not 200 <= seen.status < 300:
                return [f"gets {seen.says}, though it is within the limit of {case.limit} bytes"]
            return list(self._connection(seen))
        if case.right == "untaken":
            wrong = list(self._client_error(seen))
            if seen.status == _TOO_LARGE and case.size <= case.limit and not case.coding:
                wrong.append(f"gets {seen.says}, though it is within the limit of {case.limit} bytes")
            return wrong
        if seen.end != "answered" or seen.status == _TOO_LARGE or seen.status >= 500:
            return [f"gets {seen.says}; nothing is not too large"]
        return []

    def of_batch(self, case: BatchCase, seen: Seen, request_id: str) -> list[str]:
        """What is wrong with the answer to a list; [] if nothing is."""
        if case.right == "bounded" and seen.end == "answered" and 200 <= seen.status < 300:
            return []
        if case.right == "taken":
            if seen.end != "answered" or not 200 <= seen.status < 300:
                return [f"gets {seen.says}, though it is within the limits"]
            return []
        # The runbook gives no status for a list that is too long: any 4xx refuses it.
        wrong = list(self._client_error(seen))
        if not wrong and case.status and seen.status != case.status:
            wrong = [f"gets {seen.says}, not {case.status}"]
        if not wrong and seen.status == _TOO_LARGE:
            wrong = list(self._body(seen, request_id))
        return wrong

    def of_framing(self, case: RawCase, seen: Seen, *, may_take: bool) -> list[str]:
        """What is wrong with the answer to a request that is wrongly framed; [] if nothing is."""
        if seen.end == "closed" and case.may_close:
            return []
        if seen.end == "answered" and (seen.status == 501 or (may_take and 200 <= seen.status < 300)):
            return []
        return list(self._client_error(seen))

    def of_slow(self, seen: Seen, within: float | None, lasted: float) -> list[str]:
        """What is wrong with the answer to a body that came slowly; [] if nothing is."""
        if seen.end == "silent":
            return [] if within is None else [f"is still read after {lasted:.0f} s, {within:g} s is the limit"]
        if seen.end == "answered" and (seen.status >= 500 or 200 <= seen.status < 300):
            return [f"gets {seen.says}, not 408 or a closed connection"]
        if within is not None and seen.elapsed > within:
            return [f"is ended after {seen.elapsed:.1f} s, {within:g} s is the limit"]
        return []

    def of_normal(self, seen: Seen, when: str) -> list[str]:
        """What is wrong with the answer to an ordinary request; [] if nothing is."""
        if seen.end == "answered" and 200 <= seen.status < 400:
            return []
        return [f"a normal request {when} gets {seen.says}"]

    def _refused(self, case: SizeCase, seen: Seen, request_id: str) -> Iterator[str]:
        right = (_TOO_LARGE, 415) if case.or_unsupported else (_TOO_LARGE,)
        if seen.end != "answered" or seen.status not in right:
            yield f"gets {seen.says}, not 413"
            return
        if seen.status == _TOO_LARGE:
            yield from self._body(seen, request_id)
        else:
            yield from self._leaks(seen)
        if case.coding or case.eager:
            return
        allowed = case.known_at + self.early_bytes
        if seen.early > allowed:
            yield (
                f"is refused only after {seen.early} bytes were accepted; "
                f"it can be known after {case.known_at}, and {allowed} may be"
            )
        if case.framing == "expect" and seen.continued and not self.hop.continues and case.known_at < case.size:
            yield "gets 100 Continue, and only then is refused"

    def _body(self, seen: Seen, request_id: str) -> Iterator[str]:
        """A 413 must be in the system's error shape; what a proxy says by itself may be plain."""
        payload = self.payload
        yield from self._leaks(seen)
        if self.hop.plain:
            return
        if payload.error_code is not None and (code := seen.field(payload.error_field)) != payload.error_code:
            form = seen.headers.get("content-type", "no content type")
            yield f"gets 413 with {payload.error_field} {code!r}, not {payload.error_code} ({form})"
        header = payload.request_id_header
        if header and (came := seen.headers.get(header.lower())) != request_id:
            yield f"gets 413 with {header} {came!r}, not the {request_id!r} that was sent"
        name = payload.request_id_field
        if name and (came := seen.field(name)) != request_id:
            yield f"gets 413 with {name} {came!r}, not the {request_id!r} that was sent"

    def _leaks(self, seen: Seen) -> Iterator[str]:
        if _STACK_TRACE.search(seen.text):
            yield f"gets {seen.status} with a stack trace"
        if self.marker in seen.text or "x" * 64 in seen.text:
            yield f"gets {seen.status} with the payload in it"

    def _client_error(self, seen: Seen) -> Iterator[str]:
        if seen.end != "answered" or not 400 <= seen.status < 500:
            yield f"gets {seen.says}, not 4xx"
            return
        yield from self._leaks(seen)

    def _connection(self, seen: Seen) -> Iterator[str]:
        """After an answer the connection is closed, or as good as before."""
        if seen.after == -1:
            yield f"gets {seen.status}, and the connection stays open and silent: a GET over it has no answer"
        elif seen.after == -2:
            yield f"gets {seen.status}, and then something that is no HTTP follows"
        elif seen.after is not None and seen.after >= 400:
            yield f"gets {seen.status}, and the connection stays open and unusable: a GET over it gets {seen.after}"
