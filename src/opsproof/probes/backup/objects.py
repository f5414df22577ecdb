"""The objects of a backup store: listed, streamed, fetched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from opsproof.errors import NotObserved
from opsproof.probes.store.client import client
from opsproof.probes.store.failures import reason
from opsproof.profile.stores import place
from opsproof.profile.targets import StoreTarget

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_CHUNK = 4 << 20
_READ_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class StoredObject:
    """
    One object.

    Attributes:
        name: Behind the store's own prefix.
        size: Bytes.
        written: When the store took it.
    """

    name: str
    size: int
    written: datetime


class Objects:
    """
    Reads a store; writes nothing.

    Args:
        target: The store as the profile describes it.
    """

    def __init__(self, target: StoreTarget) -> None:
        self.target = target
        self._place = place(target.url)
        self._store: ObjectStore | None = None

    def names(self, prefix: str = "") -> list[StoredObject]:
        """
        Every object whose name begins with a prefix, in the order of their names.

        Raises:
            NotObserved: There is no answer; says why.
        """
        import obstore

        whole = self._whole(prefix)
        found: list[StoredObject] = []
        with self._told(f"LIST {prefix}*"):
            for chunk in obstore.list(self._open(), whole.rpartition("/")[0] or None):
                for one in chunk:
                    if one["path"].startswith(whole):
                        name = one["path"].removeprefix(self._whole(""))
                        found.append(StoredObject(name, one["size"], one["last_modified"]))
        return sorted(found, key=lambda one: one.name)

    def stream(self, name: str) -> Iterator[bytes]:
        """
        The content of an object, in pieces of some megabytes.

        Raises:
            NotObserved: It is not there, or cannot be read to its end.
        """
        import obstore

        with self._told(f"GET {name}"):
            yield from map(bytes, obstore.get(self._open(), self._whole(name)).stream(min_chunk_size=_CHUNK))

    def read(self, name: str, most: int = 16 << 20) -> bytes:
        """
        The content of a small object; what is larger is cut at `most` bytes.

        Raises:
            NotObserved: It is not there, or cannot be read.
        """
        content = bytearray()
        for piece in self.stream(name):
            content += piece
            if len(content) >= most:
                break
        return bytes(content[:most])

    def path(self, name: str) -> Path | None:
        """Where an object is on this machine; None for one that must be fetched."""
        return Path(self._place.bucket) / name if self._place.scheme == "local" else None

    def fetch(self, prefix: str, folder: Path) -> int:
        """
        Copy every object of a prefix into a folder, without the prefix; bytes copied.

        Raises:
            NotObserved: One of them cannot be read.
        """
        copied = 0
        for one in self.names(prefix):
            target = folder / one.name.removeprefix(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                for piece in self.stream(one.name):
                    copied += file.write(piece)
        return copied

    def where(self, question: str) -> str:
        """A question and the store's address, as an error names them."""
        return f"{question} at {self.target.address}"

    def _open(self) -> ObjectStore:
        if self._store is None:
            self._store = client(self.target, _READ_SECONDS)
        return self._store

    def _whole(self, name: str) -> str:
        return f"{self._place.prefix}/{name}" if self._place.prefix else name

    def _told(self, question: str) -> _Told:
        return _Told(self, question)


class _Told:
    """Makes the store's own errors those of opsproof."""

    def __init__(self, objects: Objects, question: str) -> None:
        self._objects = objects
        self._question = question

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        from obstore.exceptions import BaseError

        if isinstance(error, (BaseError, OSError, ValueError)) and not isinstance(error, NotObserved):
            why = reason(error)
            where = self._objects.where(self._question)
            raise why.kind(why.what, where=where, next_step=why.next_step) from None
