"""Workers are there, and finish what they are given."""

import pytest

from opsproof import NoData, each, needs, proven_by, runbook, writes

pytestmark = [pytest.mark.smoke, pytest.mark.recovery]


@pytest.mark.hourly
@pytest.mark.diagnosis
@runbook(
    "EVAL-022",
    severity="SEV-2",
    next_step="Restart the workers that do not answer, then look at the queue; unacknowledged tasks may run again.",
)
@proven_by("worker-stopped", "worker-frozen")
async def test_every_worker_answers_ping(workers):
    """As many workers answer a ping as the profile expects."""
    answered = await workers.ping()

    assert len(answered) >= workers.expected, (
        f"{len(answered)} of {workers.expected} workers answered: {', '.join(answered) or 'none'}"
    )


@pytest.mark.dr
@writes("one synthetic job or evaluation, deleted again")
@runbook(
    "EVAL-015",
    "EVAL-029",
    "EVAL-033",
    "FAI-048",
    "FAI-138",
    severity="SEV-1",
    verifies="answer",
    next_step="See where the work stands: queued, look at workers and broker; running or failed, at the worker's log.",
)
@proven_by("worker-stopped", "worker-frozen", "cache-full", "table-locked", "jobs-stuck", "factory-ai-workflow-stuck")
@proven_by("queue-backlog")
@proven_by("metadata-key-dropped", "metadata-lost", "secret-rotated")
@proven_by("core-endpoint-500", "html-body", "wrong-body", "slow-answers")
@proven_by("storebridge-naver-503", "storebridge-naver-used-up")
@each(work="work")
async def test_synthetic_work_is_finished(api, work, clean_up):
    """Work that is submitted is finished in time, and keeps its metadata."""
    submitted = await api.post(work.submit, json=work.body)
    assert submitted.ok, f"POST {work.submit} answers {submitted.describe()}"
    path = work.status.format(id=submitted.field(work.id_field))
    clean_up.add(
        path, lambda: api.delete(work.delete.format(id=submitted.field(work.id_field))), lambda: _gone(api, path)
    )

    ended = {*work.succeeded, *work.failed}
    state = await api.get_until(
        path, lambda answer: not answer.ok or answer.field(work.status_field) in ended, within=work.within
    )

    reached = state.field(work.status_field)
    assert reached in work.succeeded, f"{path} is {reached} after {work.within:g} s at most"
    if work.metadata_field:
        kept = state.json().get(work.metadata_field) or {}
        absent = [key for key in work.metadata_keys if kept.get(key) in (None, "")]
        assert not absent, f"{path} is {reached}, and its {work.metadata_field} has no {', '.join(absent)}"


@pytest.mark.daily
@pytest.mark.diagnosis
@runbook(
    "EVAL-029",
    severity="SEV-2",
    next_step="Find the runs that are listed, repair the code that writes run_metadata, and run them again.",
)
@proven_by("metadata-key-missing")
@needs("stored_metadata")
async def test_finished_runs_have_kept_their_metadata(database, profile):
    """The newest finished evaluation runs have every key of run_metadata (a seed of 0 is a value)."""
    runs = await database.rows(profile.stored_metadata.sql)
    if not runs:
        raise NoData(
            "no evaluation run has finished yet",
            where="stored_metadata.sql of the profile",
            next_step="Run one evaluation; then there is metadata to look at.",
            target="database",
        )

    absent = {}
    for run in runs:
        kept = run["metadata"] or {}
        if keys := [key for key in profile.stored_metadata.keys if kept.get(key) in (None, "")]:
            absent[run["id"]] = keys
    assert not absent, f"{len(absent)} of {len(runs)} runs lack metadata: " + "; ".join(
        f"{run} has no {', '.join(keys)}" for run, keys in list(absent.items())[:5]
    )


async def _gone(api, path):
    return (await api.get(path, fresh=True)).status == 404
