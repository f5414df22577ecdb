"""PostgreSQL's own programs, run to their end as the user that PostgreSQL runs as."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from opsproof.errors import StackError
from opsproof.stack.parts.postgres_programs import find_programs, unprivileged_user


@dataclass(frozen=True)
class Done:
    """
    A program that came to its end.

    Attributes:
        status: Exit status; None if it did not end within its time and was killed.
        out: What it wrote to stdout.
        err: What it wrote to stderr; untranslated.
    """

    status: int | None
    out: str
    err: str

    @property
    def ok(self) -> bool:
        """Whether it ended with status 0. Some programs do so without having done their work."""
        return self.status == 0


class Programs:
    """
    One installation of PostgreSQL's programs.

    Args:
        folder: Where they are; None for what `find_programs` finds.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.user = unprivileged_user()
        self.folder = folder or find_programs(self.user).folder

    def run(
        self,
        name: str,
        *argv: str,
        seconds: float = 60.0,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Done:
        """
        Run a program to its end.

        Args:
            name: `pg_waldump`.
            argv: Its arguments.
            seconds: After this long it is killed.
            env: Added to PATH and LC_ALL=C.
            cwd: Where it runs; "/" if left out.

        Raises:
            StackError: There is no such program.
        """
        try:
            done = subprocess.run(
                [str(self.folder / name), *argv],
                cwd=cwd or "/",
                env={"PATH": f"{self.folder}:{os.defpath}", "LC_ALL": "C", **(env or {})},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=seconds,
                check=False,
                user=self.user and self.user[0],
                group=self.user and self.user[1],
                extra_groups=self.user and [],
            )
        except FileNotFoundError as exc:
            raise StackError(
                f"PostgreSQL's program {name} is not there", where=str(self.folder), next_step="install postgresql"
            ) from exc
        except subprocess.TimeoutExpired as exc:
            return Done(None, _text(exc.stdout), _text(exc.stderr))
        return Done(done.returncode, _text(done.stdout), _text(done.stderr))

    def own(self, path: Path) -> None:
        """Give a file or folder, and what is in it, to the user that PostgreSQL runs as."""
        if self.user is not None:
            for one in (path, *path.rglob("*")):
                os.chown(one, *self.user, follow_symlinks=False)


def _text(output: bytes | None) -> str:
    return (output or b"").decode(errors="replace")
