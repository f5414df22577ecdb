"""`python -m opsproof.stack.services.migrate SYSTEM [SYSTEM...]` brings databases to head and seeds them."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory
    from sqlalchemy import Connection

_WAIT_SECONDS = 30.0
_POLL_SECONDS = 0.02


class _MigrateError(Exception):
    """Why a database could not be migrated, in one line without credentials."""


def main() -> int:
    """Migrate each system in turn; 1 if one could not be."""
    parser = argparse.ArgumentParser(prog="migrate", description="Bring databases to head and seed them.")
    parser.add_argument("systems", nargs="+", metavar="SYSTEM")
    parser.add_argument("--to", metavar="REVISION", help="go to this revision, up or down, and seed nothing")
    arguments = parser.parse_args()
    for system in arguments.systems:
        try:
            _migrate(system, arguments.to)
        except _MigrateError as error:
            sys.stderr.write(f"migrate {system}: {error}\n")
            return 1
    return 0


def _migrate(system: str, revision: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    from opsproof.stack.services.common.migration_run import engine_for

    package = system.replace("-", "_")
    migrations = Path(__file__).parent / package / "migrations"
    if not migrations.is_dir():
        raise _MigrateError("there is no reference service of that name")
    url = _url(system)
    _wait_for(url)
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    try:
        with engine_for(url).connect() as connection:
            config.attributes["connection"] = connection
            if revision is None:
                command.upgrade(config, "head")
            elif _is_below(ScriptDirectory.from_config(config), _current(connection), revision):
                command.downgrade(config, revision)
            else:
                command.upgrade(config, revision)
    except CommandError as error:
        raise _MigrateError(str(error)) from None
    if revision is None:
        with psycopg.connect(url) as seeding:
            importlib.import_module(f"opsproof.stack.services.{package}.seed").seed(seeding)


def _is_below(scripts: ScriptDirectory, current: str | None, revision: str) -> bool:
    """Whether going from the current revision to the wanted one means going down."""
    if current is None or revision in ("head", "heads") or revision.startswith("+"):
        return False
    if revision == "base" or revision.startswith("-"):
        return True
    below = {script.revision for script in scripts.iterate_revisions(current, "base")} - {current}
    return revision in below


def _current(connection: Connection) -> str | None:
    from alembic.runtime.migration import MigrationContext

    with connection.begin():  # ends the transaction; left open, it would swallow the migration
        return MigrationContext.configure(connection).get_current_revision()


def _url(system: str) -> str:
    name = f"{system.upper().replace('-', '_')}_DATABASE_URL"
    url = os.environ.get(name, "")
    if not url:
        raise _MigrateError(f"{name} is not set")
    return url


def _wait_for(url: str) -> None:
    """Wait until the database lets us in; it may still be starting, or not yet be created."""
    until = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise _MigrateError(f"the database gave no connection within {_WAIT_SECONDS:g} s") from None
            time.sleep(_POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
