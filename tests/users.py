"""Other users of this machine, for tests that run as root."""

import os
import pwd
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

AS_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="root can mount, and become another user")


def nobody(module: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """
    The user nobody, as `subprocess` wants to know it.

    The test is skipped where that user cannot read this Python or these sources: below /root, for one.
    """
    user = pwd.getpwnam("nobody")
    identity: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    command = [sys.executable, "-c", f"import {module}"]
    try:
        able = subprocess.run(command, env=environment, cwd="/", capture_output=True, check=False, **identity)
    except PermissionError:
        pytest.skip("another user cannot start this Python")
    if able.returncode:
        pytest.skip("another user cannot read these sources")
    return identity
