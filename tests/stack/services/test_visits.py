"""The users of a service: traffic from the first moment on, whatever the service does."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from reference_service import PATIENCE_SECONDS, eventually

from opsproof.stack.parts.service import CORE_PATH
from opsproof.stack.services.common.defects import DefectsFile
from opsproof.stack.services.common.settings import Settings, Variables
from opsproof.stack.services.common.users import AGENT, Users, Visit

VISITS = (Visit("/items?limit=1", weight=2), Visit("/items", "POST", {"name": "é"}, identity="anonymous"))


class Server:
    """Takes whole requests; answers them as it is told."""

    def __init__(self):
        self.requests = []
        self.answer = b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"
        self.hangs = False

    async def serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.rstrip().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        self.requests.append((first, headers, await reader.readexactly(int(headers["content-length"]))))
        if self.hangs:
            await asyncio.sleep(PATIENCE_SECONDS)
        writer.write(self.answer)
        writer.close()


@asynccontextmanager
async def users(tmp_path, *, per_second, visits=VISITS, ready=lambda: True):
    """A server, and its users."""
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    environment = {"DATABASE_URL": "postgresql://h/d", "REDIS_URL": "redis://h", "API_KEY": "the-key"}
    settings = Settings.read("toy", Variables(environment | {"USERS_PER_SECOND": str(per_second)}))

    async def is_ready():
        return ready()

    coming = Users(visits, port, settings, DefectsFile(tmp_path / "defects.json"), is_ready)
    coming.start()
    try:
        yield server
    finally:
        await coming.stop()
        listening.close()


async def until(condition):
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


def test_visits_come_in_turn_by_their_weight_and_say_who_they_are(tmp_path):
    """A share of errors over them must be the same in every run."""

    async def run():
        async with users(tmp_path, per_second=50) as server:
            await until(lambda: len(server.requests) >= 9)
            return server.requests[3:9]

    requests = asyncio.run(run())

    assert [first for first, _, _ in requests] == ["GET /items?limit=1 HTTP/1.1"] * 2 + ["POST /items HTTP/1.1"] + [
        "GET /items?limit=1 HTTP/1.1"
    ] * 2 + ["POST /items HTTP/1.1"]
    (_, reading, nothing), _, (_, posting, body) = requests[:3]
    assert {headers["user-agent"] for _, headers, _ in requests} == {AGENT}
    assert (reading["x-api-key"], nothing) == ("the-key", b"")
    assert "x-api-key" not in posting
    assert (posting["content-type"], json.loads(body)) == ("application/json", {"name": "é"})


def test_nobody_comes_before_the_service_is_ready(tmp_path):
    """What it answers while its database is being made would be counted as its errors."""
    asked = []

    async def run():
        async with users(
            tmp_path, per_second=50, ready=lambda: asked.append(len(server_of[0].requests)) or True
        ) as one:
            server_of.append(one)
            await until(lambda: one.requests)

    server_of = []
    asyncio.run(run())

    assert asked == [0]


def test_users_go_on_when_answers_are_errors_or_do_not_come(tmp_path):
    """A fault must show in the numbers, not end them."""

    async def run():
        async with users(tmp_path, per_second=50) as server:
            await until(lambda: len(server.requests) >= 5)
            server.answer = b"not http"
            await until(lambda: len(server.requests) >= 10)
            server.hangs = True
            await until(lambda: len(server.requests) >= 15)

    asyncio.run(run())


@pytest.mark.parametrize("visits", [VISITS, ()], ids=["no-users", "nothing-to-visit"])
def test_nobody_comes_where_none_are_wanted(tmp_path, visits):
    """Tests that count requests want to be alone."""

    async def run():
        async with users(tmp_path, per_second=0, visits=visits) as server:
            await asyncio.sleep(0.3)
            return server.requests

    assert asyncio.run(run()) == []


def test_a_defect_brings_more_of_them(tmp_path):
    """So that a share of errors shows within seconds."""

    async def run():
        async with users(tmp_path, per_second=0) as server:
            (tmp_path / "defects.json").write_text('{"users_per_second": 100}')
            await until(lambda: len(server.requests) >= 20)

    asyncio.run(run())


def test_a_running_service_has_users_without_anybodys_doing(service):
    """An indicator over no traffic knows nothing."""

    def visits():
        start = f'http_requests_total{{client="user",method="GET",path="{CORE_PATH[service.system]}",status="200"}} '
        lines = service.anybody.get("/metrics").text.splitlines()
        return sum(float(line.removeprefix(start)) for line in lines if line.startswith(start))

    before = visits()

    assert eventually(lambda: visits() > before)
