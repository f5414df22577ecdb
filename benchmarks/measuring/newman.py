"""Newman, the runner of Postman collections, installed once into a cache outside the repository."""

import os
import shutil
import subprocess
from pathlib import Path

VERSION = "6.2.1"


def find_newman() -> list[str] | str:
    """
    How newman is started; it is installed with npm if need be.

    Returns:
        The command, or the reason why there is none.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "newman not installed: there is no npm"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "opsproof" / f"newman-{VERSION}"
    program = cache / "node_modules" / "newman" / "bin" / "newman.js"
    if not program.exists():
        try:
            cache.mkdir(parents=True, exist_ok=True)
            subprocess.run(
                [npm, "install", "--no-audit", "--no-fund", "--prefix", str(cache), f"newman@{VERSION}"],
                check=True,
                capture_output=True,
                timeout=300,
            )
        except (OSError, subprocess.SubprocessError) as exc:
            return f"newman not installed: npm install failed ({type(exc).__name__})"
    return [node, str(program)]
