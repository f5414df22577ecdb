"""The payload checks against a server, with nothing but a profile."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from third_party_servers import LIMIT, ThirdParty

from opsproof.report.folder import read_run
from opsproof.report.run import Run

REPOSITORY = Path(__file__).parents[3]
_PYPROJECT = """\
[tool.pytest]
testpaths = ["checks"]
addopts = ["--disable-plugin-autoload", "-p", "xdist", "--strict-config"]
markers = ["smoke: s", "recovery: r", "release: r", "payload_guard: p"]
"""


def judge(server: ThirdParty, url: str, folder: Path, *more: str) -> tuple[Run, str]:
    """Run the checks of this repository against a server; the run, and what the operator read."""
    (folder / "pyproject.toml").write_text(_PYPROJECT)
    (folder / "conftest.py").write_text('pytest_plugins = ["opsproof.plugin"]\n')
    shutil.copytree(REPOSITORY / "checks" / "payload", folder / "checks" / "payload", dirs_exist_ok=True)
    places = folder / "profiles" / "third-party"
    places.mkdir(parents=True, exist_ok=True)
    (places / f"{server.name}.yaml").write_text(json.dumps(profile(server, url)))  # JSON is YAML, too
    options = [f"--profile=third-party/{server.name}", "--allow-writes", server.name, "--reports=reports", "--lang=en"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, *more],
        cwd=folder,
        env=dict(os.environ) | {"PYTHONPATH": str(REPOSITORY / "src")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (folder / "reports" / "latest").exists(), done.stdout + done.stderr
    return read_run(folder / "reports" / "latest"), done.stdout


def profile(server: ThirdParty, url: str) -> dict[str, object]:
    """What an operator would write about it."""
    text = {"en": "Somebody else's server", "ko": "다른 서버"}
    return {
        "system": "third-party",
        "environment": server.name,
        "title": text,
        "targets": {"api": {"kind": "http", "url": url, "timeout": "3s"}},
        "payload": {
            "max_body_bytes": LIMIT,
            "endpoints": [{"name": "items", "path": "/items", "takes": list(server.takes)}],
            "hops": {"app": {"target": "api", **server.hop}},
            "error_code": None,
            "normal": "/here",
        },
        "policy": {"writes": True},
    }
