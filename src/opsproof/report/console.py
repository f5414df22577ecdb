"""The verdict block that ends the terminal output: what an operator needs at three in the morning."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import NamedTuple, TypeVar

from opsproof.judge.canary.rules import Answer
from opsproof.judge.diagnosis import Fit
from opsproof.judge.limits import Lang
from opsproof.judge.outcome import Outcome, Status
from opsproof.judge.root_causes import RootCause
from opsproof.judge.verdict import Word
from opsproof.judge.windows import Ending
from opsproof.rehearsal.facts import Proof
from opsproof.report.baseline import baseline_texts, marked, said_then
from opsproof.report.benchmarks.block import headline as benchmark_headline
from opsproof.report.benchmarks.block import rows as benchmark_rows
from opsproof.report.block import Row
from opsproof.report.canaries.block import headline as canary_headline
from opsproof.report.canaries.block import rows as canary_rows
from opsproof.report.not_run import not_carried_texts, not_run_texts
from opsproof.report.rehearsals.block import headline as rehearsal_headline
from opsproof.report.rehearsals.block import rows as rehearsal_rows
from opsproof.report.text import one_line
from opsproof.report.view import View, confirmed_text, numbers, seconds_text, since_text, told, urgency
from opsproof.report.windows import bar, course, headline, impact_texts, incident_text, restless, zone_of
from opsproof.report.words import cause_text, extent_text, numbers_text, release_text, words

WIDTH = 100
_DETAILED = 8
_SHORT = 12
_STEPS_OF = 2
_LONGEST_COMMAND = 500
_COLOURS: Mapping[Proof | Answer | Word, str] = {
    Proof.PROVEN: "green",
    Proof.FAILED: "red",
    Proof.NOT_PROVEN: "yellow",
    Answer.PROMOTE: "green",
    Answer.ROLLBACK: "red",
    Answer.INCONCLUSIVE: "yellow",
    Word.PASS: "green",
    Word.FAIL: "red",
    Word.INCONCLUSIVE: "yellow",
}


Means = TypeVar("Means", Proof, Answer, Word)


class Line(NamedTuple):
    """
    One line for the terminal.

    Attributes:
        text: Without colour codes; at most `WIDTH` columns, but for commands and paths, which are to be copied.
        markup: Style hints by the names that pytest's TerminalWriter takes: bold, red, green, yellow.
    """

    text: str
    markup: dict[str, bool]


def verdict_block(view: View, folder: Path | None, lang: Lang = "en") -> list[Line]:
    """
    The end of the terminal output, the verdict last.

    Args:
        view: The run, redacted, and its evidence.
        folder: The run's folder; None if it could not be written.
        lang: Language of the fixed words; messages stay as they come.
    """
    block = _Block(view, folder, lang)
    return [
        *block.profiles(),
        *block.incident(),
        *block.window(),
        *block.canaries(),
        *block.benchmarks(),
        *block.rehearsals(),
        *block.root_causes(),
        *block.findings(),
        *block.short(),
        *block.diagnoses(),
        *block.end(),
    ]


class _Block:
    def __init__(self, view: View, folder: Path | None, lang: Lang) -> None:
        from wcwidth import wcswidth

        self.view, self.said, self.lang = view, words(lang), lang
        self.folder = _from_here(folder) if folder else None
        self.summary = str(self.folder / "summary.md") if self.folder else "pytest -v"
        labels = ("what", "then", "where", "next", "tell", "by_hand", "runbook", "checks", "report", "again")
        self._indent = 4 + max(wcswidth(self.said[label]) for label in labels)

    def profiles(self) -> Iterator[Line]:
        run = self.view.run
        if run.replay_of:
            yield Line(self.said["replay"].format(run=one_line(run.replay_of)), {"bold": True})
        if run.resume_of:
            checked = sum(outcome.status is not Status.SKIPPED for outcome in run.outcomes)
            fresh = sum(map(len, self.view.taken_over.values()))
            text = self.said["resumed"].format(run=one_line(run.resume_of), n=fresh, rest=checked - fresh)
            yield Line(text, {"bold": True})
        for name, profile in run.profiles.items():
            word = self.view.word(name)
            parts = [f"{word:<13}{one_line(name)}"]
            if profile.release:
                parts.append(f"{self.said['release']} {one_line(release_text(profile.release, self.said))}")
            parts.append(numbers_text(numbers(self.view.of_profile(name)), self.said))
            yield from self._wrapped("  ".join(parts), "", " " * 13, 3, {_COLOURS[word]: True})

    def incident(self) -> Iterator[Line]:
        run = self.view.run
        if run.incident is None:
            return
        yield Line("", {})
        yield from self._wrapped(incident_text(run, run.incident, self.said), "", "  ", 2, {"bold": True})
        for text in [*impact_texts(run.incident, self.lang)][:_SHORT]:
            yield from self._wrapped(f"{self.said['since_then']}  {one_line(text)}", "  ", "    ", 2, {})

    def window(self) -> Iterator[Line]:
        """How the window went, with the timelines of the checks that were not healthy all the time."""
        run, window = self.view.run, self.view.run.window
        if window is None:
            return
        colour = "green" if window.ending is Ending.STABLE else "red"
        yield Line("", {})
        text = one_line(headline(window, zone_of(run), self.said))
        yield from self._wrapped(text, "", "  ", 3, {"bold": True, colour: True})
        yield from self._wrapped(course(window, self.said), "  ", "  ", 3, {})
        lines = restless(window)
        for line in lines[:_DETAILED]:
            yield Line(f"  {bar(line, window)}  {one_line(line.check)}", {})
        if lines:
            yield Line(f"  {self.said['marks']}", {})
        yield from self._more(len(lines) - _DETAILED)

    def canaries(self) -> Iterator[Line]:
        """What to do with each canary, and why."""
        for fact in self.view.run.canaries:
            yield from self._labelled_rows(canary_headline(fact, self.lang), canary_rows(fact, self.lang))

    def benchmarks(self) -> Iterator[Line]:
        """What each benchmark says, and why it is not believed."""
        for fact in self.view.run.benchmarks:
            yield from self._labelled_rows(benchmark_headline(fact, self.lang), benchmark_rows(fact, self.lang))

    def rehearsals(self) -> Iterator[Line]:
        """What each rehearsed scenario proved."""
        for fact in self.view.run.rehearsals:
            yield from self._labelled_rows(rehearsal_headline(fact, self.lang), rehearsal_rows(fact, self.lang))

    def _labelled_rows(self, head: Row[Means], rows: Iterable[Row[Means]]) -> Iterator[Line]:
        from wcwidth import ljust, wcswidth

        yield Line("", {})
        found = [*rows]
        yield from self._wrapped(f"{head.label}  {head.text}", "", "  ", 3, {"bold": True, _COLOURS[head.means]: True})
        indent = 4 + max((wcswidth(label) for label, _, _ in found), default=0)
        for name, text, means in found[: _DETAILED + _SHORT]:
            label = ljust(f"  {name}", indent)
            yield from self._wrapped(text, label, " " * indent, 6, {_COLOURS[means]: True})
        yield from self._more(len(found) - _DETAILED - _SHORT)

    def root_causes(self) -> Iterator[Line]:
        for number, root in enumerate(self.view.root_causes, start=1):
            explained = self.view.explained_by(root)
            failed = any(outcome.status is Status.FAILED for outcome in explained)
            worst = marked(min(outcome.severity for outcome in explained), self.view.run, explained, self.said)
            yield Line("", {})
            headline = f"{self.said['root_cause']} {number}  {worst}  {one_line(root.subject)}"
            yield from self._wrapped(headline, "", "  ", 2, {"bold": True, "red" if failed else "yellow": True})
            yield from self._root_cause(root)

    def _root_cause(self, root: RootCause) -> Iterator[Line]:
        direct = self.view.explained_by(root)[: len(root.direct)]
        yield from self._field("what", f"{cause_text(root.cause, self.lang)}: {root.what}", 3)
        yield from self._field("checks", extent_text(self.view.extent(root), self.said))
        yield from self._field("next", root.next_step, 3, bold=True)
        yield from self._by_hand(direct[0] if direct else None)
        yield from self._field("runbook", _ids(row for outcome in direct for row in outcome.runbook), 1)
        for outcome in self.view.wrong_all_the_same(root)[:_DETAILED]:
            line = f"{self._urgency(outcome)}  {outcome.check}: {told(outcome)}"
            yield from self._wrapped(one_line(line), f"  {self.said['also']}  ", " " * self._indent, 2, {"red": True})

    def findings(self) -> Iterator[Line]:
        findings = self.view.findings
        for outcome in findings[:_DETAILED]:
            yield Line("", {})
            yield from self._finding(outcome)
        if rest := findings[_DETAILED:]:
            yield Line("", {})
            for outcome in rest[:_SHORT]:
                yield from self._wrapped(self._headline(outcome), "", "  ", 1, {_colour(outcome): True})
            yield from self._more(len(rest) - _SHORT)

    def _finding(self, outcome: Outcome) -> Iterator[Line]:
        yield from self._wrapped(self._headline(outcome), "", "  ", 2, {"bold": True, _colour(outcome): True})
        yield from self._field("what", f"{cause_text(outcome.cause, self.lang)}: {told(outcome)}", 3)
        yield from self._field("then", said_then(self.view.run, outcome), 2)
        yield from self._field("where", outcome.where, 2)
        yield from self._field("next", outcome.next_step, 3, bold=True)
        yield from self._field("tell", ", ".join(outcome.channels))
        yield from self._by_hand(outcome)
        yield from self._field("runbook", _ids(outcome.runbook))

    def _headline(self, outcome: Outcome) -> str:
        word = self.said["failed" if outcome.status is Status.FAILED else "unknown"]
        return f"{word} {self._urgency(outcome)}  {one_line(outcome.check)}"

    def _urgency(self, outcome: Outcome) -> str:
        return marked(urgency(outcome), self.view.run, [outcome], self.said)

    def short(self) -> Iterator[Line]:
        """Why beside the checks, waived, warnings, what did not run, notes: a line or two each."""
        said, view = self.said, self.view
        waived = (
            said["waived_by"].format(
                check=outcome.check,
                owner=outcome.waiver.owner,
                until=f"{outcome.waiver.until:%Y-%m-%d}",
                reason=outcome.waiver.reason,
            )
            for outcome in view.waived
            if outcome.waiver
        )
        warnings = [
            *(f"{root.subject}: {root.what} ({extent_text(view.extent(root), said)})" for root in view.warning_causes),
            *(
                f"{outcome.check} ({self._urgency(outcome)}) {cause_text(outcome.cause, self.lang)}: {told(outcome)}"
                for outcome in view.warnings
            ),
        ]
        confirmed = (
            f"{outcome.check}: {outcome.title}: {confirmed_text(outcome.attested)}"
            for outcome in view.confirmed
            if outcome.attested
        )
        taken_over = (
            said["taken_over_from"].format(
                run=run, n=len(of_run), s="" if len(of_run) == 1 else "s", when=since_text(of_run)
            )
            for run, of_run in view.taken_over.items()
        )
        reasons = (
            (said["why"], view.deciding_reasons, 2),
            (said["confirmed"], (*confirmed,), 2),
            (said["taken_over"], (*taken_over,), 2),
            (said["waived"], (*waived,), 1),
            (said["warning"], (*warnings,), 2),
            (said["not_checked"], (*not_run_texts(view, said), *not_carried_texts(view, said, self.summary)), 2),
            (said["baseline"], (*baseline_texts(view.run, said),), 3),
            (said["note"], view.run.notes, 2),
        )
        for word, texts, lines in reasons:
            if texts:
                yield Line("", {})
            good = word in (said["confirmed"], said["taken_over"])
            for text in texts[:_SHORT]:
                yield from self._wrapped(
                    f"{word}  {one_line(text)}", "", "    ", lines, {} if good else {"yellow": True}
                )
            yield from self._more(len(texts) - _SHORT)

    def diagnoses(self) -> Iterator[Line]:
        """Which scenario of the runbook it is, the best fit first, with its next steps."""
        for diagnosis in self.view.run.diagnoses:
            yield Line("", {})
            yield Line(f"{self.said['diagnosis']}  {one_line(diagnosis.profile)}", {"bold": True})
            if not diagnosis.fits:
                yield Line("  " + self.said["none_fits"].format(n=len(diagnosis.others)), {})
            for number, fit in enumerate(diagnosis.fits, start=1):
                yield from self._fit(number, fit)

    def _fit(self, number: int, fit: Fit) -> Iterator[Line]:
        title = fit.title[self.lang]
        headline = f"{number}. {fit.share:.0%}  {one_line(title)}  ({_ids(fit.runbook)})"
        yield from self._wrapped(headline, "  ", "     ", 2, {"bold": number == 1})
        for label, names in (("signs", fit.there), ("against", fit.against), ("not_measured", fit.not_measured)):
            yield from self._field(label, ", ".join(names), 2)
        if number <= _STEPS_OF:
            for position, step in enumerate(fit.next_steps, start=1):
                yield from self._field("next", f"{position}. {step[self.lang]}", 3)

    def end(self) -> Iterator[Line]:
        run, said = self.view.run, self.said
        yield Line("", {})
        time = seconds_text((run.finished - run.started).total_seconds())
        counts = numbers_text(numbers(run.outcomes), said)
        line = said["numbers"].format(
            checks=len(run.outcomes), time=time, numbers=counts, questions=self.view.asked_now
        )
        yield from self._wrapped(line, "", "  ", 2, {})
        if self.folder is None:
            yield from self._field("report", said["no_report"])
        else:
            yield self._labelled("report", str(self.folder))
            # With `=`: an existing folder that stands alone would be taken for the place of pytest's configuration.
            again = [_pytest(), *([run.selection] if run.selection else []), f"--replay={quote(str(self.folder))}"]
            if run.baseline and run.baseline.folder:
                again.append(f"--baseline={quote(str(_from_here(Path(run.baseline.folder))))}")
            yield self._labelled("again", " ".join(again))
        verdict = f"{self._verdict()}  {said['exit'].format(status=run.verdict.exit_status)}"
        yield Line(verdict, {"bold": True, _COLOURS[run.verdict.word]: True})

    def _verdict(self) -> str:
        """A verdict that was waited for says so: it is never plain."""
        run, window = self.view.run, self.view.run.window
        if window is None or window.stable_for:
            return f"{self.said['verdict']} {run.verdict.word}"
        time = seconds_text((window.ended - window.started).total_seconds())
        return self.said["verdict_ready"].format(word=run.verdict.word, time=time, attempts=window.attempts)

    def _by_hand(self, outcome: Outcome | None) -> Iterator[Line]:
        """The command stays on one line, however long: it is there to be copied."""
        observation = self.view.telling(outcome) if outcome else None
        if outcome is None or observation is None:
            return
        command = one_line(observation.by_hand)
        if len(command) > _LONGEST_COMMAND:
            command = self.said["long_command"].format(file=self.summary)
        yield self._labelled("by_hand", command)
        if more := len(self.view.asked(outcome)) - 1:
            pointer = self.said["more_questions"].format(n=more, s="" if more == 1 else "s", file=self.summary)
            yield Line(" " * self._indent + pointer, {})

    def _field(self, label: str, text: str, lines: int = 2, *, bold: bool = False) -> Iterator[Line]:
        if text:
            head = self._labelled(label, "").text
            yield from self._wrapped(one_line(text), head, " " * self._indent, lines, {"bold": True} if bold else {})

    def _labelled(self, label: str, text: str) -> Line:
        from wcwidth import ljust

        return Line(ljust(f"  {self.said[label]}", self._indent) + one_line(text), {})

    def _wrapped(self, text: str, head: str, indent: str, lines: int, markup: dict[str, bool]) -> Iterator[Line]:
        """The text within the width; what is more than so many lines is cut, with a pointer to the report."""
        from wcwidth import wrap

        wrapped = wrap(
            text,
            WIDTH,
            initial_indent=head,
            subsequent_indent=indent,
            break_on_hyphens=False,
            max_lines=lines,
            placeholder=f" {self.said['whole']}",
        )
        for line in wrapped:
            yield Line(line, markup)

    def _more(self, left: int) -> Iterator[Line]:
        if left > 0:
            yield Line("  " + self.said["more"].format(n=left, file=self.summary), {})


def _pytest() -> str:
    """How this pytest is started from here: by the interpreter that a checkout has in it, else by its name."""
    python = _from_here(Path(sys.executable))
    return "pytest" if python.is_absolute() else f"{quote(str(python))} -m pytest"


def _from_here(path: Path) -> Path:
    """The path as it is written in the folder that the operator is in, where it is below that."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _colour(outcome: Outcome) -> str:
    return "red" if outcome.status is Status.FAILED else "yellow"


def _ids(rows: Iterator[str] | tuple[str, ...]) -> str:
    return ", ".join(dict.fromkeys(one_line(row) for row in rows))
