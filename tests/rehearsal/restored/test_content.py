"""A content hash is that of the rows, and of nothing else."""

import asyncio

from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.restored.content import content_hashes
from opsproof.stack.clusters import Cluster

_TABLES = """
    CREATE TABLE t (id text PRIMARY KEY, at timestamptz, amount float8, word text);
    CREATE TABLE bag (word text, n int);
"""
_ROWS = (
    "INSERT INTO t VALUES ('b', '2026-11-01 00:00Z', 0.1, '품질'), ('A', '2026-11-02 00:00Z', 1e300, E'two\\nlines')",
    "INSERT INTO bag VALUES ('x', 1), ('x', 1), ('y', NULL)",
)


def _hashes(cluster, database):
    node = Node(database, cluster.conninfo(database), Asking.alone(database))
    return asyncio.run(content_hashes(node))


def test_it_is_the_same_wherever_the_same_rows_are(grounds):
    """Encoding, time zone, float digits, order of columns and of rows, and dropped columns are not content."""
    cluster = Cluster(grounds, "content")
    cluster.initialize()
    cluster.start()
    cluster.sql("CREATE DATABASE one TEMPLATE template0 ENCODING 'UTF8'")
    cluster.sql("CREATE DATABASE two TEMPLATE template0 ENCODING 'EUC_KR' LOCALE 'C'")
    with cluster.connect("one") as connection:
        for statement in (_TABLES, *_ROWS):
            connection.execute(statement)
    with cluster.connect("two") as connection:
        connection.execute("SET client_encoding = 'UTF8'")
        connection.execute("ALTER DATABASE two SET timezone = 'Asia/Seoul'")
        connection.execute("ALTER DATABASE two SET extra_float_digits = 0")
        connection.execute("ALTER DATABASE two SET DateStyle = 'German'")
        connection.execute(_TABLES)
        connection.execute("ALTER TABLE bag DROP word, ADD word text")
        connection.execute("INSERT INTO bag VALUES (NULL, 'y'), (1, 'x'), (1, 'x')")
        connection.execute(_ROWS[0])
        connection.execute("UPDATE t SET word = word WHERE id = 'b'")

    one, two = _hashes(cluster, "one"), _hashes(cluster, "two")
    cluster.sql("UPDATE bag SET n = 2 WHERE word = 'y'", database="two")
    changed = _hashes(cluster, "two")

    assert one == two
    assert one["public.t"]["rows"] == 2
    assert one["public.bag"]["rows"] == 3
    assert changed["public.bag"]["sha256"] != one["public.bag"]["sha256"]
    assert changed["public.t"] == one["public.t"]
