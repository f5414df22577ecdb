"""What a payload check saw."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from opsproof.evidence.recorder import recording


@dataclass
class Findings:
    """
    What a check saw.

    Attributes:
        wrong: What is wrong, a line each, with the case and its size.
        taken: Rows that must be stored by now, at least.
        taken_most: Rows that may be stored by now, at most.
        stored: Rows that are stored; None where the profile has no way to tell.
        question: The first one whose answer is wrong.
    """

    wrong: list[str] = field(default_factory=list)
    taken: int = 0
    taken_most: int = 0
    stored: int | None = None
    question: str = ""

    def __str__(self) -> str:
        return "; ".join(self.wrong)

    def add(self, name: str, wrong: Sequence[str], question: str = "") -> None:
        """Note what is wrong with a case, if anything is."""
        self.wrong += [f"{name}: {line}" for line in wrong]
        if wrong and not self.question:
            self.question = question

    def took(self, rows: int, most: int | None = None) -> None:
        """Note that so many rows were taken, or up to `most`."""
        self.taken += rows
        self.taken_most += rows if most is None else most

    def count(self, stored: int) -> None:
        """Compare what is stored with what was taken."""
        self.stored = stored
        if not self.taken <= stored <= self.taken_most:
            self.wrong.append(f"{stored} items are stored, {self.taken} were within the limit and taken")

    def tell(self) -> None:
        """Let the report show the question whose answer is wrong."""
        recorder = recording.get()
        if recorder is not None:
            asked = (one for one in recorder.observations if one.question == self.question)
            recorder.telling = next(asked, recorder.telling)
