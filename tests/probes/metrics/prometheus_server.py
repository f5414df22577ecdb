"""A real Prometheus over samples that a test writes down."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

LOOKBACK = 14
"""Seconds after which a series that was not scraped again counts as gone: less than the 15 s between two scrapes."""


class Written(NamedTuple):
    """One sample of a store."""

    name: str
    labels: Mapping[str, str]
    time: float
    value: float


def needed(program: str) -> str:
    """Path of a program. Where it is missing the test is skipped, and fails in CI."""
    path = shutil.which(program)
    if path is None:
        reason = f"{program} is not installed: apt-get install prometheus"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; CI must have it")
        pytest.skip(reason)
    return path


@contextlib.contextmanager
def prometheus(
    directory: Path, samples: Iterable[Written] = (), config: Mapping[str, Any] | None = None
) -> Iterator[str]:
    """A running Prometheus whose store holds these samples; its url. It ends with the block."""
    program, data = needed("prometheus"), directory / "data"
    data.mkdir(parents=True)
    if samples := list(samples):
        _store(samples, directory, data)
    (directory / "prometheus.yml").write_text(json.dumps(config or {}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [program, "--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={address}"]
    command += [f"--query.lookback-delta={LOOKBACK}s", "--log.level=warn"]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=directory, stdout=log, stderr=log)
    try:
        _wait_until_ready(address, process, directory / "log")
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(60)


def _store(samples: list[Written], directory: Path, data: Path) -> None:
    lines, known = [], None
    for sample in sorted(samples, key=lambda one: (one.name, sorted(one.labels.items()), one.time)):
        if sample.name != known:
            lines.append(f"# TYPE {sample.name} unknown")
        known = sample.name
        labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
        lines.append(f"{sample.name}{{{labels}}} {sample.value} {sample.time:.3f}")
    text = directory / "samples.txt"
    text.write_text("\n".join([*lines, "# EOF", ""]))
    command = [needed("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(text), str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{address}/-/ready", timeout=5):
            return
        time.sleep(0.05)
    raise AssertionError(f"Prometheus is not ready after 120 s: {log.read_text()}")
