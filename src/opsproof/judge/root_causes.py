"""One root cause, not forty reds: what could not be measured, or failed, for one common reason."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from pydantic import Field

from opsproof.judge.outcome import Cause, Fact, Outcome, Status

SERVER_ERROR = 500


class TargetFact(Fact):
    """A target as the run knew it, without secrets."""

    kind: str
    address: str
    depends_on: tuple[str, ...] = ()


class RootCause(Fact):
    """One reason, and the checks that it explains."""

    cause: Cause
    subject: str = Field(description="Targets by profile, with their address; or what is missing.")
    what: str
    next_step: str
    direct: tuple[str, ...] = Field(description="Checks that asked this target and got no answer.")
    downstream: tuple[str, ...] = Field((), description="Checks of targets that depend on it; it may explain them.")


def root_causes(outcomes: Iterable[Outcome], targets: Mapping[str, Mapping[str, TargetFact]]) -> tuple[RootCause, ...]:
    """
    Group the outcomes that are not good by their common reason.

    A target that cannot be reached, or answers nobody in time, explains its own checks and, if no target that it
    depends on is down as well, those bad outcomes of the targets that depend on it that show signs of an outage. A
    clean answer that is wrong is none: it stands for itself. Targets of several profiles at one address are one.

    Args:
        outcomes: All outcomes of the run.
        targets: By profile and name.

    Returns:
        Root causes, the one that explains most first. A bad outcome in none of them stands for itself.
    """
    outcomes = tuple(outcomes)
    bad = [outcome for outcome in outcomes if outcome.status in (Status.FAILED, Status.UNKNOWN, Status.WAIVED)]
    answering = {(outcome.profile, target) for outcome in outcomes for target in outcome.answered}
    down: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in bad:
        place = outcome.profile, outcome.target
        silent = outcome.cause is Cause.TIMED_OUT and place not in answering
        if outcome.target and (silent or outcome.cause is Cause.UNREACHABLE):
            down[place].append(outcome)

    roots = [key for key in down if not any((key[0], up) in down for up in _upstream(key, targets))]
    by_address: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for profile, target in roots:
        fact = targets.get(profile, {}).get(target)
        by_address[_server(fact) if fact else f"{profile} {target}"].append((profile, target))

    explained: set[str] = set()
    found = []
    # In an order of their own: workers report in any, and what two roots explain is told under one of them.
    for places in sorted(by_address.values(), key=lambda at: (-sum(len(down[place]) for place in at), sorted(at))):
        direct = [outcome for place in places for outcome in down[place]]
        explained.update(outcome.check for outcome in direct)
        downstream = [
            outcome
            for outcome in bad
            if outcome.check not in explained
            and _shows_an_outage(outcome, down, targets)
            and any(
                outcome.profile == profile and target in {name} | _upstream((profile, name), targets)
                for profile, target in places
                for name in _blamed(outcome)
            )
        ]
        explained.update(outcome.check for outcome in downstream)
        words = next((o for o in direct if not o.message.startswith("not asked")), direct[0])
        found.append(
            RootCause(
                cause=words.cause or Cause.UNREACHABLE,
                subject=_subject(places, targets),
                what=words.message,
                next_step=words.next_step,
                direct=tuple(outcome.check for outcome in direct),
                downstream=tuple(outcome.check for outcome in downstream),
            )
        )
    found += _same_words([outcome for outcome in bad if outcome.check not in explained])
    return tuple(sorted(found, key=lambda root: -len(root.direct) - len(root.downstream)))


def _same_words(outcomes: list[Outcome]) -> list[RootCause]:
    """Checks that could not run for one and the same missing precondition are one finding, with what failed for it."""
    groups: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in sorted(outcomes, key=lambda outcome: outcome.status is not Status.FAILED):
        groups[outcome.profile, outcome.message].append(outcome)
    return [
        RootCause(
            cause=group[0].cause or Cause.PRECONDITION_MISSING,
            subject=next((f"{outcome.target} of {profile}" for outcome in group if outcome.target), profile),
            what=message,
            next_step=group[0].next_step,
            direct=tuple(outcome.check for outcome in group),
        )
        for (profile, message), group in groups.items()
        if len(group) > 1 and any(o.cause in (Cause.PRECONDITION_MISSING, Cause.INTERRUPTED) for o in group)
    ]


def _shows_an_outage(
    outcome: Outcome, down: Mapping[tuple[str, str], object], targets: Mapping[str, Mapping[str, TargetFact]]
) -> bool:
    """True if what the check saw is what targets that are down leave behind: no answer, a server's error, a page."""
    if outcome.cause in (Cause.UNREACHABLE, Cause.TIMED_OUT):
        return True
    if outcome.cause is Cause.NO_DATA and outcome.status is Status.UNKNOWN:
        return True
    if outcome.unwell:
        places = [(outcome.profile, name) for name in outcome.unwell]
        return all(place in down or any((place[0], up) in down for up in _upstream(place, targets)) for place in places)
    return any(status >= SERVER_ERROR for status in outcome.statuses)


def _blamed(outcome: Outcome) -> tuple[str, ...]:
    """The targets that a bad outcome may be about."""
    if outcome.cause is Cause.CHECK_BROKEN:
        return ()
    return (outcome.target,) if outcome.target else outcome.answered


def _upstream(place: tuple[str, str], targets: Mapping[str, Mapping[str, TargetFact]]) -> set[str]:
    """Names of all targets that this one depends on, directly or not."""
    profile, name = place
    known = targets.get(profile, {})
    found: set[str] = set()
    waiting = [name]
    while waiting:
        fact = known.get(waiting.pop())
        new = set(fact.depends_on) - found if fact else set()
        found |= new
        waiting += new
    return found - {name}


def _server(fact: TargetFact) -> str:
    """Scheme, host and port: two databases of one server are down together."""
    return "/".join(fact.address.split("/", 3)[:3])


def _subject(places: list[tuple[str, str]], targets: Mapping[str, Mapping[str, TargetFact]]) -> str:
    names = ", ".join(f"{target} of {profile}" for profile, target in sorted(set(places)))
    fact = targets.get(places[0][0], {}).get(places[0][1])
    return f"{names} ({_server(fact)})" if fact else names
