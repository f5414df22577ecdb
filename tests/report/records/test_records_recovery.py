"""When a record may say that the system has recovered."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from incident_builders import (
    EVALUATION,
    ITEMS,
    WATCHED,
    a_failed_recovery,
    a_record,
    a_recovery,
    a_window,
    all_kinds,
    an_item,
    facts_of,
)
from report_builders import a_failure, a_profile, a_waiver, an_outcome

from opsproof.judge.outcome import Cause, Outcome, Status
from opsproof.judge.verdict import Verdict
from opsproof.judge.windows import Ending, WindowFact
from opsproof.report.records.checklist import Result, checklist
from opsproof.report.records.kinds import KINDS

FIRST, *OTHERS = ITEMS

CLAIMS = (
    "복구 확인됨",
    "복구 완료되",
    "서비스 복구 완료",
    "# Incident 종료: ",
    "Recovery is verified",
    "service restored",
)


def results(*outcomes: Outcome, system: str = "evaluation") -> list[Result]:
    return [item.result for item in checklist(f"{system}/staging", system, outcomes)]


def test_the_four_items_of_runbook_002_are_green_when_their_checks_are() -> None:
    """EVAL-034, in the runbook's order."""
    items = checklist("evaluation/staging", "evaluation", map(an_item, ITEMS))

    assert [item.rows for item in items] == [(row,) for row in ITEMS.values()]
    assert {item.result for item in items} == {Result.GREEN}
    assert all(item.at for item in items)


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({"status": Status.FAILED, "cause": Cause.TARGET_WRONG}, Result.RED),
        ({"status": Status.UNKNOWN, "cause": Cause.TIMED_OUT}, Result.UNKNOWN),
        ({"status": Status.WAIVED, "cause": Cause.TARGET_WRONG, "waiver": a_waiver()}, Result.WAIVED),
        ({"status": Status.SKIPPED, "cause": Cause.NOT_ALLOWED}, Result.NOT_CHECKED),
        ({"status": Status.SKIPPED, "cause": Cause.DOES_NOT_APPLY}, Result.NOT_CHECKED),
    ],
)
def test_an_item_that_is_not_green_keeps_the_record_from_saying_recovered(
    changes: dict[str, object], result: Result
) -> None:
    """Even where the verdict is a PASS: a skipped item is not green."""
    outcomes = [an_item(FIRST, **changes), *map(an_item, OTHERS)]

    assert results(*outcomes)[0] is result
    assert not facts_of(a_recovery(*outcomes)).recovered


def test_an_item_without_a_check_is_not_green() -> None:
    """Nothing looked at it."""
    assert results(*map(an_item, OTHERS))[0] is Result.NOT_CHECKED


def test_an_item_with_two_rows_wants_both() -> None:
    """Liveness alone is no readiness."""
    live = an_outcome("health.the_process_is_alive", runbook=("ING-014",))
    ready = an_outcome("health.the_service_is_ready", runbook=("ING-015",))

    assert results(live, system="ingest")[0] is Result.NOT_CHECKED
    assert results(live, ready, system="ingest")[0] is Result.GREEN


def test_other_systems_have_their_recovery_checks_by_subject() -> None:
    """Runbook 004 has no list of its own; what does not apply is no item."""
    shop = "storebridge/staging"
    outcomes = [
        an_outcome("cache.the_cache_answers_ping", shop),
        an_outcome("quota.calls_are_left", shop, status=Status.FAILED, cause=Cause.TARGET_WRONG),
        an_outcome("release.is_expected", shop, status=Status.SKIPPED, cause=Cause.DOES_NOT_APPLY),
        an_outcome("api.only_smoke", shop, markers=("smoke",)),
    ]

    items = checklist(shop, "storebridge", outcomes)

    assert [(item.title["ko"], item.result) for item in items] == [
        ("Redis", Result.GREEN),
        ("Rate Limit·쿼터", Result.RED),
    ]


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (a_failed_recovery, "redis is unhealthy"),
        (lambda: a_recovery(window=a_window(ending=Ending.DEADLINE, stable_since=None)), "기한 도달"),
        (lambda: a_recovery(*(an_item(name, markers=("smoke",)) for name in ITEMS)), "복구 점검(recovery)이 없음"),
        (lambda: a_recovery(window=None, replay_of="1a2b3c"), "1a2b3c"),
        (lambda: a_recovery(a_failure(profile="evaluation/staging"), *map(an_item, ITEMS)), "0006"),
    ],
    ids=["failed", "deadline", "only-smoke", "replay", "another-check"],
)
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_no_record_of_a_run_that_did_not_verify_it_says_recovered(
    run: Callable[[], object], reason: str, lang: str
) -> None:
    """The end message says instead that it is not verified, and why."""
    made = run()
    records = all_kinds(lang, made, KINDS)  # type: ignore[arg-type]

    assert {kind: claim for kind, text in records.items() for claim in CLAIMS if claim in text} == {}
    assert "recovered=no" in records["end"]
    assert lang == "en" or reason in records["end"].replace("\\", "")


def test_a_single_round_says_that_no_stretch_was_watched() -> None:
    """Green once is less than green for five minutes."""
    assert "한 번의 점검이며 연속 정상 구간은 보지 않음" in a_record("incident", a_recovery(window=None))


def test_the_end_is_when_the_unbroken_stretch_began() -> None:
    """Not when somebody wrote the message: MTTR is computed from it."""
    text = a_record("end", a_recovery())

    assert "- 종료 시각: 2026-11-20 02:32 KST (2026-11-19 17:32 UTC)" in text
    assert "2026-11-20 02:37 KST (2026-11-19 17:37 UTC)에 확인" in text


@pytest.mark.parametrize("window", [a_window(), None], ids=["window", "once"])
def test_nothing_is_verified_before_it_was_looked_at(window: WindowFact | None) -> None:
    """The sample evaluation runs after the window; a skipped check looked at nothing."""
    late = WATCHED + timedelta(seconds=420)
    skipped = an_outcome(
        "x.y", EVALUATION, status=Status.SKIPPED, cause=Cause.DOES_NOT_APPLY, started=late + timedelta(hours=1)
    )
    outcomes = [an_item(FIRST, started=late, duration=12.5), *map(an_item, OTHERS)]

    facts = facts_of(a_recovery(*outcomes, skipped, window=window))

    assert facts.verified == late + timedelta(seconds=12.5)
    assert all(item.at and item.at <= facts.verified for item in facts.items)


def test_the_window_is_a_reason_once() -> None:
    """The verdict names it, too, in English; no particle stands behind a number."""
    why = "health failed: redis is unhealthy"
    verdict = Verdict(word="INCONCLUSIVE", exit_status=6, reasons=(f"the window did not become stable: {why}",))
    window = a_window(ending=Ending.DEADLINE, stable_since=None, why=why)

    facts = facts_of(a_recovery(window=window, verdict=verdict))

    assert facts.reasons == (f"연속 정상 5분 구간을 채우지 못함 (기한 도달): {why}",)


@pytest.mark.parametrize(("lang", "other"), [("ko", "en"), ("en", "ko")])
@pytest.mark.parametrize("kind", ["incident", "checklist", "postmortem", "end"])
def test_a_record_says_that_the_messages_are_in_another_language(lang: str, other: str, kind: str) -> None:
    """And how to have them in its own."""
    run = a_failed_recovery(lang=other)

    assert f"`--replay RUN --lang {lang}`" in "".join(a_record(kind, run, lang).splitlines()[2:6])
    assert "--replay RUN" not in a_record(kind, run.model_copy(update={"lang": lang}), lang)


@pytest.mark.parametrize(
    ("cause", "message", "words"),
    [
        (Cause.DOES_NOT_APPLY, "no --expect-version was given", "이 실행이나 프로필에는 해당하지 않음"),
        (Cause.NOT_ALLOWED, "it writes (a job); to allow it: X", "쓰기가 허용되지 않아 실행하지 않음"),
    ],
)
def test_why_a_check_was_skipped_is_told_in_korean(cause: Cause, message: str, words: str) -> None:
    """With the check, and the English reason not more than once."""
    skipped = [an_item(name, status=Status.SKIPPED, cause=cause, message=message, severity="SEV-1") for name in ITEMS]
    run = a_recovery(*skipped, an_outcome("jobs.more", EVALUATION, runbook=()))
    checklist, open_ends = a_record("checklist", run), facts_of(run).still_open

    assert open_ends[0].startswith(f"점검하지 않음, {words}: {skipped[0].check}, ")
    assert open_ends[0].endswith(f" 외 1건 ({message})")
    expected = (4, 1) if cause is Cause.NOT_ALLOWED else (0, 0)  # what does not apply is no line of an item
    assert (checklist.count(words), checklist.count(message)) == expected


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("ko", " (관측 시작 시각; 복구는 그보다 먼저일 수 있음)\n"),
        ("en", " (when watching began; recovery may be earlier)\n"),
    ],
)
@pytest.mark.parametrize("kind", ["end", "incident", "customer-notice"])
def test_an_end_that_nobody_saw_is_told_as_the_begin_of_watching(kind: str, lang: str, words: str) -> None:
    """All was healthy at the first sample: when it became so, the run does not know."""
    seen = a_recovery(window=a_window(first_healthy=0.3, stable_since=0.3, flaps=0))

    assert words in a_record(kind, seen, lang)
    assert words not in a_record(kind, a_recovery(), lang)


def test_the_version_that_could_not_be_read_is_said_to_be_unread() -> None:
    """ING-008: a gap is shown."""
    run = a_recovery().model_copy(
        update={"profiles": {"evaluation/staging": a_profile("evaluation/staging", release=None)}}
    )

    assert "버전을 읽지 못함" in a_record("incident", run)
