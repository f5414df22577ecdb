"""The task that brings the databases of all systems to their newest revision."""

import sys

from typing_extensions import override

from opsproof.stack.names import prefix_of
from opsproof.stack.parts.part import Launch, Part, Plan
from opsproof.stack.parts.postgres import database_url


class Migrations(Part):
    """Waits for the database itself, so that its imports overlap with PostgreSQL's start."""

    name = "migrations"
    listens = False
    once = True

    @override
    def launch(self, plan: Plan) -> Launch:
        argv = [sys.executable, "-m", "opsproof.stack.services.migrate", *plan.systems]
        env = {f"{prefix_of(name)}_DATABASE_URL": database_url(plan, name) for name in plan.systems}
        return Launch(argv, plan.directory, env)

    @override
    def missing(self, plan: Plan) -> str:
        return ""
