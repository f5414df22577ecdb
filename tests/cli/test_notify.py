"""`opsproof notify`: who is told what, and that nobody is called twice."""

import json
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from report_builders import a_failure, a_profile, a_run, an_observation, an_outcome

from opsproof.cli import main
from opsproof.cli.notified import FILE, State, notified
from opsproof.evidence.redaction import Redactor
from opsproof.judge.outcome import Outcome
from opsproof.report.folder import write_run

Command = Callable[..., tuple[int, str]]
SHOP = "shop/staging"
CHANNELS = {"P0": ["Slack #alerts", "PagerDuty", "SMS"], "P1": ["Slack #alerts", "PagerDuty"], "P2": ["Slack #alerts"]}
PROFILE = f"""\
system: shop
environment: staging
title: {{en: Web shop, ko: 웹 상점}}
policy:
  channels: {json.dumps(CHANNELS)}
  notify: {{"Slack #alerts": "${{SLACK:-}}", PagerDuty: "${{PAGER:-}}", SMS: "${{SMS:-}}"}}
"""


class Receiver:
    """A real HTTP server that takes what apprise's `json://` sends."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, int] = {}
        self.delay = 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                time.sleep(receiver.delay)
                receiver.taken.append((self.path, body))
                self.send_response(receiver.answers.get(self.path, 200))
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def address(self, path: str) -> str:
        return f"json://user:s3cretpass@127.0.0.1:{self.server.server_port}/{path}"

    @property
    def paths(self) -> list[str]:
        return sorted(path for path, _ in self.taken)


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """The channels' server, and a working folder with a profile that leads there."""
    receiver = Receiver()
    (tmp_path / "profiles/shop").mkdir(parents=True)
    (tmp_path / "profiles/shop/staging.yaml").write_text(PROFILE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for variable, path in (("SLACK", "slack"), ("PAGER", "pager"), ("SMS", "sms")):
        monkeypatch.setenv(variable, receiver.address(path))
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `opsproof notify ...` here; gives exit status and all that was printed."""

    def run(*words: str) -> tuple[int, str]:
        status = main(["notify", *words])
        output = capsys.readouterr()
        return status, output.out + output.err

    return run


def a_finding(priority: str, **changes: Any) -> Outcome:
    channels = tuple(CHANNELS[priority])
    return a_failure(
        f"indicators.n-{priority}", **{"profile": SHOP, "priority": priority, "channels": channels} | changes
    )


def a_folder(*outcomes: Outcome) -> Path:
    return write_run(a_run(outcomes, [a_profile(SHOP)]), [an_observation()], Path("reports/runs"), Redactor())


@pytest.mark.parametrize(
    ("priority", "paths", "kind"),
    [
        ("P0", ["/pager", "/slack", "/sms"], "failure"),
        ("P1", ["/pager", "/slack"], "failure"),
        ("P2", ["/slack"], "warning"),
    ],
)
def test_a_finding_goes_to_the_channels_of_its_priority(
    receiver: Receiver, command: Command, priority: str, paths: list[str], kind: str
) -> None:
    """P0 Slack, PagerDuty and SMS; P1 Slack and PagerDuty; P2 Slack (runbook 004)."""
    a_folder(a_finding(priority), an_outcome(profile=SHOP))

    status, output = command("--incident", "INC-42")

    assert (status, receiver.paths) == (0, paths)
    _, message = receiver.taken[0]
    assert message["type"] == kind
    assert message["title"] == f"[{priority}] {SHOP} INC-42: 1건"
    assert "revision 0006 in the database, head is 0007" in message["message"]
    assert "다음 조치: Run `alembic upgrade head`" in message["message"]
    assert output.count(": told\n") == len(paths)


def test_nobody_is_told_twice(receiver: Receiver, command: Command) -> None:
    """At most once for an incident and priority, however many runs there are; another incident is another message."""
    a_folder(a_finding("P1"))
    command("--incident", "INC-42")
    a_folder(a_finding("P1"))

    status, output = command("--incident", "INC-42")
    assert (status, len(receiver.taken)) == (0, 2)
    assert "Slack #alerts: told already, at 20" in output

    command("--incident", "INC-43")
    assert len(receiver.taken) == 4


def test_what_failed_is_sent_again_and_what_arrived_is_not(receiver: Receiver, command: Command) -> None:
    """A pager that answers 500 has called nobody."""
    a_folder(a_finding("P1"))
    receiver.answers["/pager"] = 500

    status, output = command("--incident", "INC-42")
    assert status == 1
    assert "PagerDuty: NOT told, it answered 500; run this again" in output

    receiver.answers.clear()
    assert command("--incident", "INC-42")[0] == 0
    assert receiver.paths == ["/pager", "/pager", "/slack"]


def test_a_server_that_is_away_counts_as_not_told(
    receiver: Receiver, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing of the address is shown."""
    monkeypatch.setenv("SLACK", "json://user:s3cretpass@127.0.0.1:1/slack")
    a_folder(a_finding("P2"))

    status, output = command()

    assert status == 1
    assert "Slack #alerts: NOT told, it could not be reached" in output
    assert "s3cretpass" not in output
    assert json.loads(Path("reports/runs", FILE).read_text(encoding="utf-8")) == {}


def test_a_dry_run_sends_and_writes_nothing(receiver: Receiver, command: Command) -> None:
    """It shows what would go where."""
    a_folder(a_finding("P0"))

    status, output = command("--incident", "INC-42", "--dry-run", "--lang", "en")

    assert (status, receiver.taken) == (0, [])
    assert output.startswith(f"[P0] {SHOP} INC-42: 1 finding\n- revision 0006")
    assert output.endswith("  would go to Slack #alerts\n  would go to PagerDuty\n  would go to SMS\n")
    assert not Path("reports/runs", FILE).exists()


def test_a_dry_run_says_what_was_sent_already(receiver: Receiver, command: Command) -> None:
    """Who asks what would be sent must not be told what would not."""
    a_folder(a_finding("P1"))
    receiver.answers["/pager"] = 500
    command("--incident", "INC-42")

    status, output = command("--incident", "INC-42", "--dry-run")

    assert (status, len(receiver.taken)) == (0, 2)
    assert "  Slack #alerts: told already, at 20" in output
    assert output.endswith("  would go to PagerDuty\n")


@pytest.mark.parametrize("of", [{"replay_of": "3f9a1c"}, {"resume_of": "3f9a1c"}], ids=["replay", "resume"])
def test_a_run_made_from_another_tells_nobody_again(receiver: Receiver, command: Command, of: dict[str, str]) -> None:
    """It is the same incident, also where nobody named it."""
    a_folder(a_finding("P1"))
    command()
    again = a_run([a_finding("P1")], [a_profile(SHOP)], id="77aa", **of)
    write_run(again, [an_observation()], Path("reports/runs"), Redactor())

    status, output = command()

    assert (status, len(receiver.taken)) == (0, 2)
    assert "PagerDuty: told already, at 20" in output


@pytest.mark.parametrize("incident", ["", " ", "INC 42", "../x", "INC-42\n"])
def test_an_odd_id_of_an_incident_is_refused(receiver: Receiver, command: Command, incident: str) -> None:
    """An empty variable would be an incident of its own, and call everybody again."""
    a_folder(a_finding("P1"))

    status, output = command("--incident", incident)

    assert (status, receiver.taken) == (1, [])
    assert f"{incident!r} cannot be the id of an incident\n  where: --incident\n" in output
    assert "for example INC-42" in output


def test_a_channel_without_an_address_is_told_as_such(
    receiver: Receiver, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are told all the same; the exit status says that somebody was not."""
    monkeypatch.delenv("SMS")
    a_folder(a_finding("P0"))

    status, output = command()

    assert (status, receiver.paths) == (1, ["/pager", "/slack"])
    assert "SMS: NOT told, it has no address here (policy.notify of the profile)" in output


def test_an_address_that_apprise_does_not_know_is_not_shown(
    receiver: Receiver, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a token that was put in the wrong variable."""
    monkeypatch.setenv("SLACK", "xoxb-very-secret")
    a_folder(a_finding("P2"))

    status, output = command()

    assert status == 1
    assert "its address is none that apprise knows" in output
    assert "very-secret" not in output


def test_addresses_are_written_nowhere(receiver: Receiver, command: Command) -> None:
    """Neither in the state nor in the run's folder nor on the terminal."""
    a_folder(a_finding("P0"))

    _, output = command("--incident", "INC-42")

    files = [path for path in Path("reports").rglob("*") if path.is_file()]
    assert files
    assert "s3cretpass" not in output
    assert [path for path in files if b"s3cretpass" in path.read_bytes()] == []


def test_a_message_that_was_cut_off_is_not_repeated_and_is_told(receiver: Receiver, command: Command) -> None:
    """Nobody knows whether it arrived; a person looks."""
    a_folder(a_finding("P2"))
    with notified(Path("reports/runs")) as ledger:
        ledger.claim(f"INC-42 / {SHOP} / P2 / Slack #alerts")

    status, output = command("--incident", "INC-42")

    assert (status, receiver.taken) == (1, [])
    assert "cut off while it was sent" in output


def notify(folder: str) -> None:
    import os

    os.chdir(folder)
    main(["notify", "--incident", "INC-42"])


def test_two_commands_at_once_send_one_message(receiver: Receiver, tmp_path: Path) -> None:
    """Two people answer the same alarm."""
    a_folder(a_finding("P1"))
    receiver.delay = 0.2
    processes = [multiprocessing.get_context("spawn").Process(target=notify, args=(str(tmp_path),)) for _ in range(3)]

    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert receiver.paths == ["/pager", "/slack"]
    with notified(Path("reports/runs")) as ledger:
        assert ledger.state(f"INC-42 / {SHOP} / P1 / PagerDuty") is State.SENT


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "null", '{"a": "sent"}', '{"a": {"state": "sent"}}', '{"a": {"state": "odd", "at": ""}}', "\xff"],
)
@pytest.mark.parametrize("how", [[], ["--dry-run"]], ids=["send", "dry-run"])
def test_a_state_that_cannot_be_read_sends_nothing(
    receiver: Receiver, command: Command, text: str, how: list[str]
) -> None:
    """Else a broken file would call everybody again; and it is left as it is."""
    a_folder(a_finding("P2"))
    Path("reports/runs", FILE).write_text(text, encoding="latin-1")

    status, output = command(*how)

    assert (status, receiver.taken) == (1, [])
    assert Path("reports/runs", FILE).read_text(encoding="latin-1") == text
    assert "what was told already cannot be read; nothing was sent" in output


def test_text_of_a_target_calls_nobody(receiver: Receiver, command: Command) -> None:
    """Chats act on what looks like a mention."""
    a_folder(a_finding("P2", message="<!channel> @here \x1b[31m look"))

    command()

    message = receiver.taken[0][1]["message"]
    assert "<!channel>" not in message
    assert "@here" not in message
    assert "\\x1b[31m look" in message


def test_a_run_without_findings_tells_nobody(receiver: Receiver, command: Command) -> None:
    """Nor one whose findings have no priority."""
    a_folder(an_outcome(profile=SHOP), a_failure(profile=SHOP))

    assert command() == (0, "nothing to tell: no finding of this run has a priority\n")


def test_an_address_belongs_to_a_channel(receiver: Receiver, command: Command) -> None:
    """A misspelt name would leave a channel without its address."""
    path = Path("profiles/shop/staging.yaml")
    path.write_text(PROFILE.replace("PagerDuty: ", "Pagerduty: "), encoding="utf-8")
    a_folder(a_finding("P1"))

    status, output = command()

    assert status == 1
    assert "`notify` names Pagerduty, and `channels` has PagerDuty, SMS, Slack #alerts" in output


@pytest.mark.parametrize("service", ["slack", "pagerduty"])
def test_slack_and_pagerduty_are_sent_what_they_understand(
    receiver: Receiver, command: Command, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    """Their addresses are changed to a server of ours, which answers as they do; all else is apprise's own."""
    server = f"http://127.0.0.1:{receiver.server.server_port}/{service}"
    if service == "slack":
        from apprise.plugins.slack import NotifySlack

        monkeypatch.setattr(NotifySlack, "webhook_url", server)
        monkeypatch.setenv("SLACK", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7/alerts")
    else:
        from apprise.plugins import pagerduty

        monkeypatch.setitem(pagerduty.PAGERDUTY_API_LOOKUP, pagerduty.PagerDutyRegion.US, server)
        monkeypatch.setenv("SLACK", f"pagerduty://{'k' * 32}@{'a' * 20}/source/component")
        receiver.answers[f"/{service}"] = 202
    a_folder(a_finding("P1", channels=("Slack #alerts",)))

    status, _ = command("--incident", "INC-42")

    assert status == 0
    path, body = receiver.taken[0]
    assert path.startswith(f"/{service}")
    assert service == "slack" or body["payload"]["severity"] == "critical"
    assert f"[P1] {SHOP} INC-42" in json.dumps(body, ensure_ascii=False)
    assert "revision 0006" in json.dumps(body, ensure_ascii=False)
