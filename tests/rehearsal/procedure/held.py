"""Two real sites, held up as an environment that opsproof did not make, and somebody who does what its commands ask."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from opsproof.report.folder import read_run
from opsproof.stack.clusters import Grounds
from opsproof.stack.process import wait_for
from opsproof.stack.site import EmbeddedSite

REPOSITORY = Path(__file__).parents[3]
PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
NOT_HERE = ("rewind", "switch-back")
PATIENCE = 400
COMMAND = """#!/bin/sh
rm -f {asked}/$1.done
touch {asked}/$1
until [ -e {asked}/$1.done ]; do sleep 0.1; done
cat {asked}/$1.done
"""


class Held:
    """
    The sites, and somebody who does what a command asks for.

    Args:
        site: The sites.
        folder: Of the drill.
        left_out: Actions that have no command: the operator's.
    """

    def __init__(self, site: EmbeddedSite, folder: Path, left_out: tuple[str, ...] = ()) -> None:
        self.site = site
        self.folder = folder
        self.did: list[str] = []
        self.rehearsing: subprocess.Popen[str] | None = None
        self.kill_at: tuple[str, bool] | None = None
        """The action in which the rehearsal is killed, and whether it was done by then."""
        self._asked = folder / "asked"
        self._asked.mkdir()
        self._command = folder / "do.sh"
        self._command.write_text(COMMAND.format(asked=self._asked))
        self._command.chmod(0o755)
        self._xid = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._act)
        self._does: dict[str, Callable[[], object]] = {
            "break": site.break_home,
            "declare": lambda: "",
            "promote": lambda: site.dr.sql("SELECT pg_promote()"),
            "restore": self._restore,
            "recover": self._restore,
            "fence": self._fence,
            "activate": self._activate,
            "switch-dns": lambda: site.switch_dns("dr"),
            "attach-standby": lambda: site.attach_standby(site.dr, "second").name,
            "back-up": lambda: str(site.back_up(site.dr)),
        }
        drill(folder, self._command, [one for one in self._does if one not in left_out])

    def __enter__(self) -> "Held":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def breaks(self, scenario: str) -> None:
        """What the command `break` does."""
        self._does["break"] = {
            "region_loss": self.site.break_home,
            "damaged_database": lambda: ", ".join(self.site.damage_home()),
            "polluted_data": self._pollute,
        }[scenario]

    def run(self, scenario: str, *options: str) -> tuple[Any, str]:
        """Rehearse; the run and what the terminal showed. A run that is killed has none."""
        before = set(self._runs())
        self.rehearsing = subprocess.Popen(
            [*PYTEST, "-m", "dr", "-k", scenario, "--profile=factory-ai/drill", "--reports=runs", *options],
            cwd=self.folder,
            env={**os.environ, **self.site.variables, "PYTHONPATH": str(REPOSITORY / "src")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            shown, _ = self.rehearsing.communicate(timeout=PATIENCE)
        finally:
            self.rehearsing.kill()
        if self.rehearsing.returncode == -signal.SIGKILL:
            return None, shown
        assert "VERDICT" in shown, shown
        (made,) = set(self._runs()) - before
        return read_run(made), shown

    def _runs(self) -> list[Path]:
        return [path.parent for path in (self.folder / "runs").glob("*/run.json") if not path.parent.is_symlink()]

    def _act(self) -> None:
        while not self._over.wait(0.05):
            for asked in [path for path in self._asked.iterdir() if not path.suffix]:
                self._obey(asked)

    def _obey(self, asked: Path) -> None:
        action = asked.name
        at, done_by_then = self.kill_at or ("", False)
        if action == at and not done_by_then:
            self._kill()
            said: object = ""
        else:
            said = self._does[action]()
            self.did.append(action)
            if action == at:
                self._kill()
        asked.unlink()
        asked.with_suffix(".done").write_text(str(said or ""))

    def _kill(self) -> None:
        assert self.rehearsing is not None
        self.rehearsing.send_signal(signal.SIGKILL)
        self.rehearsing.wait()
        self.kill_at = None

    def _pollute(self) -> str:
        polluted = self.site.pollute()
        self._xid = polluted.xid
        return json.dumps(asdict(polluted))

    def _fence(self) -> None:
        self.site.deactivate("home")
        self.site.home.stop()

    def _activate(self) -> None:
        self.site.serve_from(self.site.dr)
        self.site.activate("dr")

    def _restore(self) -> None:
        """The DR site's database from the newest base backup and the archive, as somebody does it there."""
        dr, store = self.site.dr, self.site.backups
        self.site.cascade.kill()
        dr.kill()
        shutil.rmtree(dr.data)
        newest = max((store.folder / "postgres/base").iterdir())
        shutil.copytree(newest, dr.data, symlinks=True)
        dr.data.chmod(0o700)
        (dr.data / "recovery.signal").touch()
        target = {
            "recovery_target_xid": str(self._xid),
            "recovery_target_inclusive": "off",
            "recovery_target_action": "promote",
            "recovery_target_timeline": "current",
        }
        dr.grounds.programs.own(dr.data)
        dr.start(target if self._xid else {})  # on its command line: no backup brings it along
        assert wait_for(lambda: not dr.sql("SELECT pg_is_in_recovery()")[0][0], 60, pause=0.05)


@contextlib.contextmanager
def held(folder: Path, left_out: tuple[str, ...] = ()) -> Iterator[Held]:
    """A checkout with the profile of two sites that somebody else made; they end with it."""
    for name in ("checks", "profiles", "reports/templates"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, folder)
    with Grounds() as grounds, EmbeddedSite(grounds) as site:
        site.beat()
        site.back_up()
        for _ in range(3):
            site.beat()
            time.sleep(0.1)
        with Held(site, folder, left_out) as made:
            yield made


def drill(folder: Path, command: Path, does: list[str]) -> None:
    """The profile of the sites, as an environment that opsproof did not make."""
    profile = yaml.safe_load((folder / "profiles/factory-ai/embedded.yaml").read_text())
    profile |= dict.fromkeys(("indicators", "attested", "health", "monitoring", "scenarios")) | {"environment": "drill"}
    profile["targets"] = {name: one for name, one in profile["targets"].items() if name.startswith("rehearsal")}
    commands = {action: [str(command), action] for action in does} | {action: ["false"] for action in NOT_HERE}
    profile["rehearsals"]["commands"] = commands | {"clean-up": ["true"]}
    profile["rehearsals"] |= {"full_size": 10**8, "full_wal": 10**8}
    for scenario in profile["rehearsals"]["scenarios"].values():
        scenario["phases"] = dict.fromkeys(("declare", "verify", "database", "service", "data", "business"), "90s")
        scenario["phases"] |= dict.fromkeys(("protect", "failback"), "90s")
    (folder / "profiles/factory-ai/drill.yaml").write_text(yaml.safe_dump(profile, allow_unicode=True))
