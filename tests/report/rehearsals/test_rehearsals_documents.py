"""What stands in dr.md and dr.html, and that nothing of a target gets out of its place."""

import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt
from nasty_text import nasty_text
from rehearsal_builders import (
    TEMPLATES,
    a_failed_rehearsal,
    a_rehearsal,
    a_rehearsed_run,
    a_scenario,
    a_step,
    an_aborted_rehearsal,
    at,
    observations,
    reports_of,
)
from test_report_markdown import flat

from opsproof.errors import OpsproofError
from opsproof.evidence.redaction import Redactor
from opsproof.judge.limits import Lang
from opsproof.rehearsal.facts import CopyFact, FindingFact, Moments, RehearsalFact, SeededFact
from opsproof.report.folder import read_run, write_run
from opsproof.report.records.marks import blanks, read_header
from opsproof.report.records.times import local_and_utc
from opsproof.report.rehearsals.words import moment, took

NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
ALL = (a_rehearsal(), a_failed_rehearsal(), an_aborted_rehearsal())


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def moments_of(fact: RehearsalFact) -> list[Any]:
    found = [fact.started, fact.finished, *(when for _, when in fact.moments if when)]
    found += [copy.newest for copy in fact.copies if copy.newest]
    return found + [finding.due for finding in fact.findings if finding.due]


def template_numbers(lang: str) -> set[str]:
    text = " ".join(path.read_text(encoding="utf-8") for path in (TEMPLATES / lang).glob("*dr*.j2"))
    return set(NUMBER.findall(re.sub(r"\{%.*?%\}|\{\{(?! blank).*?\}\}", " ", text, flags=re.DOTALL)))


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_every_number_of_the_report_is_in_run_json(tmp_path: Path, lang: Lang) -> None:
    """Or is one of these in other words: a local time, the time between two moments, a count."""
    from zoneinfo import ZoneInfo

    folder = write_run(a_rehearsed_run(), observations(), tmp_path, Redactor())
    run = read_run(folder)
    document = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    spans = {
        float(value) for value in leaves(document) if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
    texts = [json.dumps(document, ensure_ascii=False), (folder / "evidence.jsonl").read_text(encoding="utf-8")]
    texts += [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("run.json", "evidence.jsonl")]
    texts += [hashlib.sha256((folder / "summary.md").read_bytes()).hexdigest()]
    seen = [run.started, run.finished]
    for fact in run.rehearsals:
        course = a_scenario(fact).course
        zero = fact.moments.t0
        seen += moments_of(fact)
        spans |= {(when - zero).total_seconds() for when in moments_of(fact) if zero}
        spans |= {course.length, course.unexplained or 0.0}
        spans |= {bar.seconds for bar in course.bars if bar.seconds is not None}
        indeterminate = fact.ledger.indeterminate_present + fact.ledger.indeterminate_absent if fact.ledger else 0
        counts = (len(fact.not_executed), len(fact.findings), indeterminate, len(run.outcomes), len(run.rehearsals))
        texts += map(str, counts)
        texts.append(fact.plan[:12])
    for zone in ("Asia/Seoul", "UTC"):
        texts += [text for when in seen for text in (moment(when, ZoneInfo(zone)), local_and_utc(when, zone))]
    texts += [took(span, lang) for span in spans]
    allowed = {number for text in texts for number in NUMBER.findall(text)} | template_numbers(lang)
    allowed |= {str(number) for number in range(7)}  # T0 to T6, and the scenarios' own numbers

    body = (folder / f"dr.{lang}.md").read_text(encoding="utf-8").split("-->", 1)[1]
    body = re.sub(r"^ +\|[ 0-6]+\|$", "", body, flags=re.MULTILINE)  # T0 to T6 above the timeline

    assert set(NUMBER.findall(body)) - allowed == set()


@pytest.mark.parametrize(("lang", "word"), [("ko", "입증되지 않음"), ("en", "not proven")])
def test_what_is_missing_is_not_proven_and_never_zero(tmp_path: Path, lang: str, word: str) -> None:
    """No T4, no number, no ledger, no copies: each says so in its own place."""
    text = reports_of(tmp_path, an_aborted_rehearsal())[f"dr.{lang}.md"]

    assert f"| T4 | {'공개 이름으로' if lang == 'ko' else 'service usable'}" in text
    t4 = next(line for line in text.splitlines() if line.startswith("| T4 |"))
    rto, rpo = (next(line for line in text.splitlines() if line.startswith(f"| {name} |")) for name in ("RTO", "RPO"))
    for line in (t4, rto, rpo):
        assert word in line
        assert not re.search(r"\b0 ?(?:s|ms|초)", line)
    assert text.count(f"**? {word}**: ") >= 3
    assert "✔ " not in t4 + rto + rpo


@pytest.mark.parametrize(("lang", "word"), [("ko", "이 시나리오에 없음"), ("en", "not part of this scenario")])
def test_a_moment_that_a_scenario_does_not_have_is_not_missed(tmp_path: Path, lang: str, word: str) -> None:
    """Home never was away: T6 is of the lost region alone, where it stays not proven."""
    never = Moments(**(dict(a_rehearsal().moments) | {"t6": None}))
    elsewhere, missed = (
        next(
            line
            for line in reports_of(tmp_path / fact.scenario, fact)[f"dr.{lang}.md"].splitlines()
            if line.startswith("| T6 |")
        )
        for fact in (a_failed_rehearsal(), a_rehearsal(moments=never))
    )

    assert word in elsewhere
    assert word not in missed
    assert "**?" in missed


def test_the_scope_lists_no_target_that_is_nowhere(tmp_path: Path) -> None:
    """The store of a site that is made when the rehearsal begins has no address before."""
    text = reports_of(tmp_path)["dr.en.md"]

    assert "postgresql://127.0.0.1:6001/factory" in text
    assert "nowhere" not in text


@pytest.mark.parametrize(("lang", "word"), [("ko", "재해 선언자: 김운영"), ("en", "Declared by: 김운영")])
def test_who_declared_the_disaster_is_told(tmp_path: Path, lang: str, word: str) -> None:
    """Where nobody did, nobody is named."""
    said, silent = (
        reports_of(tmp_path / name, a_rehearsal(declared_by=name))[f"dr.{lang}.md"] for name in ("김운영", "")
    )

    assert word in said
    assert word.partition(":")[0] not in silent


def test_steps_are_told_in_the_language_of_the_report(tmp_path: Path) -> None:
    """A title in Korean where the step has one; English for those without."""
    steps = (a_step("declare", "one", 0.0, title={"en": "One is done.", "ko": "하나를 했다."}), *a_rehearsal().steps)
    told = reports_of(tmp_path, a_rehearsal(steps=steps))

    assert "| 하나를 했다. `one`" in told["dr.ko.md"]
    assert "One is done." not in told["dr.ko.md"]
    assert "| One is done. `one`" in told["dr.en.md"]
    assert "the standby is promoted" in told["dr.ko.md"]


def test_a_fault_that_stayed_green_stands_on_top_and_is_a_finding(tmp_path: Path) -> None:
    """Nobody reads as far as the table of seeded faults."""
    lines = reports_of(tmp_path, a_failed_rehearsal())["dr.en.md"].splitlines()

    said = [line for line in lines if "A seeded fault was caught by no check: dump.cut-at-a-line" in line]
    assert said[0].startswith("> - ")
    assert said[1].endswith("| [[to fill in: owner]] | [[to fill in: due YYYY-MM-DD]] |")


def test_the_report_holds_the_hashes_of_the_files_beside_it(tmp_path: Path) -> None:
    """An auditor compares them with sha256sum."""
    folder = write_run(a_rehearsed_run(), observations(), tmp_path, Redactor())
    text = (folder / "dr.en.md").read_text(encoding="utf-8")

    for name in ("run.json", "evidence.jsonl", "summary.md"):
        assert f"| [{name}]({name}) | `{hashlib.sha256((folder / name).read_bytes()).hexdigest()}` |" in text


def test_a_run_without_rehearsals_has_no_report(tmp_path: Path) -> None:
    """A file of nothing would be read as a rehearsal."""
    run = a_rehearsed_run().model_copy(update={"rehearsals": ()})

    assert not list(write_run(run, observations(), tmp_path, Redactor()).glob("dr.*"))


def test_a_report_that_cannot_be_written_is_said_and_the_rest_is_there(tmp_path: Path, monkeypatch: Any) -> None:
    """Away from the templates there is no report; the run's folder is whole all the same."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(OpsproofError, match=r"dr\.md"):
        write_run(a_rehearsed_run(), observations(), tmp_path / "a" / "b" / "runs", Redactor())

    assert list(tmp_path.glob("a/b/runs/*/evidence.jsonl"))


def test_secrets_are_masked_in_the_report(tmp_path: Path) -> None:
    """What a step found may hold a conninfo."""
    fact = a_rehearsal(clean_up=("left: host=db password=hunter2-of-dr",))
    folder = write_run(a_rehearsed_run(fact), observations(), tmp_path, Redactor(["hunter2-of-dr"]))

    assert not [path.name for path in folder.glob("dr.*") if "hunter2" in path.read_text(encoding="utf-8")]


def test_the_report_is_a_record_that_can_be_checked(tmp_path: Path) -> None:
    """People, scope and owners are blanks until somebody fills them in."""
    text = reports_of(tmp_path, a_rehearsal())["dr.ko.md"]

    assert read_header(text)["kind"] == "dr"
    assert {"책임자", "승인자", "참여자와 맡은 역할"} <= {what for _, what in blanks(text)}


def test_both_languages_and_both_forms_say_the_same(tmp_path: Path) -> None:
    """The same headings in the same order."""
    texts = reports_of(tmp_path, *ALL)
    levels = {
        name: [int(level) for level in re.findall(r"<h(\d)", text)]
        if name.endswith("html")
        else [len(marks) for marks in re.findall(r"^(#+) ", text, flags=re.MULTILINE)]
        for name, text in texts.items()
    }

    assert len(texts) == 4
    assert len(levels["dr.ko.md"]) > 30
    assert all(found == levels["dr.ko.md"] for found in levels.values())


def a_nasty_rehearsal(text: str) -> RehearsalFact:
    return a_failed_rehearsal(
        title={"en": text, "ko": text},
        moments=Moments(t0=at(0), t4=at(6100)),
        steps=(a_step("database", text or "x", 1.0, status="failed", words=text, by=text),),
        copies=(CopyFact(name=text, newest=None, exposure=None, why=text),),
        seeded=(SeededFact(name=text, usual=text, caught_by=()), SeededFact(name=text, usual=text, caught_by=(text,))),
        findings=(FindingFact(what=text, owner=text, due=None),),
        not_executed=(text,),
        clean_up=(text,),
        aborted=text,
        projected=text,
        system_identifier=text,
        versions={"postgres": text},
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=nasty_text)
def test_text_of_a_target_stays_text_in_markdown(tmp_path: Path, text: str) -> None:
    """Neither a link, nor a picture, nor a heading, nor HTML, nor a blank comes out of it."""
    fact = a_nasty_rehearsal(text)
    plain = reports_of(tmp_path, a_nasty_rehearsal("x"))["dr.en.md"].replace("\n> - The rehearsal was given up: x", "")
    made = reports_of(tmp_path, fact)["dr.en.md"]
    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = {name: flat(reader.parse(words)) for name, words in (("plain", plain), ("made", made))}

    kinds = {name: {token.type for token in found} for name, found in tokens.items()}
    assert kinds["made"] - {"html_inline", "text_special"} <= kinds["plain"]
    inline = {token.content for token in tokens["made"] if token.type == "html_inline"}
    assert inline <= {"<code>", "</code>", "<br>"}
    hrefs = [token.attrs["href"] for token in tokens["made"] if token.type == "link_open"]
    assert {str(href) for href in hrefs} <= {"run.json", "evidence.jsonl", "summary.md"}
    headings = {name: [t.tag for t in found if t.type == "heading_open"] for name, found in tokens.items()}
    assert headings["made"] == headings["plain"]


class Tags(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.actions: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("href", "src"):
                self.links.add(value or "")
            if name.startswith("on") or name == "style":
                self.actions.add(name)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=nasty_text)
def test_text_of_a_target_stays_text_in_html(tmp_path: Path, text: str) -> None:
    """An auditor opens the file in a browser."""
    found = Tags()
    found.feed(reports_of(tmp_path, a_nasty_rehearsal(text))["dr.ko.html"])

    assert not found.tags & {"script", "img", "iframe", "object", "form", "input"}
    assert found.links <= {"run.json", "evidence.jsonl", "summary.md"}
    assert not found.actions
