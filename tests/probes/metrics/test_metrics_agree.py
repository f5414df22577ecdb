"""The structured forms, compiled to PromQL and computed from two readings, against real Prometheus."""

import asyncio
import dataclasses
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asking import a_probe, a_server, as_a_check, memory_of, response
from histories import BEGIN, TICKS, WINDOW, Case, Truth, cases, together, truth, written
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from prometheus_server import prometheus

from opsproof.errors import NoData
from opsproof.profile.numbers import Increase, Rate, Ratio

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

END = int(time.time()) // 60 * 60 - 7200
CASES = 40
many = settings(
    max_examples=3,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def forms_of(number):
    """The forms about a case's metrics: share of errors, errors, requests a second."""
    errors, requests = f'case_{number}_total{{status=~"5.."}}', f"case_{number}_total"
    return (
        Ratio(of=errors, over=requests, window=WINDOW),
        Increase(of=errors, window=WINDOW),
        Rate(of=requests, window=WINDOW),
    )


async def number_or_why(probe, form, **options):
    """The number; or the words of why there is none."""
    try:
        return (await probe.number(form, max_age=3600, **options)).value
    except NoData as nothing:
        return nothing.what


def by_prometheus(directory: Path, samples, forms, at=END):
    """What a Prometheus that holds these samples answers to each form, at the end of the window."""

    async def main(url):
        metrics = a_probe(kind="prometheus", url=f"{url}?time={at}", name="metrics", concurrency=8)
        try:
            return [await number_or_why(metrics, form) for form in forms]
        finally:
            await metrics.close()

    with prometheus(directory, samples) as url:
        return asyncio.run(main(url))


def by_readings(before: str, after: str, forms):
    """What two readings of /metrics, a window apart, give for each form: a real scrape, replayed with those times."""

    async def main():
        answers = iter([response(before.encode()), response(after.encode())])

        async def serve(request, writer):
            writer.write(next(answers))

        async with a_server(serve) as server:
            url = f"{server.url}/metrics"
            recorder = as_a_check()
            metrics = a_probe(kind="scrape", url=url, name="metrics", span=0.001)
            await number_or_why(metrics, forms[0])
            await metrics.close()
            began = datetime.now(UTC)
            for place, seconds in enumerate((0, WINDOW)):
                recorder.observations[place] = dataclasses.replace(
                    recorder.observations[place], started=began + timedelta(seconds=seconds)
                )
            found = []
            for form in forms:
                as_a_check()
                again = a_probe(kind="scrape", url=url, name="metrics", span=0.001, memory=memory_of(recorder))
                found.append(await number_or_why(again, form))
            return found

    return asyncio.run(main())


def reading(case: Case, number: int, tick: int) -> str:
    """What the target's own /metrics says at a scrape."""
    lines = [f"# TYPE case_{number}_total counter", "# TYPE up gauge", "up 1"]
    for kind, counters in (("5", case.errors), ("2", case.others)):
        for index, counter in enumerate(counters):
            if (value := counter.values().get(tick)) is not None:
                lines.append(f'case_{number}_total{{status="{kind}0{index}"}} {value}')
    return "\n".join([*lines, ""])


def within(found, expected: Truth, scale: float = 1.0) -> bool:
    """Whether a number is as true as `increase()` can be."""
    low, high = expected.increase - expected.short, expected.increase + expected.over
    return low / scale - 1e-6 <= found <= high / scale + 1e-6


@many
@given(st.lists(cases(), min_size=CASES, max_size=CASES))
def test_every_increase_is_counted_once(tmp_path_factory, many_cases):
    """Births, resets, vanished series, failed scrapes, new targets: what happened, neither more nor less."""
    samples = [one for number, case in enumerate(many_cases) for one in written(case, number, END, phase=0)]
    forms = [form for number in range(CASES) for form in forms_of(number)]
    found = by_prometheus(tmp_path_factory.mktemp("prometheus"), samples, forms)

    for number, case in enumerate(many_cases):
        share, errors, rate = found[number * 3 : number * 3 + 3]
        of = together([truth(case, one) for one in case.errors])
        over = together([truth(case, one) for one in (*case.errors, *case.others)])
        if isinstance(errors, str):
            assert of.increase <= of.short, (case, errors)
        else:
            assert within(errors, of), (case, errors, of)
        if isinstance(rate, str):
            assert over.increase <= over.short, (case, rate)
        else:
            assert within(rate, over, WINDOW), (case, rate, over)
        if isinstance(share, str):
            assert over.increase <= over.short or of.increase <= of.short, (case, share)
        else:
            assert 0 <= share <= 1, (case, share)


@many
@given(st.lists(cases(hidden=False), min_size=CASES, max_size=CASES))
def test_both_ways_agree(tmp_path_factory, many_cases):
    """What two readings can see, they give the same number for as Prometheus, to the last digit."""
    samples = [one for number, case in enumerate(many_cases) for one in written(case, number, END, phase=0)]
    forms = [form for number in range(CASES) for form in forms_of(number)]
    found = by_prometheus(tmp_path_factory.mktemp("prometheus"), samples, forms)

    for number, case in enumerate(many_cases):
        here = by_readings(reading(case, number, BEGIN), reading(case, number, TICKS - 1), forms_of(number))
        there = found[number * 3 : number * 3 + 3]
        for one, other in zip(here, there, strict=True):
            assert one == (other if isinstance(other, str) else pytest.approx(other, rel=1e-9)), (here, there, case)
