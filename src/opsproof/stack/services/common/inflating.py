"""Unpacking of compressed bodies that never holds more than the limit."""

from __future__ import annotations

import zlib

from opsproof.stack.services.common.failures import ApiError

_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class Inflated:
    """
    Unpacks one body, part by part.

    Args:
        encoding: Its Content-Encoding; "" and identity for none.
        limit: How many bytes may come out; 0 for any number.
        refusal: What is raised when more come out.

    Raises:
        ApiError: 415 for an encoding that is not known.
    """

    def __init__(self, encoding: str, limit: int, refusal: ApiError) -> None:
        encoding = encoding.strip().lower()
        if encoding not in ("", "identity", *_WINDOW_BITS):
            headers = {"Accept-Encoding": "gzip, deflate"}
            raise ApiError(415, "the body's encoding is not known; send gzip, deflate or none", headers=headers)
        bits = _WINDOW_BITS.get(encoding)
        self._unpacker = None if bits is None else zlib.decompressobj(bits)
        self._limit = limit
        self._refusal = refusal
        self._seen = 0

    def more(self, packed: bytes, *, last: bool) -> bytes:
        """
        What a further part unpacks to.

        Args:
            last: Whether nothing follows.

        Raises:
            ApiError: The refusal where more than the limit comes out; 400 for what cannot be unpacked.
        """
        if self._unpacker is None:
            return packed
        most = self._limit and self._limit - self._seen + 1
        try:
            text = self._unpacker.decompress(packed, most)
        except zlib.error:
            raise _broken() from None
        self._seen += len(text)
        if self._limit and self._seen > self._limit:
            raise self._refusal
        if self._unpacker.unused_data or (last and not self._unpacker.eof):
            raise _broken()
        return text


def _broken() -> ApiError:
    return ApiError(400, "the body cannot be unpacked")
