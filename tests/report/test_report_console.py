"""The verdict block: what an operator reads at the end of the terminal output."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
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
from wcwidth import wcswidth

from opsproof.judge.outcome import Cause, Outcome, Status
from opsproof.profile.models import Policy
from opsproof.report.console import WIDTH, verdict_block
from opsproof.report.run import ReleaseFact
from opsproof.report.summary import summary
from opsproof.report.view import View
from opsproof.report.words import Lang, words

FOLDER = Path("reports/runs/20260506T183000Z-3f9a1c")


def text_of(view: View, lang: Lang = "en") -> str:
    return "\n".join(line.text for line in verdict_block(view, FOLDER, lang))


def test_the_last_line_is_the_verdict_with_the_exit_status() -> None:
    """The end of the output is what stays on the screen."""
    lines = verdict_block(a_view(an_outcome(), a_failure()), FOLDER)

    assert lines[-1].text == "VERDICT FAIL  exit status 1"
    assert lines[-1].markup == {"bold": True, "red": True}


def test_a_target_that_is_down_is_one_headline_with_the_count_and_one_next_step() -> None:
    """Forty reds for one reason send people to forty places."""
    checks = [an_unknown(f"cache.check_{n}", observations=("41-2",)) for n in range(3)]
    dependent = [
        a_failure(f"health.part_{n}", target="api", answered=("api",), statuses=(503,), message=f"part {n} is down")
        for n in range(5)
    ]

    text = text_of(a_view(*checks, *dependent, observations=[a_refused_connection()]))

    assert "ROOT CAUSE 1  SEV-2  cache of ingest/staging (redis://10.0.0.7:6379)" in text
    assert "unreachable: no connection: Connection refused" in text
    assert "3 checks could not run, 5 more depend on it" in text
    assert text.count("Start the cache; the profile's url may be wrong.") == 1
    assert "by hand  redis-cli -u redis://10.0.0.7:6379/0 INFO memory" in text
    assert "part 3 is down" not in text


def test_a_root_cause_hides_no_sev_1_that_got_a_real_answer() -> None:
    """A door that stands open while the cache is down is not closed by starting the cache."""
    down = [an_unknown(f"cache.check_{n}", observations=("41-2",)) for n in range(3)]
    open_door = a_failure(
        "auth.the_wrong_role_is_refused",
        severity="SEV-1",
        target="api",
        answered=("api",),
        statuses=(200, 503),
        message="as reader answers 200 OK, not 403",
    )

    text = text_of(a_view(*down, open_door, observations=[a_refused_connection()]))

    said = " ".join(text.split())
    assert "also SEV-1 auth.the_wrong_role_is_refused[ingest/staging]: as reader answers 200 OK, not 403" in said


def test_a_failed_check_says_what_where_next_by_hand_and_runbook() -> None:
    """Whoever reads it must need no second place to begin."""
    command = 'psql "postgresql://10.0.0.6:5432/ingest" -c "SELECT version_num FROM alembic_version"'
    observation = an_observation("41-3", target="database", by_hand=command)

    text = text_of(a_view(an_outcome(), a_failure(observations=("41-3",)), observations=[observation]))

    block = text[text.index("FAILED SEV-2") :].splitlines()[:6]
    assert block == [
        "FAILED SEV-2  database.migrations_are_at_head[ingest/staging]",
        "  what     target wrong: revision 0006 in the database, head is 0007",
        "  where    database of ingest/staging, SELECT version_num FROM alembic_version",
        "  next     Run `alembic upgrade head` as the release's job does, then this check again.",
        f"  by hand  {command}",
        "  runbook  ING-031",
    ]


def test_the_worst_finding_comes_first() -> None:
    """A SEV-1 below a screenful of SEV-2 is overlooked."""
    view = a_view(a_failure("jobs.late"), a_failure("health.dead", severity="SEV-1"))

    text = text_of(view)

    assert text.index("health.dead") < text.index("jobs.late")


def test_each_profile_has_its_own_word() -> None:
    """With a fleet the first question is: which one."""
    profiles = [a_profile(), a_profile("evaluation/staging")]
    outcomes = [a_failure(), an_outcome(profile="evaluation/staging")]

    text = text_of(a_view(*outcomes, profiles=profiles))

    assert re.search(r"^FAIL +ingest/staging", text, re.MULTILINE)
    assert re.search(r"^PASS +evaluation/staging", text, re.MULTILINE)


def test_a_profile_that_checked_nothing_is_inconclusive_and_says_why() -> None:
    """No data is never a pass."""
    profiles = [a_profile(), a_profile("evaluation/staging")]

    text = text_of(a_view(an_outcome(), profiles=profiles))

    assert re.search(r"^INCONCLUSIVE +evaluation/staging.* no checks$", text, re.MULTILINE)
    assert "WHY  evaluation/staging: nothing was checked" in text
    assert text.endswith("VERDICT INCONCLUSIVE  exit status 6")


def test_sev_1_checks_that_did_not_run_are_counted_by_reason_with_what_lets_them_run() -> None:
    """A green gate that never tried the payload guard must say so, in one line for all of them."""
    writing = [
        an_outcome(
            f"payload.guard_{n}",
            severity="SEV-1",
            status=Status.SKIPPED,
            cause=Cause.NOT_ALLOWED,
            message=f"it writes (item {n}); to allow it: --allow-writes staging",
            next_step="--allow-writes staging",
        )
        for n in range(2)
    ]
    absent = an_outcome(
        "jobs.done",
        severity="SEV-1",
        status=Status.SKIPPED,
        cause=Cause.DOES_NOT_APPLY,
        message="ingest/staging has no target `workers`",
    )
    minor = an_outcome("x.y", status=Status.SKIPPED, cause=Cause.DOES_NOT_APPLY, message="no matter")
    view = a_view(an_outcome(), *writing, absent, minor)

    lines = text_of(view).splitlines()

    assert "NOT CHECKED  2 SEV-1 checks of ingest/staging write; to run: --allow-writes staging" in lines
    assert "NOT CHECKED  1 SEV-1 check of ingest/staging: ingest/staging has no target `workers`" in lines
    assert sum("NOT CHECKED" in line for line in lines) == 2
    korean = "점검 안 함  ingest/staging의 SEV-1 점검 2건은 쓰기가 필요함; 실행하려면: --allow-writes staging"
    assert korean in " ".join(text_of(view, "ko").split()).replace("함 ingest", "함  ingest")
    assert "- 2 SEV-1 checks of ingest/staging write; to run: --allow-writes staging" in summary(view)


def test_what_profiles_cannot_carry_is_one_line_and_a_table_in_the_summary() -> None:
    """Nobody drowns, and nobody takes a check for passed that was never there."""
    lacks = {"payload": {"payload.body": "SEV-1", "payload.batch": "SEV-1"}, "pages": {"auth.page": "SEV-2"}}
    profiles = [a_profile(not_carried=lacks), a_profile("evaluation/staging", not_carried={"pages": lacks["pages"]})]
    view = a_view(an_outcome(), an_outcome(profile="evaluation/staging"), profiles=profiles)

    said = " ".join(text_of(view).split())

    assert "NOT CHECKED 4 checks (2 SEV-1) need what their profile does not have: see reports/runs/" in said
    assert "프로필에 없는 항목이 필요한 점검 4건(SEV-1 2건)" in " ".join(text_of(view, "ko").split())
    table = summary(view).splitlines()
    assert "| `pages` | `ingest/staging`, `evaluation/staging` | 2 | `auth.page` |" in table
    assert "| `payload` | `ingest/staging` | 2 | `payload.body`, `payload.batch` |" in table


def test_what_a_profile_lacks_for_a_pass_is_not_told_under_a_fail() -> None:
    """The cache that is down is the headline already; that it was required decides nothing any more."""
    policy = Policy(require={"any": ("cache",)})
    view = a_view(an_outcome(), a_failure(), an_unknown(), policy=policy)

    assert "ingest/staging: the profile requires cache, and no check got an answer from it" in view.other_reasons
    assert "the profile requires" not in text_of(view)
    assert "the profile requires" in text_of(a_view(an_outcome(), an_unknown(), policy=policy))
    assert "- ingest/staging: the profile requires cache" in summary(view)


def test_another_release_than_the_expected_one_is_on_the_first_lines() -> None:
    """Half a roll-out explains most of what follows."""
    release = ReleaseFact(expected="1.4.2", seen={"1.4.1": 3, "1.4.2": 7})

    first = text_of(a_view(an_outcome(), profiles=[a_profile(release=release)])).splitlines()[0]

    assert "release 1.4.1 (3), 1.4.2 (7), expected 1.4.2" in first


def test_failures_below_fail_on_are_warnings_and_never_hidden() -> None:
    """A PASS with warnings is a PASS that someone must still look at."""
    text = text_of(a_view(an_outcome(), a_failure("trace.ids", severity="SEV-3", target="")))

    assert "warning  trace.ids[ingest/staging] (SEV-3) target wrong: revision 0006" in text
    assert text.endswith("VERDICT PASS  exit status 0")


def test_a_root_cause_below_fail_on_is_a_warning() -> None:
    """A headline in red under a PASS would contradict it."""
    text = text_of(a_view(an_outcome(), an_unknown(severity="SEV-3")))

    assert "ROOT CAUSE" not in text
    assert "warning  cache of ingest/staging" in text


def test_an_expired_waiver_fails_whatever_the_severity() -> None:
    """The verdict counts it, so the block must show it as a failure."""
    outcome = a_failure(severity="SEV-3", waiver=a_waiver(expired=True))

    assert "FAILED SEV-3  database.migrations_are_at_head" in text_of(a_view(an_outcome(), outcome))


def test_a_waived_check_names_owner_and_expiry() -> None:
    """Somebody must be asked, and it must end."""
    outcome = a_failure(status=Status.WAIVED, waiver=a_waiver())

    text = text_of(a_view(an_outcome(), outcome))

    assert "waived  database.migrations_are_at_head[ingest/staging]: by kim until 2026-05-26: OPS-77" in text


def test_a_long_message_is_cut_with_a_pointer_to_the_report() -> None:
    """A page of HTML in the message must not push everything else off the screen."""
    text = text_of(a_view(a_failure(message="<p>wrong</p> " * 500)))

    assert "... (whole text in the report)" in text
    assert len(text.splitlines()) < 20


def test_a_command_is_never_broken_over_lines() -> None:
    """It is there to be copied."""
    command = f"curl -sS http://10.0.0.5:8080/{'long/' * 30}"
    view = a_view(a_failure(observations=("41-1",)), observations=[an_observation(by_hand=command)])

    assert f"  by hand  {command}" in text_of(view).splitlines()


def test_many_findings_end_in_a_pointer() -> None:
    """What does not fit a screen is in the report."""
    text = text_of(a_view(*(a_failure(f"subject.check_{n}", message=f"wrong {n}") for n in range(60))))

    assert "40 more: see reports/runs/20260506T183000Z-3f9a1c/summary.md" in text
    assert len(text.splitlines()) < 90


def test_without_a_report_the_verdict_still_prints() -> None:
    """A full disk must not cost the verdict."""
    lines = [line.text for line in verdict_block(a_view(a_failure()), None)]

    assert "  report   could not be written" in lines
    assert lines[-1] == "VERDICT FAIL  exit status 1"


@pytest.mark.parametrize(
    ("python", "command"),
    [("checkout/.venv/bin/python", ".venv/bin/python -m pytest"), ("usr/bin/python3", "pytest")],
    ids=["in the checkout", "elsewhere"],
)
def test_how_to_replay_is_one_line(python: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The morning after, the evidence is judged again without the target, by what a terminal finds."""
    (tmp_path / "checkout").mkdir()
    monkeypatch.chdir(tmp_path / "checkout")
    monkeypatch.setattr("sys.executable", str(tmp_path / python))

    assert f"  again    {command} -m smoke --replay={FOLDER}" in text_of(a_view(an_outcome())).splitlines()


def test_korean_words_keep_the_columns() -> None:
    """Korean letters take two columns; labels of different length must still line up."""
    view = View.of(*a_bad_night())

    lines = text_of(view, "ko").splitlines()

    block = lines[lines.index("실패 SEV-2  database.migrations_are_at_head[ingest/staging]") + 1 :][:3]
    assert [line.split()[0] for line in block] == ["현상", "위치", "다음"]
    starts = {wcswidth(line[: line.index(word)]) for line, word in zip(block, ("대상", "database", "Run"), strict=True)}
    assert len(starts) == 1
    assert lines[-1] == "판정 FAIL  종료 코드 1"


def test_both_languages_have_the_same_words() -> None:
    """A missing word would be a KeyError at night."""
    assert words("en").keys() == words("ko").keys()


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_every_line_fits_the_width(lang: Lang) -> None:
    """Lines that the terminal breaks are hard to read; only what is copied may be longer."""
    for line in verdict_block(View.of(*a_bad_night()), FOLDER, lang):
        assert wcswidth(line.text) <= WIDTH


@given(nasty_text, nasty_text, st.sampled_from([Status.FAILED, Status.UNKNOWN, Status.WAIVED, Status.SKIPPED]))
def test_text_from_a_target_cannot_act_on_the_terminal(message: str, command: str, status: Status) -> None:
    """An escape sequence in an error body could hide a failure or write a false verdict."""
    outcome: Outcome = a_failure(
        message=message,
        next_step=message,
        where=message,
        status=status,
        waiver=a_waiver(owner=message or "kim"),
        cause=Cause.TARGET_WRONG,
        observations=("41-1",),
    )
    view = View.of(a_run([an_outcome(), outcome], notes=(message,)), [an_observation(by_hand=command)])

    lines = [line.text for line in verdict_block(view, FOLDER)]

    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]", "".join(lines))
    assert [line for line in lines if line.startswith("VERDICT")] == [lines[-1]]
