"""
Judge simulated canaries, healthy and sick, by opsproof's rules and by what is usual.

A canary gets 30, 300 or 3,000 requests a minute for 20 minutes, the baseline nine times as many; requests come at
random (Poisson) and fail each on its own, except where bursts are said. The limit is 1 %. Judged are the same data by

- opsproof: limit and comparison with the baseline, a look each minute (or --every), and the limit alone;
- a threshold on the rate of each minute, as users of Argo Rollouts and Flagger write it: rolled back at the first
  minute above the limit, or at the fifth;
- Mann-Whitney on the rates per minute, p <= 0.05, at each look from the fifth minute on.

The second table has the three criteria of runbook 001 at once. What is judged in arrays here is compared with the real
judge, run by run, for some of the runs. Exit status 1 if they differ, or a promise is not kept: false roll-backs of a
healthy canary <= 1 %, false promotions at three times the limit <= 0.1 %.
"""

import argparse
import math
import platform
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import betainc, chdtrc, ndtr

from opsproof.judge.canary.compare import Counts, Tolerance, fisher_worse
from opsproof.judge.canary.decision import decide
from opsproof.judge.canary.judging import judge_counts
from opsproof.judge.canary.rules import Answer, Plan, Rule
from opsproof.judge.statistics.proportions import FEWEST_FOR_BURSTS, SURE_OF_BURSTS
from opsproof.judge.statistics.sequential import dealt, evidence_above

MINUTES = 20
RATES = (30, 300, 3_000)
BASELINE = 9
LIMIT = 0.01
HEALTHY = (0.1, 0.25, 0.5)
SICK = (2.0, 3.0, 5.0)
RUNBOOK = {"errors": 0.01, "latency": 0.05, "parsing": 0.005}
FALSE_ROLLBACKS, FALSE_PROMOTIONS = 0.01, 0.001
NEVER = math.inf
Array = Any


@dataclass(frozen=True)
class Data:
    """Failures and requests of the canary and of the baseline: one row a run, one column a look."""

    k: Array
    n: Array
    base_k: Array
    base_n: Array

    def first(self, runs: int) -> "Data":
        """Some of the runs."""
        return Data(self.k[:runs], self.n[:runs], self.base_k[:runs], self.base_n[:runs])


@dataclass(frozen=True)
class Judged:
    """When each run was rolled back, in minutes (infinite if never), and whether it was promoted at the end."""

    rolled_back: Array
    promoted: Array


def main() -> int:
    """Simulate, and print tables of Markdown; 1 if a promise is not kept."""
    options = _options()
    random = np.random.default_rng(options.seed)
    looks = MINUTES * 60 // options.every
    broken: list[str] = []
    print(f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}\n")
    print(f"{options.runs:,} runs a row (Mann-Whitney {options.runs // 5:,}), a look each {options.every} s.\n")
    print("| requests a minute | canary | judge | rolled back | promoted | inconclusive | median minutes |")
    print("| --: | --- | --- | --: | --: | --: | --: |")
    for rate in RATES:
        for times in (*HEALTHY, 1.0, *SICK):
            well = times <= 1
            data = _data(random, options.runs, rate, looks, LIMIT * times, LIMIT * (times if well else 0.25))
            name = f"{times:g}x the limit" + ("" if well else ", baseline 0.25x")
            ours = _ours(data, LIMIT, Plan(looks, 2))
            broken += _differences(f"{rate}, {name}", data.first(options.compared), ours, looks)
            broken += _promises(f"{rate}, {name}", ours, healthy=times in HEALTHY, sick=times >= 3)
            minutes = _by_minute(data)
            alone = _ours(data, LIMIT, Plan(looks, 1), compared=False)
            broken += _promises(f"{rate}, {name}, limit alone", alone, healthy=times in HEALTHY, sick=times >= 3)
            _row(rate, name, "opsproof", ours)
            _row(rate, name, "opsproof, limit alone", alone)
            _row(rate, name, "threshold, first minute", _threshold(minutes, 1))
            _row(rate, name, "threshold, fifth minute", _threshold(minutes, 5))
            _row(rate, name, "Mann-Whitney", _mann_whitney(minutes.first(options.runs // 5)))
        data = _in_bursts(random, _data(random, options.runs, rate, looks, LIMIT / 4, LIMIT / 4))
        name = "0.25x, and as many again in one look"
        ours = _ours(data, LIMIT, Plan(looks, 2))
        broken += _differences(f"{rate}, {name}", data.first(options.compared), ours, looks)
        _row(rate, name, "opsproof", ours)
    print("\nThe three criteria of runbook 001, one of them sick:\n")
    print("| requests a minute | canary | judge | rolled back | promoted | inconclusive | median minutes |")
    print("| --: | --- | --- | --: | --: | --: | --: |")
    for rate in RATES:
        for sick in (None, *RUNBOOK):
            judged = []
            for name, limit in RUNBOOK.items():
                base = limit * 0.25
                data = _data(random, options.runs, rate, looks, limit * 3 if name == sick else base, base)
                judged.append(_ours(data, limit, Plan(looks, 2 * len(RUNBOOK))))
            together = Judged(
                np.min([one.rolled_back for one in judged], axis=0), np.all([one.promoted for one in judged], axis=0)
            )
            name = f"{sick} 3x, others 0.25x" if sick else "all 0.25x"
            broken += _promises(f"{rate}, {name}", together, healthy=sick is None, sick=sick is not None)
            _row(rate, name, "opsproof", together)
    for line in broken:
        print(f"NOT KEPT: {line}", file=sys.stderr)
    return 1 if broken else 0


def _data(random: np.random.Generator, runs: int, rate: int, looks: int, share: float, base_share: float) -> Data:
    """Counts so far at each look."""
    expected = rate * MINUTES / looks
    n = random.poisson(expected, (runs, looks))
    base_n = random.poisson(BASELINE * expected, (runs, looks))
    k, base_k = random.binomial(n, share), random.binomial(base_n, base_share)
    return Data(*(part.cumsum(axis=1).astype(float) for part in (k, n, base_k, base_n)))


def _in_bursts(random: np.random.Generator, data: Data) -> Data:
    """The same with as many failures again, all in one look of the run, as far as it has so many requests."""
    runs, looks = data.k.shape
    at = random.integers(0, looks, runs)
    free = (_parts(data.n) - _parts(data.k))[np.arange(runs), at]
    more = np.minimum(data.k[:, -1], free)
    return Data(data.k + (np.arange(looks) >= at[:, None]) * more[:, None], data.n, data.base_k, data.base_n)


def _ours(data: Data, limit: float, plan: Plan, *, compared: bool = True) -> Judged:
    """What `judge_counts` and `decide` say, for all runs at once."""
    looks = data.k.shape[1]
    enough = math.log(2 / plan.risk)
    above = evidence_above(data.k, data.n, limit) >= enough
    sick = evidence_above(data.base_k, data.base_n, limit) >= enough
    above[:, -1] |= _surely_above(data.k[:, -1], data.n[:, -1], limit, plan.risk / 2)
    sick[:, -1] |= _surely_above(data.base_k[:, -1], data.base_n[:, -1], limit, plan.risk / 2)
    risks = np.array([dealt(plan.risk, looks, final=look == looks - 1) for look in range(looks)])
    back = ((_worse(data) <= risks) | (above & ~sick)) if compared else above
    rolled_back = np.where(back.any(axis=1), (back.argmax(axis=1) + 1) * MINUTES / looks, NEVER)
    bursts = _bursts(data.k, data.n)[:, -1]
    k, n = data.k[:, -1] / bursts, data.n[:, -1] / bursts
    below = betainc(k + 1, np.maximum(n - k, 1e-9), limit) > plan.confidence
    return Judged(rolled_back, below & ~back.any(axis=1))


def _surely_above(k: Array, n: Array, limit: float, risk: float) -> Array:
    return (k > 0) & (betainc(np.maximum(k, 1e-9), n - k + 1, limit) < risk)


def _worse(data: Data) -> Array:
    """Fisher's p, where it can be small at all."""
    bursts = np.maximum(_bursts(data.k, data.n), _bursts(data.base_k, data.base_n))
    data = Data(*(part / bursts for part in (data.k, data.n, data.base_k, data.base_n)))
    pooled = (data.k + data.base_k) / (data.n + data.base_n)
    spread = np.sqrt(np.maximum(pooled * (1 - pooled) * (1 / np.maximum(data.n, 1) + 1 / data.base_n), 1e-30))
    maybe = (data.k / np.maximum(data.n, 1) - data.base_k / data.base_n) > 1.5 * spread
    p = np.ones(data.k.shape)
    p[maybe] = fisher_worse(data.k[maybe], data.n[maybe], data.base_k[maybe], data.base_n[maybe])
    return p


def _bursts(so_far: Array, requests: Array) -> Array:
    """`burstiness` at each look, of all looks until then."""
    k, n = _parts(so_far), _parts(requests)
    share = so_far / np.maximum(requests, 1)
    squares = (k**2 / np.maximum(n, 1)).cumsum(axis=1)
    spread = share * (1 - share)
    with np.errstate(divide="ignore", invalid="ignore"):
        chi = np.where(spread > 0, (squares - 2 * share * so_far + share**2 * requests) / spread, 0.0)
    freedom = np.maximum((n > 0).cumsum(axis=1) - 1, 1)
    told = (so_far >= FEWEST_FOR_BURSTS) & (spread > 0) & ((n > 0).cumsum(axis=1) > 1)
    return np.where(told & (chdtrc(freedom, chi) < SURE_OF_BURSTS), chi / freedom, 1.0)


def _parts(so_far: Array) -> Array:
    return np.diff(so_far, axis=1, prepend=0)


def _by_minute(data: Data) -> Data:
    """The looks at whole minutes."""
    each = data.k.shape[1] // MINUTES
    return Data(*(part[:, each - 1 :: each] for part in (data.k, data.n, data.base_k, data.base_n)))


def _threshold(minutes: Data, failures: int) -> Judged:
    """Rolled back at so many minutes above the limit; a minute without requests is none."""
    n = _parts(minutes.n)
    above = (_parts(minutes.k) > LIMIT * n).cumsum(axis=1) >= failures
    back = above.any(axis=1)
    return Judged(np.where(back, above.argmax(axis=1) + 1.0, NEVER), ~back)


def _mann_whitney(minutes: Data) -> Judged:
    """Rolled back at the first minute from the fifth on at which the rates so far differ with p <= 0.05."""
    ours = _parts(minutes.k) / np.maximum(_parts(minutes.n), 1)
    theirs = _parts(minutes.base_k) / np.maximum(_parts(minutes.base_n), 1)
    back = np.full(len(ours), NEVER)
    for m in range(MINUTES, 4, -1):
        mine, base = ours[:, :m], theirs[:, :m]
        difference = mine[:, :, None] - base[:, None, :]
        u = ((difference > 0) + (difference == 0) / 2).sum(axis=(1, 2))
        both = np.sort(np.concatenate([mine, base], axis=1), axis=1)
        equal = (both[:, :, None] == both[:, None, :]).sum(axis=2)
        ties = (equal.astype(float) ** 2 - 1).sum(axis=1)
        variance = m * m / 12 * (2 * m + 1 - ties / (2 * m * (2 * m - 1)))
        p = ndtr(-(u - m * m / 2 - 0.5) / np.sqrt(np.maximum(variance, 1e-12)))
        back[(p <= 0.05) & (variance > 1e-9)] = m
    return Judged(back, np.isinf(back))


def _differences(where: str, data: Data, ours: Judged, looks: int) -> list[str]:
    """Runs that the real judge judges differently."""
    rule = Rule("errors", limit=LIMIT, tolerance=Tolerance())
    plan = Plan.of([rule], looks)
    wrong = []
    for run in range(len(data.k)):
        parts: list[tuple[float, float]] = []
        others: list[tuple[float, float]] = []
        back, promoted = NEVER, False
        for look in range(looks):
            k, n, base_k, base_n = (float(part[run, look]) for part in (data.k, data.n, data.base_k, data.base_n))
            parts.append((k - sum(part[0] for part in parts), n - sum(part[1] for part in parts)))
            others.append((base_k - sum(part[0] for part in others), base_n - sum(part[1] for part in others)))
            final = look == looks - 1
            told = judge_counts(
                rule, Counts(k, n), Counts(base_k, base_n), plan, final=final, parts=parts, baseline_parts=others
            )
            answer = decide([rule], [told], plan).answer
            if answer is Answer.ROLLBACK:
                back = (look + 1) * MINUTES / looks
                break
            promoted = answer is Answer.PROMOTE
        if (back, promoted) != (ours.rolled_back[run], ours.promoted[run]):
            wrong.append(f"{where}: run {run} is judged differently by the real judge: {back}, {promoted}")
    return wrong


def _promises(where: str, judged: Judged, *, healthy: bool, sick: bool) -> list[str]:
    back, promoted = np.isfinite(judged.rolled_back).mean(), judged.promoted.mean()
    broken = []
    if healthy and back > FALSE_ROLLBACKS:
        broken.append(f"{where}: {back:.2%} of healthy canaries rolled back")
    if sick and promoted > FALSE_PROMOTIONS:
        broken.append(f"{where}: {promoted:.3%} of sick canaries promoted")
    return broken


def _row(rate: int, name: str, judge: str, judged: Judged) -> None:
    gone = np.isfinite(judged.rolled_back)
    back, promoted = gone.mean(), judged.promoted.mean()
    median = f"{np.median(judged.rolled_back[gone]):g}" if gone.mean() >= 0.005 else "-"
    shares = " | ".join(f"{share:.2%}" for share in (back, promoted, abs(1 - back - promoted)))
    print(f"| {rate:,} | {name} | {judge} | {shares} | {median} |", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20_000, metavar="N", help="runs a row (default: 20,000)")
    parser.add_argument("--every", type=int, default=60, metavar="S", help="seconds from look to look (default: 60)")
    parser.add_argument("--compared", type=int, default=20, metavar="N", help="runs that the real judge judges, too")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.every not in (5, 10, 15, 20, 30, 60):
        parser.error("--every: 5, 10, 15, 20, 30 or 60")
    return options


if __name__ == "__main__":
    sys.exit(main())
