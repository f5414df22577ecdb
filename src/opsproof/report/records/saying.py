"""What speaks against recovery, and what a run leaves open, a sentence for each."""

from collections.abc import Iterable, Iterator

from opsproof.judge.limits import Lang
from opsproof.judge.outcome import Cause, Outcome, Status
from opsproof.judge.verdict import Word
from opsproof.judge.windows import Ending, WindowFact
from opsproof.report.records.checklist import Item, Result
from opsproof.report.records.times import duration_text, local_and_utc
from opsproof.report.records.words import ENDINGS, NOT_RUN, RESULTS, SAID
from opsproof.report.view import View, told, urgency
from opsproof.report.words import cause_text

_CHECKS = 3


def against_recovery(view: View, lang: Lang, items: Iterable[Item]) -> Iterator[str]:
    """
    Why recovery is not verified; nothing if it is.

    Args:
        view: The run.
        lang: Language of the record.
        items: The recovery checklists of the run.
    """
    run, said = view.run, SAID[lang]
    if run.verdict.word is not Word.PASS:
        for root in view.root_causes:
            yield said["root"].format(subject=root.subject, cause=cause_text(root.cause, lang), what=root.what)
        yield from (_told("finding", outcome, lang) for outcome in view.findings)
        yield from (reason for reason in view.deciding_reasons if not _is_the_windows(reason, run.window))
        if not (view.root_causes or view.findings or view.deciding_reasons):
            yield said["interrupted"]
    if run.window and run.window.ending is not Ending.STABLE:
        stretch = duration_text(run.window.stable_for, lang)
        why = f": {run.window.why}" if run.window.why else ""
        yield (
            said["window" if run.window.stable_for else "not_ready"].format(
                stable_for=stretch, ending=ENDINGS[lang][run.window.ending]
            )
            + why
        )
    if run.replay_of and run.window is None:
        yield said["replay"].format(run=run.replay_of)
    if not any("recovery" in o.markers and o.status is Status.PASSED for o in run.outcomes):
        yield said["no_recovery_checks"]
    for number, item in enumerate(items, start=1):
        if item.result is not Result.GREEN:
            yield said["item"].format(
                number=number, result=RESULTS[lang][item.result], title=item.title[lang].replace("`", "")
            )


def left_open(view: View, lang: Lang, zone: str) -> Iterator[str]:
    """
    What a run leaves open beside what speaks against recovery: warnings, waivers, what it did not check.

    Args:
        view: The run.
        lang: Language of the record.
        zone: Zone of the people who handle the incident.
    """
    said = SAID[lang]
    for outcome in view.warnings:
        yield _told("warning", outcome, lang)
    for outcome in view.waived:
        if waiver := outcome.waiver:
            until = local_and_utc(waiver.until, zone)
            yield said["waived"].format(check=outcome.check, owner=waiver.owner, until=until, reason=waiver.reason)
    for (cause, reason), outcomes in view.worst_not_run.items():
        checks = ", ".join(outcome.check for outcome in outcomes[:_CHECKS])
        more = said["more"].format(n=len(outcomes) - _CHECKS) if len(outcomes) > _CHECKS else ""
        yield said["not_run"].format(why=not_run_text(cause, lang), checks=checks + more, reason=reason)


def not_run_text(cause: Cause | None, lang: Lang) -> str:
    """Why a check was skipped, in the language of the record."""
    return (NOT_RUN[lang].get(cause) if cause else None) or cause_text(cause, lang)


def _is_the_windows(reason: str, window: WindowFact | None) -> bool:
    """True if the verdict says what the window says itself."""
    return window is not None and reason.endswith(f"did not become stable: {window.why or window.ending}")


def _told(kind: str, outcome: Outcome, lang: Lang) -> str:
    return SAID[lang][kind].format(
        check=outcome.check,
        urgency=urgency(outcome),
        cause=cause_text(outcome.cause, lang),
        message=told(outcome),
    )
