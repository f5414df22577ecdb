"""summary.md: the run for people."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from markdown_it import MarkdownIt
from nasty_text import nasty_text
from report_builders import (
    a_bad_night,
    a_failure,
    a_profile,
    a_refused_connection,
    a_run,
    a_view,
    a_waiver,
    an_observation,
    an_outcome,
    an_unknown,
)

from opsproof.errors import OpsproofError
from opsproof.judge.outcome import Cause, Status
from opsproof.judge.root_causes import TargetFact
from opsproof.report.run import ReleaseFact
from opsproof.report.summary import append_step_summary, summary
from opsproof.report.view import View


def sections(text: str) -> list[str]:
    return [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]


def test_the_verdict_is_the_first_line() -> None:
    """Nobody should have to scroll for it."""
    assert summary(a_view(an_outcome(), a_failure())).startswith("# opsproof: FAIL\n")


def test_everything_has_its_section_and_nothing_else_has() -> None:
    """An empty section is noise; a missing one hides something."""
    assert sections(summary(View.of(*a_bad_night()))) == [
        "Root cause 1 (SEV-1): cache of ingest/staging (redis://10.0.0.7:6379)",
        "Failed, or could not be measured",
        "Warnings (below `fail_on`; the gate goes on)",
        "Waived",
        "Skipped",
        "Notes",
    ]
    assert sections(summary(a_view(an_outcome()))) == []


def test_a_failed_check_has_numbers_rows_next_step_and_commands() -> None:
    """What the table must tell without opening anything else."""
    observation = an_observation("41-3", by_hand="psql -c 'SELECT 1 | 2'")

    text = summary(a_view(a_failure(observations=("41-3",)), observations=[observation]))

    row = next(line for line in text.splitlines() if line.startswith("| SEV-2 |"))
    for told in ("`database.migrations_are_at_head[ingest/staging]`", "revision 0006", "`ING-031`", "alembic upgrade"):
        assert told in row
    assert "```text\npsql -c 'SELECT 1 | 2'\n```" in text


def test_a_root_cause_names_the_checks_that_it_explains() -> None:
    """The terminal counts them; here they are."""
    direct = an_unknown(observations=("41-2",))
    dependent = a_failure("health.parts", target="api", answered=("api",), statuses=(503,))

    text = summary(a_view(direct, dependent, observations=[a_refused_connection()]))

    assert "1 check could not run, 1 more depends on it" in text
    assert "- could not run or failed: `cache.memory_is_left[ingest/staging]`" in text
    assert "- depend on it: `health.parts[ingest/staging]`" in text
    assert "redis-cli -u redis://10.0.0.7:6379/0 INFO memory" in text
    assert "## Failed" not in text


def test_the_release_seen_is_in_the_table_of_profiles() -> None:
    """Which version was judged is the first question of an auditor."""
    profile = a_profile(release=ReleaseFact(expected=None, seen={"1.4.2": 10}))

    assert "| `ingest/staging` | **PASS** | 1.4.2 (10) | 1 passed | SEV-2 |" in summary(
        a_view(an_outcome(), profiles=[profile])
    )


def test_a_waiver_is_told_with_owner_reason_and_expiry() -> None:
    """A waiver without an end is a hole."""
    text = summary(a_view(an_outcome(), a_failure(status=Status.WAIVED, waiver=a_waiver())))

    assert "waived by kim until 2026-05-26 18:30 UTC: OPS-77" in text


def test_skipped_checks_are_grouped_by_reason() -> None:
    """Twenty lines of one reason hide the other one."""
    skipped = [
        an_outcome(f"metrics.m{n}", status=Status.SKIPPED, cause=Cause.DOES_NOT_APPLY, message="no target metrics")
        for n in range(20)
    ]

    assert "- `ingest/staging`, 20: no target metrics" in summary(a_view(an_outcome(), *skipped)).splitlines()


def test_reasons_that_are_not_about_one_check_stand_under_the_verdict() -> None:
    """An INCONCLUSIVE with no failed check must explain itself."""
    text = summary(a_view())

    assert "# opsproof: INCONCLUSIVE\n\n- ingest/staging: nothing was checked" in text


def test_a_replay_says_so() -> None:
    """A verdict of today about answers of last week must not be taken for a look at the target."""
    assert "Judged again from the evidence of run `77aa`" in summary(View.of(a_run(replay_of="77aa"), []))


@given(nasty_text)
def test_text_from_targets_adds_nothing_to_the_document(nasty: str) -> None:
    """The same headings, tables, links, pictures and HTML, whatever a target answers."""

    def document(text: str) -> list[str]:
        """The run with this text wherever a target's text can be, as a list of what Markdown makes of it."""
        profile = a_profile(
            release=ReleaseFact(expected="1.4.2", seen={text or "x": 1}),
            targets={"api": TargetFact(kind="http", address=text)},
        )
        run = a_run(
            [
                an_outcome(),
                a_failure(message=text, where=f"at {text}", next_step=text, observations=("41-1",)),
                an_unknown("api.a", target="api", message=text, next_step=text, observations=("41-1",)),
                a_failure("trace.ids", severity="SEV-3", message=text, next_step=text, target=""),
                a_failure("auth.role", status=Status.WAIVED, waiver=a_waiver(reason=text, owner=text), target=""),
                an_outcome("x.y", status=Status.SKIPPED, cause=Cause.DOES_NOT_APPLY, message=text),
            ],
            [profile],
            notes=(text,),
        )
        tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(
            summary(View.of(run, [an_observation(by_hand=text)]))
        )
        inner = [child.type for token in tokens for child in token.children or []]
        kinds = [token.type for token in tokens] + inner
        return sorted(kind for kind in kinds if kind not in ("text", "softbreak", "code_inline"))

    assert document(nasty) == document("plain")


def test_the_step_summary_is_appended(tmp_path: Path) -> None:
    """Several steps share the page; GitHub names the file in the environment."""
    page = tmp_path / "page.md"
    page.write_text("# before\n", encoding="utf-8")

    append_step_summary("# opsproof: PASS\n", {"GITHUB_STEP_SUMMARY": str(page)})
    append_step_summary("nobody reads this", {})

    assert page.read_text(encoding="utf-8") == "# before\n# opsproof: PASS\n"


def test_a_step_summary_is_never_larger_than_github_takes(tmp_path: Path) -> None:
    """GitHub drops the whole page of a step above 1 MiB."""
    page = tmp_path / "page.md"

    append_step_summary("한" * 1_000_000, {"GITHUB_STEP_SUMMARY": str(page)})

    assert page.stat().st_size <= 1_000_000
    assert set(page.read_text(encoding="utf-8")) == {"한"}


def test_a_step_summary_that_cannot_be_written_says_where_and_what_next(tmp_path: Path) -> None:
    """A broken runner must not look like a broken gate."""
    with pytest.raises(OpsproofError, match="the step summary cannot be written") as caught:
        append_step_summary("text", {"GITHUB_STEP_SUMMARY": str(tmp_path)})

    assert caught.value.where == f"GITHUB_STEP_SUMMARY={tmp_path}"
    assert "The verdict holds" in caught.value.next_step


def test_a_summary_stays_readable_with_hundreds_of_findings() -> None:
    """It is for people; run.json is for the rest."""
    text = summary(a_view(*(a_failure(f"s.c{n}", message=f"wrong {n}") for n in range(300))))

    assert "250 more are in `run.json`." in text
    assert f"{datetime(2026, 5, 6, 18, 30, tzinfo=UTC):%Y-%m-%d %H:%M:%S} UTC" in text
