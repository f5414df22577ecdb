"""A request on the wire, and its words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from opsproof.probes.wire.bodies import Body

Framing = Literal["none", "length", "chunked", "expect", "http2", "http2-unsized", "raw"]


@dataclass(frozen=True, slots=True)
class WireRequest:
    """
    What is sent, and how.

    Attributes:
        path: Path under the target's url.
        framing: How the body's length is told; `none` for a GET, `raw` for head lines and content written by hand.
        body: The body.
        headers: Further request headers.
        most: Bytes of the body that are sent at most.
        pauses: Numbers of bytes after which it waits for an answer for a moment, before more is sent.
        trickle: Seconds between two bytes; 0 for no wait.
        raw_headers: For `raw`: the header lines that frame it.
        raw_content: For `raw`: what follows the head.
        ends: For `raw`: True to close the sending side after the content.
        then: Path that is asked by GET over the same connection, if it is still open.
    """

    path: str
    framing: Framing = "none"
    body: Body = Body("", ())  # noqa: RUF009 - frozen
    headers: Mapping[str, str] = field(default_factory=dict)
    most: int = 0
    pauses: tuple[int, ...] = ()
    trickle: float = 0.0
    raw_headers: tuple[str, ...] = ()
    raw_content: bytes = b""
    ends: bool = False
    then: str = ""

    @property
    def method(self) -> str:
        """GET without a body, else POST."""
        return "GET" if self.framing == "none" else "POST"

    @property
    def http2(self) -> bool:
        """True if it goes over HTTP/2."""
        return self.framing.startswith("http2")

    @property
    def head(self) -> dict[str, str]:
        """The headers that the body brings along, but its framing."""
        if self.framing == "none":
            return dict(self.headers)
        own = {"Content-Type": self.body.content_type}
        if self.body.coding:
            own["Content-Encoding"] = self.body.coding
        return own | dict(self.headers)

    def in_words(self) -> str:
        """The request in words; the body by its size and framing alone."""
        words = [self.method, self.path]
        if self.framing == "raw":
            words.append(f"by hand with {'; '.join(self.raw_headers)} and {len(self.raw_content)} bytes")
        elif self.framing != "none":
            coding = f", {self.body.coding}" if self.body.coding else ""
            words.append(f"with {self.body.size} bytes ({self.body.content_type.partition(';')[0]}{coding})")
            words.append(_FRAMED[self.framing])
        if self.trickle:
            words.append(f"a byte every {self.trickle:g} s")
        words += [f"with {name}: {value}" for name, value in self.headers.items()]
        return " ".join(words)


_FRAMED = {
    "length": "by Content-Length",
    "chunked": "chunked",
    "expect": "by Content-Length with Expect: 100-continue",
    "http2": "over HTTP/2 by content-length",
    "http2-unsized": "over HTTP/2 without content-length",
}
