"""Which profiles there are: `profiles/SYSTEM/ENVIRONMENT.yaml`."""

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from opsproof.errors import ProfileError
from opsproof.profile.tree import shown

BASE = "base"
"""The file that the environments of a system extend; no environment itself."""


def find_profiles(patterns: Sequence[str], root: Path) -> list[str]:
    """
    Names of the profiles that match.

    Args:
        patterns: Names or globs, such as `ingest/staging`, `ingest/*`, `*/embedded`; `*` matches `/`, too.
        root: The folder `profiles`.

    Returns:
        `SYSTEM/ENVIRONMENT`, sorted, each once.

    Raises:
        ProfileError: A pattern matches nothing, or there are no profiles.
    """
    existing = _existing(root)
    found: set[str] = set()
    for pattern in patterns:
        matching = {name for name in existing if fnmatchcase(name, pattern)}
        if not matching:
            raise _nothing_matches(pattern, existing, root)
        found |= matching
    return sorted(found)


def profile_file(name: str, root: Path) -> Path:
    """
    The file of one profile.

    Args:
        name: `SYSTEM/ENVIRONMENT`.
        root: The folder `profiles`.

    Returns:
        The path.

    Raises:
        ProfileError: There is no such profile.
    """
    existing = _existing(root)
    if name not in existing:
        raise _nothing_matches(name, existing, root)
    return root / f"{name}.yaml"


def _existing(root: Path) -> list[str]:
    files = root.glob("*/*.yaml")
    return sorted(f"{file.parent.name}/{file.stem}" for file in files if file.stem != BASE)


def _nothing_matches(pattern: str, existing: Sequence[str], root: Path) -> ProfileError:
    if not existing:
        return ProfileError(
            "there are no profiles here",
            where=str(shown(root)),
            next_step="name the folder that holds SYSTEM/ENVIRONMENT.yaml, or work in the folder above `profiles`",
        )
    nearest = get_close_matches(pattern, existing)
    hint = f"; did you mean {' or '.join(nearest)}?" if nearest else ""
    if pattern.rpartition("/")[2] == BASE:
        hint = f"; {BASE}.yaml is what environments extend, not an environment"
    return ProfileError(
        f"no profile matches '{pattern}'{hint}",
        where=str(shown(root)),
        next_step=f"use one of: {', '.join(existing)}",
    )
