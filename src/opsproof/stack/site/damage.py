"""A database that is damaged on its disk."""

from __future__ import annotations

import os
from pathlib import Path

from opsproof.stack.clusters import Cluster

_CONTROL = "global/pg_control"
_LARGEST = """
    SELECT pg_relation_filepath(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
    ORDER BY pg_relation_size(oid) DESC LIMIT 3
"""


def destroy(cluster: Cluster, database: str) -> list[str]:
    """
    Overwrite the largest tables of a database and the control file, and end the server as its first PANIC would.

    Returns:
        The destroyed files, relative to the data folder.
    """
    tables = [str(path) for (path,) in cluster.sql(_LARGEST, database=database)]
    cluster.kill()
    destroyed = [*tables, _CONTROL]
    for name in destroyed:
        _overwrite(cluster.data / name)
    return destroyed


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))
