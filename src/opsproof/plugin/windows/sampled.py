"""What the samples of one check leave behind for its report."""

from dataclasses import replace

from opsproof.errors import NoData, NotObserved
from opsproof.evidence.observation import Observation
from opsproof.judge.watch import Watch
from opsproof.judge.windows import State
from opsproof.plugin.cleaning import told
from opsproof.plugin.conduct import Conducted

_MOST_KEPT = 100


class Sampled:
    """
    The newest sample of a check, its newest trouble, and the evidence of each change.

    Args:
        check: Id of the check.
    """

    def __init__(self, check: str) -> None:
        self.check = check
        self.newest: Conducted | None = None
        self.trouble: Conducted | None = None
        self._kept: list[Observation] = []

    def keep(self, conducted: Conducted, *, trouble: bool, changed: bool) -> None:
        """Keep what a sample saw, as far as the report needs it."""
        self.newest = conducted
        if trouble:
            self.trouble = conducted
        if changed:
            self._kept += conducted.recorder.observations
            del self._kept[_MOST_KEPT // 2 : max(_MOST_KEPT // 2, len(self._kept) - _MOST_KEPT // 2)]

    def ended(self, watch: Watch, *, gave_up: bool) -> Conducted | None:
        """
        What pytest is given as the end of the check.

        Args:
            watch: What became of its samples.
            gave_up: True if the window ended at its deadline.

        Returns:
            The newest sample, with the evidence of all changes behind its own; None if there was no sample. A check
            that is healthy, and was not for long enough when the window gave up, ends with what broke its stretch.
        """
        if self.newest is None:
            return None
        error = self.newest.error
        telling = self.newest.recorder.telling
        if gave_up and error is None and self.check in watch.checks and watch.held_by(self.check) < watch.stable_for:
            error = self._unstable(watch)
            telling = self.trouble.recorder.telling if self.trouble else telling
        recorder = self.newest.recorder
        own = {observation.id for observation in recorder.observations}
        recorder.observations.extend(one for one in self._kept if one.id not in own)
        recorder.telling = telling
        return replace(self.newest, error=error)

    def _unstable(self, watch: Watch) -> BaseException:
        span = watch.trouble(self.check)
        held = f"healthy for {watch.held_by(self.check):.1f} s of {watch.stable_for:g} s when the time was up"
        if span is None or span.state is State.GAP or self.trouble is None or self.trouble.error is None:
            words = f"{held}; {span.message}" if span else held
            return NoData(words, where=self.check, next_step="Look again for longer (--deadline), and at what paused.")
        flaps = watch.flaps_of(self.check)
        before = f"; it was healthy and failed again {flaps} time{'' if flaps == 1 else 's'}" if flaps else ""
        words = f"{held}{before}; last, {span.end:.1f} s after the begin: {told(self.trouble.error)}"
        error = self.trouble.error
        if isinstance(error, NotObserved):
            return type(error)(words, where=error.where, next_step=error.next_step, target=error.target)
        return AssertionError(words).with_traceback(error.__traceback__) if span.state is State.FAILED else error
