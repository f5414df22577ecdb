"""What became of the jobs of the last hour: evidence for whoever looks for the cause, and for the record."""

import pytest

from opsproof import needs, proven_by, runbook

pytestmark = [pytest.mark.diagnosis, pytest.mark.recovery]


@pytest.mark.hourly
@runbook(
    "EVAL-020",
    severity="SEV-3",
    verifies="answer",
    next_step="See who holds the lock on the table jobs, and whether its columns are those of the release.",
)
@proven_by("table-locked")
@needs("recent_jobs")
async def test_the_states_of_recent_jobs_can_be_read(database, profile):
    """The runbook's query over the jobs of the last hour has an answer; the numbers themselves have no limit."""
    rows = await database.rows(profile.recent_jobs.states)

    odd = [row for row in rows if not row["status"] or row["jobs"] < 1]
    assert not odd, f"jobs without a state: {odd}"


@runbook(
    "EVAL-021",
    severity="SEV-3",
    verifies="answer",
    next_step="See who holds the lock on the table jobs; why a silent job failed stands in the worker's log.",
)
@proven_by("table-locked", "jobs-failed-silently")
@needs("recent_jobs.failed")
async def test_failed_jobs_say_why(database, profile):
    """The newest failed jobs can be read, and each says why it failed."""
    rows = await database.rows(profile.recent_jobs.failed)

    silent = [str(row["job_id"]) for row in rows if row["status"] == "failed" and not row["error_message"]]
    assert not silent, f"{len(silent)} of {len(rows)} newest failed jobs have no error_message: {', '.join(silent[:5])}"
