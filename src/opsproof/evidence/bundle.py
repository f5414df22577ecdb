"""The evidence of a run as a file, and its replay."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from opsproof.errors import OpsproofError, PreconditionMissing
from opsproof.evidence.observation import Observation

EVIDENCE_FILE = "evidence.jsonl"


def write_evidence(folder: Path, observations: Iterable[Observation]) -> None:
    """
    Write `evidence.jsonl`, one observation a line, each once, in the order in which they were asked.

    Raises:
        OSError: The file cannot be written.
    """
    unique = {observation.id: observation for observation in observations}
    # What UTF-8 cannot carry (half a surrogate pair in a target's JSON) is written as JSON's own \\uXXXX.
    with (folder / EVIDENCE_FILE).open("w", encoding="utf-8", errors="backslashreplace") as file:
        for observation in sorted(unique.values(), key=lambda observation: observation.started):
            file.write(json.dumps(observation.to_json(), ensure_ascii=False) + "\n")


def read_evidence(folder: Path) -> dict[str, Observation]:
    """
    Read `evidence.jsonl`: observations by id.

    Raises:
        OpsproofError: The file is not there or a line of it is no observation.
    """
    path = folder / EVIDENCE_FILE
    observations = {}
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise OpsproofError(
            f"the evidence cannot be read: {exc}",
            where=str(path),
            next_step="Name the folder of a finished run; it holds run.json and evidence.jsonl.",
        ) from exc
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else (), start=1):
        try:
            observation = Observation.from_json(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise OpsproofError(
                "this line of the evidence is no observation",
                where=f"{path}:{number}",
                next_step="The file was changed or cut; take the run's original folder.",
            ) from exc
        observations[observation.id] = observation
    return observations


class Bundle:
    """
    The answers of an earlier run, handed out again check by check, in the order in which they came.

    Args:
        observations: All observations of the run by id.
        asked: For every check the ids of what it asked, in order.
    """

    def __init__(self, observations: Mapping[str, Observation], asked: Mapping[str, Iterable[str]]) -> None:
        self._left = {check: [observations[id_] for id_ in ids if id_ in observations] for check, ids in asked.items()}

    def recall(self, check: str, target: str, question: str) -> Observation:
        """
        The next answer that this check got to this question.

        Raises:
            PreconditionMissing: The earlier run did not ask it.
        """
        left = self._left.get(check, [])
        for position, observation in enumerate(left):
            if (observation.target, observation.question) == (target, question):
                return left.pop(position)
        raise PreconditionMissing(
            f"the evidence of that run holds no answer to: {question}",
            where=f"{check}, target {target}",
            next_step="The check asks more than it did then; run it against the environment itself.",
            target=target,
        )
