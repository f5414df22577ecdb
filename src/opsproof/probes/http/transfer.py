"""One HTTP request and its answer, with a bound on what is read."""

import time
import zlib
from dataclasses import dataclass
from typing import Any

from opsproof.errors import BadAnswer
from opsproof.probes.http.failures import closed_without_answer, reason
from opsproof.probes.http.library import httpx
from opsproof.probes.http.progress import RequestProgress
from opsproof.probes.reason import Reason

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_BY_HAND = "Ask by hand to see what comes."


class Failed(Exception):
    """There is no answer; carries the reason."""

    def __init__(self, why: Reason) -> None:
        super().__init__(why.what)
        self.why = why


@dataclass(slots=True)
class Received:
    """A whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes
    elapsed: float
    redirects: tuple[str, ...]


class Transfer:
    """
    Sends one request and follows redirects within its origin.

    Args:
        client: Sends.
        most_bytes: The largest body that is read.
        progress: Told how far the request has come.
    """

    def __init__(self, client: httpx.AsyncClient, most_bytes: int, progress: RequestProgress) -> None:
        self._client = client
        self._most_bytes = most_bytes
        self._progress = progress

    async def exchange(self, request: httpx.Request) -> Received:
        """
        Send the request and read the answer to its end.

        Raises:
            Failed: There is no whole answer.
        """
        chain = [request.url]
        while True:
            received = await self._send_once_more_if_stale(request)
            target = _redirect(request, received)
            if target is None:
                received.redirects = tuple(url.path for url in chain[:-1])
                return received
            chain.append(target)
            if target in chain[:-1] or len(chain) > _MOST_REDIRECTS + 1:
                kind = "endless redirects" if target in chain[:-1] else f"more than {_MOST_REDIRECTS} redirects"
                what = f"{kind}: {' -> '.join(url.raw_path.decode('ascii') for url in chain)}"
                raise Failed(
                    Reason(BadAnswer, what, "Correct the path in the profile, or the redirects of the target.")
                )
            request = self._client.build_request(request.method, target, headers=request.headers)

    async def _send_once_more_if_stale(self, request: httpx.Request) -> Received:
        """The target may close an idle connection just when it is used again; reads are then sent anew."""
        self._progress.new_connection = False
        try:
            return await self._send(request)
        except httpx.RequestError as exc:
            stale = not self._progress.new_connection and not self._progress.status and closed_without_answer(exc)
            if not stale or request.method not in ("GET", "HEAD"):
                raise Failed(self._broken_off(exc)) from None
        try:
            return await self._send(request)
        except httpx.RequestError as exc:
            raise Failed(self._broken_off(exc)) from None

    def _broken_off(self, exc: httpx.RequestError) -> Reason:
        return self._cut_off() if self._progress.status else reason(exc)

    def _cut_off(self) -> Reason:
        return Reason(
            BadAnswer,
            f"the answer broke off: status {self._progress.status} and {self._progress.bytes} bytes had come",
            _BY_HAND,
        )

    async def _send(self, request: httpx.Request) -> Received:
        self._progress.status = self._progress.bytes = 0
        request.extensions = request.extensions | {"trace": self._trace}
        clock = time.perf_counter()
        response = await self._client.send(request, stream=True)
        try:
            self._progress.status = response.status_code
            body = await self._read(response)
        finally:
            await response.aclose()
        elapsed = time.perf_counter() - clock
        return Received(response.status_code, dict(response.headers), body, elapsed, ())

    async def _trace(self, event: str, info: dict[str, Any]) -> None:
        if event == "connection.connect_tcp.started":
            self._progress.connecting = self._progress.new_connection = True
        elif event == "http11.send_request_headers.started":
            self._progress.connecting = False

    async def _read(self, response: httpx.Response) -> bytes:
        announced = response.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._most_bytes and response.request.method != "HEAD":
            raise self._too_large(f", the target announces {announced}")
        unpack = _unpacker(response.headers.get("content-encoding", ""))
        body = bytearray()
        async for packed in response.aiter_raw():
            self._progress.bytes += len(packed)
            try:
                body += packed if unpack is None else unpack.decompress(packed, self._most_bytes + 1 - len(body))
            except zlib.error:
                raise Failed(
                    Reason(BadAnswer, "the body is said to be packed, but cannot be unpacked", _BY_HAND)
                ) from None
            if len(body) > self._most_bytes:
                raise self._too_large("")
            if unpack is not None and unpack.eof:
                break
        if unpack is not None and self._progress.bytes and not unpack.eof:
            raise Failed(self._cut_off())
        return bytes(body)

    def _too_large(self, announced: str) -> Failed:
        return Failed(
            Reason(
                BadAnswer,
                f"status {self._progress.status} with a body of more than {self._most_bytes} bytes{announced}",
                "Ask for less (a limit, a smaller page), or raise max_answer_bytes of the target in the profile.",
            )
        )


def _redirect(request: httpx.Request, received: Received) -> httpx.URL | None:
    """Where the answer redirects to, within the same origin; credentials never go to another one."""
    if received.status not in _REDIRECTS or request.method not in ("GET", "HEAD"):
        return None
    try:
        target = request.url.join(received.headers["location"]).copy_with(fragment=None)
    except (KeyError, httpx.InvalidURL):
        return None
    same = (target.scheme, target.host, target.port) == (request.url.scheme, request.url.host, request.url.port)
    return target if same and not target.userinfo else None


def _unpacker(encoding: str) -> Any:
    """
    What unpacks this Content-Encoding step by step, or None if nothing is packed.

    Raises:
        Failed: An encoding that was never asked for and cannot be unpacked.
    """
    if encoding.strip().lower() in ("", "identity"):
        return None
    if encoding.strip().lower() in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    raise Failed(
        Reason(
            BadAnswer, f"the body is packed as {encoding[:40]}, which was not asked for", "Correct the target or proxy."
        )
    )
