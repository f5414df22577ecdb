"""`opsproof canary serve`: what Argo Rollouts and Flagger are told, by real HTTP."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import jsonschema
import pytest
from canary_builders import (
    a_canary_run,
    a_canary_with_little_traffic,
    a_healthy_canary,
    a_refused_canary,
    a_sick_canary,
    an_interrupted_canary,
)
from report_builders import a_run
from verdict_server import HOUR, PROFILE, Build, Served, payload, serving

from opsproof.cli import main
from opsproof.evidence.redaction import Redactor
from opsproof.report.folder import write_run
from opsproof.report.schema import verdict_schema


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as server:
        yield server


ANSWERS = [
    (a_healthy_canary, "promote"),
    (a_sick_canary, "rollback"),
    (a_canary_with_little_traffic, "inconclusive"),
    (a_refused_canary, "inconclusive"),
    (an_interrupted_canary, "inconclusive"),
]


@pytest.mark.parametrize(("build", "answer"), ANSWERS)
def test_the_verdict_is_told_as_the_run_wrote_it(served: Served, build: Build, answer: str) -> None:
    folder = served.run(build)

    told = served.verdict()

    assert (told.status_code, told.headers["content-type"]) == (200, "application/json")
    assert told.json() == json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    assert told.json()["answer"] == answer
    jsonschema.validate(told.json(), json.loads(verdict_schema()))


@pytest.mark.parametrize(("build", "answer"), ANSWERS)
@pytest.mark.parametrize("wanted", ["promote", "rollback"])
def test_the_gate_opens_for_the_answer_that_is_asked_for_alone(
    served: Served, build: Build, answer: str, wanted: str
) -> None:
    served.run(build)

    told = served.gate(answer=wanted)

    assert told.status_code == (200 if answer == wanted else 403)
    assert told.json()["answer"] == answer
    assert told.json()["reason"]


def test_the_gate_asks_for_a_promotion_unless_it_is_told_otherwise(served: Served) -> None:
    served.run(a_sick_canary)

    assert served.gate().status_code == 403


def nothing(served: Served) -> None:
    """No run at all."""


def another_profile(served: Served) -> None:
    served.run(a_healthy_canary, profile="factory-ai/staging")


def a_longer_name(served: Served) -> None:
    served.run(a_healthy_canary, profile=f"{PROFILE}-2")


def too_old(served: Served) -> None:
    served.run(a_healthy_canary, ago=HOUR + 60)


def of_tomorrow(served: Served) -> None:
    served.run(a_healthy_canary, ago=-HOUR)


def a_replay(served: Served) -> None:
    served.run(a_healthy_canary, replay_of="69812d89")


def cut(served: Served) -> None:
    file = served.run(a_healthy_canary) / "verdict.json"
    file.write_bytes(file.read_bytes()[:-200])


def of_a_newer_opsproof(served: Served) -> None:
    file = served.run(a_healthy_canary) / "verdict.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"schema_version": 1', '"schema_version": 2'))


def not_written(served: Served) -> None:
    """The disk was full, or it is about to be written: run.json is there first."""
    (served.run(a_healthy_canary) / "verdict.json").unlink()


def a_better_one_before(served: Served) -> None:
    served.run(a_healthy_canary, ago=600)
    (served.run(a_sick_canary) / "verdict.json").unlink()


def an_unreadable_one_after(served: Served) -> None:
    served.run(a_healthy_canary, ago=600)
    cut(served)


def no_folder(served: Served) -> None:
    served.run(a_healthy_canary)
    shutil.rmtree(served.reports)


def by_a_link_alone(served: Served) -> None:
    """`latest` may point anywhere; a verdict must be in a run's own folder."""
    folder = served.run(a_healthy_canary)
    folder.rename(served.reports / "kept")
    (served.reports / folder.name).symlink_to("kept")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (nothing, f"no run has watched a canary of {PROFILE}"),
        (another_profile, f"no run has watched a canary of {PROFILE}"),
        (a_longer_name, f"no run has watched a canary of {PROFILE}"),
        (too_old, "ended 61 min ago; a verdict holds for 1h"),
        (of_tomorrow, "the clocks differ"),
        (a_replay, f"no run has watched a canary of {PROFILE}"),
        (cut, "cannot be read"),
        (of_a_newer_opsproof, "cannot be read"),
        (not_written, "its verdict is not written"),
        (a_better_one_before, "its verdict is not written"),
        (an_unreadable_one_after, "cannot be read"),
        (no_folder, "the folder of the runs cannot be read: No such file or directory"),
        (by_a_link_alone, f"no run has watched a canary of {PROFILE}"),
    ],
)
def test_without_a_verdict_nobody_promotes_and_nobody_rolls_back(
    served: Served, make: Callable[[Served], None], reason: str
) -> None:
    """What is missing, old or broken is told with why; an older verdict that was better is never taken for it."""
    make(served)

    verdict = served.verdict()
    assert (verdict.status_code, verdict.json()["answer"]) == (404, "inconclusive")
    assert reason in verdict.json()["reason"]
    for wanted in ("promote", "rollback"):
        gate = served.gate(answer=wanted)
        assert gate.status_code == 403
        assert reason in gate.json()["reason"]


def test_the_newest_run_counts(served: Served) -> None:
    served.run(a_sick_canary, ago=1800)
    served.run(a_healthy_canary, ago=60)
    assert served.verdict().json()["answer"] == "promote"

    served.run(a_canary_with_little_traffic, ago=5)
    assert served.verdict().json()["answer"] == "inconclusive"


def test_runs_without_a_canary_change_nothing(served: Served) -> None:
    """A smoke gate, a replay of a better day, and a folder that is no run."""
    served.run(a_sick_canary)
    write_run(a_run(started=datetime.now(UTC), id="smoke"), (), served.reports, Redactor())
    served.run(a_healthy_canary, ago=1, replay_of="69812d89")
    (served.reports / "journals").mkdir()
    (served.reports / "29991231T235959Z-dead").mkdir()

    assert [served.verdict().json()["answer"] for _ in range(2)] == ["rollback", "rollback"]


def test_of_a_run_with_several_canaries_each_profile_has_its_own_answer(served: Served) -> None:
    """The file's answer is the gravest one, and the other profile's trouble rolls nothing back here."""
    ended = datetime.now(UTC)
    facts = [
        a_healthy_canary(profile=PROFILE, ended=ended, started=ended),
        a_sick_canary(profile="ingest/production", ended=ended, started=ended),
    ]
    write_run(a_canary_run(*facts).model_copy(update={"started": ended}), (), served.reports, Redactor())

    mine, other = served.verdict().json(), served.verdict(profile="ingest/production").json()

    assert (mine["answer"], mine["exit_status"], len(mine["canaries"])) == ("promote", 0, 1)
    assert (other["answer"], other["exit_status"], other["canaries"][0]["profile"]) == (
        "rollback",
        1,
        "ingest/production",
    )


def test_the_verdict_on_another_version_is_none(served: Served) -> None:
    """The release before this one was promoted half an hour ago; that says nothing of this one."""
    served.run(a_healthy_canary)

    assert served.verdict(version="2.1.0").status_code == 200
    assert served.gate(version="2.1.0").status_code == 200
    other = served.verdict(version="2.2.0")
    assert other.status_code == 404
    assert other.json()["reason"].endswith("watched version 2.1.0, not 2.2.0")
    assert served.gate(version="2.2.0").status_code == 403


def test_a_verdict_that_does_not_say_its_version_is_none_for_who_asks_for_one(served: Served) -> None:
    served.run(lambda **changes: a_healthy_canary(**changes, versions={}))

    assert served.verdict().status_code == 200
    told = served.verdict(version="2.1.0")
    assert told.status_code == 404
    assert "does not say which version it watched; name it in the profile's labels" in told.json()["reason"]


@pytest.mark.parametrize(
    ("query", "status", "reason"),
    [
        ("", 400, "no profile is named"),
        ("?profile=", 400, "profile is empty"),
        (f"?profile={PROFILE}&version=", 400, "version is empty"),
        (f"?profile={PROFILE}&profile=a/b", 400, "profile: expected profile and version, each once"),
        (f"?profile={PROFILE}&fresh=9h", 400, "fresh: expected profile and version, each once"),
        ("?" + "&".join(f"a{number}=1" for number in range(30)), 400, "expected"),
        ("?profile=../../../etc/passwd", 404, "no run has watched a canary of ../../../etc/passwd"),
        ("?profile=%2e%2e%2f%00", 404, "no run has watched"),
    ],
)
def test_a_wrong_question_gets_a_clear_answer(served: Served, query: str, status: int, reason: str) -> None:
    """An unset variable must not turn the demand for a version off, and a misspelt key must not be passed over."""
    served.run(a_healthy_canary)

    told = served.client.get(f"/verdict{query}")

    assert told.status_code == status
    assert told.json()["answer"] == "inconclusive"
    assert reason in told.json()["reason"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/latest/run.json", 404),
        ("GET", "/verdict/", 404),
        ("GET", "/gate", 405),
        ("POST", "/verdict", 405),
        ("PUT", "/gate", 501),
        ("DELETE", "/verdict", 501),
    ],
)
def test_nothing_else_is_served(served: Served, method: str, path: str, status: int) -> None:
    served.run(a_healthy_canary)

    told = served.client.request(method, path)

    assert told.status_code == status
    assert told.json()["answer"] == "inconclusive"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is no JSON"),
        (b"{", "the body is no JSON"),
        (b"[" * 60000, "the body is no JSON"),
        (b"\xff\xfe\xfa", "the body is no JSON"),
        (b"[]", "expected Flagger's payload"),
        (b'{"metadata": "factory-ai/production"}', "expected Flagger's payload"),
        (b'{"name": "judgment-service"}', "expected Flagger's payload"),
        (b'{"metadata": {}}', "no profile is named"),
        (b'{"metadata": {"profile": 1}}', "profile is empty: expected a text"),
        (json.dumps(payload(version="")).encode(), "version is empty"),
        (json.dumps(payload(answer="inconclusive")).encode(), "metadata.answer: expected one of promote, rollback"),
    ],
)
def test_a_wrong_payload_never_opens_the_gate(served: Served, body: bytes, reason: str) -> None:
    served.run(a_healthy_canary)

    told = served.client.post("/gate", content=body, headers={"Content-Length": str(len(body))})

    assert told.status_code == 400
    assert reason in told.json()["reason"]


def test_a_body_without_end_is_not_read(served: Served) -> None:
    address = (served.client.base_url.host, served.client.base_url.port or 0)
    with socket.create_connection(address, timeout=5) as one:
        one.sendall(b"POST /gate HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n{")
        assert one.recv(100).startswith(b"HTTP/1.0 413 ")
    assert served.client.post("/gate", content=iter([b"x"])).status_code == 411


def test_who_asks_half_and_goes_does_not_end_it(served: Served) -> None:
    served.run(a_healthy_canary)
    address = (served.client.base_url.host, served.client.base_url.port or 0)
    for half in (b"", b"GET /verd", b"\x16\x03\x01\x02\x00", b"POST /gate HTTP/1.1\r\nContent-Length: 50\r\n\r\n{"):
        with socket.create_connection(address) as one:
            one.sendall(half)

    assert served.verdict().status_code == 200


def test_what_is_asked_cannot_write_lines_of_its_own_into_the_log(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    served.client.get("/verdict", params={"profile": "a\n2026 10.0.0.1 promoted\x1b[2J"})

    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "\x1b" not in "".join(lines)
    assert r"a\n2026 10.0.0.1 promoted\x1b[2J" in lines[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_ended(tmp_path: Path, number: signal.Signals) -> None:
    words = [sys.executable, "-m", "opsproof", "canary", "serve", "--reports", str(tmp_path), "--port", "0"]
    words[1:3] = ["-c", "import sys; from opsproof.cli import main; sys.exit(main())"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith(f"verdicts of {tmp_path}, fresh for 1h: http://127.0.0.1:")
        told = httpx.get(line.split()[-1], params={"profile": PROFILE}, trust_env=False)
        process.send_signal(number)
        rest, errors = process.communicate(timeout=30)

    assert (told.status_code, process.returncode, rest) == (404, 0, "ended\n")
    assert errors.splitlines()[0].endswith(f"no run has watched a canary of {PROFILE}")
    assert list(tmp_path.iterdir()) == []


def test_it_says_why_it_cannot_begin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["canary", "serve", "--reports", str(tmp_path / "none")]) == 1
    assert "there is no such folder" in capsys.readouterr().err

    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert main(["canary", "serve", "--reports", str(tmp_path), "--port", port]) == 1
    assert f"cannot listen: Address already in use\n  where: --host 127.0.0.1 --port {port}" in capsys.readouterr().err
    assert main(["canary", "serve", "--reports", str(tmp_path), "--host", "192.0.2.1"]) == 1
    assert "cannot listen" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--port", "70000"], "expected a port from 0 to 65535, not '70000'"),
        (["--port", "http"], "expected a port from 0 to 65535, not 'http'"),
        (["--fresh-for", "soon"], "expected a duration such as 250ms, 5s, 2m or 12h, not 'soon'"),
        (["--fresh-for", "0"], "with 0 no verdict would ever be fresh"),
    ],
)
def test_wrong_options_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["canary", "serve", "--reports", str(tmp_path), *words])

    assert raised.value.code == 2
    assert told in capsys.readouterr().err
