"""What only a person can see: unattended it is unknown, a no fails, a yes passes as long as it counts."""

import fcntl
import json
import os
import pty
import re
import subprocess
import sys
import termios
import time
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from answering import AnsweringServer
from checkout import PATIENCE, Checkout, Finished, Running

CHECK = """
@each(entry="attested")
async def test_attested(entry, attester):
    answer = await attester.ask(entry)

    assert answer.answer == "yes", answer.words
"""
ITEMS = """
attested:
  alerts-over:
    title: {en: Alerts are over, ko: 알림 해소 확인}
    ask: {en: "Are all alerts over?", ko: 알림이 모두 해소되었습니까?}
    runbook: [ING-022]
    markers: [recovery]
    next_step: {en: Open what still calls people., ko: 아직 호출되는 알림을 연다.}
    valid_for: 4h
  told:
    title: {en: Users were told, ko: 공지 확인}
    ask: {en: "Were the users told?", ko: 사용자에게 공지했습니까?}
    runbook: [ING-033]
    markers: [recovery]
    next_step: {en: Tell them., ko: 공지한다.}
"""
ID = "attested.alerts-over[demo/local]"


@pytest.fixture
def people(checkout: Checkout) -> Checkout:
    """The checkout asks two things of a person, and one of its API."""
    checkout.checks(CHECK, "checks/attested/test_attested.py")
    checkout.checks("""
        pytestmark = pytest.mark.recovery

        @runbook()
        async def test_good(api):
            assert (await api.get("/good")).field("status") == "healthy"
    """)
    checkout.profile(ITEMS)
    return checkout


def answers(checkout: Checkout, text: str = "", *, at: datetime | None = None, **given: str) -> str:
    """The option that gives a file of answers: the text, or a yes or no for each entry."""
    when = (at or datetime.now(UTC)).isoformat()
    entries = [f'{key}: {{answer: {word}, by: kim, at: "{when}", note: seen}}' for key, word in given.items()]
    return f"--attest={checkout.write('answers.yaml', text or chr(10).join(entries) + chr(10))}"


def both(checkout: Checkout, one: str, other: str, at: datetime | None = None) -> str:
    return answers(checkout, at=at, **{"alerts-over": one, "told": other})


def template(checkout: Checkout) -> "subprocess.CompletedProcess[str]":
    """What `opsproof attest template` prints for demo/local."""
    command = [sys.executable, "-c", "from opsproof.cli import main; raise SystemExit(main())"]
    return subprocess.run(
        [*command, "attest", "template", "--profile", "demo/local"],
        cwd=checkout.root,
        env=checkout.environment | {"OPSPROOF_OPERATOR": "kim"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_unattended_it_is_unknown_and_the_run_is_inconclusive(people: Checkout) -> None:
    """Nobody looked; the machine's green does not cover that. Each question stands for itself, under no root cause."""
    done = people.run("-m", "recovery", "--lang=en")

    assert done.told == {"alerts-over": "unknown: not attested", "told": "unknown: not attested", "good": "passed"}
    assert (done.status, done.word, done.agrees()) == (6, "INCONCLUSIVE", True)
    assert done.run.root_causes == ()
    outcome = done.outcomes["alerts-over"]
    assert (outcome.message, outcome.attested) == ("nobody has answered: Are all alerts over?", None)
    assert "opsproof attest template --profile demo/local" in outcome.next_step
    assert "COULD NOT BE MEASURED SEV-2  attested.alerts-over[demo/local]" in done.block


def test_a_yes_passes_and_says_whose_word_it_is_everywhere(people: Checkout) -> None:
    """The reader of the post-mortem asks who said so, and when."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)

    done = people.run("-m", "recovery", "--lang=en", both(people, "yes", "yes", at))

    assert (done.status, done.told["alerts-over"], done.agrees()) == (0, "passed", True)
    fact = done.outcomes["alerts-over"].attested
    assert fact is not None
    assert (fact.by, fact.at, fact.note) == ("kim", at, "seen")
    words = f"kim, {at:%Y-%m-%d %H:%M} UTC: seen"
    assert f"confirmed  {ID}: Alerts are over: {words}" in done.block
    assert done.folder is not None
    assert f"Alerts are over: {words}" in (done.folder / "summary.md").read_text("utf-8")
    properties = {
        (case.get("name"), one.get("name")): one.get("value")
        for case in ET.parse(done.folder / "junit.xml").iter("testcase")
        for one in case.iter("property")
    }
    assert properties["alerts-over[demo/local]", "attested"] == words
    results = [json.loads(path.read_text("utf-8")) for path in (done.folder / "allure-results").glob("*-result.json")]
    assert any(f"**Confirmed by:** {words}" in result["description"] for result in results)
    asked = {line["question"]: line for line in done.evidence if line["target"] == "person"}
    assert asked["attested.alerts-over: Are all alerts over?"]["answer"]["by"] == "kim"


def test_a_no_fails_with_the_next_step_of_the_item(people: Checkout) -> None:
    """A person who sees that it is not over is evidence as good as any probe's."""
    done = people.run("-m", "recovery", "--lang=ko", both(people, "no", "yes"))

    outcome = done.outcomes["alerts-over"]
    assert (done.status, done.word, done.told["alerts-over"]) == (1, "FAIL", "failed: target wrong")
    assert outcome.message.startswith("no, by kim at ")
    assert (outcome.title, outcome.next_step) == ("알림 해소 확인", "아직 호출되는 알림을 연다.")
    assert outcome.attested is not None


@pytest.mark.parametrize(
    ("age", "words"),
    [
        pytest.param(timedelta(hours=5), "it was 5 h 0 min old when the check looked, and counts for 4h", id="too-old"),
        pytest.param(timedelta(hours=-2), "it is dated after the check itself", id="from-the-future"),
    ],
)
def test_an_answer_out_of_its_time_does_not_count(people: Checkout, age: timedelta, words: str) -> None:
    """Yesterday's all-clear, or one for an hour that has not come, is nobody's word on now."""
    done = people.run("-m", "recovery", "--lang=en", both(people, "yes", "yes", datetime.now(UTC) - age))

    outcome = done.outcomes["alerts-over"]
    assert (done.status, done.told["alerts-over"], outcome.attested) == (6, "unknown: not attested", None)
    assert outcome.message.startswith("the answer (yes, by kim at ")
    assert words in outcome.message


def test_later_is_no_answer(people: Checkout) -> None:
    """What `opsproof attest template` prints is valid as it is, and confirms nothing."""
    printed = template(people).stdout

    nothing = people.run("-m", "recovery", answers(people, printed))
    one = people.run("-m", "recovery", answers(people, printed.replace("answer: later", "answer: yes", 1)))

    assert (
        "# 알림이 모두 해소되었습니까?\n# Are all alerts over?\n# runbook ING-022; an answer counts for 4h" in printed
    )
    assert nothing.told["alerts-over"] == nothing.told["told"] == "unknown: not attested"
    assert (one.told["alerts-over"], one.told["told"]) == ("passed", "unknown: not attested")
    assert one.outcomes["alerts-over"].attested.by == "kim"


def test_a_profile_of_which_nobody_need_confirm_anything_has_no_template(people: Checkout) -> None:
    """An empty file would be taken for a complete one."""
    people.profile()
    done = template(people)

    assert done.returncode == 1
    assert "demo/local has nothing that a person must confirm" in done.stderr


ENTRY = "{answer: yes, by: kim, at: 2026-11-20T03:10+09:00}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"alerts-ovr: {ENTRY}\n", "1: alerts-ovr: no attested check has this id; did you mean `alerts-over`?"),
        (f'"attested.tld[demo/local]": {ENTRY}\n', "did you mean `attested.told[demo/local]`?"),
        (f'"told[demo/lcal]": {ENTRY}\n', "no profile has this name; did you mean `demo/local`?"),
        (
            f"told: {ENTRY}\nattested.told: {ENTRY}\n",
            "2: attested.told: answers attested.told[demo/local] a second time",
        ),
        ("told:\n  answer: yes\n  by: kim\n  at: 2026-11-20T03:10\n", "4: told.at: expected a time with its zone"),
        ("told:\n  answer: yes\n  by: kim\n  at: 1763600000\n", "4: told.at: expected a time with its zone"),
        ("told:\n  answer: yes\n  by: kim\n  at: 2026-11-20\n", "4: told.at: expected a time with its zone"),
        ("told:\n  anser: yes\n", "2: told.anser: unknown key; did you mean `answer`?"),
        ("told:\n  answer: ja\n", "2: told.answer: expected one of: 'yes', 'no' or 'later'"),
        ("told: yes\n", "1: told: expected a mapping (keys with values)"),
        ("- told\n", "1: expected a mapping (keys with values)"),
        ("", "the file is empty"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_line_and_key(people: Checkout, text: str, words: str) -> None:
    """An answer that is silently not read leaves the operator waiting for a green that cannot come."""
    file = people.write("answers.yaml", text)

    done = people.run(f"--attest={file}")

    assert (done.status, done.folder) == (4, None)
    assert words in done.text
    assert "answers.yaml" in done.text
    assert "Traceback" not in done.text


def test_an_answer_is_for_one_profile(people: Checkout, server: AnsweringServer) -> None:
    """What is over in staging is not over in production; what is for a profile of another run is left out."""
    people.profile(ITEMS, name="demo/other")

    unclear = people.run("--profile=demo/other", answers(people, told="yes"))
    clear = people.run("--profile=demo/other", "-k", "told", answers(people, **{'"told[demo/other]"': "yes"}))
    beside = people.run("-k", "told", answers(people, **{'"told[demo/other]"': "yes"}))
    typo = people.run("-k", "told", answers(people, **{'"tld[demo/other]"': "yes"}))

    assert unclear.status == 4
    assert "several profiles of this run have it" in unclear.text
    assert "write one of: attested.told[demo/local], attested.told[demo/other]" in unclear.text.replace(
        "Write", "write"
    )
    assert clear.told == {
        "attested.told[demo/local]": "unknown: not attested",
        "attested.told[demo/other]": "passed",
    }
    assert beside.told == {"told": "unknown: not attested"}
    assert (typo.status, "did you mean `attested.told[demo/other]`?" in typo.text) == (4, True)


def test_a_replay_has_the_answer_that_counted_then(people: Checkout) -> None:
    """A day later the answer is as old as the run; in the other language it is the same question."""
    at = datetime.now(UTC) - timedelta(hours=3, minutes=59, seconds=30)
    before = people.run("-m", "recovery", "--lang=en", both(people, "yes", "no", at))
    again = people.run(f"--replay={before.folder}", "-m", "recovery", "--lang=ko")
    people.profile(ITEMS.replace("valid_for: 4h", "valid_for: 239m"))

    shorter = people.run(f"--replay={before.folder}", "-m", "recovery", "--lang=ko")
    refused = people.run(f"--replay={before.folder}", both(people, "yes", "yes"))

    assert before.told == {"alerts-over": "passed", "told": "failed: target wrong", "good": "passed"}
    assert again.told == before.told
    assert again.outcomes["alerts-over"].attested == before.outcomes["alerts-over"].attested
    assert shorter.told["told"] == "failed: target wrong"
    assert shorter.told["alerts-over"] == "unknown: not attested"  # today's limit, the run's own time
    assert (refused.status, "--attest and --replay exclude each other" in refused.text) == (4, True)


def test_what_a_person_writes_is_redacted_and_shown_as_text(people: Checkout) -> None:
    """A mail address or a token in a note stays out of every file, and no note is markup."""
    secret = "mail kim@example.com, password=hunter2hunter2, <b>|x|</b> [y](http://z)"
    entry = json.dumps({"answer": "yes", "by": "kim", "at": datetime.now(UTC).isoformat(), "note": secret})

    done = people.run("-m", "recovery", "-k", "told", answers(people, f"told: {entry}\n"))

    assert done.folder is not None
    written = [path.read_text("utf-8") for path in done.folder.rglob("*") if path.is_file()]
    assert [text for text in (*written, done.text) if "kim@example.com" in text or "hunter2" in text] == []
    assert r"\<b>&#124;x" in (done.folder / "summary.md").read_text("utf-8")


def test_a_wrong_release_hides_no_question_to_a_person(people: Checkout, server: AnsweringServer) -> None:
    """Who is still called does not depend on what the API says about itself."""
    people.profile(ITEMS + "release: {path: /version}\n")

    done = people.run("-m", "recovery", "--expect-version=9", both(people, "yes", "no"))

    assert done.told["told"] == "failed: target wrong"
    assert done.told["alerts-over"] == "passed"


def test_the_workers_of_xdist_read_the_same_file(people: Checkout) -> None:
    """A fleet is answered for by file."""
    done = people.run("-n", "2", "-m", "recovery", both(people, "yes", "no"))

    assert (done.status, done.told["alerts-over"], done.told["told"]) == (1, "passed", "failed: target wrong")


class Terminal:
    """A run at a pseudo-terminal, and the person before it."""

    def __init__(self, checkout: Checkout, *args: str, env: dict[str, str] | None = None) -> None:
        self._master, slave = pty.openpty()
        self.text = ""
        self._seen = 0
        clean = {"CI": "", "BUILD_NUMBER": "", "TERM": "dumb", "OPSPROOF_OPERATOR": "", "LOGNAME": "night-shift"}
        self._running: Running = checkout.start(
            *args,
            env=clean | (env or {}),
            **dict.fromkeys(("stdin", "stdout", "stderr"), slave),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C comes from it
        )
        os.close(slave)
        os.set_blocking(self._master, False)

    def expect(self, text: str) -> None:
        """Read until something is shown that was not there at the last call."""
        end = time.monotonic() + PATIENCE
        while text not in self.text[self._seen :]:
            assert time.monotonic() < end, f"{text!r} never came; it said:\n{self.text}"
            assert self._read(), f"it ended before {text!r}; it said:\n{self.text}"
        self._seen = self.text.index(text, self._seen) + len(text)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def finish(self) -> Finished:
        while self._read():
            pass
        os.close(self._master)
        ended = self._running.finish()
        return Finished(ended.status, re.sub("\r\n", "\n", self.text), ended.folder)

    def _read(self) -> bool:
        """False at the end of the run."""
        try:
            self.text += os.read(self._master, 65536).decode(errors="replace")
        except BlockingIOError:
            time.sleep(0.02)
        except OSError:
            return False
        return True


def test_a_person_at_the_terminal_is_asked_before_the_checks(people: Checkout) -> None:
    """Question, row, name and note; the answer has the time at which it was typed."""
    before = datetime.now(UTC)
    terminal = Terminal(people, "-m", "recovery", "--lang=en")

    terminal.expect("Only a person can see this; 2 to answer before the checks begin.")
    terminal.expect("1/2  Alerts are over  (demo/local)")
    terminal.expect("Are all alerts over?")
    terminal.expect("runbook ING-022; an answer counts for 4h")
    terminal.expect("[y/n/L]: ")
    terminal.type("what\n")
    terminal.expect("please type y, n or l")
    terminal.type("Y\n")
    terminal.expect("your name [night-shift]: ")
    terminal.type("이순신\n")
    terminal.expect("note (what you saw; may be empty): ")
    terminal.type("호출기 조용함\n")
    terminal.expect("2/2  Users were told")
    terminal.expect("[y/n/L]: ")
    terminal.type("n\n")
    terminal.expect("your name [이순신]: ")
    terminal.type("\n")
    terminal.expect("note")
    terminal.type("\n")
    done = terminal.finish()

    first, second = done.outcomes["alerts-over"], done.outcomes["told"]
    assert (done.status, str(first.status), str(second.status)) == (1, "passed", "failed")
    assert first.attested is not None
    assert second.attested is not None
    assert (first.attested.by, first.attested.note) == ("이순신", "호출기 조용함")
    assert before <= first.attested.at <= second.attested.at <= datetime.now(UTC)
    assert second.attested.by == "이순신"
    assert done.text.index("your name") < done.text.index("checks/attested/test_attested.py")


def test_later_and_ctrl_c_leave_it_unknown_and_the_checks_run(people: Checkout) -> None:
    """Who does not know yet, or does not want to be asked, still gets all that can be measured."""
    terminal = Terminal(people, "-m", "recovery", "--lang=en")
    terminal.expect("[y/n/L]: ")
    terminal.type("\n")
    terminal.expect("2/2")
    terminal.expect("[y/n/L]: ")
    terminal.type("\x03")
    terminal.expect("left unanswered; these checks stay unknown")
    done = terminal.finish()

    assert done.told == {"alerts-over": "unknown: not attested", "told": "unknown: not attested", "good": "passed"}
    assert (done.status, done.word) == (6, "INCONCLUSIVE")


def test_only_what_is_wanting_is_asked_with_the_previous_answer(people: Checkout) -> None:
    """What the file says is not asked again; what it said too long ago is shown."""
    old = (datetime.now(UTC) - timedelta(hours=6)).replace(microsecond=0)
    given = f'told: {{answer: yes, by: lee, at: "{datetime.now(UTC).isoformat()}"}}\n'
    given += f'alerts-over: {{answer: no, by: kim, at: "{old.isoformat()}", note: two pages}}\n'
    terminal = Terminal(people, "-m", "recovery", "--lang=ko", answers(people, given))

    terminal.expect("1건에 답해 주세요")
    terminal.expect("알림이 모두 해소되었습니까?")
    terminal.expect(f"이전 답변: no, by kim at {old:%Y-%m-%d %H:%M} UTC: two pages")
    terminal.expect("[y/n/L]: ")
    terminal.type("ㅛ\n")
    terminal.expect("이름 [night-shift]: ")
    terminal.type("\n")
    terminal.expect("메모")
    terminal.type("\n")
    done = terminal.finish()

    assert (done.status, done.told["alerts-over"], done.told["told"]) == (0, "passed", "passed")


def test_a_resumed_run_shows_what_was_answered_then_and_asks_no_fresh_yes_again(people: Checkout) -> None:
    """Who comes back after an hour sees what they said, and need not say again what still counts."""
    before = people.run("-m", "recovery", both(people, "no", "yes"))
    terminal = Terminal(people, "-m", "recovery", "--lang=en", f"--resume={before.folder}")

    terminal.expect("1 to answer before the checks begin")
    terminal.expect("Are all alerts over?")
    terminal.expect("previous answer: no, by kim at ")
    terminal.expect("UTC: seen")
    terminal.expect("[y/n/L]: ")
    terminal.type("y\n\n\n")
    done = terminal.finish()

    assert (done.status, done.told) == (0, {"alerts-over": "passed", "told": "passed", "good": "passed"})
    assert {name for name, outcome in done.outcomes.items() if outcome.taken_over} == {"told", "good"}
    assert done.outcomes["alerts-over"].attested.by == "night-shift"


@pytest.mark.parametrize(
    ("args", "env"),
    [
        pytest.param((), {"CI": "true"}, id="ci"),
        pytest.param(("-n", "1"), {}, id="xdist"),
        pytest.param(("--collect-only", "-q"), {}, id="collect-only"),
    ],
)
def test_nobody_is_asked_where_nobody_waits(people: Checkout, args: tuple[str, ...], env: dict[str, str]) -> None:
    """A pipeline that waits for a person waits for its time-out."""
    terminal = Terminal(people, "-m", "recovery", "--lang=en", *args, env=env)
    done = terminal.finish()

    assert "Only a person can see this" not in done.text
    assert done.status == (0 if args[:1] == ("--collect-only",) else 6)


@pytest.mark.parametrize("args", [("-s",), ("--capture=sys",), ("-q",), ("-p", "no:terminal")])
def test_it_is_asked_however_pytest_captures(people: Checkout, args: tuple[str, ...]) -> None:
    """The question reaches the person and the answer the check; what a check prints stays captured as before."""
    people.checks("""
        pytestmark = pytest.mark.recovery

        @runbook()
        def test_printing(api):
            print("printed by the check")
            assert api.get("/good").ok
            assert sys.stdin.isatty() is ("-s" in sys.argv)
    """)
    terminal = Terminal(people, "-m", "recovery", "--lang=en", "-k", "told or printing", *args)
    terminal.expect("Were the users told?")
    terminal.expect("[y/n/L]: ")
    terminal.type("y\nkim\nall of them\n")
    done = terminal.finish()

    assert (done.status, done.told["told"], done.told["printing"]) == (0, "passed", "passed")
    assert ("printed by the check" in done.text) is (args == ("-s",))
