"""Requests whose framing is wrong, by RFC 9112; what is right is to refuse them, or to close, and to store nothing."""

from dataclasses import dataclass

BODY = "{body}"
"""Stands for a valid small body, in a raw case's content; `{size}` in a header for its length."""

CHUNK = "{chunk}"
"""Stands for the same as one chunk."""


@dataclass(frozen=True, slots=True)
class RawCase:
    """
    One request, written by hand where no library would.

    Attributes:
        name: What is wrong with it.
        headers: Header lines that frame it; `{size}` is the body's length, `{shorter}` and `{longer}` lie about it.
        content: What follows the head: `{body}` is a valid body, `{chunk}` the same as one chunk.
        ends: True to close the sending side after it, as a client that went away.
        may_close: True if it is right to close without an answer.
        may_take: True if it is right to take it, once: the RFC lets a server read past this mistake.
        cuts: True if a server that trusts it sees a shorter body; who takes any bytes is right to take those.
        most: Bytes that are sent at most.
    """

    name: str
    headers: tuple[str, ...]
    content: str
    ends: bool = False
    may_close: bool = False
    may_take: bool = False
    cuts: bool = False
    most: int = 1024

    @property
    def weight(self) -> int:
        """Bytes that the service must hold of it, at most."""
        return self.most


_LENGTH = "Content-Length: {size}"
_CHUNKED = "Transfer-Encoding: chunked"

MALFORMED = (
    RawCase("Content-Length shorter than the body", ("Content-Length: {shorter}",), BODY, cuts=True),
    RawCase("Content-Length longer than the body", ("Content-Length: {longer}",), BODY, ends=True, may_close=True),
    RawCase("negative Content-Length", ("Content-Length: -1",), BODY),
    RawCase("Content-Length that is no number", ("Content-Length: {size}x",), BODY),
    RawCase("Content-Length of 20 digits", ("Content-Length: 99999999999999999999",), BODY),
    RawCase("two Content-Lengths that differ", (_LENGTH, "Content-Length: {longer}"), BODY),
    RawCase("two Content-Lengths that agree", (_LENGTH, _LENGTH), BODY, may_take=True),
    RawCase("Content-Length with Transfer-Encoding", (_LENGTH, _CHUNKED), f"{CHUNK}0\r\n\r\n", may_take=True),
    RawCase("unknown Transfer-Encoding", ("Transfer-Encoding: xyzzy",), BODY),
    RawCase("chunk size that is no number", (_CHUNKED,), "zz\r\n{body}\r\n0\r\n\r\n"),
    RawCase("chunk size of 20 digits", (_CHUNKED,), "ffffffffffffffffffff\r\n{body}", ends=True, may_close=True),
    RawCase("chunks without an end", (_CHUNKED,), CHUNK, ends=True, may_close=True),
)
"""What a guard must not be fooled by."""
