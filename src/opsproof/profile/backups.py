"""What is kept for the day of a disaster: dumps, base backups, the WAL archive, and what must be true of them."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from opsproof.profile.scalars import Duration
from opsproof.profile.stores import NamePrefix
from opsproof.profile.targets import Section

Share = Annotated[float, Field(ge=0, le=1)]


class Copies(Section):
    """What every series of backups has."""

    prefix: NamePrefix = Field(description="How the names of its objects begin: postgres/daily/.")
    freshness: Duration = Field(
        description="The newest one, and the newest data in it, may be this old: one interval and the time that a "
        "backup takes. There is no default: a backup of which nobody says how old it may be is no backup."
    )
    keep: int = Field(2, ge=1, description="So many whole ones must be there.")


class Dumps(Copies):
    """Logical dumps by pg_dump, one object each, named by their time."""

    form: Literal["custom", "plain"] = Field(description="What pg_dump -F wrote; .gz at the end of a name is unpacked.")
    latest: str | None = Field(None, description="Name of the object that is always the newest: latest.dump.gz.")
    roles: str | None = Field(
        None, description="Name of the object with the roles (pg_dumpall --globals-only); no dump holds them."
    )
    least_bytes: int = Field(1024, ge=1, description="What is smaller is no backup.")
    shrink: Share = Field(0.5, description="The newest must have at least this share of the bytes of the one before.")
    tables: dict[str, int] = Field({}, description="Tables that must be in it, each with the rows that are the least.")


class Bases(Copies):
    """Physical base backups by pg_basebackup in plain form, one folder each, named by their time."""


class Wal(Section):
    """The archive that archive_command fills, one object for each segment."""

    prefix: NamePrefix
    freshness: Duration = Field(description="The newest commit in it may be this old: the RPO of the archive.")
    waiting: int = Field(3, ge=0, description="So many segments may wait for the archiver (.ready).")
    reach: Duration | None = Field(None, description="Every moment of this stretch must be recoverable (retention).")
    hashes: bool = Field(
        False, description="The catalogue holds a SHA-256 of each segment, written when it was archived."
    )
    timelines: tuple[int, ...] = Field(
        (), description="Timelines of promotions that are known, beside those that the server itself comes from."
    )


class Heartbeat(Section):
    """A row that something writes at least every tenth of the freshness; the newest one tells how old a copy is."""

    table: str = Field("opsproof_heartbeat", pattern=r"^[a-z_][a-z0-9_.]*$")
    at: str = Field("at", pattern=r"^[a-z_][a-z0-9_]*$", description="Its column with the time.")


class Backups(Section):
    """Where the backups of a system are, and what must be true of them."""

    store: str = Field("backups", description="Target of kind `store` that holds them.")
    catalogue: str | None = Field(
        None,
        description="Target of kind `store` that holds what was noted when each was made; another place.",
    )
    database: str = Field("database", description="Target of kind `postgres` that they are of.")
    dumps: Dumps | None = None
    bases: Bases | None = None
    wal: Wal | None = None
    heartbeat: Heartbeat = Heartbeat()
    read_within: Duration = Field(
        21600.0,
        gt=0,
        description="Limit of each check that reads them, in place of the policy's.",
    )

    @model_validator(mode="after")
    def _holds_something(self) -> Self:
        if not (self.dumps or self.bases or self.wal):
            raise ValueError("expected at least one of `dumps`, `bases`, `wal`")
        return self
