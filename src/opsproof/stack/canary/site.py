"""A release that has a part of the traffic: two versions of the decision engine, their Prometheus, and users."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Mapping
from typing import Any, Literal

from typing_extensions import override

from opsproof.stack.canary.counted import Counted, counted
from opsproof.stack.canary.database import SYSTEM, CanaryDatabase
from opsproof.stack.canary.scraping import Scraping, Target
from opsproof.stack.canary.traffic import Traffic
from opsproof.stack.clusters import Grounds
from opsproof.stack.control import inherited
from opsproof.stack.credentials import new_credentials
from opsproof.stack.parts.valkey import valkey_command
from opsproof.stack.ports import HOST
from opsproof.stack.process import belonging_to, end, wait_for
from opsproof.stack.services.factory_ai.names import CACHE_PREFIX
from opsproof.stack.site.service import SiteService
from opsproof.stack.site.startable import Startable
from opsproof.stack.state import write_private

Track = Literal["stable", "canary"]

STABLE_VERSION = "1.0.0"
CANARY_VERSION = "1.1.0"
VERSIONS: dict[Track, str] = {"stable": STABLE_VERSION, "canary": CANARY_VERSION}

_PODS: dict[Track, tuple[str, ...]] = {
    "stable": ("judgment-service-6f9c7d5b8-x2k4q", "judgment-service-6f9c7d5b8-m7w9t"),
    "canary": ("judgment-service-canary-5d4f6b7c9-p8r2z",),
}
_NEXT_POD = "judgment-service-canary-5d4f6b7c9-{:05d}"
_USERS_PATHS = "/api/*"
_SECONDS_TO_FLOW = 20.0


class CanarySite(Startable):
    """
    Two stable processes of the service and one of a newer version, under traffic that never ends.

    >>> with Grounds() as grounds, CanarySite(grounds) as site:
    ...     site.fail("canary", 0.05)
    ...     site.counted("canary").errors

    Args:
        grounds: Where all of it lives.
        traffic: What users send from the start.
    """

    def __init__(self, grounds: Grounds, traffic: Traffic | None = None) -> None:
        self.grounds = grounds
        self.traffic = self._first = traffic or Traffic()
        self.seconds: dict[str, float] = {}
        """Seconds until each part was ready."""
        self.secrets = new_credentials([SYSTEM])
        self.database = CanaryDatabase(grounds, self.secrets)
        self.scraping = Scraping(grounds)
        self.pods: dict[Track, dict[str, SiteService]] = {"stable": {}, "canary": {}}
        """The processes of each track by the names of their pods, as they are now."""
        self._cache_port = grounds.port("valkey")
        self._cache_url = f"redis://{HOST}:{self._cache_port}/0"
        self._defects: dict[Track, dict[str, Any]] = {"stable": {}, "canary": {}}
        self._labels: dict[Track, dict[str, str]] = {track: {"track": track} for track in VERSIONS}
        self._traffic_file = grounds.directory / "traffic.json"
        for track, names in _PODS.items():
            for name in names:
                self._add(track, name)

    @override
    def close(self) -> None:
        """End every process of it; the files go with the grounds."""
        servers = set(self.grounds.servers)
        end((one, signal.SIGKILL) for one in belonging_to(self.grounds.directory) if one not in servers)
        self.database.cluster.kill()

    # What the users do

    def send(self, traffic: Traffic) -> None:
        """Change what users send."""
        self.traffic = traffic
        ports = {track: [one.port for one in pods.values()] for track, pods in self.pods.items()}
        write_private(self._traffic_file, traffic.told({str(track): found for track, found in ports.items()}))

    def refill_cache(self) -> None:
        """Forget every judgment, and wait until the stable track has one in the cache again, for 300 seconds."""
        from redis import Redis

        with Redis.from_url(self._cache_url) as cache:
            cache.flushdb()
            wait_for(lambda: any(cache.scan_iter(match=f"{CACHE_PREFIX}*")), _SECONDS_TO_FLOW, pause=0.05)

    # What a release does wrong

    def misbehave(self, track: Track, **defects: Any) -> None:
        """
        Let all processes of a track do something wrong from now on, until `behave`.

        Args:
            defects: By the names of `Defects`; those of a name that was set before are replaced.
        """
        self._defects[track] |= defects
        for name in self.pods[track]:
            self._tell(track, name)

    def behave(self, *tracks: Track) -> None:
        """Let these tracks (both, if none is named) do nothing wrong any more."""
        for track in tracks or VERSIONS:
            self._defects[track] = {}
            self.misbehave(track)

    def fail(self, track: Track, share: float) -> None:
        """Let every (1 / share)th request of users end in 500; 0 for none."""
        self.misbehave(track, status=[{"path": _USERS_PATHS, "status": 500, "share": share}] if share else [])

    def slow(self, track: Track, share: float, seconds: float = 3.0) -> None:
        """Let a share of users' requests take so many seconds more; others do not wait for them."""
        self.misbehave(track, slow=[{"path": _USERS_PATHS, "seconds": seconds, "share": share}])

    def garble(self, track: Track, share: float) -> None:
        """Let a share of the language model's answers be none that can be parsed; it is asked again."""
        self.misbehave(track, factory={"llm_nonsense_share": share})

    def close_exporter(self, track: Track) -> None:
        """Let /metrics be refused, while users are served."""
        self.misbehave(track, body=[{"path": "/metrics", "status": 503, "text": ""}])

    def rename_metric(self, track: Track, name: str, to: str) -> None:
        """Let a track's metric have another name."""
        self.misbehave(track, rename_metrics={name: to})

    # What happens around it

    def restart_canary(self, *, new_pod: bool = False) -> None:
        """
        End the canary's process, and start it anew: its counters begin again. Raises StackError when it does not start.

        Until it is ready it gets no traffic, as behind a readiness probe.

        Args:
            new_pod: With another name and address, as after a deletion of the pod; else as after a crash.
        """
        ((name, service),) = self.pods["canary"].items()
        traffic = self.traffic
        self.send(traffic.without_canary())
        service.stop(signal.SIGKILL)
        if new_pod:
            del self.pods["canary"][name]
            service = self._add("canary", _NEXT_POD.format(len(self.grounds.ports)))
            self._scrape()
        service.start()
        service.wait()
        self.send(traffic)

    def restart_prometheus(self) -> None:
        """Restart Prometheus on what it has stored, and wait until it scrapes. Raises StackError."""
        self.scraping.stop()
        self.scraping.start()
        self.scraping.wait()

    def label(self, **tracks: str) -> None:
        """
        Let series of a track carry another `track` label ("" for none), and wait for it. Raises StackError.

        Args:
            tracks: What is written for `stable` and for `canary`; a track that is not named keeps what it has.
        """
        for track in VERSIONS:
            if track in tracks:
                self._labels[track] = {"track": tracks[track]} if tracks[track] else {}
        self._scrape()
        self.scraping.wait()

    def restore(self) -> None:
        """Undo what was done: both tracks behave, series have their own labels, users send what they sent at first."""
        self.behave()
        self.send(self._first)
        self.label(**{track: track for track in VERSIONS})

    # What is to be seen

    def counted(self, track: Track) -> Counted:
        """What the processes of a track have counted since they started."""
        return counted(self.metrics_urls(track))

    def metrics_urls(self, track: Track) -> list[str]:
        """The /metrics of each process of a track."""
        return [f"{one.url}/metrics" for one in self.pods[track].values()]

    @property
    def variables(self) -> Mapping[str, str]:
        """What a profile refers to; credentials are among them."""
        (canary,) = self.pods["canary"].values()
        stable = list(self.pods["stable"].values())
        return {
            "CANARY_PROMETHEUS_URL": self.scraping.url,
            "CANARY_METRICS_URL": f"{canary.url}/metrics",
            "CANARY_STABLE_METRICS_URLS": ",".join(self.metrics_urls("stable")),
            **{f"CANARY_STABLE_METRICS_URL_{number}": f"{one.url}/metrics" for number, one in enumerate(stable, 1)},
            "CANARY_URL": canary.url,
            "CANARY_STABLE_URL": stable[0].url,
            "CANARY_VERSION": CANARY_VERSION,
            "CANARY_STABLE_VERSION": STABLE_VERSION,
            "CANARY_API_KEY": self.secrets[f"{SYSTEM}.api-key"],
        }

    @override
    def _start(self) -> None:
        begun = time.monotonic()

        def tell(name: str) -> None:
            self.seconds[name] = round(time.monotonic() - begun, 2)

        directory = self.grounds.directory
        self._scrape()
        self.scraping.start()
        self.grounds.spawn(valkey_command(self._cache_port, directory), name="valkey", cwd=directory, ours=True)
        for service in self._services():
            service.start()
        self.database.start()
        tell("database")
        self.database.wait()
        tell("migrations")
        argv = [sys.executable, "-m", "opsproof.stack.canary.traffic", str(self._traffic_file)]
        env = inherited(directory) | {"API_KEY": self.secrets[f"{SYSTEM}.api-key"]}
        for service in self._services():
            service.wait()
        tell("services")
        self.send(self.traffic)
        self.grounds.spawn(argv, name="traffic", cwd=directory, env=env, ours=True)
        self.scraping.wait()
        tell("scraped")
        wait_for(self._flows, _SECONDS_TO_FLOW, pause=0.1)
        tell("ready")

    def _flows(self) -> bool:
        """Whether users' requests of each track that has some are counted."""
        return all(self.counted(track).requests or not self.traffic.rate(track) for track in VERSIONS)

    def _services(self) -> list[SiteService]:
        return [one for pods in self.pods.values() for one in pods.values()]

    def _add(self, track: Track, name: str) -> SiteService:
        settings = {
            "APP_VERSION": VERSIONS[track],
            "INSTANCE": name,
            "DATABASE_URL": self.database.url,
            "REDIS_URL": self._cache_url,
            "API_KEY": self.secrets[f"{SYSTEM}.api-key"],
            "PROBE_API_KEY": self.secrets[f"{SYSTEM}.probe-api-key"],
            "JWT_SECRET": self.secrets[f"{SYSTEM}.jwt"],
            "DEFECTS_FILE": str(self.grounds.directory / f"{name}.defects.json"),
            "STATEMENT_SECONDS": "10",
        }
        service = SiteService(self.grounds, name, settings, self.secrets)
        self.pods[track][name] = service
        self._tell(track, name)
        return service

    def _tell(self, track: Track, name: str) -> None:
        write_private(self.grounds.directory / f"{name}.defects.json", json.dumps(self._defects[track]))

    def _scrape(self) -> None:
        self.scraping.scrape(
            [
                Target(service.port, {**self._labels[track], "pod": name})
                for track, pods in self.pods.items()
                for name, service in pods.items()
            ]
        )
