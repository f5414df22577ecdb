"""The probe of a Loki server: the logs of many processes, asked by LogQL."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
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
            The lines, oldest first, 1000 at most; none if there is none when the time is up.

        Raises:
            NotObserved: There is no answer; says why.
        """
        texts = [value for value in fields.values() if isinstance(value, str)]
        query = self._selector + "".join(f" |= {json.dumps(text, ensure_ascii=False)}" for text in texts)
        until = time.monotonic() + within
        while True:
            found = _matching(await self.lines(query, window=_LOOK_BACK_SECONDS, fresh=fresh), fields)
            if found or self.replays or time.monotonic() >= until:
                return found
            await asyncio.sleep(_POLL_SECONDS)
            fresh = True

    async def lines(self, query: str, *, window: float, limit: int = _MOST_LINES, fresh: bool = False) -> list[str]:
        """
        The newest lines that a LogQL log query selects, oldest first.

        Args:
            query: A LogQL log query.
            window: Seconds to look back.
            limit: How many lines at most. (Loki's own default of 100 would hide the rest silently.)
            fresh: True to ask even if this sweep has asked it before.

        Raises:
            NotObserved: There is no answer; says why.
        """
        asked = {"query": query, "since": duration_text(window), "limit": limit, "direction": "backward"}
        data = await self._data(f"/loki/api/v1/query_range?{urlencode(asked)}", query, fresh=fresh)
        if data["resultType"] != "streams":
            raise self._bad(f"a {data['resultType']} where log lines were expected: this is no log query", query)
        found = [(int(at), line) for stream in data["result"] for at, line in stream["values"]]
        return [line for _, line in sorted(found)]

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
        if data["resultType"] != "vector":
            raise self._bad(f"a {data['resultType']} where a count was expected", counting)
        if data["result"]:
            return int(float(data["result"][0]["value"][1]))
        selector = query[: query.index("}") + 1] if "}" in query else query
        streams = await self._data(f"/loki/api/v1/series?{urlencode({'match[]': selector, 'since': '1h'})}", selector)
        if streams:
            return 0
        raise NoData(
            f"no log stream of the last hour matches {selector}: nothing can be told from its silence",
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
        if not isinstance(found, dict) or found.get("status") != "success" or "data" not in found:
            raise self._bad(f"{answer.status_line} without the API's envelope: this is no Loki", question)
        return found["data"]

    def _bad(self, what: str, question: str) -> NotObserved:
        return BadAnswer(
            self.observer.redactor.text(what),
            where=self.observer.where(question),
            next_step="Ask it by hand (logcli, or the curl line of the report), and correct the query or the url.",
            target=self.name,
        )


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
