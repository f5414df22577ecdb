"""
`python -m opsproof.stack.faults.feeder`: sends messages to Celery queues, steadily, until it is ended.

What to send stands in the environment variable FEED (JSON), because the addresses have passwords in them:
    [{"broker": ..., "task": ..., "queue": ..., "args": [...], "per_second": 12}]
"""

import json
import os
import threading
import time
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

_PAUSE = 0.2


def main() -> None:
    """Send until the process is ended."""
    feeds: list[dict[str, Any]] = json.loads(os.environ["FEED"])
    threads = [threading.Thread(target=_feed, args=(feed,)) for feed in feeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _feed(feed: dict[str, Any]) -> None:
    app = Celery("opsproof-feeder", broker=feed["broker"], set_as_current=False)
    started, sent = time.monotonic(), 0
    while True:
        # As many as are due by now: a machine that was busy for a moment catches up.
        due = (time.monotonic() - started) * feed["per_second"]
        while sent < due:
            try:
                app.send_task(feed["task"], args=feed["args"], queue=feed["queue"])
            except (OperationalError, RedisError):  # the broker is just being restarted
                break
            sent += 1
        time.sleep(_PAUSE)


if __name__ == "__main__":
    main()
