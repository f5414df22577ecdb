"""How a window goes, for those who wait: live on a terminal, one line a change elsewhere."""

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from opsproof.judge.windows import State
from opsproof.plugin.outcomes import readable
from opsproof.plugin.terminal import sayer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from opsproof.evidence.redaction import Redactor
    from opsproof.plugin.windows.window import Window

_SHOWN = 6
_REFRESHES_A_SECOND = 4


class Progress:
    """
    Tells how a window goes.

    Args:
        config: pytest's.
        redactor: Masks what is shown.
    """

    def __init__(self, config: pytest.Config, redactor: "Redactor") -> None:
        self._say = sayer(config)
        self._redactor = redactor
        self._file: Any = getattr(config.get_terminal_writer(), "_file", None)
        self._live = _is_live(config, self._file)

    def say(self, text: str) -> None:
        """Tell a change, on one line."""
        self._say(" ".join(readable(text, self._redactor).split()))

    @contextlib.contextmanager
    def of(self, window: "Window") -> Iterator[None]:
        """Show the window as long as it lasts."""
        if not self._live:
            yield
            return
        from rich.console import Console
        from rich.live import Live

        console = Console(file=self._file, highlight=False)
        shown = _Shown(window, lambda text: readable(text, self._redactor))
        with Live(shown, console=console, refresh_per_second=_REFRESHES_A_SECOND, transient=True) as live:
            self._say = lambda text: live.console.print(text, markup=False, style="dim")
            yield


class _Shown:
    """The window as it stands at each refresh."""

    def __init__(self, window: "Window", clean: Callable[[str], str]) -> None:
        self._window, self._clean = window, clean

    def __rich__(self) -> "RenderableType":
        from rich.text import Text

        window, watch = self._window, self._window.watch
        spans = [(check, watch.state(check)) for check in watch.checks]
        counts = Counter(span.state if span else None for _, span in spans)
        numbers = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
        aim = "" if window.plan.waits else f"  all healthy for {watch.held:.0f} s of {window.plan.stable_for:g} s"
        head = f"{window.elapsed:.0f} s of at most {window.plan.deadline:g} s  round {window.attempts}  {numbers}{aim}"
        text = Text(head, style="bold")
        bad = [(check, span) for check, span in spans if span and span.state is not State.HEALTHY]
        for check, span in bad[:_SHOWN]:
            line = " ".join(self._clean(f"{span.state}  {check}: {span.message}").split())
            text.append(f"\n  {line}", style="not bold red" if span.state is State.FAILED else "not bold yellow")
        if len(bad) > _SHOWN:
            text.append(f"\n  and {len(bad) - _SHOWN} more", style="not bold")
        return text


def _is_live(config: pytest.Config, file: Any) -> bool:
    """True on a terminal that a person looks at; not in a pipeline, and not where pytest is told to be quiet."""
    return config.option.verbose >= 0 and not os.environ.get("CI") and bool(file and file.isatty())
