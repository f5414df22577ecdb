"""PostgreSQL: one server for all systems, one database with its own owner role each."""

import os
import signal
import stat
import subprocess
from pathlib import Path

from typing_extensions import override

from opsproof.errors import StackError
from opsproof.stack.logs import log_tail, open_log
from opsproof.stack.parts.part import Launch, Part, Plan
from opsproof.stack.parts.postgres_programs import find_programs, unprivileged_user
from opsproof.stack.ports import HOST
from opsproof.stack.process import MARK

MAX_CONNECTIONS = 80
_RESERVED = 13  # whoever is refused has one for a moment: five services that try again must leave some to the superuser
_HAS_STRATEGIES = 150_000
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": str(MAX_CONNECTIONS),
    "superuser_reserved_connections": str(_RESERVED),
    "shared_buffers": "16MB",
    "dynamic_shared_memory_type": "mmap",  # its files go with the data folder, whatever kills the server
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres(Part):
    """The database server; as root it runs as another user."""

    name = "postgres"
    stop_signal = signal.SIGINT

    @override
    def prepare(self, plan: Plan) -> None:
        """Make the cluster: initdb takes about 0.4 seconds."""
        user = unprivileged_user()
        home = plan.directory / "postgres"
        home.mkdir(mode=0o700)
        _check_reachable(home, user)
        password_file = home / "password"
        with open(os.open(password_file, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(plan.secrets["postgres"])
        if user is not None:
            os.chown(password_file, *user)
            os.chown(home, *user)
        initdb = find_programs(user).folder / "initdb"
        argv = [str(initdb), "-D", str(home / "data"), "-U", "postgres", f"--pwfile={password_file}"]
        argv += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync"]
        done = subprocess.run(
            argv,
            cwd=home,
            env={"PATH": os.defpath, "LC_ALL": "C", MARK: str(plan.directory)},
            capture_output=True,
            check=False,
            user=user and user[0],
            group=user and user[1],
            extra_groups=user and [],
        )
        with open_log(self.log(plan)) as log:
            log.write(done.stdout + done.stderr)
        password_file.unlink()
        if done.returncode:
            raise StackError(
                f"initdb ended with status {done.returncode}",
                where=f"{self.log(plan)}{log_tail(self.log(plan), plan.secrets)}",
                next_step="read the lines above; they are the last of its output",
            )

    @override
    def launch(self, plan: Plan) -> Launch:
        user = unprivileged_user()
        data = plan.directory / "postgres" / "data"
        argv = [str(find_programs(user).folder / "postgres"), "-D", str(data), "-p", str(plan.ports[self.name])]
        for name, value in SETTINGS.items():
            argv += ["-c", f"{name}={value}"]
        return Launch(argv, data.parent, user=user)

    @override
    def missing(self, plan: Plan) -> str:
        import psycopg

        try:
            with psycopg.connect(superuser_url(plan), connect_timeout=2) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError as exc:
            return f"a query is not answered: {str(exc).splitlines()[0] if str(exc) else type(exc).__name__}"
        return ""

    @override
    def provision(self, plan: Plan) -> None:
        import psycopg
        from psycopg import sql

        with psycopg.connect(superuser_url(plan), autocommit=True) as connection:
            # Copying files takes 0.02 s, the way through the log 0.2 s; older servers know only the former.
            strategy = sql.SQL(" STRATEGY FILE_COPY" if connection.info.server_version >= _HAS_STRATEGIES else "")
            for database in plan.systems:
                role = sql.Identifier(database)
                password = sql.Literal(plan.secrets[f"{database}.database"])
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, password))
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role) + strategy)


def _check_reachable(home: Path, user: tuple[int, int] | None) -> None:
    """Another user than ours must be able to pass through every folder above its own."""
    closed = [folder for folder in home.parents if not folder.stat().st_mode & stat.S_IXOTH]
    if user is not None and closed:
        raise StackError(
            f"PostgreSQL does not run as root, and its user (uid {user[0]}) cannot reach the folder for its data",
            where=str(closed[-1]),
            next_step=f"set TMPDIR to a folder that others may pass through, or: chmod o+x {closed[-1]}",
        )


def database_url(plan: Plan, database: str) -> str:
    """Where a system's own database is, as its owner role."""
    return f"postgresql://{database}:{plan.secrets[f'{database}.database']}@{plan.address('postgres')}/{database}"


def superuser_url(plan: Plan, database: str = "postgres") -> str:
    """Where a database is, as PostgreSQL's superuser: for the stack and its faults only, never for profiles."""
    return f"postgresql://postgres:{plan.secrets['postgres']}@{plan.address('postgres')}/{database}"
