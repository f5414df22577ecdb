"""Bad times that last longer than a part of the window."""

import numpy as np

from opsproof.judge.statistics.proportions import burstiness, long_bursts, upper


def _episodes(seed: int, seconds: int, share: float, lasting: float) -> list[tuple[float, float]]:
    """Failures of 20 requests a second: half of them in bad seconds, none in good ones."""
    rng = np.random.default_rng(seed)
    ends, begins = 1 / lasting, share / lasting / (1 - share)
    bad, parts = rng.random() < share, []
    for _ in range(seconds):
        parts.append((float(rng.binomial(20, 0.5)) if bad else 0.0, 20.0))
        bad = rng.random() > ends if bad else rng.random() < begins
    return parts


def _passed(of, lasting: float) -> float:
    """How often a share of 6 % is called surely below 5 %, where 5 % is how often it may be."""
    wrong = 0
    for seed in range(300):
        parts = _episodes(seed, 270, 0.12, lasting)
        bursts, failed = of(parts), sum(k for k, _ in parts)
        wrong += upper(failed / bursts, 270 * 20 / bursts, 0.95) < 0.05
    return wrong / 300


def test_bad_times_of_seconds_pass_as_seldom_as_is_said():
    """By single seconds alone it would be more than twice as often."""
    assert _passed(long_bursts, 3) <= 0.05
    assert _passed(burstiness, 3) > _passed(long_bursts, 3)


def test_failures_one_by_one_are_no_bursts():
    rng = np.random.default_rng(1)
    found = [long_bursts([(float(rng.binomial(100, 0.02)), 100.0) for _ in range(120)]) for _ in range(200)]

    assert sum(one > 1 for one in found) <= 0.06 * 200


def test_a_short_window_is_looked_at_part_by_part():
    parts = [(9.0, 10.0), *[(0.0, 10.0)] * 5]

    assert long_bursts(parts) == burstiness(parts) > 1
