"""What is written at the head of every page of WAL."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from opsproof.rehearsal.archive.names import lsn_text

_PAGE = struct.Struct("<HHIQI")
_LONG = struct.Struct("<HHIQI4xQII")
_LONG_FLAG = 0x0002
PAGE_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Header:
    """
    The long header at the beginning of a segment (XLogLongPageHeaderData).

    Attributes:
        magic: Version of the format; one for each major version of PostgreSQL.
        position: Where its first byte belongs.
        system: Identifier of the cluster that wrote it.
        size: Bytes of a segment.
        page: Bytes of a page.
    """

    magic: int
    timeline: int
    position: int
    system: int
    size: int
    page: int


def read_header(content: bytes) -> Header | None:
    """The long header at the beginning of a segment; None where there is none."""
    if len(content) < _LONG.size:
        return None
    magic, info, timeline, position, _, system, size, page = _LONG.unpack_from(content)
    if magic >> 8 not in (0xD0, 0xD1) or not info & _LONG_FLAG or page < 1024 or page & (page - 1):
        return None
    return Header(magic, timeline, position, system, size, page)


class Pages:
    """
    Reads the pages of a segment as they come by, and keeps what is odd about them.

    After a switch of segments the rest of one is zeros; zeros before anything else are a hole.

    Args:
        header: The segment's own.
    """

    def __init__(self, header: Header) -> None:
        self._header = header
        self._offset = 0
        self._rest = b""
        self._zeros_from: int | None = None
        self.odd: str = ""

    def feed(self, pieces: Iterable[bytes]) -> None:
        """Read on; `odd` says what is wrong with the first page that is."""
        for piece in pieces:
            content = self._rest + piece
            whole = len(content) - len(content) % self._header.page
            for at in range(0, whole, self._header.page):
                self._page(content[at : at + self._header.page])
            self._rest = content[whole:]

    def _page(self, page: bytes) -> None:
        at, self._offset = self._offset, self._offset + len(page)
        if self.odd:
            return
        if not page.strip(b"\0"):
            self._zeros_from = at if self._zeros_from is None else self._zeros_from
            return
        if self._zeros_from is not None:
            self.odd = f"zeros from byte {self._zeros_from} to {at}, and other bytes behind them"
            return
        magic, _, timeline, position, _ = _PAGE.unpack_from(page)
        expected = self._header.position + at
        if magic != self._header.magic:
            self.odd = f"no page of WAL at byte {at} (magic {magic:04X})"
        elif position != expected:
            self.odd = f"the page at byte {at} belongs at {lsn_text(position)}, not at {lsn_text(expected)}"
        elif timeline < self._header.timeline:
            self.odd = f"the page at byte {at} is of timeline {timeline}, before {self._header.timeline}"
