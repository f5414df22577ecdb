"""Workers are there, and finish what they are given."""

import asyncio
import json
import time

import pytest

from opsproof import NoData, PreconditionMissing, Unreachable, each, needs, proven_by, runbook, writes

pytestmark = [pytest.mark.smoke, pytest.mark.recovery]

SECONDS_TO_BE_STORED_LATE = 8.0
SECONDS_BETWEEN_LOOKS = 0.5


@pytest.fixture
def stored(request, profile):
    """Where to look for work whose id is unknown: the database, or None where the profile has none."""
    return None if profile.lacks("database") else request.getfixturevalue("database")


@pytest.mark.hourly
@pytest.mark.diagnosis
@runbook(
    "EVAL-022",
    severity="SEV-2",
    next_step="Restart the workers that do not answer, then look at the queue; unacknowledged tasks may run again.",
)
@proven_by("worker-stopped", "worker-frozen", "worker-frozen-busy")
async def test_every_worker_answers_ping(workers):
    """As many workers answer a ping as the profile expects."""
    answered = await workers.ping()

    assert len(answered) >= workers.expected, (
        f"{len(answered)} of {workers.expected} workers answered: {', '.join(answered) or 'none'}"
    )


@pytest.mark.dr
@writes("a synthetic job, or an evaluation twice, deleted again")
@runbook(
    "EVAL-015",
    "EVAL-029",
    "EVAL-031",
    "EVAL-033",
    "FAI-048",
    "FAI-138",
    severity="SEV-1",
    verifies="answer",
    next_step="See where the work stands: queued, look at workers and broker; running or failed, at the worker's log.",
)
@proven_by("worker-stopped", "worker-frozen", "cache-full", "table-locked", "jobs-stuck", "factory-ai-workflow-stuck")
@proven_by("queue-backlog", "worker-not-consuming", "worker-frozen-busy", "backlog-growing")
@proven_by("metadata-key-dropped", "metadata-lost", "metadata-seed-ignored", "metadata-commit-other", "secret-rotated")
@proven_by("metadata-invalid", "score-drifts")
@proven_by("core-endpoint-500", "html-body", "wrong-body", "slow-answers", "work-stored-late")
@proven_by("storebridge-naver-503", "storebridge-naver-used-up", "database-read-only", "redis-replica")
@each(work="work")
async def test_synthetic_work_is_finished(api, stored, profile, work, run_id, clean_up):
    """Work that is submitted is finished in time, keeps its metadata, and comes out the same when done once more."""
    marker = f"opsproof-{run_id}-{work.name}"
    path, reached, state = await _ended(_Submission(api, stored, work, marker), api, work, clean_up)

    assert reached in work.succeeded, f"{path} is {reached} after {work.within:g} s at most"
    if work.metadata_field:
        kept = state.json().get(work.metadata_field) or {}
        absent = [key for key in work.metadata_keys if kept.get(key) in (None, "")]
        assert not absent, f"{path} is {reached}, and its {work.metadata_field} has no {', '.join(absent)}"
        meant = {key: work.body[key] for key in work.metadata_as_sent}
        if work.metadata_commit and profile.release:
            release = await api.get(profile.release.path)
            meant[work.metadata_commit] = release.field(profile.release.commit)
        wrong = [f"{key} {kept.get(key)!r}, not {value!r}" for key, value in meant.items() if kept.get(key) != value]
        assert not wrong, f"{path} is {reached}, and its {work.metadata_field} says {'; '.join(wrong)}"
    if work.same_again:
        path, reached, again = await _ended(_Submission(api, stored, work, f"{marker}-again"), api, work, clean_up)
        assert reached in work.succeeded, f"{path} is {reached} after {work.within:g} s at most"
        pairs = {name: (state.field(name), again.field(name)) for name in work.same_again}
        other = [f"{name} {first!r}, then {second!r}" for name, (first, second) in pairs.items() if first != second]
        assert not other, f"the same work has another result when done once more: {'; '.join(other)}"


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


async def _ended(submission, api, work, clean_up):
    """Send work and wait until it has ended, or the time is over: its path, its status, and the last answer."""
    clean_up.add(submission.name, submission.delete, submission.is_gone)
    path = work.status.format(id=await submission.send())
    ended = {*work.succeeded, *work.failed}
    state = await api.get_until(
        path, lambda answer: not answer.ok or answer.field(work.status_field) in ended, within=work.within
    )
    return path, state.field(work.status_field), state


class _Submission:
    """Work that is sent once, and deleted again, also if the answer with its id does not come in time."""

    def __init__(self, api, stored, work, marker):
        self.name = f"{work.name} of the marker {marker}"
        self._api, self._stored, self._work, self._marker = api, stored, work, marker
        self._id = None
        self._may_come = True

    async def send(self):
        """POST it; its id."""
        try:
            answer = await self._api.post(self._work.submit, json=_filled(self._work.body, self._marker))
        except Unreachable:
            self._may_come = False
            raise
        self._may_come = False
        assert answer.ok, f"POST {self._work.submit} answers {answer.describe()}"
        self._id = answer.field(self._work.id_field)
        return self._id

    async def delete(self):
        """Delete it by its id, or all that carries the marker."""
        for found in [self._id] if self._id else await self._left():
            await self._api.delete(self._work.delete.format(id=found))

    async def is_gone(self):
        """Whether the target says that it is gone."""
        if self._id:
            return (await self._api.get(self._work.status.format(id=self._id), fresh=True)).status == 404
        return not await self._look()

    async def _left(self):
        """The ids of what carries the marker; without an answer to the POST they may come a while later."""
        until = time.monotonic() + SECONDS_TO_BE_STORED_LATE
        while not (found := await self._look()) and self._may_come:
            if time.monotonic() > until:
                raise NoData(
                    f"its POST was not answered, and nothing of it was stored {SECONDS_TO_BE_STORED_LATE:g} s later",
                    where=f"work.{self._work.name}.marked of the profile",
                    next_step="Look for the marker again, and delete by hand what carries it.",
                    target="api",
                )
            await self._api.get(self._work.status.format(id=self._marker), fresh=True)
            await asyncio.sleep(0 if self._api.replays else SECONDS_BETWEEN_LOOKS)
        return found

    async def _look(self):
        if self._work.marked and self._stored:
            return [row["id"] for row in await self._stored.rows(self._work.marked, marker=self._marker)]
        if not self._may_come:
            return []
        raise PreconditionMissing(
            "its POST was not answered, and the profile cannot look for the marker",
            where=f"work.{self._work.name} of the profile",
            next_step="Give it `marked`, a SQL that finds it, and the profile a target `database`.",
            target="api",
        )


def _filled(body, marker):
    return json.loads(json.dumps(body).replace("{marker}", marker))
