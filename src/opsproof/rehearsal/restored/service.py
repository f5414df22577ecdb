"""The service's own way in: its role, its secret, its statements, from an empty environment."""

from dataclasses import dataclass
from shlex import quote

from opsproof.rehearsal.asking import Asking
from opsproof.stack.clusters import Programs


@dataclass(frozen=True)
class Service:
    """
    Who works on the database, and what it does there.

    Attributes:
        conninfo: How it reaches the copy: host (or folder of the socket), port, database and its role; no secret.
        secret: Its password, from the place that it has it from at the DR site.
        statements: What it does all day; run in one transaction that is rolled back.
        settings: What must be in force when it has logged in: {"search_path": "core, public"}.
    """

    conninfo: str
    secret: str
    statements: tuple[str, ...]
    settings: tuple[tuple[str, str], ...] = ()


async def refusals(service: Service, programs: Programs, asking: Asking, *, seconds: float = 60.0) -> list[str]:
    """
    Work as the service: log in with its secret and nothing else of this machine (no ~/.pgpass, no PG* variable), run
    its statements, roll back.

    Returns:
        What it is refused: the login, or the first statement that fails with the server's words.
    """
    statements = ["BEGIN", *service.statements, "ROLLBACK"]

    def call() -> list[str]:
        argv = ["-X", "-w", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", service.conninfo]
        environment = {"PGPASSWORD": service.secret, "PGPASSFILE": "/dev/null", "PGCONNECT_TIMEOUT": "5"}
        shown = [f"SELECT current_setting({_text(name)})" for name, _ in service.settings]
        commands = [part for one in [*shown, *statements] for part in ("-c", one)]
        done = programs.run("psql", *argv, *commands, seconds=seconds, env=environment)
        if not done.ok:
            said = next((line for line in done.err.splitlines() if line.strip()), f"exit {done.status}")
            return [f"the service is refused: {said.strip()}"]
        in_force = done.out.splitlines()
        return [
            f"the service's {name} is {now!r}, and must be {must!r}"
            for (name, must), now in zip(service.settings, in_force, strict=False)
            if now != must
        ]

    by_hand = f"env -i psql -X -w {quote(service.conninfo)} -c {quote('; '.join(statements))}"
    return await asking.ask(f"as the service: {'; '.join(statements)}", by_hand, call, seconds=seconds + 10)


def _text(value: str) -> str:
    return "'{}'".format(value.replace("'", "''"))
