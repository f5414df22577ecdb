"""The logfile probe: finds lines, waits for them, follows a rotated file."""

import asyncio
import json
import os
import shutil
import subprocess

import pytest
from asking import a_probe, as_a_check, memory_of

from opsproof.errors import PreconditionMissing, Unreachable


def find(path, fields, *, within=0.0, meanwhile=None, **target):
    """Look for lines, while something else happens to the file."""

    async def main():
        logs = a_probe(kind="logfile", path=path, name="logs", **target)
        looking = asyncio.create_task(logs.find(fields, within=within))
        if meanwhile is not None:
            await asyncio.sleep(0.12)
            meanwhile()
        return await looking

    return asyncio.run(main())


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "api.log"
    path.write_text(
        "Started server process\n"
        '{"request_id": "r-1", "msg": "안녕", "http": {"status": 404}, "n": 1}\n'
        "{broken\n"
        "\n"
        '{"request_id": "r-2", "n": 1, "dotted.name": true}\n'
        '{"half": \n'
    )
    return path


def append(path, text):
    with path.open("a") as file:
        file.write(text)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"request_id": "r-1"}, ["r-1"]),
        ({"request_id": "r-1", "http.status": 404}, ["r-1"]),
        ({"request_id": "r-1", "http.status": 500}, []),
        ({"http.status": "404"}, []),
        ({"msg": "안녕"}, ["r-1"]),
        ({"n": 1}, ["r-1", "r-2"]),
        ({"dotted.name": True}, ["r-2"]),
        ({"request_id": "r"}, []),
    ],
)
def test_lines_are_found_by_all_their_fields(log, fields, found):
    lines = find(log, fields)

    assert [line["request_id"] for line in lines] == found
    assert lines.unparsed == 3, "lines that are no JSON are counted, and stop nothing"


def test_a_line_that_comes_later_is_waited_for(log):
    lines = find(log, {"request_id": "r-9"}, within=10, meanwhile=lambda: append(log, '{"request_id": "r-9"}\n'))

    assert lines == [{"request_id": "r-9"}]


def test_half_a_line_is_not_judged_before_its_end_has_come(log):
    def write_in_two():
        append(log, '{"request_id": "r-9", "n": ')
        append(log, "5}\n")

    assert find(log, {"request_id": "r-9"}, within=10, meanwhile=write_in_two) == [{"request_id": "r-9", "n": 5}]


def rename(path):
    path.rename(path.with_suffix(".1"))
    path.write_text('{"request_id": "r-9"}\n')


def copy_and_truncate(path):
    shutil.copy(path, path.with_suffix(".1"))
    os.truncate(path, 0)
    append(path, '{"request_id": "r-9"}\n')


def written_just_before(path):
    append(path, '{"request_id": "r-9"}\n')
    path.rename(path.with_suffix(".1"))
    path.touch()


@pytest.mark.parametrize("rotate", [rename, copy_and_truncate, written_just_before])
def test_a_rotated_file_is_followed(log, rotate):
    assert find(log, {"request_id": "r-9"}, within=10, meanwhile=lambda: rotate(log)) == [{"request_id": "r-9"}]


def test_of_a_long_file_only_the_end_is_read(tmp_path):
    path = tmp_path / "long.log"
    path.write_text("".join(json.dumps({"n": n, "all": True}) + "\n" for n in range(10_000)))

    lines = find(path, {"all": True}, tail_bytes=1000)

    assert [line["n"] for line in lines][-1] == 9_999
    assert 20 <= len(lines) <= 40
    assert lines.unparsed == 0, "the line that was cut is no line"


def test_a_file_that_is_not_there_is_unreachable(tmp_path):
    with pytest.raises(Unreachable) as caught:
        find(tmp_path / "none.log", {"request_id": "r-1"})

    assert str(caught.value) == (
        "the log file is not there\n"
        f'  where: logs of ingest/test, lines with request_id="r-1" at {tmp_path}/none.log\n'
        f"  next:  Correct the path of logs in the profile, or let the system log to it: {tmp_path}/none.log"
    )


@pytest.mark.skipif(os.getuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_told(log):
    log.chmod(0)

    with pytest.raises(PreconditionMissing) as caught:
        find(log, {"n": 1})

    assert caught.value.what == "the log file may not be read"


def test_a_folder_is_no_log_file(tmp_path):
    with pytest.raises(PreconditionMissing) as caught:
        find(tmp_path, {"n": 1})

    assert caught.value.what == "the log file cannot be read: Is a directory"


def test_found_lines_are_the_same_when_replayed(log):
    async def main():
        recorder = as_a_check()
        live = await a_probe(kind="logfile", path=log, name="logs").find({"n": 1}, within=0)
        as_a_check()
        replayed = a_probe(kind="logfile", path=log, name="logs", memory=memory_of(recorder))
        log.unlink()
        again = await replayed.find({"n": 1}, within=0)
        return (live, live.unparsed), (again, again.unparsed), recorder.observations[0].by_hand

    live, again, by_hand = asyncio.run(main())

    assert live == again
    assert by_hand == f"""tail -c 4000000 {log} | jq -cR 'fromjson? | select(.["n"] == 1)'"""


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not on this machine")
def test_the_line_by_hand_finds_the_same(log):
    async def main():
        recorder = as_a_check()
        await a_probe(kind="logfile", path=log, name="logs").find({"http.status": 404}, within=0)
        return recorder.observations[0].by_hand

    by_hand = asyncio.run(main())
    done = subprocess.run(["sh", "-c", by_hand], capture_output=True, text=True, check=True)

    assert [json.loads(line)["request_id"] for line in done.stdout.splitlines()] == ["r-1"]
