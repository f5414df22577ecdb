"""The probe of a host: numbers that programs print which only read, here or over ssh, through testinfra."""

from __future__ import annotations

import asyncio
import functools
import math
import re
from collections.abc import Callable
from shlex import quote
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opsproof.errors import BadAnswer, NoData, NotObserved, PreconditionMissing, TimedOut, Unreachable
from opsproof.evidence.observer import Observer, Question
from opsproof.probes.plain import Plain
from opsproof.probes.probe import Probe
from opsproof.probes.reason import Reason
from opsproof.profile.hosts import HostNumber
from opsproof.profile.targets import HostTarget

if TYPE_CHECKING:
    from testinfra.host import Host

_TIMED_OUT = 124
"""Exit status of coreutils' `timeout` when it ended what it ran."""

_SSH_FAILED = 255
_MOST_OUTPUT = 20_000
_MOST_SHOWN = 200


class HostProbe(Probe):
    """Reads numbers of a host; the programs that it runs there only read."""

    def __init__(self, name: str, target: HostTarget, observer: Observer) -> None:
        super().__init__(name, target, observer)
        self._target = target
        self._host: Host | None = None

    async def number(self, asked: HostNumber) -> float:
        """
        A number of the host.

        Returns:
            A share from 0 to 1, seconds, a load for each processor, or what the command prints.

        Raises:
            NoData: The output says nothing about it, or there is no such file.
            BadAnswer: The program failed, or printed something else.
            NotObserved: There is no answer; says why.
        """
        programs, number = _question(asked)
        outputs = await asyncio.gather(*(self._run(*words) for words in programs))
        try:
            return number(*outputs)
        except (ValueError, LookupError, ZeroDivisionError):
            raise self._failed(
                NoData,
                f"the number is not in what it prints: {_shown(outputs[0])}",
                "Run it by hand on the host; correct the indicator where it looks for something else.",
                *programs[0],
            ) from None

    async def _run(self, *words: str) -> str:
        """What a program prints."""
        text = " ".join(map(quote, words))
        if not self.replays:
            # Loading testinfra takes a while; the host's time limit is not for that.
            await asyncio.to_thread(self._open)

        async def fetch() -> Plain:
            return Plain(await asyncio.to_thread(self._print, words))

        answer = await self.observer.ask(Question(text, self._by_hand(text)), fetch, Plain)
        return str(answer.value)

    def _print(self, words: tuple[str, ...]) -> str:
        seconds = math.ceil(self.observer.timeout)
        try:
            # On the host itself something must end a program that hangs: ssh leaves it running.
            done = self._open().run("LC_ALL=C timeout %s" + " %s" * len(words), str(seconds), *words)
        except RuntimeError as exc:
            lost = exc.args[0]
            raise self._error(_connection(getattr(lost, "stderr", str(exc))), " ".join(words)) from None
        if done.rc == _TIMED_OUT:
            next_step = "See by hand what it waits for: a file system that hangs, most likely."
            raise self._failed(TimedOut, f"did not end within {seconds} s", next_step, *words)
        if done.rc != 0 and not (words[0] == "pgrep" and done.rc == 1):
            missing = "No such file" in done.stderr
            raise self._failed(
                NoData if missing else BadAnswer,
                f"ended with exit status {done.rc}: {_shown(done.stderr or done.stdout)}",
                "See whether what writes the file runs." if missing else "Run it by hand on the host.",
                *words,
            )
        output: str = done.stdout[:_MOST_OUTPUT]
        return output

    def _open(self) -> Host:
        if self._host is None:
            try:
                import testinfra
            except ImportError:
                what = "hosts are asked through testinfra, which is not installed"
                raise self._failed(PreconditionMissing, what, "pip install 'opsproof[hosts]'") from None
            identity, known = self._target.identity_file, self._target.known_hosts_file
            extra = ["-o BatchMode=yes", f"-o ServerAliveInterval={math.ceil(self.observer.timeout)}"]
            extra += [f"-o UserKnownHostsFile={quote(str(known))} -o StrictHostKeyChecking=yes"] if known else []
            self._host = testinfra.get_host(
                self.address,
                ssh_identity_file=str(identity) if identity else None,
                ssh_extra_args=" ".join(extra),
                timeout=math.ceil(self.observer.timeout),
                controlpersist=0,
            )
        return self._host

    def _by_hand(self, text: str) -> str:
        if self._target.is_local:
            return text
        parts = urlsplit(self.address)
        options = {"-i": self._target.identity_file, "-l": parts.username, "-p": parts.port}
        given = [f"{option} {quote(str(value))}" for option, value in options.items() if value]
        return " ".join(["ssh", *given, str(parts.hostname), quote(text)])

    def _failed(self, kind: type[NotObserved], what: str, next_step: str, *words: str) -> NotObserved:
        return self._error(Reason(kind, what, next_step), " ".join(words) or "testinfra")


def _question(asked: HostNumber) -> tuple[list[tuple[str, ...]], Callable[..., float]]:
    """The programs to run, and what makes a number of their outputs."""
    if asked.disk_used is not None:
        return [("df", "-P", "-k", "--", asked.disk_used)], _disk_used
    if asked.memory_used:
        return [("cat", "/proc/meminfo")], _memory_used
    if asked.load:
        return [("cat", "/proc/loadavg"), ("nproc",)], lambda load, processors: float(load.split()[0]) / int(processors)
    if asked.file_age is not None:
        return [("stat", "-L", "-c", "%Y", "--", asked.file_age), ("date", "+%s")], _age
    return [asked.command or ()], functools.partial(_found, asked.pattern)


def _disk_used(output: str) -> float:
    used, available = map(int, output.splitlines()[-1].split()[2:4])
    return used / (used + available)


def _memory_used(output: str) -> float:
    kilobytes = {line.partition(":")[0]: int(line.split()[1]) for line in output.splitlines()}
    return 1 - kilobytes["MemAvailable"] / kilobytes["MemTotal"]


def _age(written: str, now: str) -> float:
    return float(now) - float(written)


def _found(pattern: str, output: str) -> float:
    found = re.search(pattern, output, re.MULTILINE)
    if found is None:
        raise LookupError(pattern)
    return float(found[found.re.groups])


def _shown(output: str) -> str:
    line = output.strip().partition("\n")[0]
    return repr(line[:_MOST_SHOWN]) if line else "nothing"


def _connection(said: str) -> Reason:
    """Why ssh could not run anything, in words."""
    line = said.strip().rpartition("\n")[2].strip() or "ssh failed and does not say why"
    if "timed out" in line.lower():
        return Reason(TimedOut, line, "See whether the host is up, and whether a firewall drops ssh.")
    if "denied" in line.lower() or "host key" in line.lower():
        return Reason(Unreachable, line, "Correct user, identity_file or known_hosts_file of the target.")
    return Reason(Unreachable, line, "See whether the host is up and its sshd runs; try the ssh line by hand.")
