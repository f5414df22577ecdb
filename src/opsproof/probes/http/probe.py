"""The probe of an HTTP API."""

from __future__ import annotations

import asyncio
import json as jsonlib
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from typing_extensions import override

from opsproof.errors import NotObserved, PreconditionMissing, Refused
from opsproof.evidence.observer import Observer, Question
from opsproof.evidence.recorder import recording
from opsproof.probes.http.answer import Asked, HttpAnswer, charset
from opsproof.probes.http.by_hand import curl
from opsproof.probes.http.forged import Forged, forged, secrets_in
from opsproof.probes.http.identity import Anonymous, credentials, expiry
from opsproof.probes.http.progress import RequestProgress
from opsproof.probes.http.request import Named, Who, framed, in_words, objection
from opsproof.probes.probe import Probe
from opsproof.probes.reason import Reason
from opsproof.profile.targets import HttpTarget, Identity

if TYPE_CHECKING:
    from opsproof.probes.http.clients import Clients


class HttpProbe(Probe):
    """
    Asks an HTTP API.

    It sends GET and HEAD; POST and DELETE only for a check that may write. It keeps no cookies, follows redirects only
    within the API's own origin, and takes neither proxies nor credentials from the environment of the process.
    """

    def __init__(self, name: str, target: HttpTarget, observer: Observer) -> None:
        super().__init__(name, target, observer)
        self._target = target
        self._query = urlsplit(target.url.get_secret_value()).query
        self._auth = target.identity
        self._clients: Clients | None = None

    async def get(
        self,
        path: str,
        *,
        identity: Who = None,
        headers: Mapping[str, str] | None = None,
        fresh: bool = False,
        new_connection: bool = False,
    ) -> HttpAnswer:
        """
        GET a path.

        Args:
            path: Path under the target's url, from `/` on, with its query if it has one.
            identity: Name of an identity of the profile, None for the target's own, `ANONYMOUS` for none; `Forged` for
                a credential made from that of an identity, which must be refused.
            headers: Further request headers.
            fresh: True to ask even if this sweep has asked it before.
            new_connection: True to open a connection for this request alone, so that another replica may answer.

        Returns:
            The answer, whatever its status.

        Raises:
            NotObserved: There is no answer, or not a whole one; says why.
        """
        return await self._ask("GET", path, identity, headers, None, fresh=fresh, new_connection=new_connection)

    async def get_until(
        self, path: str, reached: Callable[[HttpAnswer], bool], *, within: float, pause: float = 0.2
    ) -> HttpAnswer:
        """
        GET a path again and again.

        Args:
            path: Path under the target's url.
            reached: Says whether an answer is the one that is waited for.
            within: Seconds after which no further request is made.
            pause: Seconds between an answer and the next request. A replay does not wait.

        Returns:
            The first answer that `reached` accepts, or the last one in time.

        Raises:
            NotObserved: One of the requests has no answer; says why.
        """
        until = time.monotonic() + within
        answer = await self.get(path, fresh=True)
        while not reached(answer) and time.monotonic() < until:
            try:
                await asyncio.sleep(0 if self.replays else pause)
                answer = await self.get(path, fresh=True)
            except PreconditionMissing:
                if not self.replays:
                    raise
                break
        return answer

    async def head(
        self, path: str, *, identity: Who = None, headers: Mapping[str, str] | None = None, fresh: bool = False
    ) -> HttpAnswer:
        """Ask for the headers of a path; as `get`."""
        return await self._ask("HEAD", path, identity, headers, None, fresh=fresh)

    async def post(
        self,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        identity: Who = None,
    ) -> HttpAnswer:
        """
        POST to a path; only for a check that may write.

        Args:
            path: Path under the target's url.
            json: Body, sent as JSON.
            content: Body as it is, in place of `json`.
            headers: Further request headers; with `Transfer-Encoding: chunked` no Content-Length is sent.
            identity: As for `get`.

        Raises:
            Refused: The check may not write here.
            NotObserved: There is no answer, or not a whole one; says why.
        """
        sent = dict(headers or {})
        if content is None and json is not None:
            content = jsonlib.dumps(json, ensure_ascii=False, separators=(",", ":")).encode()
            sent = {"Content-Type": "application/json"} | sent
        return await self._ask("POST", path, identity, sent, content or b"")

    async def delete(self, path: str, *, identity: Who = None, headers: Mapping[str, str] | None = None) -> HttpAnswer:
        """DELETE a path; only for a check that may write. Raises as `post`."""
        return await self._ask("DELETE", path, identity, headers, None)

    async def _ask(
        self,
        method: str,
        path: str,
        who: Who,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        *,
        fresh: bool = False,
        new_connection: bool = False,
    ) -> HttpAnswer:
        text = in_words(method, self._shown(path), who, headers or {}, body)
        recorder = recording.get()
        may_write = self.replays or (recorder is not None and recorder.may_write)
        if refusal := objection(method, path, headers or {}, may_write=may_write):
            raise Refused(refusal[0], where=self.observer.where(text), next_step=refusal[1])
        name = who.identity if isinstance(who, Forged) else who
        identity = self._identity(name, text)
        pretended = self._forged(identity, who, text) if isinstance(who, Forged) else identity
        sent = self._sent(pretended, headers or {}, text)
        url = self._url(path)
        by_hand = curl(
            method,
            url,
            identity=identity,
            headers=headers or {},
            body=body,
            timeout=self.observer.timeout,
            ca_file=self._target.ca_file,
        )
        asked = Asked(self.name, self.observer.redactor.text(text), self.observer.where(text))
        progress = RequestProgress()

        async def fetch() -> HttpAnswer:
            from opsproof.probes.http.transfer import Failed, Transfer

            clients = self._open(text)
            try:
                with clients.lent(new_connection=new_connection) as client:
                    request = client.build_request(method, url, headers=sent, content=framed(body, sent))
                    received = await Transfer(client, self._target.max_answer_bytes, progress).exchange(request)
            except Failed as failed:
                why = failed.why
            else:
                self._blame_an_expired_token(received.status, identity, name, text)
                return HttpAnswer(
                    received.status,
                    received.headers,
                    received.elapsed,
                    received.redirects,
                    len(received.body),
                    asked,
                    received.body,
                    charset(received.headers.get("content-type", "")),
                    self.observer.redactor.text,
                )
            raise self._error(why, text)

        def overdue(limit: float) -> NotObserved:
            return self._error(progress.overdue(limit), text)

        return await self.observer.ask(
            Question(text, by_hand), fetch, HttpAnswer, fresh=fresh or new_connection, overdue=overdue
        )

    def _shown(self, path: str) -> str:
        """The path as people read it; two different questions must not look the same."""
        return path

    def _identity(self, who: Named, question: str) -> Identity | None:
        if who is None:
            return self._auth
        if isinstance(who, Anonymous):
            return None
        if who in self._target.identities:
            return self._target.identities[who]
        known = ", ".join(self._target.identities) or "none"
        raise self._error(
            Reason(
                PreconditionMissing,
                f"the profile has no identity {who!r} for {self.name}; it has: {known}",
                f"Add it to targets.{self.name}.identities in the profile.",
            ),
            question,
        )

    def _forged(self, identity: Identity | None, who: Forged, question: str) -> Identity | None:
        """The forged identity, masked from now on. A replay has no credentials, and sends none."""
        if identity is None or self.replays:
            return identity
        try:
            made = forged(identity, who.how)
        except ValueError as exc:
            raise self._error(
                Reason(
                    PreconditionMissing,
                    f"no token can be forged from identity {who.identity}: {exc}",
                    "Give it a JWT, or set `jwt: false` under authorization in the profile.",
                ),
                question,
            ) from None
        self.observer.redactor.add(secrets_in(made))
        return made

    def _sent(self, identity: Identity | None, headers: Mapping[str, str], question: str) -> dict[str, str]:
        """The request headers; what the check gives wins over the identity."""
        try:
            login = credentials(identity) if identity is not None and not self.replays else {}
        except ValueError as exc:
            raise self._error(
                Reason(
                    PreconditionMissing,
                    str(exc),
                    "Set the variable or secret that the profile takes it from again, without a line break.",
                ),
                question,
            ) from None
        return login | dict(headers)

    def _url(self, path: str) -> str:
        if self._query:
            path += f"{'&' if '?' in path else '?'}{self._query}"
        return self.address + path

    def _blame_an_expired_token(self, status: int, identity: Identity | None, who: Named, question: str) -> None:
        expires = expiry(identity) if status == 401 and identity is not None else None
        if expires is None or expires > datetime.now(UTC):
            return
        whose = f"identity {who}" if who else f"{self.name}.auth"
        raise self._error(
            Reason(
                PreconditionMissing,
                f"401: the profile's bearer token of {whose} expired at {expires:%Y-%m-%d %H:%M:%S} UTC",
                "Renew the variable or secret that the profile takes the token from.",
            ),
            question,
        )

    def _open(self, question: str) -> Clients:
        from opsproof.probes.http.clients import Clients

        if self._clients is None:
            secure, ca_file = self.address.startswith("https:"), self._target.ca_file
            try:
                self._clients = Clients(secure=secure, ca_file=ca_file)
            except OSError as exc:
                raise self._error(
                    Reason(
                        PreconditionMissing,
                        f"the certificates of ca_file cannot be read ({exc.strerror or 'no certificate in it'})",
                        f"Correct ca_file of {self.name} in the profile: {ca_file}",
                    ),
                    question,
                ) from exc
        return self._clients

    @override
    async def _disconnect(self) -> None:
        clients, self._clients = self._clients, None
        if clients is not None:
            await clients.close()
