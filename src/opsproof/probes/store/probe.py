"""The probe of an object store."""

from __future__ import annotations

import asyncio
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from typing_extensions import override

from opsproof.errors import PreconditionMissing
from opsproof.evidence.observer import Observer, Question
from opsproof.probes.probe import Probe
from opsproof.probes.reason import Reason
from opsproof.probes.store.client import client
from opsproof.probes.store.failures import CODE, NO_STORE, NOWHERE, reason
from opsproof.probes.store.listing import MOST_OBJECTS, Listing
from opsproof.profile.stores import place
from opsproof.profile.targets import StoreTarget, address

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

_AT_ONCE = 1000


class StoreProbe(Probe):
    """Lists the objects of a bucket, container or folder. It writes nothing, and reads no object's content."""

    def __init__(self, name: str, target: StoreTarget, observer: Observer) -> None:
        super().__init__(name, target, observer)
        self._target = target
        self._place = place(target.url)
        self._store: ObjectStore | None = None

    async def listing(self, prefix: str = "", *, fresh: bool = False) -> Listing:
        """
        What there is of objects whose names begin with a prefix; folders below it belong to it.

        At most `MOST_OBJECTS` of the prefix's folder are looked at.

        Args:
            prefix: How the names begin, behind what the target's url says: `daily/shop-`.
            fresh: True to ask even if this sweep has asked it before.

        Raises:
            NotObserved: There is no answer; says why.
        """
        text = self.question(prefix)
        if not self.replays:
            # Loading the library takes a while; the store's time limit is not for that.
            await asyncio.to_thread(self._load, text)

        async def fetch() -> Listing:
            from obstore.exceptions import BaseError

            try:
                return await self._list(self._whole(prefix), text)
            except (BaseError, OSError, ValueError) as exc:
                why = reason(exc)
            raise self._error(why, text)

        return await self.observer.ask(Question(text, self._by_hand(prefix)), fetch, Listing, fresh=fresh)

    def question(self, prefix: str) -> str:
        """How a listing is named in evidence and errors."""
        return f"LIST {prefix}*"

    def _load(self, text: str) -> None:
        try:
            import obstore  # noqa: F401
        except ImportError:
            what = "object stores are asked through obstore, which is not installed"
            raise self._error(Reason(PreconditionMissing, what, "pip install 'opsproof[store]'"), text) from None

    async def _list(self, begins: str, text: str) -> Listing:
        import obstore

        if self._place.scheme == "local" and not await asyncio.to_thread(Path(self._place.bucket).is_dir):
            raise FileNotFoundError("kind: NotFound")
        if self._store is None:
            self._store = client(self._target, self.observer.timeout)
        seen = 0
        found: list[ObjectMeta] = []
        async for chunk in obstore.list(self._store, begins.rpartition("/")[0] or None, chunk_size=_AT_ONCE):
            left = MOST_OBJECTS - seen
            found += [one for one in chunk[:left] if one["path"].startswith(begins)]
            seen += len(chunk)
            if seen > MOST_OBJECTS:
                break
        if seen == 0 and self._place.scheme != "local":
            await self._confirm(self._store, text)
        return Listing.of(found, whole=seen <= MOST_OBJECTS)

    async def _confirm(self, store: ObjectStore, text: str) -> None:
        """
        Make sure that a store says there is nothing.

        obstore finds no object in any page of HTML, and calls that an empty bucket.
        """
        import obstore
        from obstore.exceptions import BaseError

        try:
            await obstore.get_async(store, NOWHERE)
        except (BaseError, OSError) as exc:
            if CODE.search(str(exc)):
                return
            raise
        raise self._error(NO_STORE, text)

    def _whole(self, prefix: str) -> str:
        """How the whole names begin."""
        root = self._place.prefix
        return f"{root}/{prefix}" if root else prefix

    def _by_hand(self, prefix: str) -> str:
        at, begins = self._place, self._whole(prefix)
        if at.scheme == "local":
            return f"cd {quote(at.bucket)} && find . -type f -path {quote(f'./{begins}*')} -printf '%T+ %s %P\\n'"
        if at.scheme == "gs":
            return f"gcloud storage ls -l {quote(f'gs://{at.bucket}/{begins}**')}"
        if at.scheme == "az":
            return f"az storage blob list --account-name {at.account} -c {at.bucket} --prefix {quote(begins)} -o table"
        region = f" --region {quote(self._target.region)}" if self._target.region else ""
        endpoint = f" --endpoint-url {quote(address(self._target.endpoint))}" if self._target.endpoint else ""
        return f"aws{endpoint}{region} s3 ls --recursive {quote(f's3://{at.bucket}/{begins}')}"

    @override
    async def _disconnect(self) -> None:
        self._store = None
