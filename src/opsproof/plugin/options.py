"""The options of a run, as the operator gave them."""

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from opsproof.plugin.windows.plan import WindowPlan, add_window_options, read_plan

_FIRST_YEAR = 2000

HELP = {
    "profile": "environment to check: SYSTEM/ENVIRONMENT or a glob ('ingest/*'); repeats; default: every embedded one",
    "expect-version": "the release that must answer, before any other check counts; X for all, or SYSTEM=X; repeats",
    "expect": "a limit in place of the profile's, as payload.max_body_bytes=32768 after it was lowered; repeats",
    "allow-writes": "repeat the environment's name (staging) to let checks that write run there; repeats",
    "attest": "answers of people to what no probe can see (opsproof attest template prints a file to fill in)",
    "resume": "take over what an earlier run has shown and what is still fresh; check the rest again",
    "replay": "judge the evidence of an earlier run again, with today's limits and no network",
    "baseline": "folder of a run of a better time: tells what is new from what was there before, and what is normal",
    "reports": "where the run's folder goes (default: reports/runs)",
    "incident-started": "when the incident began, with its zone (2026-11-20T02:10+09:00): numbers look from there",
    "plan": "print what a rehearsal would do, by whom, and what it would touch; touch nothing",
    "stack": "name of the running `opsproof stack up` to use (default: `default` if it runs, else one of our own)",
    "lang": "language of the verdict block: en or ko (default: from LANG)",
}


def add_options(parser: pytest.Parser) -> None:
    """Add opsproof's options to pytest's."""
    group = parser.getgroup("opsproof", "opsproof: runbook checks against an environment")
    group.addoption("--profile", action="append", default=[], metavar="NAME", help=HELP["profile"])
    group.addoption("--expect-version", action="append", default=[], metavar="X", help=HELP["expect-version"])
    group.addoption("--expect", action="append", default=[], metavar="KEY=VALUE", help=HELP["expect"])
    group.addoption("--allow-writes", action="append", default=[], metavar="ENVIRONMENT", help=HELP["allow-writes"])
    add_window_options(group)
    group.addoption("--incident-started", metavar="TIME", help=HELP["incident-started"])
    group.addoption("--attest", type=Path, metavar="FILE", help=HELP["attest"])
    group.addoption("--resume", type=Path, metavar="RUN", help=HELP["resume"])
    group.addoption("--replay", type=Path, metavar="RUN", help=HELP["replay"])
    group.addoption("--baseline", type=Path, metavar="RUN", help=HELP["baseline"])
    group.addoption("--reports", type=Path, metavar="DIR", help=HELP["reports"])
    group.addoption("--plan", action="store_true", help=HELP["plan"])
    group.addoption("--stack", metavar="NAME", help=HELP["stack"])
    group.addoption("--lang", choices=["en", "ko"], help=HELP["lang"])


@dataclass(frozen=True)
class Options:
    """What the operator asked for."""

    profiles: tuple[str, ...]
    versions: tuple[str, ...]
    expected: dict[str, str]
    writes: frozenset[str]
    window: WindowPlan | None
    incident_started: datetime | None
    attest: Path | None
    resume: Path | None
    replay: Path | None
    baseline: Path | None
    reports: Path
    plan: bool
    stack: str | None
    lang: Literal["en", "ko"]
    markers: frozenset[str] | None
    selection: str
    ahead: bool

    @property
    def expecting(self) -> list[str]:
        """The systems whose release is expected by name."""
        return [version.partition("=")[0] for version in self.versions if "=" in version]

    def expected_version(self, system: str) -> str | None:
        """The version that must answer for this system, if one was given."""
        named = dict(version.split("=", 1) for version in self.versions if "=" in version)
        plain = [version for version in self.versions if "=" not in version]
        return named.get(system, plain[-1] if plain else None)


def read_options(config: pytest.Config) -> Options:
    """Read the options of this run."""
    option = config.option
    expression: str = option.markexpr
    markers = _markers(expression) if expression else None
    if empty := [version for version in option.expect_version if not version.rpartition("=")[2].strip()]:
        raise pytest.UsageError(
            f"--expect-version={empty[0]} names no version\n  next: see why the variable that it comes from is empty"
        )
    if wrong := [text for text in option.expect if not all(part.strip() for part in text.partition("="))]:
        raise pytest.UsageError(
            f"--expect={wrong[0]} is not KEY=VALUE\n  next: write --expect payload.max_body_bytes=32768"
        )
    if option.replay and (beside := next((name for name in ("resume", "attest") if getattr(option, name)), "")):
        raise pytest.UsageError(
            f"--{beside} and --replay exclude each other: a replay asks nobody, and takes all from one run\n"
            "  next: leave one of them out"
        )
    return Options(
        profiles=tuple(option.profile) or _benchmarked(markers),
        versions=tuple(option.expect_version),
        expected=dict(text.split("=", 1) for text in option.expect),
        writes=frozenset(option.allow_writes),
        window=read_plan(option),
        incident_started=_incident_started(option.incident_started),
        attest=option.attest,
        resume=option.resume,
        replay=option.replay,
        baseline=option.baseline,
        reports=option.reports or config.rootpath / "reports" / "runs",
        plan=option.plan,
        stack=option.stack,
        lang=language(config),
        markers=markers,
        selection=" ".join(f"{flag} {text!r}" for flag, text in (("-m", expression), ("-k", option.keyword)) if text),
        ahead=not (option.usepdb or option.trace or option.setuponly or option.setupplan),
    )


def _benchmarked(markers: frozenset[str] | None) -> tuple[str, ...]:
    """Runbook 003 names the environment of a benchmark by BENCH_PROFILE=staging, of all systems."""
    named = os.environ.get("BENCH_PROFILE", "") if "load" in (markers or ()) else ""
    return (named if "/" in named else f"*/{named}",) if named else ()


def _incident_started(text: str | None) -> datetime | None:
    if text is None:
        return None
    example = "write it with its zone: --incident-started 2026-11-20T02:10+09:00"
    try:
        started = datetime.fromisoformat(text)
    except ValueError:
        raise pytest.UsageError(f"--incident-started {text} is no time\n  next: {example}") from None
    if started.tzinfo is None:
        raise pytest.UsageError(f"--incident-started {text} names no time zone\n  next: {example}")
    if started.year < _FIRST_YEAR:
        raise pytest.UsageError(f"--incident-started {text} is long past\n  next: correct the year; {example}")
    if started > datetime.now(UTC):
        raise pytest.UsageError(
            f"--incident-started {text} is in the future (it is {datetime.now(UTC):%Y-%m-%dT%H:%MZ})\n"
            "  next: correct day, hour or zone"
        )
    return started


def language(config: pytest.Config) -> Literal["en", "ko"]:
    """The operator's language."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return config.option.lang or ("ko" if locale.startswith("ko") else "en")


def only_looks(config: pytest.Config) -> bool:
    """True if the operator asks what there is, and nothing is to be run."""
    option = config.option
    return bool(
        option.collectonly or option.showfixtures or option.show_fixtures_per_test or getattr(option, "cacheshow", None)
    )


def _markers(expression: str) -> frozenset[str]:
    """The markers that a `-m` expression asks for; those under a `not` are not asked for."""
    try:
        return frozenset(_asked_for(ast.parse(expression.strip(), mode="eval").body, True))
    except SyntaxError:
        return frozenset()  # pytest refuses the expression, and says where it is wrong


def _asked_for(node: ast.expr, wanted: bool) -> Iterator[str]:
    match node:
        case ast.BoolOp(values=parts):
            for part in parts:
                yield from _asked_for(part, wanted)
        case ast.UnaryOp(operand=part):
            yield from _asked_for(part, not wanted)
        case ast.Call(func=part):
            yield from _asked_for(part, wanted)
        case ast.Name(id=name) if wanted:
            yield name
