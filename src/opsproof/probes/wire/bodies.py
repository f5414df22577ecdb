"""Bodies that are made while they are sent: never held in memory, whatever their size."""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Form = Literal["json", "ndjson", "form", "multipart", "octets"]
Shape = Literal["list", "same-key", "nested", "object", "field-twice"]

BLOCK = 16 * 1024
"""Bytes that are made at once."""

_FILLER = "{filler}"
_BOUNDARY = "opsproof-boundary"
_WBITS = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
_CONTENT_TYPES = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "form": "application/x-www-form-urlencoded",
    "multipart": f"multipart/form-data; boundary={_BOUNDARY}",
    "octets": "application/octet-stream",
}


class TooSmall(ValueError):
    """The size that is asked for is less than what the form takes without any filler."""


@dataclass(frozen=True, slots=True)
class Body:
    """
    A body.

    Attributes:
        content_type: Its media type.
        parts: What it is made of, in order: bytes as they are, a number for so many bytes of filler.
        coding: Content-Encoding, or "".
    """

    content_type: str
    parts: tuple[bytes | int, ...]
    coding: str = ""

    @property
    def size(self) -> int:
        """Bytes, unpacked."""
        return sum(part if isinstance(part, int) else len(part) for part in self.parts)

    def pieces(self) -> Iterator[bytes]:
        """The body as it goes over the wire, a block at a time."""
        return self._plain() if not self.coding else self._packed()

    def wire_size(self) -> int:
        """Bytes on the wire; a packed body is packed once for it, and not kept."""
        return self.size if not self.coding else sum(map(len, self._packed()))

    def _plain(self) -> Iterator[bytes]:
        filler = b"x" * BLOCK
        for part in self.parts:
            if isinstance(part, bytes):
                yield from (part[start : start + BLOCK] for start in range(0, len(part), BLOCK))
                continue
            for _ in range(part // BLOCK):
                yield filler
            if rest := part % BLOCK:
                yield filler[:rest]

    def _packed(self) -> Iterator[bytes]:
        packer = zlib.compressobj(level=1, wbits=_WBITS[self.coding])
        for piece in self._plain():
            if packed := packer.compress(piece):
                yield packed
        yield packer.flush()


def filled(value: Any, blanks: Mapping[str, str]) -> Any:
    """A value with the blanks of its texts filled in."""
    if isinstance(value, dict):
        return {name: filled(part, blanks) for name, part in value.items()}
    if isinstance(value, list):
        return [filled(part, blanks) for part in value]
    if isinstance(value, str):
        for blank, text in blanks.items():
            value = value.replace(blank, text)
    return value


def items_body(form: Form, item: Mapping[str, Any], size: int, *, marker: str, batch_field: str, coding: str) -> Body:
    """
    A body of exactly this size, with one item in it.

    Args:
        form: What it is made of.
        item: The item, with its blanks filled in but the `{filler}`.
        size: Bytes, unpacked; 0 for no body at all.
        marker: Text that begins the filler, to be known again in an answer.
        batch_field: Key of the list that the item stands in; "" if it stands alone.
        coding: Content-Encoding, or "".

    Raises:
        TooSmall: The form alone is longer.
    """
    if size == 0:
        return Body(_CONTENT_TYPES[form], (), coding)
    return Body(_CONTENT_TYPES[form], _spread([_wrapped(form, item, batch_field)], size, marker), coding)


def list_body(
    item: Callable[[int], Mapping[str, Any]], field: str, shape: Shape, count: int, size: int, *, marker: str
) -> Body:
    """
    A list of items, as JSON.

    Args:
        item: Makes the item of a number, with its blanks filled in but the `{filler}`.
        field: Key of the list.
        shape: `list`; `same-key` (every item is the first one), `nested` (a list in the list), `object` (the item in
            place of the list), `field-twice` (the key is there twice: first with one item, then with all).
        count: How many items.
        size: Bytes of the whole, spread over all items; 0 for the smallest.
        marker: As for `items_body`.

    Raises:
        TooSmall: So many items are longer.
    """
    numbers = [0] * count if shape == "same-key" else list(range(count))
    rendered = [_rendered(item(number)) for number in numbers]
    whole = f"[{','.join(rendered)}]"
    name = json.dumps(field)
    text = {
        "list": f"{{{name}:{whole}}}",
        "same-key": f"{{{name}:{whole}}}",
        "nested": f"{{{name}:[{whole}]}}",
        "object": f"{{{name}:{rendered[0] if rendered else '{}'}}}",
        "field-twice": f"{{{name}:[{rendered[0] if rendered else ''}],{name}:{whole}}}",
    }[shape]
    return Body(_CONTENT_TYPES["json"], _spread(text.split(_FILLER), size, marker))


def _wrapped(form: Form, item: Mapping[str, Any], batch_field: str) -> str:
    if form == "json":
        return _rendered({batch_field: [item]} if batch_field else item)
    if form == "ndjson":
        return _rendered(item) + "\n"
    if form == "form":
        return f"filler={_FILLER}"
    if form == "multipart":
        disposition = 'Content-Disposition: form-data; name="file"; filename="opsproof.txt"'
        return f"--{_BOUNDARY}\r\n{disposition}\r\n\r\n{_FILLER}\r\n--{_BOUNDARY}--\r\n"
    return _FILLER


def _rendered(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _spread(texts: list[str], size: int, marker: str) -> tuple[bytes | int, ...]:
    """Texts with filler between them, so that all have so many bytes; the last gap takes what is left over."""
    fixed = [text.encode() for text in (texts[0].split(_FILLER) if len(texts) == 1 else texts)]
    gaps = len(fixed) - 1
    room = size - sum(map(len, fixed)) if size else gaps
    if room < 0 or (gaps == 0 and room):
        raise TooSmall(f"{sum(map(len, fixed))} bytes without any filler, {size} are wanted")
    parts: list[bytes | int] = [fixed[0]]
    for number in range(gaps):
        share = room // gaps if number < gaps - 1 else room - (room // gaps) * (gaps - 1)
        if number == 0 and share >= len(marker):
            parts.append(marker.encode())
            share -= len(marker)
        parts += [share, fixed[number + 1]]
    return tuple(part for part in parts if part)
