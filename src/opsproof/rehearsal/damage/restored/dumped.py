"""Restores of a dump that went wrong in a way that their exit status does not tell."""

from pathlib import Path

from opsproof.errors import StackError
from opsproof.rehearsal.damage.restored.copies import Copy
from opsproof.rehearsal.damage.restored.source import OF_DATABASE

_ORIGINAL, _FLIPPED = b"summary 0123 of line", b"summary 0122 of line"


def with_a_byte_flipped(copy: Copy) -> None:
    """Change one byte of the rows in the dump, and restore that: nothing objects."""
    damaged = copy.restored.cluster.home / "flipped.dump"
    content = copy.source.dump.read_bytes()
    if _ORIGINAL not in content:
        raise StackError(
            "the row to be changed is not in the dump", where=str(copy.source.dump), next_step="see the lab"
        )
    damaged.write_bytes(content.replace(_ORIGINAL, _FLIPPED, 1))
    copy.restored.cluster.grounds.programs.own(damaged)
    _anew(copy, damaged)


def without_owners(copy: Copy) -> None:
    """Restore with --no-owner --no-acl, as many scripts do, so that nothing complains."""
    _anew(copy, copy.source.dump, "--no-owner", "--no-acl")


def into_another_encoding(copy: Copy) -> None:
    """Restore into a database that takes any bytes."""
    _anew(copy, copy.source.dump, encoding="SQL_ASCII")


def _anew(copy: Copy, dump: Path, *options: str, encoding: str = "UTF8") -> None:
    cluster, database = copy.restored.cluster, copy.restored.database
    cluster.sql(f"DROP DATABASE {database} WITH (FORCE)")
    cluster.sql(f"CREATE DATABASE {database} TEMPLATE template0 ENCODING {encoding} LOCALE 'C'")
    for statement in OF_DATABASE:
        cluster.sql(statement.format(database))
    cluster.must("pg_restore", *options, "--exit-on-error", "-d", cluster.conninfo(database), str(dump))
    copy.sql("ANALYZE")
