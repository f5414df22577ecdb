"""A request before it is sent: its words, what may not be sent, its body."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from typing import Literal

from opsproof.probes.http.forged import Forged
from opsproof.probes.http.identity import Anonymous, can_be_header, is_header_name

Named = str | None | Literal[Anonymous.ANONYMOUS]
"""An identity of the profile by name, None for the target's own `auth`, or `ANONYMOUS`."""

Who = Named | Forged
"""The same, or somebody who pretends to be an identity of the profile."""

_CHUNK_BYTES = 16 * 1024


def in_words(method: str, path: str, who: Who, headers: Mapping[str, str], body: bytes | None) -> str:
    """The request in words; equal words ask the same."""
    words = [method, path]
    if who is not None:
        words.append("as nobody" if isinstance(who, Anonymous) else f"as {who}")
    words += [f"with {name}: {value}" for name, value in headers.items()]
    if body:
        words.append(f"with a body of {len(body)} bytes (sha256 {hashlib.sha256(body).hexdigest()[:16]})")
    return " ".join(words)


def objection(method: str, path: str, headers: Mapping[str, str], *, may_write: bool) -> tuple[str, str] | None:
    """Why this request must not be sent, and what to do instead; None if it may be sent."""
    if method not in ("GET", "HEAD") and not may_write:
        return (
            f"{method} writes, and this check may not write here",
            "Mark the check with @writes; it then runs where the profile's policy allows writes.",
        )
    if not path.startswith("/") or not path.isprintable() or " " in path or "#" in path:
        return (
            f"no path under the target's url: {path!r}",
            "Give the path from / on, percent-encoded, without scheme, host and fragment.",
        )
    wrong = [name for name, value in headers.items() if not (is_header_name(name) and can_be_header(value))]
    if wrong:
        return (
            f"no HTTP header carries what the check put into {', '.join(map(repr, wrong))}",
            "Use ASCII without line breaks in the header's name and value.",
        )
    return None


def framed(body: bytes | None, headers: Mapping[str, str]) -> bytes | AsyncIterator[bytes] | None:
    """The body whole, or in chunks where the headers say so."""
    chunked = any(name.lower() == "transfer-encoding" for name in headers)
    return _in_chunks(body) if chunked and body else body


async def _in_chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _CHUNK_BYTES):
        yield body[start : start + _CHUNK_BYTES]
