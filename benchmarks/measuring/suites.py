"""The same checks in the form that each peer reads, written into a folder of its own."""

import json
from pathlib import Path

CHECKS_A_FILE = 20

_PYPROJECT = '[tool.pytest]\naddopts = ["--disable-plugin-autoload", "-p", "xdist"]\nmarkers = ["smoke: the gate"]\n'

_OPSPROOF_CHECK = '''
@runbook("BENCH-{number:03}", severity="SEV-1", next_step="Look at the server.")
async def test_path_{number}_is_healthy(api):
    """Path {number} answers, and says that it is healthy."""
    answer = await api.get("{path}")

    assert answer.status == 200
    assert answer.json()["status"] == "healthy"
'''
_PLAIN_CHECK = '''
def test_path_{number}_is_healthy(api):
    """Path {number} answers, and says that it is healthy."""
    answer = api.get("{path}")

    assert answer.status_code == 200
    assert answer.json()["status"] == "healthy"
'''
_EMPTY_CHECK = '''
def test_path_{number}_is_healthy(api):
    """Path {number}."""
'''
_PROFILE = """\
system: bench
environment: local
title: {{en: Benchmark, ko: 벤치마크}}
targets:
  api: {{kind: http, url: "{url}", concurrency: {budget}}}
"""
_PLAIN_CONFTEST = """\
import httpx
import pytest


@pytest.fixture(scope="session")
def api():
    with httpx.Client(base_url="{url}", trust_env=False) as client:
        yield client
"""
_EMPTY_CONFTEST = """\
import pytest


@pytest.fixture(scope="session")
def api():
    return None
"""
_RAW = '''\
"""The limit: the requests alone, in one process, with one client."""

import asyncio

import httpx

PATHS = {paths}


async def main():
    slots = asyncio.Semaphore({budget})

    async def ask(client, path):
        async with slots:
            answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.json()["status"] == "healthy"

    limits = httpx.Limits(max_connections=None, max_keepalive_connections={budget})
    async with httpx.AsyncClient(base_url="{url}", trust_env=False, verify=False, timeout=30, limits=limits) as client:
        await asyncio.gather(*(ask(client, path) for path in PATHS))


asyncio.run(main())
'''
_NEWMAN_TEST = [
    'pm.test("healthy", () => {',
    "    pm.response.to.have.status(200);",
    '    pm.expect(pm.response.json().status).to.equal("healthy");',
    "});",
]


def paths(count: int, delay: int) -> list[str]:
    """Paths that are all different, so that nothing can be answered from what was asked before."""
    return [f"/after/{delay}/check/{number}" for number in range(count)]


def write_opsproof(folder: Path, url: str, asked: list[str], budget: int) -> None:
    """A project of opsproof: conftest.py, a profile, and checks."""
    _write(folder / "conftest.py", 'pytest_plugins = ["opsproof.plugin"]\n')
    _write(folder / "profiles/bench/local.yaml", _PROFILE.format(url=url, budget=budget))
    head = "import pytest\n\nfrom opsproof import runbook\n\npytestmark = pytest.mark.smoke\n\n"
    _write_tests(folder, head, _OPSPROOF_CHECK, asked)


def write_plain(folder: Path, url: str, asked: list[str]) -> None:
    """Plain pytest with one client for the whole session."""
    _write(folder / "conftest.py", _PLAIN_CONFTEST.format(url=url))
    _write_tests(folder, "", _PLAIN_CHECK, asked)


def write_empty(folder: Path, asked: list[str]) -> None:
    """As many tests that do nothing: what pytest itself costs."""
    _write(folder / "conftest.py", _EMPTY_CONFTEST)
    _write_tests(folder, "", _EMPTY_CHECK, asked)


def write_raw(folder: Path, url: str, asked: list[str], budget: int) -> None:
    """The requests alone."""
    _write(folder / "raw.py", _RAW.format(url=url, paths=asked, budget=budget))


def write_newman(folder: Path, url: str, asked: list[str]) -> None:
    """A Postman collection."""
    test = {"listen": "test", "script": {"exec": _NEWMAN_TEST}}
    items = [{"name": path, "event": [test], "request": {"method": "GET", "url": url + path}} for path in asked]
    schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    collection = {"info": {"name": "bench", "schema": schema}, "item": items}
    _write(folder / "collection.json", json.dumps(collection))


def _write_tests(folder: Path, head: str, check: str, asked: list[str]) -> None:
    _write(folder / "pyproject.toml", _PYPROJECT)
    for start in range(0, len(asked), CHECKS_A_FILE):
        numbered = list(enumerate(asked))[start : start + CHECKS_A_FILE]
        body = "".join(check.format(number=number, path=path) for number, path in numbered)
        _write(folder / f"checks/test_part_{start // CHECKS_A_FILE:02}.py", head + body)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
