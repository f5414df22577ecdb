"""What is told to which channel: the findings of a run by priority, as plain text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from opsproof.judge.limits import Lang
from opsproof.judge.outcome import Outcome, Status
from opsproof.profile.indicators import PRIORITIES, Priority
from opsproof.report.run import Run
from opsproof.report.text import one_line, shortened
from opsproof.report.view import told

_FINDINGS = 10
_LENGTH = 300
_NOTHING = "\u200b"


@dataclass(frozen=True)
class Notice:
    """
    A message about all findings of one priority on one profile.

    Attributes:
        profile: Whose findings.
        priority: How soon somebody must act.
        channels: Where it is told, as the profile names them; empty if the profile names none.
        title: One line.
        body: Plain text.
    """

    profile: str
    priority: Priority
    channels: tuple[str, ...]
    title: str
    body: str


def notices(run: Run, incident: str, lang: Lang) -> tuple[Notice, ...]:
    """
    The messages about a run, the most urgent first.

    Args:
        run: The run, redacted as it is in run.json.
        incident: Id of the incident.
        lang: Language of the fixed words.

    Returns:
        One for each profile and priority with failed checks; what is waived is told to nobody.
    """
    found = [o for o in run.outcomes if o.priority and o.status is Status.FAILED]
    return tuple(
        _notice(run, incident, lang, profile, priority, [o for o in found if (o.priority, o.profile) == key])
        for priority in PRIORITIES
        for profile in run.profiles
        if (key := (priority, profile)) in {(o.priority, o.profile) for o in found}
    )


def _notice(run: Run, incident: str, lang: Lang, profile: str, priority: Priority, outcomes: list[Outcome]) -> Notice:
    plural = "" if len(outcomes) == 1 else "s"
    many, step, more = ("건", "다음 조치", "외 {n}건") if lang == "ko" else (f" finding{plural}", "next", "{n} more")
    lines = [line for outcome in outcomes[:_FINDINGS] for line in _lines(outcome, step)]
    if len(outcomes) > _FINDINGS:
        lines.append(more.format(n=len(outcomes) - _FINDINGS))
    lines.append(f"opsproof {run.verdict.word}, run {run.id}")
    return Notice(
        profile=profile,
        priority=priority,
        channels=tuple(dict.fromkeys(channel for outcome in outcomes for channel in outcome.channels)),
        title=f"[{priority}] {profile} {incident}: {len(outcomes)}{many}",
        body="\n".join(lines),
    )


def _lines(outcome: Outcome, step: str) -> Iterable[str]:
    yield f"- {_text(told(outcome))} ({_text(outcome.check)})"
    if outcome.next_step:
        yield f"  {step}: {_text(outcome.next_step)}"


def _text(text: str) -> str:
    """Text from a target calls nobody: chats act on `@here` and `<!channel>`."""
    line = shortened(one_line(text), _LENGTH)
    return re.sub(r"@|<(?=[!@#\w/])", rf"\g<0>{_NOTHING}", line)
