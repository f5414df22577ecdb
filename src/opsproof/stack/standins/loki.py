"""
`python -m opsproof.stack.standins.loki --port N --directory STACK`: a stand-in of Loki at the wire.

It answers the documented paths query_range, query, series and labels from the log files of a stack
(https://grafana.com/docs/loki/latest/reference/loki-http-api/). It stores nothing, knows no tenants, takes no logs by
push and gives no metrics over a range; of LogQL it knows what `logql` names. It keeps the newest 50,000 lines of each
file and refuses what it has forgotten.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from opsproof.profile.scalars import seconds
from opsproof.stack.standins.logql import ParseError, parse
from opsproof.stack.standins.pipeline import LogQuery, MetricQuery, failed
from opsproof.stack.standins.streams import Streams, TooFarBack

_NS = 1_000_000_000
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_DEFAULT_LIMIT = 100
_DEFAULT_SINCE = "1h"


def build_app(streams: Streams) -> Starlette:
    """The application that answers from these streams."""

    def answers(data_of: Callable[[Streams, Request], Any]) -> Callable[[Request], Awaitable[Response]]:
        # A coroutine: one request at a time, in one thread. Two that read on in a file at once would take lines twice.
        async def endpoint(request: Request) -> Response:
            try:
                return JSONResponse({"status": "success", "data": data_of(streams, request)})
            except (ParseError, TooFarBack) as exc:
                return PlainTextResponse(str(exc), status_code=400)

        return endpoint

    return Starlette(
        routes=[
            Route("/ready", lambda request: PlainTextResponse("ready\n")),
            Route("/loki/api/v1/query_range", answers(_query_range)),
            Route("/loki/api/v1/query", answers(_query)),
            Route("/loki/api/v1/series", answers(_series)),
            Route("/loki/api/v1/labels", answers(_labels)),
        ]
    )


def _query_range(streams: Streams, request: Request) -> dict[str, Any]:
    query = parse(_parameter(request, "query"))
    if isinstance(query, MetricQuery):
        raise ParseError("this stand-in of Loki gives no metric over a range; ask /loki/api/v1/query")
    backward = _backward(request)
    limit = _whole(request.query_params.get("limit", str(_DEFAULT_LIMIT)))
    all_streams = streams.now()  # before the stretch's end is known: a line without a time is from its reading
    start, end = _stretch(request)
    found = [
        (at, line, labels)
        for stream in all_streams
        if query.selects(stream.labels)
        for at, line in stream.between(start, end)
        if (labels := query.labels_of(line, stream.labels)) is not None
    ]
    found = sorted(found, key=lambda one: one[0], reverse=backward)[:limit]
    result: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    for at, line, labels in found:
        stream = result.setdefault(tuple(sorted(labels.items())), {"stream": labels, "values": []})
        stream["values"].append([str(at), line])
    return {"resultType": "streams", "result": list(result.values()), "stats": {}}


def _query(streams: Streams, request: Request) -> dict[str, Any]:
    query = parse(_parameter(request, "query"))
    if isinstance(query, LogQuery):
        raise ParseError("log queries are not supported as an instant query type, please change your query to a range")
    all_streams = streams.now()
    end = _moment(request.query_params["time"]) if "time" in request.query_params else time.time_ns()
    counts: Counter[tuple[tuple[str, str], ...]] = Counter()  # as Loki: what has no line has no count, not even 0
    for stream in all_streams:
        if query.log.selects(stream.labels):
            for _, line in stream.between(end - int(query.window * _NS), end):
                labels = query.log.labels_of(line, stream.labels)
                if labels is not None:
                    if error := failed(labels):
                        raise ParseError(error)
                    counts[tuple(sorted(query.group(labels).items()))] += 1
    vector = [{"metric": dict(by), "value": [end / _NS, query.number(count)]} for by, count in counts.items()]
    return {"resultType": "vector", "result": vector, "stats": {}}


def _series(streams: Streams, request: Request) -> list[dict[str, str]]:
    asked = request.query_params.getlist("match[]")
    if not asked:
        raise ParseError("0 matcher groups supplied")
    queries = [parse(text) for text in asked]
    start, end = _stretch(request)
    return [
        stream.labels
        for stream in streams.now()
        if any(isinstance(query, LogQuery) and query.selects(stream.labels) for query in queries)
        and any(start <= at < end for at, _ in stream.lines)
    ]


def _labels(streams: Streams, request: Request) -> list[str]:
    return sorted({name for stream in streams.now() for name in stream.labels})


def _stretch(request: Request) -> tuple[int, int]:
    """Begin and end that a request asks for, in nanoseconds."""
    given = request.query_params
    end = _moment(given["end"]) if "end" in given else time.time_ns() + 1
    if "start" in given:
        return _moment(given["start"]), end
    try:
        return end - int(seconds(given.get("since", _DEFAULT_SINCE)) * _NS), end
    except ValueError as exc:
        raise ParseError(f"since: {exc}") from None


def _moment(text: str) -> int:
    """A time in nanoseconds, in seconds with a fraction, or as RFC 3339."""
    if text.isdecimal() and len(text) > len("9999999999"):
        return int(text)
    try:
        return int((float(text) if _NUMBER.fullmatch(text) else datetime.fromisoformat(text).timestamp()) * _NS)
    except ValueError:
        raise ParseError(f"could not parse the time {text!r}") from None


def _backward(request: Request) -> bool:
    direction = request.query_params.get("direction", "backward").lower()
    if direction not in ("backward", "forward"):
        raise ParseError(f"invalid direction {direction!r}")
    return direction == "backward"


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise ParseError("limit must be a positive value")
    return int(text)


def _parameter(request: Request, name: str) -> str:
    if not request.query_params.get(name):
        raise ParseError(f"parse error: the parameter {name} is missing")
    return request.query_params[name]


def main() -> None:
    """Serve until a signal ends the process."""
    import uvicorn

    parser = argparse.ArgumentParser(prog="loki", description="A stand-in of Loki over the log files of a stack.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    arguments = parser.parse_args()
    app = build_app(Streams(arguments.directory))
    config = uvicorn.Config(app, host="127.0.0.1", port=arguments.port, log_level="warning", access_log=False)
    asyncio.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main()
