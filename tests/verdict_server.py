"""A server of verdicts for tests, over a folder of runs that it is told of."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from canary_builders import a_canary_run

from opsproof.canary.facts import CanaryFact
from opsproof.cli.serving import Verdicts, server_of
from opsproof.evidence.redaction import Redactor
from opsproof.report.folder import write_run

PROFILE = "factory-ai/production"
HOUR = 3600.0
Build = Callable[..., CanaryFact]


class Served(NamedTuple):
    """A server, and the folder that it reads."""

    reports: Path
    client: httpx.Client

    def run(self, *builds: Build, ago: float = 60.0, profile: str = PROFILE, **changes: Any) -> Path:
        """A run that has watched these canaries; its watch ended so many seconds ago."""
        ended = datetime.now(UTC) - timedelta(seconds=ago)
        started = ended - timedelta(minutes=20)
        facts = [build(profile=profile, started=started, ended=ended) for build in builds]
        made = a_canary_run(*facts).model_copy(update={"started": started, "finished": ended, **changes})
        return write_run(made, (), self.reports, Redactor())

    def verdict(self, **query: str) -> httpx.Response:
        return self.client.get("/verdict", params={"profile": PROFILE} | query)

    def gate(self, **metadata: Any) -> httpx.Response:
        return self.client.post("/gate", json=payload(**metadata))


def payload(**metadata: Any) -> dict[str, Any]:
    """What Flagger sends."""
    told = {"profile": PROFILE} | metadata
    return {
        "name": "judgment-service",
        "namespace": "production",
        "phase": "WaitingPromotion",
        "checksum": "8b5d6d7b5f",
        "metadata": told,
    }


@contextmanager
def serving(reports: Path) -> Iterator[Served]:
    server = server_of(Verdicts(reports, HOUR), "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.server_address[1]}", trust_env=False) as client:
            yield Served(reports, client)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
