"""The host probe on this host, and over ssh to a real sshd."""

import asyncio
import getpass
import os
import shutil
import signal
import time

import pytest
from asking import a_probe, as_a_check, memory_of
from sshd import PROGRAM, an_sshd

from opsproof.errors import BadAnswer, NoData, TimedOut, Unreachable
from opsproof.profile.hosts import HostNumber

needs_sshd = pytest.mark.skipif(
    PROGRAM is None and os.environ.get("CI") != "true", reason="there is no sshd: apt-get install openssh-server"
)


@pytest.fixture
def sshd(tmp_path):
    """A real sshd, and the key that it admits."""
    with an_sshd(tmp_path) as running:
        yield running


def read(number, memory=None, **target):
    async def main():
        host = a_probe(kind="host", name="host", memory=memory, **{"url": "local://"} | target)
        try:
            return await host.number(HostNumber.model_validate(number))
        finally:
            await host.close()

    return asyncio.run(main())


def over(sshd, **more):
    return {"url": sshd.url, "identity_file": str(sshd.key), "known_hosts_file": str(sshd.known_hosts), **more}


def test_the_disk_is_as_full_as_the_kernel_says(tmp_path):
    """The share that df prints: of what ordinary users may use."""
    disk = shutil.disk_usage(tmp_path)

    assert read({"disk_used": str(tmp_path)}) == pytest.approx(disk.used / (disk.used + disk.free), abs=0.01)


def test_memory_and_load_are_numbers_of_this_host():
    """Memory is a share; the load is one for each processor."""
    assert 0 < read({"memory_used": True}) < 1
    assert read({"load": True}) == pytest.approx(os.getloadavg()[0] / os.cpu_count(), abs=2)


def test_the_age_of_a_file_is_counted_by_the_clock_of_its_host(tmp_path):
    """A dump of yesterday is a day old."""
    dump = tmp_path / "dump of the day"
    dump.touch()
    os.utime(dump, (time.time() - 86_400,) * 2)

    assert read({"file_age": str(dump)}) == pytest.approx(86_400, abs=60)


def test_a_file_that_is_not_there_has_no_age(tmp_path):
    """No backup is not a young backup."""
    with pytest.raises(NoData, match="No such file") as raised:
        read({"file_age": str(tmp_path / "none")})

    assert "host of ingest/test" in raised.value.where
    assert "writes the file" in raised.value.next_step


def test_a_command_gives_the_number_that_the_pattern_finds(tmp_path):
    """Any program that only reads can be an indicator; its arguments meet no shell."""
    (tmp_path / "$(id) lines").write_text("one\ntwo\n")

    assert read({"command": ["wc", "-l", str(tmp_path / "$(id) lines")]}) == 2
    assert read({"command": ["cat", "/proc/meminfo"], "pattern": r"^MemTotal:\s+(\d+)"}) > 1000
    assert read({"command": ["pgrep", "-c", "-f", "no-such-program-[a]nywhere"]}) == 0


@pytest.mark.parametrize(
    ("command", "pattern", "kind", "words"),
    [
        (["uptime"], r"load of (\d+)", NoData, "not in what it prints: '.*load average"),
        (["df", "/no/such/place"], r"\d+", NoData, "No such file"),
        (["df", "--no-such-option"], r"\d+", BadAnswer, "exit status 1: .*no-such-option"),
    ],
)
def test_a_command_that_gives_no_number_says_what_it_printed(command, pattern, kind, words):
    """What the program itself says is the shortest way to the mistake."""
    with pytest.raises(kind, match=words):
        read({"command": command, "pattern": pattern})


def test_a_program_that_hangs_is_ended():
    """Nothing of ours goes on running on a sick host."""
    with pytest.raises(TimedOut):
        read({"command": ["wc", "-c", "/dev/zero"]}, timeout=1)


@needs_sshd
def test_a_host_is_asked_over_ssh(sshd):
    """The same numbers, of another host."""
    recorder = as_a_check()

    there, here = read({"command": ["nproc"]}, **over(sshd)), read({"command": ["nproc"]})

    assert there == here == os.cpu_count()
    assert f"ssh -i {sshd.key} -l {getpass.getuser()} -p " in recorder.observations[0].by_hand


@needs_sshd
def test_ssh_that_fails_is_no_finding_about_the_host(sshd, tmp_path):
    """An unknown host key, a wrong key and a refused connection each say so; none is a number."""
    (tmp_path / "nobody").touch()
    with pytest.raises(Unreachable, match=r"(?i)host key") as unknown:
        read({"load": True}, **over(sshd, known_hosts_file=str(tmp_path / "nobody")))
    with pytest.raises(Unreachable, match="denied"):
        read({"load": True}, **over(sshd, identity_file=str(tmp_path / "host")))
    sshd.process.kill()
    sshd.process.wait()
    with pytest.raises(Unreachable, match="refused"):
        read({"load": True}, **over(sshd))

    assert "known_hosts_file" in unknown.value.next_step


@needs_sshd
def test_an_sshd_that_stands_still_times_out(sshd):
    """A frozen host accepts connections and says nothing."""
    os.kill(sshd.process.pid, signal.SIGSTOP)
    time.sleep(0.1)
    try:
        with pytest.raises(TimedOut):
            read({"load": True}, **over(sshd, timeout=1))
    finally:
        os.kill(sshd.process.pid, signal.SIGCONT)


def test_a_replay_reads_what_the_host_said_then(tmp_path):
    """Judged again, nothing runs."""
    recorder = as_a_check()
    before = read({"disk_used": str(tmp_path)})
    memory = memory_of(recorder)
    as_a_check()

    assert read({"disk_used": str(tmp_path)}, memory=memory, url="ssh://nowhere.invalid") == before
