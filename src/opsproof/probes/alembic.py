"""Ask the migration scripts that belong to a release."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from shlex import quote
from typing import TYPE_CHECKING, Any

from opsproof.errors import PreconditionMissing
from opsproof.evidence.observer import Observer, Question
from opsproof.probes.plain import Plain
from opsproof.probes.probe import Probe
from opsproof.probes.reason import Reason
from opsproof.profile.targets import AlembicTarget

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

_ONE_RELEASE = "Take the folder from the release that runs, with env.py and versions/."


class AlembicProbe(Probe):
    """Asks which migrations belong to the release: from alembic's scripts, or from the profile's list of heads."""

    def __init__(self, name: str, target: AlembicTarget, observer: Observer) -> None:
        super().__init__(name, target, observer)
        self._target = target

    async def heads(self, *, fresh: bool = False) -> list[str]:
        """
        The newest revisions of the release; more than one where its scripts have branches.

        Args:
            fresh: True to ask even if this sweep has asked it before.

        Raises:
            PreconditionMissing: The scripts are not there or cannot be read.
        """
        question = Question("heads", self._by_hand("heads"))
        listed = list(self._target.heads)
        heads = await self._ask(question, lambda scripts: sorted(scripts.get_heads()), listed, fresh=fresh)
        return list(heads)

    async def knows(self, revision: str, *, fresh: bool = False) -> bool:
        """
        True if a revision belongs to the release.

        Args:
            revision: The whole id of the revision.
            fresh: True to ask even if this sweep has asked it before.

        Raises:
            PreconditionMissing: The scripts are not there or cannot be read, or only the heads are known and this is
                none of them.
        """
        question = Question(f"revision {revision}", self._by_hand(f"show {quote(revision)}"))
        if self._target.scripts is None and revision not in self._target.heads and not self.replays:
            reason = Reason(
                PreconditionMissing,
                f"the profile lists only the heads of the release, and {revision} is none of them",
                f"Name the folder of the release's scripts as targets.{self.name}.scripts in the profile.",
            )
            raise self._error(reason, question.text)

        def is_known(scripts: ScriptDirectory) -> bool:
            return any(script.revision == revision for script in scripts.walk_revisions())

        return bool(await self._ask(question, is_known, True, fresh=fresh))

    async def pending(self, at: Collection[str], *, fresh: bool = False) -> list[str]:
        """
        The revisions that a database lacks, oldest first, as alembic itself would go through them.

        Args:
            at: The revisions that the database is at, all of them known to the scripts; none for an empty database.
            fresh: True to ask even if this sweep has asked it before.

        Returns:
            Their ids; [] where the profile lists only heads.

        Raises:
            PreconditionMissing: The scripts are not there or cannot be read, or do not know a revision.
        """
        begin = sorted(at)
        question = Question(
            f"revisions after {', '.join(begin) or 'base'}", self._by_hand("history --indicate-current")
        )

        def missing(scripts: ScriptDirectory) -> list[str]:
            found = scripts.iterate_revisions("heads", tuple(begin) or "base")
            return [script.revision for script in found if script.revision not in at][::-1]

        return list(await self._ask(question, missing, [], fresh=fresh))

    async def _ask(
        self, question: Question, read: Callable[[ScriptDirectory], Any], without_scripts: Any, *, fresh: bool
    ) -> Any:
        async def fetch() -> Plain:
            if self._target.scripts is None:
                return Plain(without_scripts)
            return Plain(await asyncio.to_thread(self._read, read, question.text))

        return (await self.observer.ask(question, fetch, Plain, fresh=fresh)).value

    def _read(self, read: Callable[[ScriptDirectory], Any], question: str) -> Any:
        from alembic.script import ScriptDirectory

        folder = self._target.scripts
        try:
            scripts = ScriptDirectory(str(folder))
            if scripts.get_heads():
                return read(scripts)
            what = "the folder holds no migration script"
        except Exception as exc:  # noqa: BLE001 - alembic runs every script, and a script may raise anything
            said = " ".join(str(exc).split())[:200]
            what = f"the migration scripts cannot be read: {type(exc).__name__}: {said}"
        if folder is not None and not folder.is_dir():
            what = "the folder of the migration scripts is not there"
        raise self._error(Reason(PreconditionMissing, what, _ONE_RELEASE), question)

    def _by_hand(self, command: str) -> str:
        if self._target.scripts is None:
            return f"opsproof profile show {self.observer.profile}"
        script = f"[alembic]\\nscript_location = {self._target.scripts}\\n"
        return f"printf {quote(script)} > /tmp/alembic.ini && alembic -c /tmp/alembic.ini {command}"
