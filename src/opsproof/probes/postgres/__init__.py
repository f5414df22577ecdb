"""Ask a PostgreSQL database."""

from opsproof.probes.postgres.probe import PostgresProbe

__all__ = ["PostgresProbe"]
