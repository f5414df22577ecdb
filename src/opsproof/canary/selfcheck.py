"""Whether the questions can tell at all, before the watch: a question that cannot go red makes every canary good."""

import math
from collections.abc import Mapping, Sequence

from opsproof.canary.data import Looking
from opsproof.canary.facts import Data
from opsproof.judge.canary.rules import Rule
from opsproof.judge.canary.series import State
from opsproof.probes.metrics.promql import ranges, selectors
from opsproof.profile.canary import Canary, Criterion
from opsproof.profile.selectors import parsed_selector

_LEAST_SCRAPES = 4
_RETRIED = (State.EMPTY, State.STALE, State.NAN)


class Refusals:
    """
    What is wrong with the questions of a canary, each with the fix.

    Args:
        canary: The profile's section.
        rules: Its criteria as rules.
    """

    def __init__(self, canary: Canary, rules: Mapping[str, Rule]) -> None:
        self._canary = canary
        self._rules = rules

    def of(self, looking: Looking, seen: Mapping[str, Data]) -> tuple[list[str], list[str]]:
        """
        Examine one criterion.

        Args:
            looking: Looks at it.
            seen: What its first look gave, by track.

        Returns:
            What makes it useless, with the fix; and what is only to be known.
        """
        name, criterion = looking.criterion.id, looking.criterion
        wrong = [*self._labels(criterion), *self._scrapes(looking)]
        notes: list[str] = []
        for track, data in seen.items():
            if data.state is State.QUERY_ERROR:
                wrong.append(f"{track}: {data.why}")
            elif data.state is State.SEVERAL_SERIES:
                wrong.append(f"{track}: {data.why}; sum them, or narrow the query")
            elif data.state is not State.OK:
                fix = "send it traffic, and compare names and labels with what Prometheus shows"
                wrong.append(f"{track}: {data.why or data.state}; {fix}")
        if canary := seen.get("canary"):
            found, noted = self._edges(self._rules[name], canary)
            wrong, notes = wrong + found, notes + noted
        return [f"{name}: {one}" for one in wrong], [f"{name}: {one}" for one in notes]

    @staticmethod
    def may_come(seen: Mapping[str, Data]) -> bool:
        """Whether a wait could help: a canary that has just begun has neither samples nor traffic."""
        return any(data.state in _RETRIED for data in seen.values())

    def _labels(self, criterion: Criterion) -> list[str]:
        """An expression must name the canary's labels in every selector."""
        if criterion.promql is None:
            return []
        tracks = {"canary": (criterion.promql.canary, self._canary.canary)}
        if criterion.promql.baseline:
            tracks["baseline"] = criterion.promql.baseline, self._canary.baseline
        wrong = []
        for track, (promql, labels) in tracks.items():
            for selector in selectors(promql):
                told = {one.name: one.value for one in parsed_selector(selector).matchers.matchers}
                if lacking := [f'{key}="{value}"' for key, value in labels.items() if told.get(key) != value]:
                    wrong.append(f"{selector} is not the {track}'s alone; add {', '.join(lacking)}")
        return wrong

    def _scrapes(self, looking: Looking) -> list[str]:
        if not looking.knows_scrape:
            return []
        least = _LEAST_SCRAPES * looking.scrape
        wrong = []
        if self._canary.lasts < least:
            wrong.append(
                f"the watch of {self._canary.lasts:g} s holds fewer than {_LEAST_SCRAPES} scrapes "
                f"({looking.scrape:g} s apart); watch longer"
            )
        if promql := looking.criterion.promql:
            short = [seconds for seconds in ranges(promql.canary) if seconds < least]
            wrong += [
                f"it looks back {one:g} s, fewer than {_LEAST_SCRAPES} scrapes; look further back" for one in short
            ]
        return wrong

    def _edges(self, rule: Rule, data: Data) -> tuple[list[str], list[str]]:
        """A quantile from buckets is never above the last finite edge; between two edges it is only estimated."""
        if not data.edges or rule.limit is None:
            return [], []
        finite = [edge for edge in data.edges if math.isfinite(edge)]
        if not finite or rule.limit > finite[-1]:
            last = f"{finite[-1]:g}" if finite else "none"
            return [f"the limit {rule.limit:g} is above the last bucket edge ({last}); add an edge at the limit"], []
        if rule.limit in finite:
            return [], []
        return [], [_between(rule.limit, finite)]


def _between(limit: float, finite: Sequence[float]) -> str:
    below = max((edge for edge in finite if edge < limit), default=0.0)
    above = min(edge for edge in finite if edge > limit)
    return (
        f"the limit {limit:g} lies between the bucket edges {below:g} and {above:g}: what took so long is judged "
        "either way; an edge at the limit would make it exact"
    )
