"""The probe of a Loki server: the logs of many processes, asked by LogQL."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_plus, urlencode

from typing_extensions import override

from opsproof.errors import BadAnswer, NoData, NotObserved
from opsproof.evidence.observer import Observer
from opsproof.probes.fields import has_value
from opsproof.probes.http.probe import HttpProbe
from opsproof.probes.logfile import LogLines
from opsproof.profile.scalars import duration_text
from opsproof.profile.targets import LokiTarget

_MOST_LINES = 1000
_POLL_SECONDS = 0.2
_LOOK_BACK_SECONDS = 3600
_PLAIN = re.compile(r"[\w.: -]+", re.ASCII)
_SELECTOR = re.compile(r'\{(?:[^"`}]|"(?:[^"\\]|\\.)*"|`[^`]*`)*\}')


class Lines(list[str]):
    """
    Log lines, oldest first.

    Attributes:
        cut: True if there are older ones that the limit left out.
    """

    cut: bool = False


class LokiProbe(HttpProbe):
    """Asks a Loki server by its HTTP API (https://grafana.com/docs/loki/latest/reference/loki-http-api/)."""

    def __init__(self, name: str, target: LokiTarget, observer: Observer) -> None:
        super().__init__(name, target, observer)
        self._selector = target.selector
        self._headers = {"X-Scope-OrgID": target.tenant} if target.tenant else {}

    async def find(self, fields: Mapping[str, Any], *, within: float = 5.0, fresh: bool = False) -> LogLines:
        """
        The lines of the last hour that have all these fields with these values, as `LogFileProbe.find`.

        Args:
            fields: Values by dotted name: `{"request_id": "...", "http.status": 404}`.
            within: Seconds that a line may take to arrive.
            fresh: True to look even if this sweep has looked for it before.

        Returns:
            The lines, oldest first; none if there is none when the time is up.

        Raises:
            NoData: It is not among the newest 1000 lines that may hold these values, and there are more.
            NotObserved: There is no answer; says why.
        """
        query = self._selector + _narrowing(fields.values())
        until = time.monotonic() + within
        while True:
            lines = await self.lines(query, window=_LOOK_BACK_SECONDS, fresh=fresh)
            found = _matching(lines, fields)
            if found:
                return found
            if self.replays or time.monotonic() >= until:
                break
            await asyncio.sleep(_POLL_SECONDS)
            fresh = True
        if lines.cut:
            raise NoData(
                f"not among the newest {_MOST_LINES} lines; there are older ones in this hour that were not read",
                where=self.observer.where(query),
                next_step="Ask for it by hand with more text, or narrow the selector of the target.",
                target=self.name,
            )
        return found

    async def lines(self, query: str, *, window: float, limit: int = _MOST_LINES, fresh: bool = False) -> Lines:
        """
        The newest lines that a LogQL log query selects.

        Args:
            query: A LogQL log query.
            window: Seconds to look back.
            limit: How many lines at most. (Loki's own default of 100 would hide the rest silently; more than its
                `max_entries_limit_per_query`, 5000 by default, it refuses.)
            fresh: True to ask even if this sweep has asked it before.

        Raises:
            NotObserved: There is no answer; says why.
        """
        # One more than wanted tells whether there are more.
        asked = {"query": query, "since": duration_text(window), "limit": limit + 1, "direction": "backward"}
        data = await self._data(f"/loki/api/v1/query_range?{urlencode(asked)}", query, fresh=fresh)
        streams = self._result(data, "streams", "log lines were expected: this is no log query", query)
        try:
            found = sorted((int(at), line) for stream in streams for at, line, *_ in stream["values"])
        except (KeyError, TypeError, ValueError):
            raise self._bad("streams of an unknown form where log lines were expected", query) from None
        lines = Lines(line for _, line in found[-limit:])
        lines.cut = len(found) > limit
        return lines

    async def count(self, query: str, *, window: float) -> int:
        """
        How many lines a LogQL log query selects.

        Args:
            query: A LogQL log query.
            window: Seconds to look back.

        Raises:
            NoData: No stream is there that the query asks: its labels, or what ships the logs, are wrong.
            NotObserved: There is no answer; says why.
        """
        counting = f"sum(count_over_time({query}[{duration_text(window)}]))"
        data = await self._data(f"/loki/api/v1/query?{urlencode({'query': counting})}", counting)
        vector = self._result(data, "vector", "a count was expected", counting)
        if vector:
            try:
                return int(float(vector[0]["value"][1]))
            except (KeyError, IndexError, TypeError, ValueError, OverflowError):
                raise self._bad("a vector of an unknown form where a count was expected", counting) from None
        match = _SELECTOR.search(query)
        selector = match[0] if match else query
        since = duration_text(max(window, _LOOK_BACK_SECONDS))
        path = f"/loki/api/v1/series?{urlencode({'match[]': selector, 'since': since})}"
        if await self._data(path, selector):
            return 0
        raise NoData(
            f"no log stream of the last {since} matches {selector}: nothing can be told from its silence",
            where=self.observer.where(counting),
            next_step="Compare the labels with those that the shipper of the logs gives; see whether it runs.",
            target=self.name,
        )

    @override
    def _shown(self, path: str) -> str:
        return unquote_plus(path)

    async def _data(self, path: str, question: str, *, fresh: bool = False) -> Any:
        answer = await self.get(path, headers=self._headers, fresh=fresh)
        if not answer.ok:
            # Loki tells errors as plain text.
            said = " ".join(answer.text.split())[:300]
            raise self._bad(f"{answer.status_line}: {said or 'no reason given'}", question)
        found = answer.json()
        if not isinstance(found, dict) or found.get("status") != "success":
            raise self._bad(f"{answer.status_line} without the API's envelope: this is no Loki", question)
        return found.get("data")

    def _result(self, data: Any, kind: str, expected: str, question: str) -> list[Any]:
        given = data.get("resultType") if isinstance(data, dict) else None
        if given != kind:
            raise self._bad(f"{given or 'data of an unknown form'} where {expected}", question)
        result = data.get("result")
        if not isinstance(result, list):
            raise self._bad(f"{kind} of an unknown form where {expected}", question)
        return result

    def _bad(self, what: str, question: str) -> NotObserved:
        return BadAnswer(
            self.observer.redactor.text(what),
            where=self.observer.where(question),
            next_step="Ask it by hand (logcli, or the curl line of the report), and correct the query or the url.",
            target=self.name,
        )


def _narrowing(values: Iterable[Any]) -> str:
    """Line filters for the values' longest stretches that every writer of JSON writes as they are."""
    runs = [_PLAIN.findall(value) for value in values if isinstance(value, str)]
    return "".join(f' |= "{max(found, key=len)}"' for found in runs if found)


def _matching(lines: list[str], fields: Mapping[str, Any]) -> LogLines:
    found = LogLines()
    for text in lines:
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            line = None
        if not isinstance(line, dict):
            found.unparsed += 1
        elif all(has_value(line, name, value) for name, value in fields.items()):
            found.append(line)
    return found
