"""`${VAR}`, `${VAR:-default}`, `$${` and `file:PATH` in the texts of a profile."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from opsproof.profile.mistakes import Mistake
from opsproof.profile.tree import Loc, Node, Place, leaves

MAX_FILE_BYTES = 1_000_000

_REFERENCE = re.compile(r"\$\$\{|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<rest>:-(?P<default>[^}]*))?\})?")


@dataclass(frozen=True, slots=True)
class Unset:
    """
    A reference that leads to nothing here.

    Attributes:
        reference: `VAR`, or `file:PATH` as the profile writes it.
        place: File and line.
        loc: The key.
        text: What is missing, and what to do.
    """

    reference: str
    place: Place
    loc: Loc
    text: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """
    The texts of a profile after its references were followed.

    Attributes:
        texts: Every text that has a reference, by its key, with the reference replaced; without the unset ones.
        unset: References that lead to nothing.
        mistakes: References that are written wrong.
    """

    texts: Mapping[Loc, str]
    unset: tuple[Unset, ...]
    mistakes: tuple[Mistake, ...]

    @property
    def open(self) -> frozenset[Loc]:
        """The keys without a value: unset, or written wrong."""
        return frozenset([*(reference.loc for reference in self.unset), *(mistake.loc for mistake in self.mistakes)])


class WrongReference(Exception):
    """`${` that begins no reference."""


def resolve(tree: Node, variables: Mapping[str, str]) -> Resolved:
    """
    Follow all references of a merged profile.

    A variable that is set but empty counts as not set: this is how CI systems pass a secret that they do not have.

    Args:
        tree: The merged profile.
        variables: Usually the environment's variables.

    Returns:
        The texts, what is unset, and what is written wrong.
    """
    texts: dict[Loc, str] = {}
    unset: list[Unset] = []
    mistakes: list[Mistake] = []
    for loc, node in leaves(tree):
        if not isinstance(node.value, str):
            continue
        try:
            text, missing = interpolate(node.value, variables)
        except WrongReference:
            words = "expected ${VAR} or ${VAR:-default}, the default without ${...}; write $${ for a plain ${"
            mistakes.append(Mistake(node.place, loc, words))
            continue
        unset += [
            Unset(name, node.place, loc, f"the variable {name} is not set; set it, or write ${{{name}:-default}}")
            for name in missing
        ]
        if missing:
            continue
        if not node.value.startswith("file:"):
            texts[loc] = text
            continue
        content = _content(node.place.file.parent / text.removeprefix("file:"))
        if isinstance(content, str):
            texts[loc] = content
        else:
            words = f"the file {node.value.removeprefix('file:')} {content.reason}; create it, or correct the path"
            unset.append(Unset(node.value, node.place, loc, words))
    return Resolved(texts, tuple(unset), tuple(mistakes))


def interpolate(text: str, variables: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """
    Replace the variables of one text; what they hold is not read again.

    Args:
        text: As the profile writes it.
        variables: Values by name.

    Returns:
        The text, and the names that are not set (then the text is of no use).

    Raises:
        WrongReference: A `${` begins no reference.
    """
    missing: dict[str, None] = {}

    def replacement(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        if match["name"] is None or "${" in (match["default"] or ""):
            raise WrongReference
        value = variables.get(match["name"], "")
        if value or match["rest"]:
            return value or match["default"]
        missing[match["name"]] = None
        return ""

    return _REFERENCE.sub(replacement, text), tuple(missing)


@dataclass(frozen=True, slots=True)
class _Unreadable:
    reason: str


def _content(file: Path) -> str | _Unreadable:
    try:
        if file.exists() and not file.is_file():
            return _Unreadable("is no file")
        with file.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            return _Unreadable("is larger than 1 MB")
        text = content.decode("utf-8").rstrip("\r\n")
    except OSError as exc:
        return _Unreadable(f"cannot be read ({exc.strerror})")
    except ValueError:
        return _Unreadable("is not UTF-8, or its name is none")
    return text or _Unreadable("is empty")
