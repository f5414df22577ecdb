"""What the answers to a check say about an outage elsewhere; root causes are found with it."""

from collections.abc import Iterable, Iterator
from typing import Any

from opsproof.evidence.observation import Observation
from opsproof.profile.models import Profile

_NO_ANSWER = ("Unreachable", "TimedOut")


def statuses(seen: Iterable[Observation], profile: Profile) -> tuple[int, ...]:
    """The statuses of all HTTP answers, each once, ascending."""
    answers = (observation.answer for observation in seen if _is_http(observation, profile))
    return tuple(sorted({answer["status"] for answer in answers if answer and "status" in answer}))


def unwell(seen: Iterable[Observation], profile: Profile) -> tuple[str, ...]:
    """
    Targets that gave no answer, and those that a health page of the profile does not call healthy.

    A component that stands for no target of its own is part of the target whose page it is on.
    """
    return tuple(dict.fromkeys(name for observation in seen for name in _unwell(observation, profile)))


def _unwell(observation: Observation, profile: Profile) -> Iterator[str]:
    if observation.failure is not None:
        if observation.failure.kind in _NO_ANSWER:
            yield observation.target
        return
    health = profile.health
    pages = {f"GET {path}" for path in (health.overall, health.ready, health.detailed) if path}
    page = (observation.answer or {}).get("body", {}).get("json") if observation.question in pages else None
    if not isinstance(page, dict):
        return
    components = page.get("components")
    named = components if isinstance(components, dict) else {}
    bad = [name for name, part in named.items() if not _is_well(part, profile)]
    for name in bad:
        yield health.components.get(name) or observation.target
    if not bad and "status" in page and not _is_well(page, profile):
        yield observation.target


def _is_well(part: Any, profile: Profile) -> bool:
    """A component is told by a word, or by a status among other things."""
    word = part.get("status") if isinstance(part, dict) else part
    return str(word).lower() in profile.health.healthy_words


def _is_http(observation: Observation, profile: Profile) -> bool:
    target = profile.targets.get(observation.target)
    return target is not None and target.kind == "http"
