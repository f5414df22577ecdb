"""Faults that are an alert: it fires in Alertmanager, or it fires and somebody has silenced it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from typing_extensions import override

from opsproof.errors import StackError
from opsproof.stack.ask import Answer, ask
from opsproof.stack.faults.fault import Fault
from opsproof.stack.stack import Stack
from opsproof.stack.state import edit_state

ALERT = "OpsproofDrill"
_LASTS = timedelta(hours=1)


@dataclass(frozen=True)
class AlertFiring(Fault):
    """
    One alert of priority P0 for each system, sent to Alertmanager as Prometheus would send it.

    Args:
        silenced: Whether a silence covers it.
    """

    name: str
    title: str
    systems: frozenset[str]
    silenced: bool = False
    group: str = "alerts"
    part: str = "alertmanager"

    @override
    def inject(self, stack: Stack) -> None:
        now = datetime.now(UTC)
        if self.silenced:
            answer = _post(stack, "silences", _silence(now))
            with edit_state(stack.directory) as state:
                state.faults[self.name].memory["silence"] = answer.json()["silenceID"]
        _post(stack, "alerts", self._alerts(stack, now, now + _LASTS))

    @override
    def in_force(self, stack: Stack) -> bool:
        states = self._states(stack)
        return set(states) == self._present(stack) and set(states.values()) == {
            "suppressed" if self.silenced else "active"
        }

    @override
    def gone(self, stack: Stack) -> bool:
        return _answers(stack) and not self._states(stack)

    @override
    def heal(self, stack: Stack) -> None:
        now = datetime.now(UTC)
        _post(stack, "alerts", self._alerts(stack, now, now))
        if silence := stack.state.faults[self.name].memory.get("silence"):
            ask(f"{_api(stack)}/silence/{silence}", method="DELETE")

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        return f"it ends by itself after an hour; or opsproof stack down --name {stack.name}, then start it again"

    def _present(self, stack: Stack) -> set[str]:
        return set(self.systems.intersection(stack.state.systems))

    def _alerts(self, stack: Stack, starts: datetime, ends: datetime) -> list[dict[str, Any]]:
        return [
            {
                "labels": {"alertname": ALERT, "severity": "critical", "priority": "P0", "system": system},
                "annotations": {"summary": f"a drill for {system}; nothing is wrong"},
                "startsAt": starts.isoformat(),
                "endsAt": ends.isoformat(),
            }
            for system in sorted(self._present(stack))
        ]

    def _states(self, stack: Stack) -> dict[str, str]:
        """State of the alert by system, as Alertmanager tells it; what has ended is not told."""
        answer = ask(f'{_api(stack)}/alerts?filter=alertname="{ALERT}"')
        alerts = (answer and answer.json()) or []
        return {alert["labels"]["system"]: alert["status"]["state"] for alert in alerts}


def _silence(now: datetime) -> dict[str, Any]:
    return {
        "matchers": [{"name": "alertname", "value": ALERT, "isRegex": False, "isEqual": True}],
        "startsAt": now.isoformat(),
        "endsAt": (now + _LASTS).isoformat(),
        "createdBy": "opsproof",
        "comment": "a drill",
    }


def _api(stack: Stack) -> str:
    return f"http://{stack.plan.address('alertmanager')}/api/v2"


def _answers(stack: Stack) -> bool:
    return ask(f"{_api(stack)}/status") is not None


def _post(stack: Stack, what: str, body: Any) -> Answer:
    url = f"{_api(stack)}/{what}"
    headers = {"Content-Type": "application/json"}
    answer = ask(url, method="POST", headers=headers, body=json.dumps(body).encode())
    if answer is None or answer.status != 200:
        raise StackError(
            f"Alertmanager did not take it: {answer.status if answer else 'no answer'}",
            where=f"POST {url}",
            next_step="see what else is broken: opsproof stack status",
        )
    return answer
