"""A way to the service, by one hop: makes requests for it, sends them, and knows what is right there."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opsproof.errors import PreconditionMissing
from opsproof.judge.payload import Judge
from opsproof.profile.payload import Hop, Payload, Taker
from opsproof.profile.payload_framing import BODY, CHUNK, RawCase
from opsproof.profile.payload_plan import BatchCase, SizeCase

if TYPE_CHECKING:
    from opsproof.probes.wire import Body, WireAnswer, WireProbe, WireRequest

SMALL_BYTES = 256
"""Size of a body that no limit concerns."""


@dataclass(frozen=True)
class Way:
    """
    A hop, ready to be asked.

    Attributes:
        name: Its name in the profile.
        hop: What the profile says about it.
        wire: Sends.
        judge: Knows what is right there.
        payload: The section of the profile.
        tenant: Whose items are sent.
    """

    name: str
    hop: Hop
    wire: "WireProbe"
    judge: Judge
    payload: Payload
    tenant: str

    def sized(self, endpoint: Taker, case: SizeCase, key: str) -> "WireRequest":
        """A body of a certain size."""
        from opsproof.probes.wire import WireRequest

        known = (case.known_at, case.known_at + self.judge.early_bytes)
        return WireRequest(
            endpoint.path,
            case.framing,
            self._body(endpoint, case.form, case.size, key, coding=case.coding),
            headers=self._id_header(key),
            most=case.most,
            pauses=known if case.right == "refused" and not case.eager else (),
            then=(self.payload.normal or "") if case.name.endswith("limit+1") else "",
        )

    def listed(self, endpoint: Taker, case: BatchCase, key: str) -> "WireRequest":
        """
        A list.

        Raises:
            TooSmall: So many items take more than the bytes that the whole is to have.
        """
        from opsproof.probes.wire import WireRequest, list_body

        body = list_body(
            lambda number: self._item(f"{key}-{number}"),
            endpoint.batch_field,
            case.shape,
            case.items,
            case.size,
            marker=self.judge.marker,
        )
        return WireRequest(endpoint.path, "length", body, headers=self._id_header(key), most=body.size)

    def raw(self, endpoint: Taker, case: RawCase, key: str) -> "WireRequest":
        """A request whose framing is wrong."""
        from opsproof.probes.wire import WireRequest

        body = self._body(endpoint, endpoint.takes[0], SMALL_BYTES, key)
        text = b"".join(body.pieces()).decode()
        sizes = {"size": len(text), "shorter": len(text) // 2, "longer": len(text) + 50}
        chunk = f"{len(text):x}\r\n{text}\r\n"
        return WireRequest(
            endpoint.path,
            "raw",
            raw_headers=(f"Content-Type: {body.content_type}", *(line.format(**sizes) for line in case.headers)),
            raw_content=case.content.replace(BODY, text).replace(CHUNK, chunk).encode(),
            ends=case.ends,
        )

    def small(self, endpoint: Taker, key: str, *, trickle: float = 0.0, lasts: float = 0.0) -> "WireRequest":
        """A body that no limit concerns; with `trickle` a byte every so many seconds, as long as it `lasts`."""
        from opsproof.probes.wire import WireRequest

        body = self._body(endpoint, endpoint.takes[0], SMALL_BYTES, key)
        most = min(round(lasts / trickle), body.size - 1) if trickle else body.size
        return WireRequest(endpoint.path, "length", body, most=most, trickle=trickle)

    async def send(self, request: "WireRequest", *, until: asyncio.Event | None = None) -> "WireAnswer":
        """What became of a request; once `until` is set nothing more of its body is sent."""
        return await self.wire.send(request, within=self.payload.answer_within, until=until)

    async def normal(self, when: str) -> list[str]:
        """What is wrong with a GET over a connection of its own; [] if the profile names none."""
        from opsproof.probes.wire import WireRequest

        if self.payload.normal is None:
            return []
        return self.judge.of_normal(await self.send(WireRequest(self.payload.normal)), when)

    def request_id(self, key: str) -> str:
        """The id that the request with this key carries."""
        return f"{self.tenant}-{key}"

    def _id_header(self, key: str) -> dict[str, str]:
        header = self.payload.request_id_header
        return {header: self.request_id(key)} if header else {}

    def _item(self, key: str) -> Any:
        from opsproof.probes.wire.bodies import filled

        return filled(self.payload.item, {"{tenant}": self.tenant, "{key}": key})

    def _body(self, endpoint: Taker, form: Any, size: int, key: str, *, coding: str = "") -> "Body":
        from opsproof.probes.wire import TooSmall, items_body

        try:
            return items_body(
                form,
                self._item(key),
                size,
                marker=self.judge.marker,
                batch_field=endpoint.batch_field,
                coding=coding,
            )
        except TooSmall as exc:
            raise PreconditionMissing(
                f"no body of {size} bytes can be made for {endpoint.path}: {exc}",
                where="payload of the profile",
                next_step="Make payload.item shorter, or correct payload.max_body_bytes.",
            ) from None
