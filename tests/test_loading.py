"""What several threads need at the same moment is loaded once, and whole."""

import subprocess
import sys

THREADS_THAT_LOAD = """
import sys
from threading import Thread

from opsproof.loading import load_celery

found = []
sys.setswitchinterval(1e-5)
threads = [Thread(target=lambda: found.append(load_celery().__name__)) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(found)
"""


def test_celery_is_loaded_by_threads_side_by_side() -> None:
    """The stack's workers are waited for, and celery targets asked, in threads of one process."""
    done = subprocess.run([sys.executable, "-c", THREADS_THAT_LOAD], capture_output=True, text=True, check=False)
    assert done.stdout == f"{['Celery'] * 8}\n", done.stderr
