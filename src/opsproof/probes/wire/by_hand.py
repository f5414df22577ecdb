"""The line for a shell that repeats a request by hand."""

from collections.abc import Mapping
from shlex import quote

from opsproof.probes.wire.bodies import Body
from opsproof.probes.wire.request import WireRequest

_PACKERS = {
    "gzip": "gzip -c",
    "deflate": "python3 -c 'import sys, zlib; sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))'",
}
_LONGEST_TEXT = 2000
_WRITTEN_OUT = 64


def command(request: WireRequest, url: str, headers: Mapping[str, str], address: tuple[str, int], within: float) -> str:
    """
    A command that sends the same: curl, fed with a body that is made on the way; netcat for what curl would not write.

    Args:
        request: The request.
        url: Its whole address.
        headers: Its headers, credentials replaced by `***`.
        address: Host and port.
        within: Seconds that it may take.
    """
    if request.framing == "raw":
        head = [f"POST {request.path} HTTP/1.1", f"Host: {address[0]}:{address[1]}"]
        head += [*(f"{name}: {value}" for name, value in headers.items()), *request.raw_headers, "", ""]
        text = "\r\n".join(head) + request.raw_content.decode("latin-1")
        told = text.encode("unicode_escape").decode().replace("%", "%%")
        return f"printf {quote(told)} | nc -w {within:g} {address[0]} {address[1]}"
    words = ["curl", "-sS", "-i", "--max-time", f"{within:g}"]
    if request.http2:
        words.append("--http2-prior-knowledge" if url.startswith("http:") else "--http2")
    for name, value in headers.items():
        words += ["-H", quote(f"{name}: {value}")]
    if request.method == "GET":
        return " ".join([*words, quote(url)])
    if request.framing in ("chunked", "http2-unsized"):
        words += ["-H", "'Transfer-Encoding: chunked'"]
    words += ["-H", "'Expect: 100-continue'" if request.framing == "expect" else "Expect:"]
    if request.trickle:
        words += ["--limit-rate", "1"]
    source = _source(request.body)
    packer = f" | {_PACKERS[request.body.coding]}" if request.body.coding else ""
    return f"{source}{packer} | {' '.join([*words, '--data-binary', '@-', quote(url)])}"


def _source(body: Body) -> str:
    """Commands that print a body; a text of many items is told by its length."""
    steps, text = [], ""
    for part in body.parts:
        if isinstance(part, bytes):
            text += part.decode("latin-1")
        elif part <= _WRITTEN_OUT:
            text += "x" * part
        else:
            steps += [f"printf %s {quote(text)}", f"head -c {part} /dev/zero | tr '\\0' x"]
            text = ""
    steps.append(f"printf %s {quote(text)}")
    line = f"{{ {'; '.join(steps)}; }}" if len(steps) > 1 else steps[0]
    return line if len(line) <= _LONGEST_TEXT else f"head -c {body.size} /dev/zero | tr '\\0' x"
