"""Asking the person at the terminal, before the checks begin, what no probe can see."""

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from _pytest.compat import running_on_ci

from opsproof.judge.attesting import why_it_does_not_count
from opsproof.judge.limits import Lang
from opsproof.judge.outcome import Status
from opsproof.plugin.check import Check
from opsproof.plugin.gate import Gate
from opsproof.profile.answers import Answer, operator
from opsproof.profile.attested import Attested

_CHOICES = {
    **dict.fromkeys(("y", "yes", "ㅛ", "예", "네"), "yes"),
    **dict.fromkeys(("n", "no", "ㅜ", "아니오", "아니요"), "no"),
    **dict.fromkeys(("l", "later", "", "ㅣ", "나중에"), "later"),
}
"""What may be typed, also with the Korean layout still on; Enter alone leaves the question for later."""

_WORDS: Mapping[Lang, Mapping[str, str]] = {
    "en": {
        "head": "Only a person can see this; {n} to answer before the checks begin. Ctrl-C leaves the rest unanswered.",
        "row": "runbook {rows}; an answer counts for {valid_for}",
        "previous": "previous answer: {words}",
        "answer": "    yes, no, later [y/n/L]: ",
        "again": "    please type y, n or l",
        "by": "    your name{default}: ",
        "note": "    note (what you saw; may be empty): ",
        "stopped": "left unanswered; these checks stay unknown",
    },
    "ko": {
        "head": "사람만 확인할 수 있는 항목입니다. 점검 전에 {n}건에 답해 주세요. Ctrl-C: 나머지는 답변 없이 둡니다.",
        "row": "런북 {rows}; 답변 유효 기간 {valid_for}",
        "previous": "이전 답변: {words}",
        "answer": "    예, 아니오, 나중에 [y/n/L]: ",
        "again": "    y, n, l 중 하나를 입력해 주세요",
        "by": "    이름{default}: ",
        "note": "    메모(확인한 내용, 비워도 됨): ",
        "stopped": "답변하지 않음; 해당 점검은 측정 불가로 남습니다",
    },
}


def ask_people(config: pytest.Config, gate: Gate, checks: Iterable[Check]) -> None:
    """
    Ask for every answer that is still wanting, if there is a terminal to ask at.

    Nobody is asked in a pipeline, in a replay, by an xdist worker, or where standard input or output is no terminal.

    Args:
        gate: Open; takes the answers.
        checks: Those that were selected.
    """
    wanting = [(check, item) for check in checks if (item := check.attested) and not gate.taken_over(check)]
    wanting = [(check, item) for check, item in wanting if not _counts(gate, check, item)]
    if not wanting or gate.replayed or running_on_ci() or hasattr(config, "workerinput"):
        return
    with _terminal(config) as there:
        if there:
            _Asking(gate).ask(wanting)


def _counts(gate: Gate, check: Check, item: Attested) -> bool:
    answer = gate.answers.get(check.id)
    if answer is None or answer.answer == "later":
        return False
    now = datetime.now(answer.at.tzinfo)
    return not why_it_does_not_count(answer, item, asked=now, since=gate.incident_started)


@contextlib.contextmanager
def _terminal(config: pytest.Config) -> Iterator[bool]:
    """Give standard input and output back to the person; true if both are a terminal."""
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    if capture:
        capture.suspend_global_capture(in_=True)
    try:
        there = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
        if there and (reporter := config.pluginmanager.get_plugin("terminalreporter")):
            reporter.ensure_newline()
            reporter.flush()
        yield there
    finally:
        if capture:  # as pytest has it between two tests: input captured, output not
            capture.resume_global_capture()
            capture.suspend_global_capture()


class _Asking:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._said = _WORDS[gate.options.lang]
        self._by = operator(os.environ)

    def ask(self, wanting: list[tuple[Check, Attested]]) -> None:
        """All questions, one after the other, until all are answered or the person has had enough."""
        self._tell("\n" + self._said["head"].format(n=len(wanting)))
        try:
            for number, (check, item) in enumerate(wanting, start=1):
                self._tell(f"\n{number}/{len(wanting)}  {check.title}  ({check.profile})")
                if answer := self._answered(check, item):
                    self._gate.answers[check.id] = answer
        except (KeyboardInterrupt, EOFError):
            self._tell(f"\n{self._said['stopped']}")
        self._tell("")

    def _answered(self, check: Check, item: Attested) -> Answer | None:
        said = self._said
        self._tell(f"    {getattr(item.ask, self._gate.options.lang)}")
        document = item.model_dump(mode="json")
        self._tell(f"    {said['row'].format(rows=', '.join(item.runbook), valid_for=document['valid_for'])}")
        if previous := self._previous(check):
            self._tell(f"    {said['previous'].format(words=previous)}")
        while (choice := _CHOICES.get(self._typed(said["answer"]).lower())) is None:
            self._tell(said["again"])
        if choice == "later":
            return None
        at = datetime.now(ZoneInfo(self._gate.profiles[check.profile].timezone))
        prompt = said["by"].format(default=f" [{self._by}]" if self._by else "")
        while not (by := self._typed(prompt) or self._by):
            pass
        self._by, note = by, self._typed(said["note"])
        return Answer.model_validate({"answer": choice, "by": by, "at": at.isoformat(), "note": note})

    def _previous(self, check: Check) -> str:
        """What was answered before and does not count any more, by file or in the run that is resumed."""
        if answer := self._gate.answers.get(check.id):
            return answer.words
        before = self._gate.resumed.before(check) if self._gate.resumed else None
        if before is None or before.attested is None:
            return ""
        word = "yes" if before.status is Status.PASSED else "no"
        return Answer.model_validate({"answer": word, **before.attested.model_dump(mode="json")}).words

    def _typed(self, prompt: str) -> str:
        """A line that the person typed; one that is no text of this terminal is asked for again."""
        while True:
            try:
                return input(prompt).strip()
            except UnicodeDecodeError:
                continue

    def _tell(self, line: str) -> None:
        sys.stdout.write(f"{self._gate.redactor.text(line)}\n")
        sys.stdout.flush()
