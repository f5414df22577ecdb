"""Starlette under uvicorn: with the limit that Starlette itself has (LIMIT), or with none."""

import json
import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def take(request: Request) -> PlainTextResponse:
    """Read a JSON body, and keep nothing of it."""
    body = await request.body()
    if request.headers.get("content-type") != "application/json":
        return PlainTextResponse("send JSON", 415)
    try:
        json.loads(body)
    except ValueError:
        return PlainTextResponse("this is no JSON", 400)
    return PlainTextResponse(f"{len(body)} bytes", 201)


async def here(request: Request) -> PlainTextResponse:
    """A normal request."""
    return PlainTextResponse("here")


app = Starlette(
    routes=[Route("/items", take, methods=["POST"]), Route("/here", here)],
    max_body_size=int(os.environ["LIMIT"]) if "LIMIT" in os.environ else None,
)
