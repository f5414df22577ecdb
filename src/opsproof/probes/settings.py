"""Measure the settings that a release runs with; their values never leave this module."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import Any, Self

from opsproof.errors import PreconditionMissing, Unreachable
from opsproof.evidence.observer import Observer, Question
from opsproof.probes.probe import Probe
from opsproof.probes.reason import Reason
from opsproof.profile.sections import RequiredSetting
from opsproof.profile.targets import SettingsTarget

_FEWEST_CHARACTERS = 4
_SHORTEST_WORD = 3
_FILLING = frozenset(
    word
    for line in (
        "a an and api at auth be dev development for here in is it jwt key local long me must my now of please prod",
        "production random session set should sign signing some staging string strong super the this to token top",
        "value very with your",
    )
    for word in line.split()
)
_RIGHTS = "Run opsproof as the user of the service, or as root."


@dataclass(frozen=True, slots=True)
class Setting:
    """
    What may be told of a setting.

    Attributes:
        name: Its name.
        present: True if it is set to something.
        bytes: Length of its value in UTF-8.
        is_default: True if the value is a known default, made of nothing but such words (`please-change-me-2024`), a
            reference that nothing has resolved, or of so few different characters that it is no secret.
        is_as_wanted: False if the profile names the one value that it must have, and it has another.
    """

    name: str
    present: bool
    bytes: int
    is_default: bool
    is_as_wanted: bool = True

    def to_json(self) -> dict[str, Any]:
        """The measures as evidence keeps them."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """The measures as evidence kept them."""
        return cls(**kept)


class SettingsProbe(Probe):
    """Measures settings in an env file, in the environment of a process, or in opsproof's own."""

    def __init__(self, name: str, target: SettingsTarget, observer: Observer) -> None:
        super().__init__(name, target, observer)
        self._target = target

    async def measure(self, setting: RequiredSetting, *, fresh: bool = False) -> Setting:
        """
        Whether a setting is there, how long it is, and whether it is a known default.

        Args:
            setting: The setting as the profile requires it.
            fresh: True to look even if this sweep has looked for it before.

        Raises:
            NotObserved: The settings cannot be read; says why.
        """
        question = Question(f"length of setting {setting.name}", self._by_hand(setting.name))

        async def fetch() -> Setting:
            value = self._values(question.text).get(setting.name) or ""
            size = len(value.encode(errors="surrogateescape"))
            as_wanted = setting.equals is None or value.strip() == setting.equals
            return Setting(setting.name, bool(value.strip()), size, _is_placeholder(value.strip(), setting), as_wanted)

        return await self.observer.ask(question, fetch, Setting, fresh=fresh)

    def _values(self, question: str) -> dict[str, str | None]:
        try:
            if self._target.env_file is not None:
                return env_file_values(self._target.env_file)
            if self._target.pid_file is not None:
                return environment_of(self._pid(self._target.pid_file, question))
            return dict(os.environ)
        except OSError as exc:
            reason = self._reason(exc)
        raise self._error(reason, question)

    def _pid(self, pid_file: Path, question: str) -> int:
        content = pid_file.read_text(errors="replace").split()
        if content and content[0].isdecimal():
            return int(content[0])
        step = f"See what writes it, or correct pid_file of {self.name} in the profile."
        raise self._error(Reason(PreconditionMissing, "the pid file holds no pid", step), question)

    def _reason(self, exc: OSError) -> Reason:
        path = Path(str(exc.filename))
        of_process = path.parts[:2] == ("/", "proc")
        if isinstance(exc, (FileNotFoundError, ProcessLookupError)):
            if of_process:
                what = f"the process of the pid file does not run (pid {path.parent.name})"
                return Reason(Unreachable, what, "Start the service; then look again.")
            return Reason(Unreachable, f"{path} is not there", f"Start the service, or correct {self.name}'s path.")
        if isinstance(exc, PermissionError):
            whose = "the environment of the process" if of_process else str(path)
            return Reason(PreconditionMissing, f"{whose} may not be read", _RIGHTS)
        return Reason(PreconditionMissing, f"{path} cannot be read: {exc.strerror}", "Correct the path in the profile.")

    def _by_hand(self, name: str) -> str:
        """A line that prints the length, and not the value."""
        if self._target.environment:
            return f"printenv {quote(name)} | tr -d '\\n' | wc -c"
        awk = quote(f'$1 == "{name}" {{print length($0) - length($1) - 1}}')
        if self._target.env_file is not None:
            return f"LC_ALL=C awk -F= {awk} {quote(str(self._target.env_file))}"
        return f"tr '\\0' '\\n' < /proc/$(cat {quote(str(self._target.pid_file))})/environ | LC_ALL=C awk -F= {awk}"


def _is_placeholder(value: str, setting: RequiredSetting) -> bool:
    folded = value.casefold()
    known = {default.casefold() for default in setting.not_one_of}
    few = setting.min_bytes > 1 and 0 < len(set(value)) < _FEWEST_CHARACTERS
    return folded in known or "${" in value or few or _is_made_of_defaults(folded, known)


def _is_made_of_defaults(value: str, known: Collection[str]) -> bool:
    """Whether the letters of a value are known defaults and filling words, and nothing else."""
    letters = _letters(value)
    defaults = {word for word in map(_letters, known) if len(word) >= _SHORTEST_WORD}
    if not any(word in letters for word in defaults):
        return False
    words = defaults | _FILLING
    ends = {0}
    for end in range(1, len(letters) + 1):
        if any(end - len(word) in ends and letters.endswith(word, 0, end) for word in words):
            ends.add(end)
    return len(letters) in ends


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, text))


def env_file_values(path: Path) -> dict[str, str | None]:
    """
    The settings of an env file as Docker Compose reads it; `${NAME}` in a value is left as it stands.

    Raises:
        OSError: The file cannot be read.
    """
    from dotenv import dotenv_values

    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        return dotenv_values(stream=file, interpolate=False)


def environment_of(pid: int) -> dict[str, str | None]:
    """
    The environment that a process was started with.

    Raises:
        OSError: There is no such process, or it may not be read.
    """
    path = Path("/proc", str(pid), "environ")
    state = path.with_name("stat").read_text(errors="replace").rpartition(")")[2].split()[:1]
    if state in (["Z"], ["X"]):  # an ordinary user may not read what is left of it
        raise ProcessLookupError(0, "the process has ended", str(path))
    content = path.read_bytes()
    pairs = (pair.partition(b"=") for pair in content.split(b"\0") if pair)
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}
