"""A benchmark by Locust over the plan of the profile: whether it can be believed, and each of its gates."""

import pytest

from opsproof import NoData, each, needs, runbook

pytestmark = [pytest.mark.load]


@runbook(
    "FAI-062",
    "ING-051",
    "OPS-097",
    severity="SEV-2",
    next_step="Mend what each sentence names, on the machine that sends the load; then run the benchmark again.",
)
@needs("load")
async def test_the_benchmark_can_be_believed(benchmark):
    """The load of the plan was sent, and its times are those of the target and not of the generator."""
    benchmark.keep_evidence()
    fact, doubts = benchmark.fact, benchmark.doubts

    if doubts:
        raise NoData(
            "; ".join(doubts),
            where=f"{len(fact.workers)} generators, {fact.plan.users} users, {fact.environment['cores']} cores",
            next_step="Do what docs/load.md, 'When it is not believed', says of the sentence; then run it again.",
        )
    assert fact.requests
    assert fact.gates


@each(gate="load.gates")
async def test_gate(gate, benchmark):
    """The gate holds."""
    seen = benchmark.gate(gate.id)
    reason = seen.reason[benchmark.lang]
    benchmark.keep_evidence()

    if seen.answer == "INCONCLUSIVE":
        raise NoData(
            reason,
            where=f"{seen.measure} of {seen.request or 'all requests'}, {seen.requests} of them",
            next_step=_to_know_it(seen.more_needed),
        )
    assert seen.answer == "PASS", reason


def _to_know_it(more: int | None) -> str:
    if more is None:
        return "Do what the sentence names; then run the benchmark again."
    return f"Let it last longer or raise its rate (load.duration, load.rate): {more} more good requests would do."
