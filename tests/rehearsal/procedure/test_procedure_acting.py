"""opsproof itself, the profile's own command, or the operator; whatever it was, it is evidence."""

import asyncio
import json
import sys
import threading

import pytest

from opsproof.errors import NoData, NotAttested, PreconditionMissing, StackError, TimedOut
from opsproof.evidence.recorder import Recorder, recording
from opsproof.profile.rehearsals import Rehearsals
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.procedure.acting import Actor, until_well

TOKEN = "very-secret-token-4711"


class Acting:
    """An actor, what it said, who acted, and the evidence."""

    def __init__(self, folder, own=None, secrets=None, **commands):
        rehearsals = Rehearsals.model_validate(
            {"scenarios": {}, "commands": commands, "secrets": secrets or {}},
        )
        self.said, self.who = [], []
        self.asking = Asking.alone("acting")
        self.asking.observer.redactor.add((secrets or {}).values())
        self.folder = folder
        self.actor = Actor(rehearsals, own or {}, self.asking, self.said.append, folder, self.who.append)
        self.recorder = Recorder(check="x", may_write=True)

    def run(self, what):
        async def recorded():
            recording.set(self.recorder)
            return await what

        return asyncio.run(recorded())

    def act(self, action="promote", seconds=60.0):
        return self.run(self.actor.act(action, "promote the standby", seconds=seconds))

    @property
    def evidence(self):
        return json.dumps([one.to_json() for one in self.recorder.observations])


def python(code):
    return [sys.executable, "-c", code]


def test_opsproof_acts_where_it_has_the_means(tmp_path):
    """Also where the profile has a command: an environment of its own needs none."""
    acting = Acting(tmp_path, own={"promote": lambda: "promoted"}, promote=python("raise SystemExit(1)"))

    acting.act()

    assert acting.who == ["opsproof"]
    assert "promoted" in acting.evidence
    assert not acting.said


def test_what_opsproof_could_not_do_is_no_broken_check(tmp_path):
    """A service that does not start is what a rehearsal is to find."""

    def act():
        raise StackError("service-dr ended", where="its log", next_step="read it")

    with pytest.raises(PreconditionMissing, match="service-dr ended"):
        Acting(tmp_path, own={"promote": act}).act()


def test_the_profiles_command_is_run_and_what_it_says_is_evidence(tmp_path):
    """`promote: [patronictl, ...]`."""
    acting = Acting(tmp_path, promote=python("print('promoted, timeline 2')"))

    acting.act()

    assert acting.who == ["command"]
    assert "promoted, timeline 2" in acting.evidence
    assert acting.recorder.observations[0].question == "do: promote"


def test_a_command_that_fails_is_told_with_its_status_and_last_words(tmp_path):
    """An exit status that nobody reads hides a promotion that did not happen."""
    acting = Acting(tmp_path, promote=python("import sys; print('no leader', file=sys.stderr); sys.exit(3)"))

    with pytest.raises(PreconditionMissing, match="status 3: no leader"):
        acting.act()
    assert "no leader" in acting.evidence


def test_a_program_that_is_not_there_is_told(tmp_path):
    """Found out in the plan's rehearsal, and not in the disaster."""
    with pytest.raises(PreconditionMissing, match="there is no program no-such-patronictl"):
        Acting(tmp_path, promote=["no-such-patronictl"]).act()


def test_a_program_that_may_not_be_run_is_told(tmp_path):
    """A script that lost its x bit."""
    script = tmp_path / "promote.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o644)

    with pytest.raises(PreconditionMissing, match=r"promote\.sh"):
        Acting(tmp_path, promote=[str(script)]).act()


def test_a_command_that_does_not_end_is_killed(tmp_path):
    """A rehearsal that hangs in a prompt measures nothing."""
    beat = tmp_path / "pid"
    code = f"import os, time; open({str(beat)!r}, 'w').write(str(os.getpid())); time.sleep(600)"

    with pytest.raises(TimedOut, match="did not end within 3 s"):
        Acting(tmp_path, promote=python(code)).act(seconds=3)
    assert beat.exists()


def test_a_command_waits_for_no_one_at_the_keyboard(tmp_path):
    """Its standard input has ended."""
    acting = Acting(tmp_path, promote=python("import sys; print('read', len(sys.stdin.read()))"))

    acting.act()

    assert "read 0" in acting.evidence


def test_secrets_are_in_the_commands_environment_and_never_in_evidence(tmp_path):
    """Not even where the command prints them, or fails with them."""
    code = "import os, sys; print(os.environ['PATRONI_TOKEN']); sys.exit(int(os.environ['STATUS']))"
    for status in ("0", "1"):
        secrets = {"PATRONI_TOKEN": TOKEN, "STATUS": status}
        acting = Acting(tmp_path, secrets=secrets, promote=python(code))
        acting.asking.observer.redactor.add([TOKEN])
        words = ""
        try:
            acting.act()
        except PreconditionMissing as exc:
            words = str(exc)
        assert acting.recorder.observations
        assert TOKEN not in acting.evidence + words


def test_the_operator_is_told_what_to_do_now(tmp_path):
    """In one line, with how long it is looked for."""
    acting = Acting(tmp_path)

    acting.act(seconds=1800.0)

    assert acting.who == ["operator"]
    assert acting.said == ["NOW, by hand: promote the standby (it is verified every 2 s, for 30 min)"]
    assert "told the operator: promote" in acting.evidence


def test_the_operator_confirms_with_their_name(tmp_path):
    """What nothing else can show is attested."""
    acting = Acting(tmp_path)
    later = threading.Timer(0.5, (tmp_path / "declare.txt").write_text, ["Kim Minji\nsecond line\n"])
    later.start()

    who = acting.run(acting.actor.confirmed("declare", seconds=60))

    assert who == "Kim Minji"
    assert f"echo NAME > {tmp_path / 'declare.txt'}" in acting.said[0]
    assert "Kim Minji" in acting.evidence


def test_an_empty_confirmation_is_none(tmp_path):
    """`touch` is no name."""
    (tmp_path / "declare.txt").write_text(" \n")
    acting = Acting(tmp_path)

    with pytest.raises(NotAttested, match="nobody confirmed it") as told:
        acting.run(acting.actor.confirmed("declare", seconds=0.5))
    assert "declare.txt" in told.value.next_step


def test_it_is_verified_until_it_is_well():
    """What cannot be seen yet counts as wrong, and not as an end."""
    answers = iter([["wrong"], NoData("nothing", where="", next_step=""), []])

    async def verify():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert asyncio.run(until_well(verify, seconds=60, patient=False)) == []


def test_the_last_words_are_kept_when_the_time_is_over():
    """The next step needs to know what is still wrong."""

    async def verify():
        return ["still wrong"]

    assert asyncio.run(until_well(verify, seconds=0.3, patient=False)) == ["still wrong"]


def test_what_could_not_be_seen_to_the_end_is_unknown():
    """Never well, and never merely wrong."""

    async def verify():
        raise NoData("nothing to see", where="", next_step="")

    with pytest.raises(NoData, match="nothing to see"):
        asyncio.run(until_well(verify, seconds=0.3, patient=False))
