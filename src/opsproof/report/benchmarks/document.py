"""bench.html: a benchmark as one page that stands alone, for the engineer who must trust its numbers."""

from collections.abc import Iterator
from html import escape
from zoneinfo import ZoneInfo

from opsproof.benchmark.facts import NEVER_BEGUN, BenchmarkFact, WorkerFact
from opsproof.benchmark.selecting import everything_of
from opsproof.judge.benchmark.words import number_words
from opsproof.judge.limits import Lang
from opsproof.report.benchmarks.block import headline
from opsproof.report.benchmarks.course import course
from opsproof.report.benchmarks.markdown import answer_text, doubts_text, gates_texts
from opsproof.report.benchmarks.numbers import (
    NOTHING,
    QUANTILES,
    Line,
    lines,
    longest,
    mean_text,
    quantile,
    service_of,
    time_text,
)
from opsproof.report.benchmarks.spectrum import spectrum, told_quantiles
from opsproof.report.benchmarks.timeline import timeline
from opsproof.report.benchmarks.words import words
from opsproof.report.markdown import code, prose, table
from opsproof.report.page import page
from opsproof.report.rehearsals.words import moment, took

_PICTURES = "<!-- pictures -->"
_ERRORS = 100


def document(fact: BenchmarkFact, lang: Lang) -> str:
    """
    The page.

    Args:
        fact: The benchmark, redacted.
        lang: Language of the words.
    """
    head = headline(fact, lang)
    text = "\n\n".join(_paragraphs(fact, lang))
    return page(text, f"{head.label} {head.text}", {_PICTURES: _pictures(fact, lang)}, lang)


def _paragraphs(fact: BenchmarkFact, lang: Lang) -> Iterator[str]:
    said = words(lang)
    yield f"# {answer_text(fact.answer, html=True)} {said['section']} {prose(fact.profile)}"
    yield prose(headline(fact, lang).text.partition(": ")[2])
    if doubts := doubts_text(fact, lang):
        yield f"## {said['why_not']}\n\n{doubts}"
    yield f"## {said['gates']}"
    yield from gates_texts(fact, lang, html=True)
    yield f"## {said['times']}"
    yield from _times(fact, lang)
    yield f"## {said['by_name']}\n\n{said['by_name_about']}"
    yield from _by_name(fact, lang)
    yield f"## {said['errors']}"
    yield _errors(fact, lang)
    yield f"## {said['generators']}"
    yield from _generators(fact, lang)
    yield f"## {said['plan']}"
    yield _plan(fact, lang)


def _pictures(fact: BenchmarkFact, lang: Lang) -> str:
    """Of all requests, then over time of each name that has a gate."""
    said = words(lang)
    width = next((moment.end - moment.begin for moment in course(fact, "")), 1)
    about = said["over_time_about"] + (f" {said['moments_about'].format(n=f'{width:g}')}" if width > 1 else "")
    drawn = [
        (said["over_time"], timeline(fact, "", lang), about),
        (said["spectrum"], spectrum(fact, lang), said["spectrum_about"]),
    ]
    names = dict.fromkeys(name for second in fact.seconds for name in second.times if name)
    drawn += [(f"{said['over_time']}: {name}", timeline(fact, name, lang), "") for name in names]
    each = "".join(
        f"<div><h3>{escape(title)}</h3>{svg}<p>{escape(text)}</p></div>" for title, svg, text in drawn if svg
    )
    return f'<div class="side-by-side">{each}</div>'


def _times(fact: BenchmarkFact, lang: Lang) -> Iterator[str]:
    said = words(lang)
    response, service = everything_of(fact.requests), service_of(fact)
    if not service.total:
        yield said["nothing_ended"]
    yield _PICTURES
    if not response.total:
        return
    rows = [
        (f"p{100 * q:.6g}", time_text(quantile(response, q)), time_text(quantile(service, q)))
        for q in told_quantiles(response.total)
    ]
    rows.append((said["max"], time_text(longest(response)), time_text(longest(service))))
    yield table((said[key] for key in ("percentile", "response_time", "service_time")), rows)


def _by_name(fact: BenchmarkFact, lang: Lang) -> Iterator[str]:
    said, found = words(lang), [*lines(fact)]
    columns = ("name", "ended", "failed", "unfinished", "mean")
    head = [said[key] for key in columns] + [f"p{100 * q:g}" for q in QUANTILES] + [said["max"]]
    yield table(head, (_cells(line, lang) for line in found))
    ages = [age for one in fact.requests for age in one.ages]
    if ages:
        yield said["endless"].format(longest=time_text(max(ages)))


def _cells(line: Line, lang: Lang) -> tuple[str, ...]:
    said = words(lang)
    name = {"": f"**{said['all_requests']}**", NEVER_BEGUN: said["never_begun"]}.get(line.name) or code(line.name)
    return (
        f"{name}: {said[f'{line.part}_ones']}" if line.part else name,
        f"{line.ended:,}",
        f"{line.failed:,}",
        NOTHING if line.part else f"{line.unfinished:,}",
        mean_text(line.times),
        *(time_text(quantile(line.times, q)) for q in QUANTILES),
        time_text(longest(line.times)),
    )


def _errors(fact: BenchmarkFact, lang: Lang) -> str:
    said = words(lang)
    found = [(count, code(one.name), text) for one in fact.requests for text, count in one.errors.items()]
    found += [
        (count, said["user_error"], text) for worker in fact.workers for text, count in worker.user_errors.items()
    ]
    if not found:
        return said["no_errors"]
    found.sort(key=lambda error: -error[0])
    rows = ((f"{count:,}", of, prose(text, 600)) for count, of, text in found[:_ERRORS])
    return table((said[key] for key in ("count", "of_name", "error")), rows)


def _generators(fact: BenchmarkFact, lang: Lang) -> Iterator[str]:
    said = words(lang)
    if fact.missing_workers:
        yield f"**{said['never_came'].format(n=fact.missing_workers, wanted=fact.plan.workers)}**"
    columns = ("worker", "planned", "begun", "in_time", "late", "busy", "sent", "cpu", "lag", "end_told")
    yield table((said[key] for key in columns), (_ledger(worker, lang) for worker in fact.workers))
    yield said["generators_about"]


def _ledger(worker: WorkerFact, lang: Lang) -> tuple[str, ...]:
    said = words(lang)
    counts = (worker.planned, worker.begun, worker.begun_in_time, worker.late, worker.busy, worker.requests)
    return (
        code(worker.name),
        *(f"{count:,}" for count in counts),
        number_words(worker.cpu, "%"),
        number_words(worker.longest_lag, "s"),
        said["yes"] if worker.told_its_end else said["lost"],
    )


def _plan(fact: BenchmarkFact, lang: Lang) -> str:
    said, plan, utc = words(lang), fact.plan, ZoneInfo("UTC")
    rate = said["per_second"].format(
        rate=f"{plan.rate:g}", duration=took(plan.duration, lang), warm_up=took(plan.warm_up, lang)
    )
    rows = (
        ("where", prose(fact.host)),
        ("when", f"{moment(fact.started, utc)} – {moment(fact.ended, utc)}"),
        ("rate", rate),
        ("users", said["users_text"].format(users=plan.users, workers=plan.workers)),
        ("timeout", took(plan.timeout, lang)),
        ("writes", said["writes_yes" if plan.writes else "writes_no"]),
        ("environment", prose(", ".join(f"{name} {value}" for name, value in fact.environment.items()))),
        ("by", prose(fact.opsproof)),
    )
    return "\n".join(f"- {said[key]}: {text}" for key, text in rows)
