"""What stands in records, and that nothing of a target gets out of its place."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from incident_builders import (
    EVALUATION,
    INCIDENT,
    ITEMS,
    TEMPLATES,
    WATCHED,
    WRITTEN,
    a_failed_recovery,
    a_record,
    a_recovery,
    a_window,
    all_kinds,
    an_impact,
    an_item,
    facts_of,
)
from markdown_it import MarkdownIt
from nasty_text import nasty_text
from report_builders import a_bad_night, a_failure, a_profile, a_run, a_waiver, an_observation, an_outcome
from test_report_markdown import flat

from opsproof.errors import OpsproofError
from opsproof.judge.limits import Lang
from opsproof.judge.outcome import AttestedFact, Status
from opsproof.judge.windows import Span, State, Timeline
from opsproof.profile.thresholds import number_text
from opsproof.report.records import times
from opsproof.report.records.filling import find_templates
from opsproof.report.records.kinds import KINDS, SCENARIOS
from opsproof.report.records.labels import IN_ENGLISH, IN_KOREAN
from opsproof.report.records.marks import blanks, header, read_header
from opsproof.report.records.rendering import kinds_for, render
from opsproof.report.records.timeline import events
from opsproof.report.run import IncidentFact, Run

GFM = MarkdownIt("gfm-like", {"html": True})
GFM.linkify.set({"fuzzy_link": False, "fuzzy_email": False})  # type: ignore[union-attr]
NUMBER = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d|\d\d-\d\d \d\d:\d\d:\d\d"
    r"|(?:\d+(?:\.\d+)?(?:시간|분|초)(?: (?=\d))?)+|(?:\d+(?:\.\d+)? (?:h|min|s)\b(?: (?=\d))?)+"
    r"|\d+(?:[.,:]\d+)*(?: %)?"
)
"""A time, a duration with its units, a share, or any other number, each as a whole."""
DURING = "(11-20 02:10:00 (11-19 17:10:00 UTC) ~ 11-20 02:31:04 (11-19 17:31:04 UTC))"
"""The period of `an_impact`, from the start of the incident until the window began."""


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def numbers_of(run: Run, lang: Lang) -> set[str]:
    """
    Every number that a record may hold: those of run.json, and what docs/records.md says is derived from them: times
    (local, UTC), durations between them, shares as per cent, counts of checks.
    """
    document = json.loads(run.model_dump_json())
    texts = [json.dumps(document, ensure_ascii=False)]
    moments = {INCIDENT, WRITTEN, run.started, run.finished}
    spans: set[float] = set()
    if window := run.window:
        offsets = [value for line in window.timelines for span in line.spans for value in (span.start, span.end)]
        offsets += [value for value in (window.first_healthy, window.stable_since) if value is not None]
        moments |= {window.started, window.ended, *(window.started + timedelta(seconds=value) for value in offsets)}
        spans |= {window.stable_for, window.interval, window.deadline, window.longest, *offsets}
    for outcome in run.outcomes:
        moments |= {outcome.started, outcome.started + timedelta(seconds=outcome.duration)}
    facts = facts_of(run, lang)
    moments |= {WRITTEN + every for every in (*times.UPDATE_EVERY.values(), times.FIRST_UPDATE)}
    moments |= {INCIDENT + times.LEVEL_1}
    if facts.ended:
        moments |= {
            times.post_mortem_due("P1", facts.ended, facts.zone),
            times.post_mortem_due("P2", facts.ended, facts.zone),
        }
    spans |= {(one - other).total_seconds() for one in moments for other in moments if one > other}
    texts += [times.local_and_utc(at, "Asia/Seoul") for at in moments]
    texts += [times.clock_text(at, zone) for at in moments for zone in ("Asia/Seoul", "UTC")]
    texts += [times.duration_text(span, lang) for span in spans]
    texts += [number_text(value, "%") for value in leaves(document) if isinstance(value, float)]
    counts = [len(run.outcomes), len(facts.items), len(facts.failures), *facts.counts.values(), 0]
    counts += [int(every.total_seconds() // 60) for every in times.UPDATE_EVERY.values()]
    return {match for text in (*texts, *map(str, counts)) for match in NUMBER.findall(text)}


def template_numbers(lang: str) -> set[str]:
    """Numbers that are the template's own words: `Level 2`, `30 minutes`, `P1`."""
    words = " ".join(path.read_text(encoding="utf-8") for path in (TEMPLATES / lang).glob("*.j2"))
    return set(NUMBER.findall(re.sub(r"\{%.*?%\}|\{\{(?! blank).*?\}\}", " ", words, flags=re.DOTALL)))


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("run", [a_recovery(), a_failed_recovery(), a_recovery(window=None)], ids=["ok", "bad", "once"])
def test_every_number_of_a_record_is_in_run_json(run: Run, lang: str) -> None:
    """A record is believed for months; a number out of nowhere would be, too."""
    allowed = numbers_of(run, lang) | template_numbers(lang)
    allowed |= {str(n) for n in range(1, len(facts_of(run, lang).items) + 1)}
    allowed |= {
        number
        for name in ("INC-42", *(row for kind in KINDS.values() for row in kind.rows), *ITEMS.values())
        for number in NUMBER.findall(name)
    }

    strange = {
        kind: sorted(set(NUMBER.findall(text.split("-->", 1)[1])) - allowed)
        for kind, text in all_kinds(lang, run, KINDS).items()
    }

    assert {kind: numbers for kind, numbers in strange.items() if numbers} == {}


def test_the_incident_record_holds_what_the_window_saw() -> None:
    """Times, flaps, gaps and samples."""
    text = a_record("incident", a_recovery())

    assert "관측 시작 48초 후 처음 정상, 78초 후부터 5분 이상 끊김 없이 정상 (그 전에 재실패 1회)" in text
    assert "| 표본 누락 (gap) | 0회 |" in text
    assert "| 5xx 응답 비율 | 23.7 % |" in text
    assert "| 11-20 02:31:04 | 11-19 17:31:04 | 실패: `health.every_component_is_healthy[evaluation/staging]`" in text
    assert "[41-1](../evidence.jsonl)" in text


def test_a_failure_links_what_was_asked_while_it_lasted() -> None:
    """The answer of the last sample is a 200: as evidence of a failure it makes the record a lie."""
    name = "health.every_component_is_healthy"
    asked = {"1-1": 0.2, "1-2": 38.0, "1-3": 48.1, "1-4": 68.2, "1-5": 78.4, "1-6": 378.0}
    seen = [an_observation(id_, started=WATCHED + timedelta(seconds=at)) for id_, at in asked.items()]
    run = a_recovery(
        an_item(name, observations=("1-6", "9-9", *list(asked)[:5])), *(an_item(one) for one in ITEMS if one != name)
    )

    lines = [line for line in a_record("incident", run, seen=seen).splitlines() if "실패, 11-20" in line]

    assert [re.findall(r"\[([\d-]+)\]\(", line) for line in lines] == [["1-2", "1-1"], ["1-4"]]


def test_the_start_message_has_the_five_fields_of_runbook_002() -> None:
    """EVAL-035, EVAL-036: what was not measured is a blank, never a zero."""
    lines = a_record("start", a_recovery()).splitlines()

    assert lines[4:] == [
        "- 시각: 2026-11-20 02:10 KST (2026-11-19 17:10 UTC)",
        f"- 영향: 5xx 응답 비율 23.7 % {DURING}, 실패·취소된 작업 비율 11.8 % {DURING}, "
        "[[담당자 입력: 지연 (측정값 없음)]]",
        f"- 영향 범위: `health.every_component_is_healthy[{EVALUATION}]` "
        "health.every_component_is_healthy (실패한 점검)",
        "- 임시 조치: [[담당자 입력: 적용 내용]]",
        "- 다음 업데이트 예정: 2026-11-20 03:15 KST (2026-11-19 18:15 UTC) (+30분)",
    ]


@pytest.mark.parametrize(("severity", "due"), [("SEV-1", "03:00"), ("SEV-2", "03:15"), ("SEV-3", "03:45")])
def test_a_sev_report_says_when_the_next_one_is_due(severity: str, due: str) -> None:
    """ING-033, ING-035, ING-037: 15, 30 and 60 minutes after 02:45."""
    assert f"- 다음 업데이트: 2026-11-20 {due} KST" in a_record("sev", a_failed_recovery(), severity=severity)


@pytest.mark.parametrize("kind", ["start", "sev", "scenario", "rollback"])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_number_is_told_with_its_own_period(kind: str, lang: str) -> None:
    """Behind the times of the incident it would be read as of the whole incident."""
    text = all_kinds(lang, a_recovery(), [kind])[kind]

    line = next(line for line in text.splitlines() if "23.7 %" in line)
    assert DURING.strip("()") in line


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_has_the_runbooks_fields_in_its_order(scenario: str) -> None:
    """ING-026 to ING-031."""
    text = a_record("scenario", a_recovery(), scenario=scenario)
    follow_up = {"release": "롤백/재배포 기록", "overload": "용량/성능 후속조치"}.get(scenario, "후속조치")

    assert re.findall(r"^- ([^:]+):", text, flags=re.MULTILINE)[:5] == [
        "영향",
        "원인",
        "임시조치",
        "복구검증",
        follow_up,
    ]


def test_a_number_is_told_once() -> None:
    """The message of a number begins with it."""
    message = "46.15 %, which is P1 (> 10 %)"
    bad = a_failure("api.errors", profile=EVALUATION, value=0.4615, unit="%", message=message, runbook=("EVAL-032",))
    text = a_record("scenario", a_recovery(bad, window=None, incident=None), scenario="overload")
    lines = [line for line in text.splitlines() if line.startswith("  - `api.errors`")]

    assert [line.count("46.15 %") for line in lines] == [1]
    assert "정상, 0.42 %" in a_record("checklist", a_recovery())


@pytest.mark.parametrize(("lang", "word"), [("ko", "복구됨"), ("en", "recovered")])
@pytest.mark.parametrize(("severity", "etas"), [("SEV-1", 2), ("SEV-2", 1), ("SEV-3", 0)])
def test_a_report_of_a_recovered_incident_asks_for_no_eta(lang: str, word: str, severity: str, etas: int) -> None:
    """An ETA of what is over is a riddle; so is a current impact."""
    lines = a_record("sev", a_recovery(), lang, severity=severity).splitlines()

    assert [f": {word} (2026-11-20 02:32 KST" in line for line in lines if "ETA: " in line] == [True] * etas
    assert any(f": {word}; " in line and "every_component_is_healthy" in line for line in lines)
    assert f": {word}" not in a_record("sev", a_failed_recovery(), lang, severity=severity)


@pytest.mark.parametrize("kind", ["start", "sev"])
def test_the_scope_says_what_the_checks_promise(kind: str) -> None:
    """An id alone says little to who was not there."""
    bad = a_failure(profile=EVALUATION, title="The schema is | at head.")

    text = a_record(kind, a_recovery(bad, window=None), severity="SEV-1")

    assert "`database.migrations_are_at_head[evaluation/staging]` The schema is &#124; at head" in text


def test_the_db_scenario_shows_the_checks_of_the_database() -> None:
    """ING-027: a record without the measured recovery is none."""
    database = an_outcome("database.the_database_answers", EVALUATION, started=WATCHED, observations=("41-1",))

    text = a_record("scenario", a_recovery(*map(an_item, ITEMS), database), scenario="db")

    assert re.search(r"  - `database.the_database_answers`: 정상, 11-20 02:31:04 .*\[41-1\]", text)


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_customer_notice_never_says_that_no_data_was_lost(lang: str) -> None:
    """FAI-141: the template's `없음 (RPO 15분 이내 복구)` is a claim that nobody has measured."""
    text = a_record("customer-notice", a_recovery(), lang)
    loss = next(line for line in text.splitlines() if line.startswith(("- 데이터 손실", "- Data loss")))

    assert re.fullmatch(r"- [^:]+: \[\[[^\]]+\]\]", loss)


@pytest.mark.parametrize(
    ("environment", "kinds", "sentence"),
    [("dr", ["customer-notice"], "DR 복구를 진행하였습니다."), ("production", [], "장애로 인해 [[담당자 입력: ")],
)
def test_customers_are_told_of_a_disaster_recovery_only_if_there_was_one(
    environment: str, kinds: list[str], sentence: str
) -> None:
    """FAI-141: a restart in production is none; the notice can be asked for, and then a person says what was done."""
    name = f"factory-ai/{environment}"
    run = a_run([an_outcome("api.answers", name)], [a_profile(name)])

    assert [kind for kind in kinds_for(facts_of(run), []) if kind == "customer-notice"] == kinds
    assert kinds_for(facts_of(run), ["customer-notice"]) == {"customer-notice": ""}
    assert sentence in a_record("customer-notice", run)


def test_who_confirmed_is_told() -> None:
    """An item that is green on the word of a person names the person; their words are text."""
    fact = AttestedFact(by="kim [x](http://evil)", at=WATCHED, note="no page since 02:20 | <b>")
    item = an_item(next(iter(ITEMS)), attested=fact)
    records = {
        lang: a_record("checklist", a_recovery(item, *map(an_item, [*ITEMS][1:])), lang) for lang in ("ko", "en")
    }

    told = "2026-11-20 02:31 KST (2026-11-19 17:31 UTC), no page since 02:20 &#124; \\<b>"
    for lang, word in (("ko", "확인"), ("en", "confirmed")):
        assert f"; {word}: kim \\[x\\](http" in records[lang]
        assert told in records[lang]


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("ko", ("이어서 진행한 원래 실행: `77aa`", "실행 `77aa`에서 가져온 점검 1건", "; 실행 `77aa`에서 가져옴")),
        ("en", ("It resumes run `77aa`", "Taken over from run `77aa`: 1 check,", "; taken over from run `77aa`")),
    ],
)
def test_what_an_earlier_run_saw_is_told_as_such(lang: str, words: tuple[str, ...]) -> None:
    """A person who signs must know what was not looked at again."""
    item = an_item(next(iter(ITEMS)), taken_over="77aa")
    text = a_record("incident", a_recovery(item, *map(an_item, [*ITEMS][1:]), resume_of="77aa"), lang)

    assert [word for word in words if word not in text] == []


def test_an_alert_is_listed_with_the_time_by_which_it_wants_an_answer() -> None:
    """SB-071."""
    failed = a_failure(
        "indicators.disk", profile=EVALUATION, priority="P1", channels=("Slack #a", "PagerDuty"), started=INCIDENT
    )
    text = a_record("alerts", a_recovery(failed, window=None))

    assert "  - 시작: 2026-11-20 02:10 KST" in text
    assert "  - 응답 기한: 2026-11-20 02:40 KST (2026-11-19 17:40 UTC) (30분 내)" in text


def test_the_database_administrator_is_to_be_contacted_while_the_database_fails() -> None:
    """OPS-028, with the evidence."""
    failed = a_failure("database.the_database_answers", profile=EVALUATION, observations=("41-1",))
    text = a_record("escalation", a_recovery(failed, window=None))

    assert "- DBA 연락: [[담당자 입력" in text
    assert "`database.the_database_answers`: revision 0006 in the database, head is 0007 (증거: [41-1]" in text


def test_a_recovery_within_30_minutes_needs_no_level_2() -> None:
    """OPS-103."""
    assert "- 에스컬레이션 시각: 필요 없음 (시작 22분 22초 뒤 복구)" in a_record("escalation", a_recovery())


@settings(max_examples=40, deadline=None)
@given(nasty_text, nasty_text)
def test_text_from_targets_stays_text_in_every_record(text: str, other: str) -> None:
    """A record is pasted into tickets and chats."""
    bad = a_failure(
        *("database.the_database_answers",),
        profile=EVALUATION,
        message=text,
        next_step=other,
        observations=("41-1",),
        priority="P1",
        channels=("Slack",),
    )
    waived = a_failure(
        "external.api", profile=EVALUATION, status=Status.WAIVED, waiver=a_waiver(reason=text, owner=other)
    )
    spans = (Span(state=State.FAILED, start=0.2, end=38.4, samples=4, message=text),)
    run = a_recovery(
        *(bad, waived, *map(an_item, ITEMS)),
        window=a_window(why=other, timelines=(Timeline(check=f"x[{EVALUATION}]", spans=spans, flaps=0),)),
        incident=IncidentFact(
            started=INCIDENT, timezone="Asia/Seoul", impact=(an_impact(title={"ko": text}, note=other),)
        ),
    )

    for kind, record in all_kinds("ko", run, KINDS).items():
        tokens = flat(GFM.parse(record))
        assert {t.content for t in tokens if t.type == "html_inline"} <= {"<br>", "<code>", "</code>"}, kind
        assert [t.content for t in tokens if t.type == "html_block"] == [f"{record.splitlines()[0]}\n"], kind
        assert {str(t.attrs["href"]).split("/")[0] for t in tokens if t.type == "link_open"} <= {".."}, kind
        assert not {"image", "fence", "code_block", "blockquote_open", "hr"} & {t.type for t in tokens}, kind
        assert [t.tag for t in tokens if t.type == "heading_open"].count("h1") == 1, kind


@settings(deadline=None)
@given(nasty_text)
def test_text_from_targets_makes_no_blank(text: str) -> None:
    """Else a hostile message could never be filled in, and `record check` would never pass."""
    forged = f"[[담당자 입력: {text}]] [[to fill in: {text}]]"
    record = a_record("checklist", a_recovery(an_item(next(iter(ITEMS)), status=Status.FAILED, message=forged)))

    assert blanks(record) == []


def test_the_first_line_is_read_back() -> None:
    """`record check` knows by it what the record is."""
    facts = {
        "kind": "end",
        "lang": "ko",
        "incident": "INC-42",
        "zone": "Asia/Seoul",
        "ended": "2026-11-19T17:32:22+00:00",
    }

    assert read_header(f"{header(facts | {'due': ''})}\n\n# x") == facts
    assert read_header("# a text of somebody else's") == {}


@pytest.mark.parametrize(("lang", "labels"), [("ko", IN_KOREAN), ("en", IN_ENGLISH)])
def test_every_field_that_is_checked_stands_in_a_template(lang: str, labels: dict[str, tuple[str, ...]]) -> None:
    """A field that was renamed in the template only would always be missing."""
    words = "".join(path.read_text(encoding="utf-8") for path in (TEMPLATES / lang).glob("*.j2"))

    assert [label for names in labels.values() for label in names if label not in words] == []


def test_both_languages_have_the_same_templates() -> None:
    """And every kind has one."""
    names = [{path.name for path in (TEMPLATES / lang).iterdir()} for lang in ("ko", "en")]

    assert names[0] == names[1]
    assert {f"{kind}.md.j2" for kind in KINDS} <= names[0]


def test_templates_are_found_here_beside_the_runs_or_where_they_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed opsproof has no checkout around it."""
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "reports" / "runs" / "1"
    with pytest.raises(OpsproofError, match="--templates"):
        find_templates(None, run)

    (tmp_path / "reports/templates/ko").mkdir(parents=True)

    assert find_templates(None, run) == Path("reports/templates")
    assert find_templates(TEMPLATES, run) == TEMPLATES
    monkeypatch.chdir("/")
    assert find_templates(None, run) == tmp_path / "reports/templates"


@pytest.mark.parametrize(
    ("template", "words", "line"),
    [
        ("a\n{% if %}", "the template cannot be used: Expected an expression", ":2"),
        ("a\n\n{{ f.no_such }}", "has no attribute 'no_such'", ":3"),
        ("a\n{{ 1/0 }}", "ZeroDivisionError: division by zero", ":2"),
        ("a\n{{ when(none) }}", "AttributeError", ":2"),
        ("a\n{{ cut('x', 'y') }}", "TypeError", ":2"),
        ("a\nb\n\udcff", "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff", ":3"),
        ("{% include 'ko/end.md.j2' %}", "RecursionError", ":1"),
        (None, "the template ko/end.md.j2 is not there", ""),
    ],
)
def test_a_broken_template_is_named_with_its_line(tmp_path: Path, template: str | None, words: str, line: str) -> None:
    """Teams write their own."""
    (tmp_path / "ko").mkdir()
    if template:
        (tmp_path / "ko/end.md.j2").write_text(template, encoding="utf-8", errors="surrogateescape")

    with pytest.raises(OpsproofError) as error:
        render("end", facts_of(a_recovery()), templates=tmp_path, run=tmp_path, folder=tmp_path)

    assert words in error.value.what
    assert error.value.where == (f"{tmp_path}/ko/end.md.j2{line}" if line else str(tmp_path))


def test_a_duration_of_an_incident_is_from_start_to_end() -> None:
    """From 02:10:00 to 02:32:22.4."""
    assert facts_of(a_recovery()).ended == datetime.fromisoformat("2026-11-19T17:32:22.400+00:00")


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_bad_night_of_two_systems_is_told(lang: str) -> None:
    """A cache that is down, failures, a waiver, skips and two profiles, and no window."""
    run, _ = a_bad_night()

    records = all_kinds(lang, run, KINDS)

    assert "redis://10.0.0.7:6379" in records["end"]
    assert "`ingest/staging`<br>" in records["checklist"]
    assert "`evaluation/staging`<br>" in records["checklist"]
    assert "OPS-77" in records["incident"]


def test_a_failure_lasts_until_the_check_stood_otherwise() -> None:
    """Behind a gap it was healthy again: it did not fail to the end of the run, and nobody saw it heal at the gap."""
    spans = (
        Span(state=State.FAILED, start=0.0, end=20.0, samples=2, message="refused"),
        Span(state=State.GAP, start=30.0, end=60.0, samples=0),
        Span(state=State.HEALTHY, start=60.0, end=378.9, samples=30),
    )
    run = a_recovery(window=a_window(timelines=(Timeline(check="c", spans=spans, flaps=0),)))

    text = a_record("incident", run)

    assert "- `c`: 실패, 11-20 02:31:04 (11-19 17:31:04 UTC) ~ 11-20 02:31:34 (11-19 17:31:34 UTC) (30초)" in text
    assert [(event.what, event.at) for event in events(run) if event.check == "c"] == [
        ("failed", WATCHED),
        ("gap", WATCHED + timedelta(seconds=30)),
        ("healthy", WATCHED + timedelta(seconds=60)),
    ]


def test_checks_that_fail_together_are_one_line_of_the_timeline() -> None:
    """A database that goes takes forty checks with it."""
    spans = [Span(state=State.FAILED, start=start, end=20.0, samples=2, message="refused") for start in (1.0, 1.2, 1.4)]
    lines = tuple(Timeline(check=f"c{n}", spans=(span,), flaps=0) for n, span in enumerate(spans))
    other = Timeline(check="d", spans=(spans[0].model_copy(update={"message": "another"}),), flaps=0)

    failed = [
        event for event in events(a_recovery(window=a_window(timelines=(*lines, other)))) if event.what == "failed"
    ]

    assert [(event.check, event.others) for event in failed] == [("c0", ("c1", "c2")), ("d", ())]
