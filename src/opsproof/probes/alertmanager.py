"""The probe of an Alertmanager: which alerts fire, and which of them are silenced."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_plus, urlencode

from typing_extensions import override

from opsproof.errors import BadAnswer, NoData, NotObserved
from opsproof.probes.http.probe import HttpProbe


@dataclass(frozen=True)
class Alert:
    """
    One alert that fires.

    Attributes:
        name: Its `alertname`; nothing for an alert without one.
        labels: All its labels.
        annotations: What it says to people.
        state: active, suppressed or unprocessed.
        silenced_by: Ids of the silences that hold it back.
        inhibited_by: Fingerprints of the alerts that hold it back.
        starts_at: Since when it fires, ISO 8601.
    """

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    state: str
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]
    starts_at: str


@dataclass(frozen=True)
class Silence:
    """
    A silence: who wants to hear nothing of some alerts, why, and how long.

    Attributes:
        state: active, pending or expired.
        created_by: Who made it.
        comment: Why.
        ends_at: Until when it holds them back, ISO 8601.
    """

    id: str
    state: str
    created_by: str
    comment: str
    ends_at: str


class AlertmanagerProbe(HttpProbe):
    """Asks an Alertmanager by its API v2 (https://github.com/prometheus/alertmanager, api/v2/openapi.yaml)."""

    async def alerts(self, *, match: Mapping[str, str], silenced: bool = False) -> list[Alert]:
        """
        The alerts that fire.

        Args:
            match: Labels that they have.
            silenced: True for those too that a silence or another alert holds back: they fire nonetheless.

        Raises:
            BadAnswer: Something else than an Alertmanager answered.
            NotObserved: There is no answer; says why.
        """
        held_back = json.dumps(silenced)
        query = [("active", "true"), ("silenced", held_back), ("inhibited", held_back), ("unprocessed", "true")]
        query += [("filter", f"{name}={json.dumps(value, ensure_ascii=False)}") for name, value in match.items()]
        path = f"/api/v2/alerts?{urlencode(query)}"
        answer = await self.get(path)
        if not answer.ok:
            raise self._bad(f"{answer.status_line} where a list of alerts was expected", path)
        try:
            return [_alert(one) for one in _list(answer.json())]
        except (KeyError, TypeError, AttributeError):
            raise self._bad(f"{answer.status_line} with something else than a list of alerts", path) from None

    async def silence(self, identity: str) -> Silence:
        """
        A silence.

        Args:
            identity: Its id, as in `Alert.silenced_by`.

        Raises:
            NoData: There is no such silence.
            BadAnswer: Something else than an Alertmanager answered.
            NotObserved: There is no answer; says why.
        """
        path = f"/api/v2/silence/{quote(identity, safe='')}"
        answer = await self.get(path)
        if answer.status == 404:
            raise NoData(
                f"{answer.status_line}: there is no silence {identity}, or no Alertmanager",
                where=self.observer.where(f"GET {path}"),
                next_step="Read the alerts again: an Alertmanager forgets a silence some days after its end.",
                target=self.name,
            )
        if not answer.ok:
            raise self._bad(f"{answer.status_line} where a silence was expected", path)
        found = answer.json()
        try:
            return Silence(found["id"], found["status"]["state"], found["createdBy"], found["comment"], found["endsAt"])
        except (KeyError, TypeError):
            raise self._bad(f"{answer.status_line} with something else than a silence", path) from None

    @override
    def _shown(self, path: str) -> str:
        return unquote_plus(path)

    def _bad(self, what: str, path: str) -> NotObserved:
        next_step = "See by hand what answers there; the target's url may be another service's."
        return BadAnswer(what, where=self.observer.where(f"GET {path}"), next_step=next_step, target=self.name)


def _alert(found: Mapping[str, Any]) -> Alert:
    status = found["status"]
    return Alert(
        name=found["labels"].get("alertname", ""),
        labels=found["labels"],
        annotations=found.get("annotations", {}),
        state=status["state"],
        silenced_by=tuple(status["silencedBy"]),
        inhibited_by=tuple(status["inhibitedBy"]),
        starts_at=found["startsAt"],
    )


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value
