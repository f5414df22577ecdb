"""The settings probe: measures, and never tells a value."""

import asyncio
import base64
import os
import subprocess
import sys

import pytest
from asking import a_probe, as_a_check, memory_of
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from opsproof.errors import NotObserved, PreconditionMissing, Unreachable
from opsproof.profile.sections import RequiredSetting

ENV_FILE = """\
# secrets of the release
export JWT_SECRET="0123456789abcdef0123456789abcdef"  # 32 bytes
POSTGRES_PASSWORD=Postgres
SINGLE='a b # c'
PLAIN=value # comment
REFERENCE=${JWT_SECRET}
KOREAN=비밀
EMPTY=
BLANK="  "
NAKED
"""


def measure(name, **target):
    async def main():
        probe = a_probe(kind="settings", name="settings", **target)
        return await probe.measure(RequiredSetting(name=name))

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("name", "present", "size", "is_default"),
    [
        ("JWT_SECRET", True, 32, False),
        ("POSTGRES_PASSWORD", True, 8, True),
        ("SINGLE", True, 7, False),
        ("PLAIN", True, 5, False),
        ("REFERENCE", True, 13, True),
        ("KOREAN", True, 6, False),
        ("EMPTY", False, 0, False),
        ("BLANK", False, 2, False),
        ("NAKED", False, 0, False),
        ("MISSING", False, 0, False),
    ],
)
def test_a_setting_of_an_env_file_is_measured(tmp_path, name, present, size, is_default):
    (tmp_path / ".env").write_text(ENV_FILE)

    setting = measure(name, env_file=tmp_path / ".env")

    assert (setting.present, setting.bytes, setting.is_default) == (present, size, is_default)


@pytest.mark.parametrize(
    "value",
    [
        "changeme-changeme-changeme-changeme",
        "please-change-me-please-change-me",
        "secretsecretsecretsecretsecretsecret",
        "SECRET_SECRET_SECRET_SECRET_SECRET_1",
        "***changeme***0000000000000000000000",
        "your_super_secret_jwt_key_change_me_2026",
        "12345678901234567890password12345678",
    ],
)
def test_a_placeholder_of_any_length_is_told(monkeypatch, value):
    """Many a release ran for years with the long placeholder of its example file."""
    monkeypatch.setenv("OPSPROOF_TEST_SETTING", value)

    setting = measure("OPSPROOF_TEST_SETTING", environment=True)

    assert (setting.present, setting.is_default) == (True, True)
    assert value not in repr(setting)


@given(st.binary(min_size=16, max_size=48))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@pytest.mark.parametrize("form", [bytes.hex, lambda raw: base64.urlsafe_b64encode(raw).decode()], ids=["hex", "base64"])
def test_a_random_secret_is_no_placeholder(monkeypatch, form, raw):
    """A gate that refuses good secrets is switched off."""
    assume(len(set(form(raw))) > 4)
    monkeypatch.setenv("OPSPROOF_TEST_SETTING", form(raw))

    assert not measure("OPSPROOF_TEST_SETTING", environment=True).is_default


def test_a_secret_with_a_known_word_and_random_letters_is_no_placeholder(monkeypatch):
    """`secret-` in front of a random value is a habit, and no weakness."""
    monkeypatch.setenv("OPSPROOF_TEST_SETTING", "secret-kq7ZxWvT0aLmPd93")

    assert not measure("OPSPROOF_TEST_SETTING", environment=True).is_default


@pytest.mark.parametrize(("value", "as_wanted"), [("celery", True), (" celery ", True), ("inprocess", False)])
def test_a_setting_that_must_have_one_value_is_compared(monkeypatch, value, as_wanted):
    """A worker that nobody hands jobs to is not seen by its ping."""
    monkeypatch.setenv("OPSPROOF_TEST_MODE", value)

    async def main():
        probe = a_probe(kind="settings", name="settings", environment=True)
        return await probe.measure(RequiredSetting(name="OPSPROOF_TEST_MODE", equals="celery"))

    assert asyncio.run(main()).is_as_wanted is as_wanted


@pytest.fixture
def process(tmp_path):
    """A process with a setting, and its pid file."""
    script = "import sys; print(flush=True); sys.stdin.read()"
    running = subprocess.Popen(
        [sys.executable, "-c", script],
        env={"JWT_SECRET": "planted-" * 4, "EMPTY": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert running.stdout is not None
    running.stdout.readline()
    (tmp_path / "api.pid").write_text(f"{running.pid}\n")
    yield running
    running.kill()
    running.communicate()


def test_a_setting_of_a_running_process_is_measured(process, tmp_path):
    setting = measure("JWT_SECRET", pid_file=tmp_path / "api.pid")

    assert (setting.present, setting.bytes, setting.is_default) == (True, 32, False)


def test_a_setting_of_the_own_environment_is_measured(monkeypatch):
    monkeypatch.setenv("OPSPROOF_TEST_SETTING", "changeme")

    setting = measure("OPSPROOF_TEST_SETTING", environment=True)

    assert (setting.present, setting.bytes, setting.is_default) == (True, 8, True)


@pytest.mark.parametrize(
    ("pid", "kind", "what"),
    [
        pytest.param(None, Unreachable, "{folder}/api.pid is not there", id="no-pid-file"),
        pytest.param("", PreconditionMissing, "the pid file holds no pid", id="empty"),
        pytest.param("api", PreconditionMissing, "the pid file holds no pid", id="no-number"),
        pytest.param("4194305", Unreachable, "the process of the pid file does not run (pid 4194305)", id="ended"),
    ],
)
def test_a_process_that_cannot_be_found_is_told(tmp_path, pid, kind, what):
    if pid is not None:
        (tmp_path / "api.pid").write_text(pid)

    with pytest.raises(NotObserved) as caught:
        measure("JWT_SECRET", pid_file=tmp_path / "api.pid")

    assert (type(caught.value), caught.value.what) == (kind, what.format(folder=tmp_path))
    assert caught.value.next_step


def test_a_process_that_has_ended_and_was_not_buried_does_not_run(process, tmp_path):
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    with pytest.raises(Unreachable) as caught:
        measure("JWT_SECRET", pid_file=tmp_path / "api.pid")

    assert caught.value.what == f"the process of the pid file does not run (pid {process.pid})"


@pytest.mark.parametrize("what", ["missing", "folder"])
def test_an_env_file_that_cannot_be_read_is_told(tmp_path, what):
    path = tmp_path if what == "folder" else tmp_path / ".env"

    with pytest.raises(NotObserved) as caught:
        measure("JWT_SECRET", env_file=path)

    assert caught.value.what in (f"{path} is not there", f"{path} cannot be read: Is a directory")


@pytest.mark.skipif(os.getuid() == 0, reason="root may read every file")
@pytest.mark.parametrize("source", ["env_file", "pid_file"])
def test_what_may_not_be_read_is_told(tmp_path, source):
    path = tmp_path / "it"
    path.write_text("1")
    if source == "env_file":
        path.chmod(0)

    with pytest.raises(PreconditionMissing) as caught:
        measure("JWT_SECRET", **{source: path})

    assert caught.value.what.endswith("may not be read")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.from_regex(r"[A-Za-z0-9!@$%^&*()_+=:;,.<>?/|~-]{8,40}", fullmatch=True))
def test_no_value_leaves_the_probe(tmp_path, monkeypatch, value):
    """Not in the answer, its text, the evidence or the line by hand."""
    monkeypatch.setenv("PLANTED_SETTING", value)

    async def main():
        recorder = as_a_check()
        probe = a_probe(kind="settings", name="settings", environment=True)
        setting = await probe.measure(RequiredSetting(name="PLANTED_SETTING"))
        return setting, probe, recorder.observations[0].to_json()

    setting, probe, observation = asyncio.run(main())

    assert setting.bytes == len(value)
    for shown in (repr(setting), repr(probe), repr(vars(probe)), repr(observation)):
        assert value not in shown


def test_the_line_by_hand_tells_the_length_and_not_the_value(process, tmp_path):
    (tmp_path / ".env").write_text("JWT_SECRET=" + "planted-" * 4 + "\n")

    async def main():
        recorder = as_a_check()
        for source in ({"env_file": tmp_path / ".env"}, {"pid_file": tmp_path / "api.pid"}):
            await a_probe(kind="settings", name="settings", **source).measure(RequiredSetting(name="JWT_SECRET"))
        return [observation.by_hand for observation in recorder.observations]

    told = [
        subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout
        for line in asyncio.run(main())
    ]

    assert told == ["32\n", "32\n"]


def test_a_replay_measures_nothing_anew(monkeypatch):
    monkeypatch.setenv("OPSPROOF_TEST_SETTING", "x" * 40)

    async def main():
        recorder = as_a_check()
        setting = RequiredSetting(name="OPSPROOF_TEST_SETTING")
        live = await a_probe(kind="settings", name="settings", environment=True).measure(setting)
        monkeypatch.delenv("OPSPROOF_TEST_SETTING")
        as_a_check()
        again = a_probe(kind="settings", name="settings", environment=True, memory=memory_of(recorder))
        return live, await again.measure(setting)

    live, again = asyncio.run(main())

    assert live == again
