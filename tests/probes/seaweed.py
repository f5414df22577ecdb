"""A real object store on 127.0.0.1: SeaweedFS, which speaks S3."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

PROGRAM = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
_PATIENCE = 120.0
_PORTS = ("master", "volume", "filer", "s3")
_IDENTITIES = {
    "identities": [
        {
            "name": "admin",
            "credentials": [{"accessKey": "the-admin", "secretKey": "planted-admin"}],
            "actions": ["Admin"],
        },
        {
            "name": "reader",
            "credentials": [{"accessKey": "the-reader", "secretKey": "planted-reader"}],
            "actions": ["List:backups", "List:empty"],
        },
    ]
}


@dataclass(frozen=True)
class Seaweed:
    """A running store: where it speaks S3, and its process."""

    endpoint: str
    process: subprocess.Popen[bytes]

    def target(self, bucket: str = "backups", key: str = "reader", **more: Any) -> dict[str, Any]:
        """A bucket as a profile describes it; the key `reader` may list `backups` and `empty` alone."""
        keys = {"access_key": f"the-{key}", "secret_key": f"planted-{key}"}
        return {"kind": "store", "name": "backups", "url": f"s3://{bucket}", "endpoint": self.endpoint} | keys | more


@contextmanager
def a_seaweed(folder: Path) -> Iterator[Seaweed]:
    """Start it in a folder of its own, with the buckets `backups` and `empty`; ends it by its process id."""
    (folder / "s3.json").write_text(json.dumps(_IDENTITIES))
    ports = dict(zip((f"{part}{kind}" for part in _PORTS for kind in (".port", ".port.grpc")), _free(8), strict=True))
    options = {"dir": folder, "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "s3.config": folder / "s3.json", **ports}
    off = ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.volumePreallocate=false", "-volume.max=8"]
    words = [PROGRAM, "server", "-s3", *off, *(f"-{name}={value}" for name, value in options.items())]
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log)
    try:
        running = Seaweed(f"http://127.0.0.1:{ports['s3.port']}", process)
        _fill(running, f"http://127.0.0.1:{ports['filer.port']}", folder / "weed.log")
        yield running
    finally:
        process.kill()
        process.wait()


def put(store: Seaweed, bucket: str, **objects: int) -> None:
    """Write objects of so many bytes."""
    import obstore
    from obstore.store import S3Store

    client = S3Store(
        bucket,
        endpoint=store.endpoint,
        region="us-east-1",
        access_key_id="the-admin",
        secret_access_key="planted-admin",
        client_options={"allow_http": True},
        retry_config={"retry_timeout": timedelta(seconds=_PATIENCE)},
    )
    for name, size in objects.items():
        obstore.put(client, name, b"x" * size)


def _free(count: int) -> list[int]:
    with ExitStack() as held:
        return [held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(count)]


def _fill(store: Seaweed, filer: str, log: Path) -> None:
    """Make the buckets, and write to one, as soon as every part of the server is ready for it."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            for bucket in ("backups", "empty"):
                httpx.post(f"{filer}/buckets/{bucket}/", trust_env=False).raise_for_status()
            put(store, "backups", ready=1)
            return
        except Exception as exc:
            if time.monotonic() > end or store.process.poll() is not None:
                raise AssertionError(f"SeaweedFS does not start: {log.read_text()[-2000:]}") from exc
            time.sleep(0.1)
