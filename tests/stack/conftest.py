"""Places for stacks that no other test sees."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsproof.stack.directory import reap


@pytest.fixture
def place(monkeypatch) -> Iterator[Path]:
    """A folder for stacks of its own, which PostgreSQL's user can pass through (pytest's own cannot)."""
    folder = Path(tempfile.mkdtemp(prefix="opsproof-test-", dir=os.environ.get("TMPDIR", "/tmp"))).resolve()
    folder.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    reap()
    shutil.rmtree(folder)
