"""The rehearsal of a disaster: its scenarios, their objectives and phases, and what is done in each step."""

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from opsproof.profile.recovered import Recovered
from opsproof.profile.scalars import Duration
from opsproof.profile.targets import HttpUrl, PostgresUrl, Section
from opsproof.profile.text import Text

SCENARIOS = ("region-loss", "damaged-database", "polluted-data")
PHASES = ("declare", "verify", "database", "service", "data", "business", "protect", "failback")
ACTIONS = (
    *("break", "declare", "restore", "recover", "promote", "fence", "activate", "switch-dns", "clear-cache"),
    *("attach-standby", "back-up", "rewind", "switch-back", "clean-up"),
)


class Objectives(Section):
    """What a scenario must hold (runbook 001, 5.1), and how long each phase may take (5.2)."""

    title: Text
    runbook: tuple[str, ...] = ()
    rto: Duration = Field(description="From the failure until the service can be used again.")
    rpo: Duration = Field(description="So much of what was acknowledged may be lost.")
    phases: dict[Literal[PHASES], Duration] = Field({}, description="Budget of each phase.")  # type: ignore[valid-type]
    declared: Duration | None = Field(
        None,
        description="Detection and declaration, where they are not measured: an assumption, printed.",
    )


class Site(Section):
    """One of the two sites, as a rehearsal reaches it. Its address may write: never that of a service in use."""

    database: PostgresUrl = Field(description="As a superuser or a member of pg_monitor and pg_checkpoint.")
    service_database: PostgresUrl | None = Field(None, description="The same, as the service's own role.")
    api: HttpUrl | None = None


class Name(Section):
    """A public name, and what it must resolve to at each site."""

    name: str
    type: Literal["A", "AAAA", "CNAME", "SRV"] = "A"
    home: tuple[str, ...] = Field(min_length=1, description="Answers while the home site serves.")
    dr: tuple[str, ...] = Field(min_length=1, description="Answers while the DR site serves; SRV as `0 5 5432 host`.")
    ttl: Duration = Field(
        description="Agreed lifetime of an answer at most, so that clients follow a switch; the runbook has none."
    )


class Rehearsals(Section):
    """What the quarterly rehearsal needs to know."""

    scenarios: dict[Literal[SCENARIOS], Objectives]  # type: ignore[valid-type]
    marker: dict[str, str] = Field(
        {}, description="SQL on the home database, and what it must give: SELECT name FROM environment: rehearsal."
    )
    system_identifier: int | None = Field(None, description="That of both clusters; nothing is touched in another one.")
    home: Site | None = None
    dr: Site | None = None
    resolvers: tuple[str, ...] = Field((), description="HOST[:PORT] of every resolver that clients use.")
    own_resolver: bool = Field(False, description="Whether this machine's own way of resolving is asked as well.")
    names: dict[str, Name] = Field({}, description="By what they lead to: api, database.")
    recovered: Recovered | None = Field(None, description="What must be true of the service at the DR site.")
    statements: tuple[str, ...] = Field(
        ("SELECT 1",), description="What the service's own role does all day; tried on a restored copy, rolled back."
    )
    commands: dict[Literal[ACTIONS], tuple[str, ...]] = Field(  # type: ignore[valid-type]
        {}, description="Program and arguments of an action; without one the operator acts, and says so."
    )
    secrets: dict[str, SecretStr] = Field({}, description="Environment of the commands.")
    full_size: int | None = Field(None, ge=1, description="Bytes of production's database, to project times to.")
    full_wal: int | None = Field(
        None, ge=1, description="Bytes of WAL between two base backups of production, at most: its replay takes time."
    )
    full_read: int = Field(
        10 << 30,
        ge=0,
        description="Bytes of a database up to which every page is read, and tables at rest are compared; above, "
        "neither is proven.",
    )
    last_within: Duration | None = Field(None, description="A rehearsal older than this has expired: a quarter.")

    @model_validator(mode="after")
    def _both_sites(self) -> Self:
        if (self.home is None) != (self.dr is None):
            raise ValueError("expected `home` and `dr` together, or neither")
        return self
