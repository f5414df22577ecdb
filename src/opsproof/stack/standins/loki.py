"""
`python -m opsproof.stack.standins.loki --port N --directory STACK`: a stand-in of Loki at the wire.

It answers the documented paths query_range, query, series and labels from the log files of a stack. It stores nothing,
knows no tenants and takes no logs by push; of LogQL it knows what `logql` names.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from opsproof.profile.scalars import seconds
from opsproof.stack.standins.logql import CountQuery, LogQuery, ParseError, parse
from opsproof.stack.standins.streams import Streams

_NS = 1_000_000_000
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_DEFAULT_LIMIT = 100
_DEFAULT_SINCE = "1h"


def build_app(streams: Streams) -> Starlette:
    """The application that answers from these streams."""

    def answers(data_of: Callable[[Streams, Request], Any]) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            try:
                return JSONResponse({"status": "success", "data": data_of(streams, request)})
            except ParseError as exc:
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
    if isinstance(query, CountQuery):
        raise ParseError("this stand-in of Loki gives no metric over a range; ask /loki/api/v1/query")
    all_streams = streams.now()  # before the stretch's end is known: a line without a time is from its reading
    start, end = _stretch(request)
    limit = _whole(request.query_params.get("limit", str(_DEFAULT_LIMIT)))
    backward = request.query_params.get("direction", "backward") == "backward"
    found = [
        (at, line, number)
        for number, stream in enumerate(all_streams)
        if query.selects(stream.labels)
        for at, line in stream.between(start, end)
        if query.passes(line)
    ]
    found = sorted(found, reverse=backward)[:limit]
    result = [
        {"stream": stream.labels, "values": values}
        for number, stream in enumerate(all_streams)
        if (values := [[str(at), line] for at, line, its in found if its == number])
    ]
    return {"resultType": "streams", "result": result, "stats": {}}


def _query(streams: Streams, request: Request) -> dict[str, Any]:
    query = parse(_parameter(request, "query"))
    if isinstance(query, LogQuery):
        raise ParseError("log queries are not supported as an instant query type: ask /loki/api/v1/query_range")
    all_streams = streams.now()
    end = _moment(request.query_params["time"]) if "time" in request.query_params else time.time_ns()
    counts = [
        (stream.labels, sum(query.log.passes(line) for _, line in stream.between(end - int(query.window * _NS), end)))
        for stream in all_streams
        if query.log.selects(stream.labels)
    ]
    counted = [(labels, count) for labels, count in counts if count]  # as Loki: a stream without lines has no count
    if query.summed and counted:
        counted = [({}, sum(count for _, count in counted))]
    vector = [{"metric": labels, "value": [end / _NS, str(count)]} for labels, count in counted]
    return {"resultType": "vector", "result": vector, "stats": {}}


def _series(streams: Streams, request: Request) -> list[dict[str, str]]:
    queries = [parse(text) for text in request.query_params.getlist("match[]")]
    start, end = _stretch(request)
    return [
        stream.labels
        for stream in streams.now()
        if any(isinstance(query, LogQuery) and query.selects(stream.labels) for query in queries)
        and any(True for _ in stream.between(start, end))
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
