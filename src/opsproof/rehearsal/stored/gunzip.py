"""Unpack gzip piece by piece, and notice everything that `gunzip` only warns of, or that a pipe loses."""

import zlib
from collections.abc import Iterator

_SLICE = 64 << 10
_MOST = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS


class Gunzip:
    """
    A gzip file of one or more members, in bounded memory whatever it unpacks to.

    Attributes:
        members: How many have ended well.
        problem: Why it is no whole gzip file; "" so far.
    """

    def __init__(self) -> None:
        self.members = 0
        self.problem = ""
        self._member = zlib.decompressobj(_GZIP)
        self._begun = False
        self._behind = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Unpack a further piece; after a problem nothing comes any more."""
        for start in range(0, len(piece), _SLICE):
            yield from self._unpack(piece[start : start + _SLICE])

    def finish(self) -> None:
        """The file is over: say in `problem` if it should not be."""
        if self._behind:
            self.problem = self.problem or f"{self._behind} bytes that are no gzip stand behind its end"
        elif self._begun or not self.members:
            self.problem = self.problem or "the gzip file is cut off: it ends before its trailer"

    def _unpack(self, data: bytes) -> Iterator[bytes]:
        while data and not self.problem:
            if self._behind or (self.members and not self._begun and data[0] != 0x1F):
                self._behind += len(data)
                return
            try:
                self._begun = True
                unpacked = self._member.decompress(data, _MOST)
            except zlib.error as exc:
                self.problem = f"the gzip file is damaged: {exc}"
                return
            if unpacked:
                yield unpacked
            data = self._member.unconsumed_tail
            if self._member.eof:
                data = self._member.unused_data
                self.members += 1
                self._begun = False
                self._member = zlib.decompressobj(_GZIP)
