"""Load a profile: read its files, lay them over each other, follow references, validate; all mistakes at once."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from opsproof.errors import ProfileError
from opsproof.profile.finding import profile_file
from opsproof.profile.mistakes import Mistake, profile_error
from opsproof.profile.models import Profile
from opsproof.profile.names import dangling
from opsproof.profile.references import Resolved, Unset, resolve
from opsproof.profile.tree import Loc, Node, overlay, place_of, plain, without_nulls
from opsproof.profile.wording import mistakes_of
from opsproof.profile.yaml_source import Unreadable, read_yaml

PLACEHOLDERS = (
    "opsproof-unset",
    "http://unset.invalid",
    "postgresql://unset.invalid",
    "redis://unset.invalid",
    "1",
    "2999-12-31",
    "SEV-2",
)
"""What may stand for an unset value; the first one that the models accept at a key is used there."""


def load_profile(
    name: str, *, root: Path, variables: Mapping[str, str], missing: Literal["error", "keep"] = "error"
) -> Profile:
    """
    Load one profile.

    Args:
        name: `SYSTEM/ENVIRONMENT`.
        root: The folder `profiles`.
        variables: Values for `${VAR}`; usually the environment's, or those of the embedded stack.
        missing: What an unset variable or an unreadable `file:` is: a mistake, or (`keep`) a value that is replaced
            whole by the first of `PLACEHOLDERS` that the key accepts. For replaying a run, which asks no target.

    Returns:
        The profile, frozen.

    Raises:
        ProfileError: There is no such profile, or it is not valid; all mistakes are listed.
    """
    profile, unset = load_with_unset(name, root=root, variables=variables)
    if unset and missing == "error":
        next_step = "set what is missing in this shell or in the settings of the CI job"
        raise profile_error(name, profile_file(name, root), [*map(_as_mistake, unset)], next_step)
    return profile


def profile_or_none(name: str, *, root: Path) -> Profile | None:
    """A profile as far as its files tell, whatever is unset; None if there is no valid one of that name."""
    try:
        return load_with_unset(name, root=root, variables=os.environ)[0]
    except ProfileError:
        return None


def load_with_unset(name: str, *, root: Path, variables: Mapping[str, str]) -> tuple[Profile, tuple[Unset, ...]]:
    """
    Load one profile with placeholders for what is unset, and say what that is.

    Args:
        name: `SYSTEM/ENVIRONMENT`.
        root: The folder `profiles`.
        variables: Values for `${VAR}`.

    Returns:
        The profile, and every reference that leads to nothing.

    Raises:
        ProfileError: There is no such profile, or it is wrong otherwise; then unset references are listed, too.
    """
    file = profile_file(name, root)
    try:
        tree, mistakes = _merged(file)
    except Unreadable as exc:
        raise profile_error(name, file, exc.mistakes) from None
    resolved = resolve(tree, variables)
    profile, document, invalid = _validated(tree, resolved)
    mistakes += [*resolved.mistakes, *invalid]
    mistakes += [Mistake(place_of(tree, loc), loc, text) for loc, text in _misnamed(document, name, resolved)]
    if mistakes or profile is None:
        raise profile_error(name, file, [*mistakes, *map(_as_mistake, resolved.unset)])
    return profile, resolved.unset


def _merged(file: Path) -> tuple[Node, list[Mistake]]:
    """The file over all that it extends."""
    chain: list[Path] = []
    mistakes: list[Mistake] = []
    layers: list[Node] = []
    following: Path | None = file
    while following is not None:
        chain.append(following)
        try:
            layer, seen = read_yaml(following)
        except Unreadable as exc:
            raise Unreadable([*mistakes, *exc.mistakes]) from None
        mistakes += seen
        following, wrong = _extended(layer, chain)
        mistakes += wrong
        layers.append(layer)
    tree = layers.pop()
    while layers:
        tree = overlay(tree, layers.pop())
    top = {key: node for key, node in tree.keys.items() if key != "extends"}
    return without_nulls(Node(top, tree.place)), mistakes


def _extended(layer: Node, chain: Sequence[Path]) -> tuple[Path | None, list[Mistake]]:
    """The file that the last file of the chain extends, or what is wrong with its `extends`."""
    node = layer.keys.get("extends")
    if node is None:
        return None, []
    if not isinstance(node.value, str):
        return None, [Mistake(node.place, ("extends",), "expected the path of a file, relative to this one")]
    file = Path(os.path.normpath(chain[-1].parent / node.value))
    if file in chain:
        circle = " -> ".join(part.name for part in (*chain[chain.index(file) :], file))
        return None, [Mistake(node.place, ("extends",), f"goes round in a circle: {circle}")]
    if not file.is_file():
        return None, [Mistake(node.place, ("extends",), "no such file; the path is relative to this file")]
    return file, []


def _validated(tree: Node, resolved: Resolved) -> tuple[Profile | None, object, list[Mistake]]:
    """Validate; where a text could not be resolved, try one placeholder after the other."""
    tried = dict.fromkeys(resolved.open, 0)
    while True:
        placeholders = {loc: PLACEHOLDERS[number] for loc, number in tried.items()}
        document = plain(tree, {**resolved.texts, **placeholders})
        try:
            return Profile.model_validate(document), document, []
        except ValidationError as exc:
            mistakes = mistakes_of(exc, tree)
        refused = {mistake.loc for mistake in mistakes} & tried.keys()
        refused = {loc for loc in refused if tried[loc] + 1 < len(PLACEHOLDERS)}
        if not refused:
            return None, document, mistakes
        for loc in refused:
            tried[loc] += 1


def _misnamed(document: object, name: str, resolved: Resolved) -> Iterator[tuple[Loc, str]]:
    """Names that lead nowhere, and the profile's own name where it is not that of its file."""
    for found in dangling(document):
        if found[0] not in resolved.open:
            yield found
    expected = zip(("system", "environment"), name.split("/"), ("folder", "file"), strict=True)
    for key, word, source in expected:
        if isinstance(document, dict) and document.get(key, word) != word and (key,) not in resolved.open:
            yield (key,), f"expected {word}, the name of the {source}"


def _as_mistake(reference: Unset) -> Mistake:
    return Mistake(reference.place, reference.loc, reference.text)
