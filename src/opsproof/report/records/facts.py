"""What a run knows of an incident, as records tell it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from opsproof.judge.limits import Lang
from opsproof.judge.outcome import Outcome, Status
from opsproof.judge.windows import State
from opsproof.profile.indicators import Priority
from opsproof.profile.scalars import Severity
from opsproof.report.records.checklist import Item, Result, checklist
from opsproof.report.records.kinds import DISASTER_RECOVERY
from opsproof.report.records.saying import against_recovery, left_open
from opsproof.report.records.timeline import Event, Outage, events, outages
from opsproof.report.records.times import ZONE
from opsproof.report.records.words import SAID
from opsproof.report.run import Impact
from opsproof.report.view import View

_AREAS = {
    "errors": ("error-share", "internal-server-errors"),
    "latency": ("latency", "response-time"),
    "jobs": ("job-failure", "failed-workflows", "registration-success"),
}
"""What the start message names (API 오류율 %, 지연, 작업 실패율), by parts of the indicators' ids."""


@dataclass(frozen=True)
class Asked:
    """
    What the operator said.

    Attributes:
        incident: Id of the incident.
        lang: Language of the record.
        written: When the record is made, with zone.
        severity: Of the incident, as people declared it.
        priority: Of the incident, as people declared it.
        scenario: Which template of runbook 003.
    """

    incident: str
    lang: Lang
    written: datetime
    severity: Severity | None = None
    priority: Priority | None = None
    scenario: str = ""


@dataclass(frozen=True)
class Facts:
    """
    A run as records tell it.

    Attributes:
        view: The run and its evidence.
        asked: What the operator said.
    """

    view: View
    asked: Asked

    @property
    def zone(self) -> str:
        """Zone of the people who handle the incident."""
        return self.view.run.incident.timezone if self.view.run.incident else ZONE

    @property
    def foreign(self) -> bool:
        """True if the messages of the checks are in another language than the record."""
        return self.view.run.lang != self.asked.lang

    @property
    def started(self) -> datetime | None:
        """When the incident began, if the run was told."""
        return self.view.run.incident.started if self.view.run.incident else None

    @property
    def verified(self) -> datetime | None:
        """When the last of what the run says was seen; None for a replay without a window, which saw nothing."""
        run = self.view.run
        if run.replay_of:
            return run.window.ended if run.window else None
        seen = [o.started + timedelta(seconds=o.duration) for o in run.outcomes if o.status is not Status.SKIPPED]
        return max([*seen, *([run.window.ended] if run.window else [])], default=run.finished)

    @property
    def ended(self) -> datetime | None:
        """The end of the incident: since when all was unbroken healthy, else the time of verification; None if open."""
        if not self.recovered:
            return None
        return self.moment(window.stable_since) if (window := self.view.run.window) else self.verified

    @property
    def healthy_from_the_first(self) -> bool:
        """True if all was healthy when the window began: the incident may have ended before."""
        window = self.view.run.window
        return window is not None and window.stable_since is not None and window.stable_since <= window.interval

    @property
    def disaster_recovery(self) -> bool:
        """True if the run looked at an environment for disaster recovery."""
        return DISASTER_RECOVERY in {profile.environment for profile in self.view.run.profiles.values()}

    @property
    def recovered(self) -> bool:
        """True if the run shows that the system has recovered."""
        return not self.reasons

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """The recovery checklists of all profiles."""
        run = self.view.run
        return tuple(
            item
            for name, profile in run.profiles.items()
            for item in checklist(name, profile.system, self.view.of_profile(name))
        )

    @property
    def all_green(self) -> bool:
        """True if every item of the checklist is green."""
        return bool(self.items) and all(item.result is Result.GREEN for item in self.items)

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """Why recovery is not verified; empty if it is."""
        return tuple(dict.fromkeys(against_recovery(self.view, self.asked.lang, self.items)))

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The timeline."""
        return events(self.view.run)

    @cached_property
    def outages(self) -> tuple[Outage, ...]:
        """What was seen not to be healthy."""
        return outages(self.view.run)

    @property
    def troubles(self) -> tuple[Outage, ...]:
        """What was seen to fail or could not be measured, each time; a missed sample is neither."""
        return tuple(outage for outage in self.outages if outage.state is not State.GAP)

    @cached_property
    def failures(self) -> tuple[Outage, ...]:
        """The same, the first time of each check."""
        first: dict[str, Outage] = {}
        for outage in self.troubles:
            first.setdefault(outage.check, outage)
        return tuple(first.values())

    @property
    def flapping(self) -> dict[str, int]:
        """Checks that were healthy and then failed, with how often."""
        window = self.view.run.window
        return {line.check: line.flaps for line in window.timelines if line.flaps} if window else {}

    @cached_property
    def impact(self) -> tuple[Impact, ...]:
        """Numbers of the incident; where the run has none, the bad numbers that it saw itself."""
        run = self.view.run
        if run.incident and run.incident.impact:
            return run.incident.impact
        return tuple(
            Impact(
                check=o.check,
                title={self.asked.lang: o.title},
                value=o.value,
                unit=o.unit,
                since=o.started,
                until=o.started + timedelta(seconds=o.duration),
            )
            for o in run.outcomes
            if o.value is not None and o.status is not Status.PASSED
        )

    def impact_of(self, area: str) -> tuple[Impact, ...]:
        """The numbers of the incident that are about `errors`, `latency` or `jobs`."""
        return tuple(one for one in self.impact if any(part in one.check for part in _AREAS[area]))

    @property
    def unmeasured(self) -> tuple[str, ...]:
        """Of errors, latency and jobs, what no number of the incident is about."""
        return tuple(area for area in _AREAS if not self.impact_of(area))

    @cached_property
    def outcome_of(self) -> dict[str, Outcome]:
        """The outcomes by the check's id."""
        return {outcome.check: outcome for outcome in self.view.run.outcomes}

    @property
    def prioritised(self) -> tuple[Outcome, ...]:
        """Findings with a priority, the most urgent first."""
        bad = [o for o in self.view.run.outcomes if o.priority and o.status is Status.FAILED]
        return tuple(sorted(bad, key=lambda outcome: str(outcome.priority)))

    def first_seen(self, outcome: Outcome) -> datetime:
        """When a finding was seen for the first time."""
        return min((o.since for o in self.failures if o.check == outcome.check), default=outcome.started)

    @property
    def releases(self) -> tuple[str, ...]:
        """Which version answered, by profile, and what was expected if it differs."""
        said = SAID[self.asked.lang]
        found = []
        for name, profile in self.view.run.profiles.items():
            fact = profile.release
            seen = ", ".join(fact.seen) if fact and fact.seen else said["could_not_be_read"]
            wrong = fact and fact.expected and list(fact.seen) != [fact.expected]
            found.append(
                said["release" if wrong else "plain_release"].format(
                    profile=name, seen=seen, expected=fact.expected if fact else ""
                )
            )
        return tuple(found)

    @property
    def counts(self) -> Counter[Status]:
        """How many checks have which status."""
        return Counter(outcome.status for outcome in self.view.run.outcomes)

    @cached_property
    def still_open(self) -> tuple[str, ...]:
        """What the run leaves open beside what speaks against recovery: warnings, waivers, what it did not check."""
        return tuple(left_open(self.view, self.asked.lang, self.zone))

    def about(self, *parts: str) -> tuple[Outcome, ...]:
        """The outcomes whose id begins with one of these subjects, or has one of these words in it."""
        return tuple(
            outcome
            for outcome in self.view.run.outcomes
            if outcome.status is not Status.SKIPPED
            and any(outcome.name.startswith(f"{part}.") or part in outcome.name.split(".")[-1] for part in parts)
        )

    def moment(self, seconds: float | None) -> datetime | None:
        """A time of the window."""
        window = self.view.run.window
        return window.started + timedelta(seconds=seconds) if window and seconds is not None else None
