"""The probe that sends bodies over a connection of its own, byte for byte."""

import asyncio
import ssl
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from opsproof.errors import PreconditionMissing, Refused, Unreachable
from opsproof.evidence.observer import Observer, Question
from opsproof.evidence.recorder import recording
from opsproof.probes.http.identity import credentials
from opsproof.probes.http.request import objection
from opsproof.probes.probe import Probe
from opsproof.probes.reason import Reason
from opsproof.probes.wire.answer import WireAnswer
from opsproof.probes.wire.by_hand import command
from opsproof.probes.wire.request import WireRequest
from opsproof.profile.targets import HttpTarget, Identity

_BYTES_PER_SECOND = 1_000_000
_START = "Start the target, or correct host and port of its url in the profile."


class WireProbe(Probe):
    """
    Sends requests to an HTTP target, each over a fresh connection, and tells exactly what became of them.

    What an ordinary client calls an error (a reset, no answer, half an answer) is an answer here; only that no
    connection can be made is none. It sends bodies only for a check that may write.

    Args:
        name: Name of the target.
        target: The target.
        observer: That of the target's own probe: they share its budget.
    """

    def __init__(self, name: str, target: HttpTarget, observer: Observer) -> None:
        super().__init__(name, target, observer)
        self._target = target
        parts = urlsplit(self.address)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._secure else 80)
        self._base = parts.path
        whole = urlsplit(target.url.get_secret_value())
        self._query = whole.query
        self._auth = target.auth
        if self._auth is None and whole.username:
            self._auth = Identity(user=unquote(whole.username), password=SecretStr(unquote(whole.password or "")))

    async def send(self, request: WireRequest, *, within: float, until: asyncio.Event | None = None) -> WireAnswer:
        """
        Send a request.

        Args:
            request: What is sent.
            within: Seconds without progress after which nothing more is waited for.
            until: Set, nothing more of the body is sent.

        Raises:
            Refused: The check may not write here.
            NotObserved: No connection could be made, or the profile's credential is no header.
        """
        text = request.in_words()
        recorder = recording.get()
        may_write = self.replays or (recorder is not None and recorder.may_write)
        if refusal := objection(request.method, request.path, request.headers, may_write=may_write):
            raise Refused(refusal[0], where=self.observer.where(text), next_step=refusal[1])
        login = self._login(text)
        sent = {"Host": self._authority, "User-Agent": "opsproof", "Accept": "*/*"} | login | request.head
        shown = dict.fromkeys(login, "***") | request.head
        url = self.address + self._with_query(request.path)
        by_hand = command(request, url, shown, (self._host, self._port), within)

        async def fetch() -> WireAnswer:
            return await self._exchange(request, sent, within, until or asyncio.Event())

        lasting = len(request.pauses) * within + request.trickle * request.most
        timeout = 4 * within + lasting + request.most / _BYTES_PER_SECOND
        return await self.observer.ask(Question(text, by_hand), fetch, WireAnswer, fresh=True, timeout=timeout)

    async def _exchange(
        self, request: WireRequest, headers: dict[str, str], within: float, until: asyncio.Event
    ) -> WireAnswer:
        from opsproof.probes.wire.connection import Connection
        from opsproof.probes.wire.http1 import Http1Exchange
        from opsproof.probes.wire.http2 import Http2Exchange

        text = request.in_words()
        try:
            connection = await Connection.open(self._host, self._port, self._trust(request, text))
        except OSError as exc:
            why = Reason(Unreachable, f"no connection could be made ({exc.strerror or exc})", _START)
            raise self._error(why, text) from None
        target = self._base + self._with_query(request.path)
        request = replace(request, then=request.then and self._base + self._with_query(request.then))
        try:
            if request.http2:
                scheme = "https" if self._secure else "http"
                exchange = Http2Exchange(connection, request, headers, within, until, target=target, scheme=scheme)
                return await exchange.run()
            return await Http1Exchange(connection, request, headers, within, until, target=target).run()
        finally:
            connection.close()

    def _trust(self, request: WireRequest, question: str) -> ssl.SSLContext | None:
        if not self._secure:
            return None
        try:
            context = ssl.create_default_context(cafile=self._target.ca_file)
        except OSError as exc:
            why = Reason(
                PreconditionMissing,
                f"the certificates of ca_file cannot be read ({exc.strerror or 'no certificate in it'})",
                f"Correct ca_file of {self.name} in the profile: {self._target.ca_file}",
            )
            raise self._error(why, question) from None
        context.set_alpn_protocols(["h2" if request.http2 else "http/1.1"])
        return context

    def _login(self, question: str) -> dict[str, str]:
        if self._auth is None or self.replays:
            return {}
        try:
            return credentials(self._auth)
        except ValueError as exc:
            why = Reason(PreconditionMissing, str(exc), "Set the variable or secret that the profile takes it from.")
            raise self._error(why, question) from None

    def _with_query(self, path: str) -> str:
        return path + (f"{'&' if '?' in path else '?'}{self._query}" if self._query else "")

    @property
    def _authority(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return host if self._port == (443 if self._secure else 80) else f"{host}:{self._port}"
