"""PostgreSQL: one server for all systems, one database with its own owner role each."""

import os
import signal
import subprocess

from typing_extensions import override

from opsproof.errors import StackError
from opsproof.stack.parts.part import Launch, Part, Plan
from opsproof.stack.parts.postgres_programs import find_programs, unprivileged_user
from opsproof.stack.ports import HOST

MAX_CONNECTIONS = 60
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": str(MAX_CONNECTIONS),
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
        password_file = home / "password"
        with open(os.open(password_file, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(plan.secrets["postgres"])
        if user is not None:
            os.chown(password_file, *user)
            os.chown(home, *user)
        initdb = find_programs(user).folder / "initdb"
        argv = [str(initdb), "-D", str(home / "data"), "-U", "postgres", f"--pwfile={password_file}"]
        argv += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions"]
        done = subprocess.run(
            argv,
            cwd=home,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            capture_output=True,
            check=False,
            user=user and user[0],
            group=user and user[1],
            extra_groups=user and [],
        )
        self.log(plan).write_bytes(done.stdout + done.stderr)
        password_file.unlink()
        if done.returncode:
            raise StackError(
                f"initdb ended with status {done.returncode}",
                where=str(self.log(plan)),
                next_step="read the log; is the disk full?",
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
            for database in plan.systems:
                role = sql.Identifier(database)
                password = sql.Literal(plan.secrets[f"{database}.database"])
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, password))
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {} STRATEGY FILE_COPY").format(role, role))


def database_url(plan: Plan, database: str) -> str:
    """Where a system's own database is, as its owner role."""
    return f"postgresql://{database}:{plan.secrets[f'{database}.database']}@{plan.address('postgres')}/{database}"


def superuser_url(plan: Plan, database: str = "postgres") -> str:
    """Where a database is, as PostgreSQL's superuser: for the stack and its faults only, never for profiles."""
    return f"postgresql://postgres:{plan.secrets['postgres']}@{plan.address('postgres')}/{database}"
