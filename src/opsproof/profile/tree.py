"""The tree of a YAML file with the place of every value, and how one tree lies over another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

Scalar = str | int | float | bool | None
Loc = tuple[str | int, ...]
"""The way from the top of a profile to a value: keys and positions in lists."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file; line 1 is the first."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{shown(self.file)}:{self.line}"


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a YAML file. The place of a mapping's value is the line of its key."""

    value: "Scalar | tuple[Node, ...] | Mapping[str, Node]"
    place: Place

    @property
    def keys(self) -> "Mapping[str, Node]":
        """The keys of a mapping; none for anything else."""
        return self.value if isinstance(self.value, Mapping) else {}


def shown(file: Path) -> Path:
    """A file as a person at this prompt would write it: relative where it lies below the working folder."""
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def overlay(base: Node, over: Node) -> Node:
    """
    Lay one tree over another: mappings merge, everything else (lists too) is replaced.

    A null stays in the result as the mark that the key is removed; `without_nulls` takes it out at the end.
    """
    if not isinstance(base.value, Mapping) or not isinstance(over.value, Mapping):
        return over
    merged = dict(base.value)
    for key, node in over.value.items():
        merged[key] = overlay(merged[key], node) if key in merged else node
    return replace(over, value=merged)


def without_nulls(node: Node) -> Node:
    """Take out the keys whose value is null; inside of lists, which nothing is inherited into, null is a value."""
    if not isinstance(node.value, Mapping):
        return node
    kept = {key: without_nulls(child) for key, child in node.value.items() if child.value is not None}
    return replace(node, value=kept)


def leaves(node: Node, loc: Loc = ()) -> Iterator[tuple[Loc, Node]]:
    """Every scalar of a tree with the way to it, in the order of the file."""
    if isinstance(node.value, Mapping):
        for key, child in node.value.items():
            yield from leaves(child, (*loc, key))
    elif isinstance(node.value, tuple):
        for position, child in enumerate(node.value):
            yield from leaves(child, (*loc, position))
    else:
        yield loc, node


def plain(node: Node, resolved: Mapping[Loc, str], loc: Loc = ()) -> object:
    """
    The tree as dicts, lists and scalars.

    Args:
        node: The tree.
        resolved: Texts to use in place of the scalars at these ways.
        loc: The way to `node`.

    Returns:
        What `yaml.safe_load` would have given, with the texts of `resolved` filled in.
    """
    if isinstance(node.value, Mapping):
        return {key: plain(child, resolved, (*loc, key)) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return [plain(child, resolved, (*loc, position)) for position, child in enumerate(node.value)]
    return resolved.get(loc, node.value)


def place_of(node: Node, loc: Loc) -> Place:
    """The place of the value at `loc`, or of the nearest value around it that is there."""
    for part in loc:
        if isinstance(node.value, Mapping) and part in node.value:
            node = node.value[str(part)]
        elif isinstance(node.value, tuple) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        else:
            break
    return node.place
