"""Fixtures of a check: its profile, and a probe for each target of it. All last for the session."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from opsproof.plugin.attester import Attester
from opsproof.plugin.check import check_of
from opsproof.plugin.cleaning import CleanUp, cleaning
from opsproof.plugin.gate import Gate
from opsproof.plugin.guard import PayloadGuard
from opsproof.plugin.reader import Reader
from opsproof.plugin.release import ReleaseWatch
from opsproof.plugin.stash import GATE
from opsproof.profile.models import Profile

if TYPE_CHECKING:
    from opsproof.plugin.benchmarks import Measured
    from opsproof.plugin.canaries import Watched
    from opsproof.rehearsal.archive.verification import ArchiveVerification
    from opsproof.rehearsal.failover.readiness import StandbyVerification
    from opsproof.rehearsal.procedure.rehearsal import Rehearsal
    from opsproof.rehearsal.stored import StoredVerification

TARGETS = {
    "api": "The HTTP API of the system.",
    "database": "The system's database; sessions are read-only.",
    "cache": "The system's cache; only commands that read.",
    "workers": "The workers that take the system's jobs.",
    "results": "The result backend of the workers; only commands that read.",
    "migrations": "The migration scripts that belong to the release.",
    "logs": "The system's structured logs.",
    "metrics": "The numbers of a metrics server, or of the service itself.",
    "alerts": "The alerts that fire.",
    "backups": "The object store that keeps the backups; objects are listed only.",
    "external": "An HTTP API that the system's own tools call.",
    "settings": "The settings that the release runs with; values never leave the probe.",
}


def _gate(request: pytest.FixtureRequest) -> Gate:
    return request.config.stash[GATE]


def _on_site(request: pytest.FixtureRequest, profile: Profile, what: str) -> Any:
    """What looks at the sites of a profile; nothing in a replay, which takes over what was seen there."""
    gate = _gate(request)
    return None if gate.replayed else getattr(gate.rehearsing.surroundings(profile), what)


@pytest.fixture(scope="session")
def profile(request: pytest.FixtureRequest) -> Profile:
    """The profile that the check runs against."""
    name: str = request.param
    return _gate(request).environment(name).profile


@pytest.fixture(scope="session")
def run_id(request: pytest.FixtureRequest) -> str:
    """Id of the run; part of everything synthetic, so that it can be told from real data."""
    return _gate(request).run_id


@pytest.fixture(scope="session")
def release(request: pytest.FixtureRequest, profile: Profile) -> ReleaseWatch:
    """Which release answers."""
    watch = _gate(request).environment(profile.name).release
    if watch is None:
        pytest.skip(f"{profile.name} does not say which release runs: it has no `release:` or no target `api`")
    return watch


@pytest.fixture(scope="session")
def reader(request: pytest.FixtureRequest, profile: Profile) -> Reader:
    """Reads and judges the indicators of the profile."""
    return _gate(request).environment(profile.name).reader


@pytest.fixture(scope="session")
def attester(request: pytest.FixtureRequest, profile: Profile) -> Attester:
    """Finds what people answered to the attested checks of the profile."""
    return _gate(request).environment(profile.name).attester


@pytest.fixture
def rehearsal(request: pytest.FixtureRequest, profile: Profile) -> "Rehearsal":
    """The rehearsal that a step belongs to."""
    check = check_of(request.node)
    assert check is not None
    return _gate(request).rehearsing.rehearsal(profile, check.scenario)


@pytest.fixture(scope="session")
def canary(request: pytest.FixtureRequest, profile: Profile) -> "Watched":
    """The canary of the profile, after it was watched."""
    return _gate(request).beforehand.canary(profile.name)


@pytest.fixture(scope="session")
def benchmark(request: pytest.FixtureRequest, profile: Profile) -> "Measured":
    """The benchmark of the profile, after it ran."""
    return _gate(request).beforehand.benchmark(profile.name)


@pytest.fixture(scope="session")
def stored(request: pytest.FixtureRequest, profile: Profile) -> "StoredVerification":
    """Looks into the stored backups of the profile."""
    verification: StoredVerification = _on_site(request, profile, "stored")
    return verification


@pytest.fixture(scope="session")
def archive(request: pytest.FixtureRequest, profile: Profile) -> "ArchiveVerification":
    """Looks into the WAL archive of the profile."""
    verification: ArchiveVerification = _on_site(request, profile, "archive")
    return verification


@pytest.fixture(scope="session")
def standby_verification(request: pytest.FixtureRequest, profile: Profile) -> "StandbyVerification":
    """Looks at the standby of the profile, beside its primary."""
    verification: StandbyVerification = _on_site(request, profile, "standby")
    return verification


@pytest.fixture
def clean_up() -> CleanUp:
    """What a check that writes must take back; done when it ends, and seen to be gone."""
    return _CurrentCleanUp()


@pytest.fixture
def guard(request: pytest.FixtureRequest, profile: Profile, run_id: str, clean_up: CleanUp) -> PayloadGuard:
    """Sends what the profile's payload plan has for a check, and takes back what was stored."""
    return PayloadGuard(_gate(request).environment(profile.name), run_id, clean_up)


class _CurrentCleanUp(CleanUp):
    """Hands over to the clean-up of the check that is running."""

    def add(self, what: str, remove: Any, gone: Any) -> None:
        current = cleaning.get()
        if current is None:
            raise RuntimeError("clean_up is for the body of a check")
        current.add(what, remove, gone)


def _target_fixture(name: str, doc: str) -> Callable[..., Any]:
    def probe(request: pytest.FixtureRequest, profile: Profile) -> Any:
        if reason := profile.lacks(name):
            pytest.skip(reason)
        return _gate(request).environment(profile.name).probe(name)

    probe.__doc__ = doc
    return pytest.fixture(scope="session", name=name)(probe)


for _name, _doc in TARGETS.items():
    globals()[f"_{_name}"] = _target_fixture(_name, _doc)
