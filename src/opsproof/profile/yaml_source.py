"""
Read one YAML file into a tree of values with their lines.

Scalars follow the core schema of YAML 1.2, as editors read it: `no` and `on` are texts, dates are texts, `010` is ten.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import yaml

from opsproof.profile.mistakes import Mistake
from opsproof.profile.tree import Loc, Node, Place, Scalar

MAX_BYTES = 1_000_000
MAX_VALUES = 20_000
MAX_DEPTH = 40

_NULL = ("~", "null", "Null", "NULL")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+")
_BASED_INT = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unreadable(Exception):
    """The file cannot be read to its end; `mistakes` says all that was seen."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__(mistakes)
        self.mistakes = mistakes


def read_yaml(file: Path) -> tuple[Node, list[Mistake]]:
    """
    Read one YAML file.

    Args:
        file: Path of the file.

    Returns:
        The tree, whose top is a mapping, and the mistakes that did not stop the reading.

    Raises:
        Unreadable: The file is missing, too large, no UTF-8, no YAML, empty, or its top is no mapping.
    """
    text = _text(file)
    builder = _Builder(file, text)
    try:
        top = builder.document()
    except yaml.MarkedYAMLError as exc:
        raise Unreadable([*builder.mistakes, _syntax_mistake(file, text, exc)]) from None
    return top, builder.mistakes


def _text(file: Path) -> str:
    top = Place(file, 1)
    try:
        if file.exists() and not file.is_file():
            raise Unreadable([Mistake(top, (), "expected a file, found a folder or device")])
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as exc:
        raise Unreadable([Mistake(top, (), f"cannot be read: {exc.strerror}")]) from exc
    if len(content) > MAX_BYTES:
        raise Unreadable([Mistake(top, (), "larger than 1 MB; a profile is a few pages")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise Unreadable([Mistake(Place(file, line), (), "not UTF-8; save the file as UTF-8")]) from None
    if odd := _NO_TEXT.search(text):
        line = text.count("\n", 0, odd.start()) + 1
        raise Unreadable([Mistake(Place(file, line), (), "a control character; remove it")])
    return text


def _syntax_mistake(file: Path, text: str, exc: yaml.MarkedYAMLError) -> Mistake:
    """Only libyaml's own words and the line: an excerpt could hold a secret."""
    line = exc.problem_mark.line + 1 if exc.problem_mark else 1
    source = (text.splitlines() or [""])[min(line, len(text.splitlines())) - 1]
    if "\t" in source[: len(source) - len(source.lstrip())]:
        return Mistake(Place(file, line), (), "a tab; indent YAML with spaces")
    problem = re.sub(r"'[^'<]{2,}'", "...", exc.problem or "cannot be read")
    context = f"{exc.context} (line {exc.context_mark.line + 1}): " if exc.context and exc.context_mark else ""
    return Mistake(Place(file, line), (), f"not YAML: {context}{problem}")


class _Builder:
    """Builds the tree from libyaml's events; aliases share their anchor's tree, and count in full."""

    def __init__(self, file: Path, text: str) -> None:
        self.mistakes: list[Mistake] = []
        self._file = file
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_LOADER))
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._size = 0

    def document(self) -> Node:
        """The only document of the file."""
        next(self._events)
        start = next(self._events)
        if isinstance(start, yaml.StreamEndEvent):
            self._stop(Place(self._file, 1), (), "the file is empty")
        event = next(self._events)
        top = self._node(event, ())
        if not isinstance(top.value, Mapping):
            empty = isinstance(event, yaml.ScalarEvent) and not event.value
            if empty:
                self._stop(Place(self._file, 1), (), "the file is empty")
            self._stop(top.place, (), "expected a mapping (keys with values)")
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._stop(self._place(after), (), "expected one document; here a second one begins")
        return top

    def _node(self, event: Any, loc: Loc) -> Node:
        self._size += 1
        place = self._place(event)
        if len(loc) > MAX_DEPTH:
            self._stop(place, (), f"nested deeper than {MAX_DEPTH} levels")
        if self._size > MAX_VALUES:
            self._stop(place, (), f"more than {MAX_VALUES} values (an alias counts with all that it repeats)")
        if isinstance(event, yaml.AliasEvent):
            return self._aliased(event, loc)
        if event.tag not in (None, "!"):
            self._mistake(place, loc, "a tag (!...); tags are not allowed, quote the value if it begins with !")
        before = self._size
        if isinstance(event, yaml.MappingStartEvent):
            node = Node(self._mapping(loc), place)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Node(self._sequence(loc), place)
        else:
            node = Node(self._scalar(event, loc), place)
        if event.anchor:
            self._anchors[event.anchor] = (node, self._size - before + 1)
        return node

    def _aliased(self, event: Any, loc: Loc) -> Node:
        if event.anchor not in self._anchors:
            self._stop(
                self._place(event), loc, "an alias (*...) of no finished anchor; quote the value if it begins with *"
            )
        node, size = self._anchors[event.anchor]
        self._size += size - 1
        return replace(node, place=self._place(event))

    def _sequence(self, loc: Loc) -> tuple[Node, ...]:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, (*loc, len(items))))
        return tuple(items)

    def _mapping(self, loc: Loc) -> dict[str, Node]:
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        first_lines: dict[str, int] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            place = self._place(event)
            if not isinstance(event, yaml.ScalarEvent):
                self._stop(place, loc, "expected a plain word as key")
            key = event.value
            value = self._node(next(self._events), (*loc, key))
            if key in first_lines:
                self._mistake(place, (*loc, key), f"given twice; first in line {first_lines[key]}")
            elif key == "<<" and event.implicit[0]:
                merged = self._merged(value, loc)
            else:
                own[key] = replace(value, place=place)
            first_lines.setdefault(key, place.line)
        return {**merged, **own}

    def _merged(self, node: Node, loc: Loc) -> dict[str, Node]:
        merged: dict[str, Node] = {}
        for source in node.value if isinstance(node.value, tuple) else (node,):
            if isinstance(source.value, Mapping):
                merged = {**source.value, **merged}
            else:
                self._mistake(source.place, loc, "expected a mapping or a list of mappings behind <<")
        return merged

    def _scalar(self, event: Any, loc: Loc) -> Scalar:
        text: str = event.value
        if not event.implicit[0]:
            return text
        if not text:
            if loc and ":" in str(loc[-1]):
                self._mistake(self._place(event), loc, "has no value; a space belongs behind the colon")
            elif loc:
                self._mistake(self._place(event), loc, "has no value; write one, or null to remove an inherited key")
            return None
        return _core_schema(text)

    def _place(self, event: Any) -> Place:
        return Place(self._file, event.start_mark.line + 1)

    def _mistake(self, place: Place, loc: Loc, text: str) -> None:
        self.mistakes.append(Mistake(place, loc, text))

    def _stop(self, place: Place, loc: Loc, text: str) -> NoReturn:
        raise Unreadable([*self.mistakes, Mistake(place, loc, text)])


def _core_schema(text: str) -> Scalar:
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text) if len(text) <= 30 else text
    if _BASED_INT.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
