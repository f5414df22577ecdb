"""The stack starts, is found, and is gone without a trace."""

import socket
import stat
from pathlib import Path
from urllib.parse import urlsplit

import jwt
import psycopg
import pytest
import redis
from lifetimes import nothing_left, owner, python, started

from opsproof.errors import StackError
from opsproof.stack import Stack, ports
from opsproof.stack.ask import ask
from opsproof.stack.names import prefix_of
from opsproof.stack.parts import ALL, SYSTEMS
from opsproof.stack.parts.valkey import Valkey
from opsproof.stack.process import belonging_to

PARTS = """
    prometheus alertmanager loki postgres valkey ingest-api evaluation-api evaluation-worker storebridge-api
    storebridge-worker factory-ai-api ops-assistant-api ops-assistant-external ingest-edge
"""


def test_every_part_of_a_started_stack_answers_and_a_stopped_one_leaves_nothing(place):
    """Ready must mean ready, and a laptop must not fill with leftovers."""
    lines = []

    with Stack.start(progress=lines.append) as stack:
        variables, directory = stack.variables, stack.directory
        assert stack.missing() == {}
        assert {part.name: part.state for part in stack.parts()} == dict.fromkeys(PARTS.split(), "running")
        assert {line.split()[0] for line in lines} == {*(part.name for part in stack.parts()), "migrations"}
        for system in map(prefix_of, ALL):
            assert ask(f"{variables[f'{system}_URL']}/health/ready").status == 200
            with psycopg.connect(variables[f"{system}_DATABASE_URL"]) as connection:
                assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
            with redis.Redis.from_url(variables[f"{system}_REDIS_URL"]) as client:
                assert client.ping()
            port = urlsplit(variables[f"{system}_URL"]).port
            pid = Path(variables[f"{system}_PID_FILE"]).read_text().strip()
            assert f"--port\0{port}\0".encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
            assert Path(variables[f"{system}_MIGRATIONS"]).is_dir()

    assert nothing_left(directory)


def test_credentials_are_random_private_and_strong(place):
    """Two stacks share no secret, nobody else on the machine can read one, and a wrong password is refused."""
    with Stack.start(["ingest"]) as first, Stack.start(["ingest"]) as second:
        one, other = first.variables, second.variables
        same = {"INGEST_MIGRATIONS", "INGEST_METRICS_KIND", "ALERTS_ABSENT", "INGEST_EDGE_ABSENT"}
        assert {name for name in one if one[name] == other[name]} == same
        assert len(first.plan.secrets["ingest.jwt"].encode()) >= 32
        assert jwt.decode(one["INGEST_ADMIN_TOKEN"], first.plan.secrets["ingest.jwt"], ["HS256"])["role"] == "admin"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(one["INGEST_DATABASE_URL"].replace(first.plan.secrets["ingest.database"], "wrong"))
        closed = [first.directory / name for name in ("postgres", "prometheus", "alertmanager")]
        for path in first.directory.rglob("*"):
            if not any(folder in path.parents for folder in closed):
                assert stat.S_IMODE(path.stat().st_mode) & 0o066 == 0, path
        assert {stat.S_IMODE(folder.stat().st_mode) for folder in closed} == {0o700}


def test_two_stacks_run_side_by_side(place):
    """A gate in one terminal must not disturb a training session in another."""
    with Stack.start(["ingest"]) as first:
        with Stack.start(["ingest"]) as second:
            assert not set(first.plan.ports.values()) & set(second.plan.ports.values())
            gone = second.directory
        assert nothing_left(gone)
        assert first.missing() == {}


def test_another_process_finds_the_stack_by_name_and_can_stop_it(place):
    """`opsproof stack up` in one terminal, the gate in another."""
    with owner(place, ["ingest"], "training") as process:
        told = started(process)
        stack = Stack.attach("training")
        assert stack is not None
        assert stack.variables == told["variables"]
        assert Stack.attach() is None
        with pytest.raises(StackError, match="a stack named training is running already"):
            Stack.start(["ingest"], name="training")
        assert stack.missing() == {}

        stack.stop()

        assert nothing_left(stack.directory)
        assert Stack.attach("training") is None


def test_only_one_of_two_that_start_under_one_name_at_once_gets_it(place):
    """The loser is told so, and the winner is not disturbed."""
    with owner(place, ["ingest"], "same") as first, owner(place, ["ingest"], "same", stderr=-3) as second:
        outcomes = {}
        for process in (first, second):
            try:
                outcomes[process] = started(process)
            except AssertionError:
                outcomes[process] = None
        assert sorted(outcome is None for outcome in outcomes.values()) == [False, True]
        assert Stack.attach("same").missing() == {}


def test_a_name_that_is_no_name_is_refused(place):
    """It becomes a folder: nothing outside the folder of all stacks may be touched."""
    with pytest.raises(StackError, match="cannot be named"):
        Stack.start(["ingest"], name="../elsewhere")


def test_an_unknown_system_is_refused_with_those_that_there_are(place):
    """Nothing is started for a typing mistake."""
    with pytest.raises(StackError, match="ingest, evaluation"):
        Stack.start(["ingst"])


def test_a_process_that_forgets_to_stop_its_stack_stops_it_when_it_ends(place):
    """A script that raises must not leave a database behind."""
    done = python(
        place, "from opsproof.stack import Stack; print(Stack.start(['ingest']).directory); raise SystemExit(3)"
    )

    assert done.returncode == 3

    assert nothing_left(Path(done.stdout.strip()))


def test_a_port_taken_by_somebody_else_is_replaced(place, monkeypatch):
    """Between choosing a port and listening on it another program may take it."""
    choose, lines = ports.free_ports, []
    with socket.socket() as squatter:
        squatter.bind((ports.HOST, 0))
        squatter.listen()
        taken = squatter.getsockname()[1]
        answers = [{"valkey": taken}]
        monkeypatch.setitem(SYSTEMS, "toy", (Valkey(),))
        monkeypatch.setattr(ports, "free_ports", lambda *wanted: choose(*wanted) | (answers.pop() if answers else {}))

        with Stack.start(["toy"], progress=lines.append) as stack:
            assert stack.plan.ports["valkey"] != taken
            assert stack.missing() == {}

    assert any("starting again with other ports" in line for line in lines)
    assert not belonging_to(stack.directory)
