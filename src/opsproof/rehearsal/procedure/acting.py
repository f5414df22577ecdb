"""Who does what a step wants done: opsproof itself, the profile's own command, or the operator."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from shlex import join

from opsproof.errors import NotAttested, NotObserved, PreconditionMissing, TimedOut
from opsproof.profile.rehearsals import Rehearsals
from opsproof.rehearsal.asking import Asking

_PAUSE = 0.2
_PATIENT_PAUSE = 2.0
_SHOWN = 400

Own = Mapping[str, Callable[[], object]]
"""By action what opsproof does itself, in an environment of its own."""


class Actor:
    """
    Acts in one environment.

    Args:
        rehearsals: Has the commands of the environment.
        own: What opsproof does itself; nothing in an environment that is not its own.
        asking: Keeps what was done.
        say: Tells the operator what to do now.
        folder: Where the operator confirms what nothing else can show.
        note_who: Told who acts, each time.
    """

    def __init__(
        self,
        rehearsals: Rehearsals,
        own: Own,
        asking: Asking,
        say: Callable[[str], None],
        folder: Path,
        note_who: Callable[[str], None],
    ) -> None:
        self._rehearsals = rehearsals
        self._own = own
        self._asking = asking
        self._say = say
        self._folder = folder
        self._note_who = note_who

    def by(self, action: str) -> str:
        """Who does it: `opsproof`, `command` or `operator`."""
        if action in self._own:
            return "opsproof"
        return "command" if action in self._rehearsals.commands else "operator"

    async def act(self, action: str, words: str, *, seconds: float) -> str:
        """
        Do it, or tell the operator to; whether it is done is not known afterwards: verify it.

        Args:
            action: One of the profile's actions: `promote`.
            words: What the operator is to do, in one line.
            seconds: Budget of the step.

        Returns:
            What the command wrote last, or what was told.

        Raises:
            NotObserved: The command could not be run, did not end in time, or ended with another status than 0.
        """
        self._note_who(self.by(action))
        match self.by(action):
            case "opsproof":
                call = self._own[action]
                return await self._asking.ask(f"do: {action}", words, lambda: str(call() or "done"), seconds=seconds)
            case "command":
                argv = self._rehearsals.commands[action]
                run = partial(self._run, argv, seconds)
                return await self._asking.ask(f"do: {action}", join(argv), run, seconds=seconds + 5)
            case _:
                self._say(
                    f"NOW, by hand: {words} (it is verified every {_PATIENT_PAUSE:.0f} s, for {seconds / 60:.0f} min)"
                )
                return await self._asking.ask(f"told the operator: {action}", words, lambda: words)

    async def confirmed(self, action: str, *, seconds: float) -> str:
        """
        Who did what nothing else can show: the first line of a file that they write.

        Raises:
            NotAttested: Nobody wrote it in time.
        """
        path = self._folder / f"{action}.txt"
        path.unlink(missing_ok=True)  # of the rehearsal before
        self._say(f"confirm it with your name: echo NAME > {path}")

        def call() -> str:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                if path.exists() and (said := path.read_text(encoding="utf-8").strip()):
                    return said.splitlines()[0]
                time.sleep(_PATIENT_PAUSE)
            next_step = f"echo NAME > {path}, within the phase's budget; or give rehearsals.commands.{action}."
            raise NotAttested("nobody confirmed it", where=action, next_step=next_step)

        return await self._asking.ask(f"who did: {action}", f"cat {path}", call, seconds=seconds + 5)

    def _run(self, argv: Sequence[str], seconds: float) -> str:
        secrets = {name: value.get_secret_value() for name, value in self._rehearsals.secrets.items()}
        try:
            command = subprocess.Popen(
                argv,
                env={**os.environ, **secrets},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
            out, err = command.communicate(timeout=seconds)
        except FileNotFoundError:
            next_step = "Correct rehearsals.commands in the profile, or install it."
            raise PreconditionMissing(f"there is no program {argv[0]}", where=join(argv), next_step=next_step) from None
        except OSError as exc:
            next_step = "Run it by hand, as the user that runs this; correct its path or its rights."
            what = f"{argv[0]} cannot be run: {exc.strerror}"
            raise PreconditionMissing(what, where=join(argv), next_step=next_step) from None
        except subprocess.TimeoutExpired:
            os.killpg(command.pid, signal.SIGKILL)  # and with it whatever a script of theirs has started
            command.communicate()
            what = f"the command did not end within {seconds:g} s, and was killed"
            raise TimedOut(what, where=join(argv), next_step="See by hand how far it came.") from None
        if command.returncode:
            said = (err.strip() or out.strip())[-_SHOWN:] or "it said nothing"
            what = f"the command ended with status {command.returncode}: {said}"
            raise PreconditionMissing(what, where=join(argv), next_step="Repeat it by hand; mend what it says.")
        return out.strip()[-_SHOWN:] or "done"


async def until_well(verify: Callable[[], Awaitable[list[str]]], *, seconds: float, patient: bool) -> list[str]:
    """
    Verify again and again, until nothing is wrong any more or the time is over.

    Args:
        verify: Says what is wrong; what cannot be seen yet counts as wrong.
        seconds: How long to wait.
        patient: True where a person acts, so that it is asked every other second only.

    Returns:
        What was wrong last.

    Raises:
        NotObserved: It could not be seen to the end.
    """
    end = asyncio.get_running_loop().time() + seconds
    while True:
        over = asyncio.get_running_loop().time() >= end
        try:
            wrong = await verify()
        except NotObserved:
            if over:
                raise
            wrong = ["not seen yet"]
        if not wrong or over:
            return wrong
        await asyncio.sleep(_PATIENT_PAUSE if patient else _PAUSE)
