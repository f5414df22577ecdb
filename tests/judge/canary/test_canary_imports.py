"""numpy and scipy take a second to load; only who judges a canary pays for it."""

import subprocess
import sys


def test_nothing_heavy_is_loaded_before_the_first_judgement():
    program = (
        "import sys, opsproof, opsproof.judge.canary.decision, opsproof.judge.canary.judging; "
        "print(*({'numpy', 'scipy'} & sys.modules.keys()))"
    )
    path = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=path)

    assert done.stdout.split() == []
