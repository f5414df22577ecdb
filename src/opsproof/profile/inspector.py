"""What a profile says about an assistant whose answers can be inspected (runbook 000)."""

from pydantic import Field

from opsproof.profile.targets import Section


class AnswerTruth(Section):
    """An answer, and the query whose result it must agree with."""

    path: str = Field(description="Path of the newest trace of the question.")
    value: str = Field(description="Dotted name of the answer's number in the trace.")
    sql: str = Field(description="The same number from the data: a SELECT of one row and one column.")


class Inspector(Section):
    """Where traces, and what Regression and RCA say of them, are read."""

    trace: str = Field(description="Path of the newest trace of a golden query; {query} is filled in.")
    queries: tuple[str, ...] = Field(min_length=1, description="The golden queries.")
    regression: str = Field(description="Path of the verdicts: a list `results` with one entry a golden query.")
    rca: str = Field(description="Path of the rules that fired: a list `fired`.")
    block_types: tuple[str, ...] = ("table", "graph", "text")


class DatabaseHealth(Section):
    """What the health endpoint tells of the database, and the setting behind it."""

    path: str = Field(description="Path of the health endpoint.")
    status: str = "database.status"
    active: str = "database.active_connections"
    size: str = "database.pool_size"
    well: tuple[str, ...] = Field(("ok", "healthy"), description="Words for well, compared without case and signs.")
    settings: str = Field(description="Path of the settings in force.")
    setting: str = Field("db_connection_pool_size", description="Dotted name of the pool's size in the settings.")


class Page(Section):
    """A page for people that wants a login."""

    path: str
    identity: str | None = Field(None, description="Identity that may see it; left out, the target's `auth`.")


class ExternalApi(Section):
    """An API that the system's tools call; the target `external`."""

    health: str = Field(description="Path of its health page.")
    healthy_words: tuple[str, ...] = ("healthy", "ok")
    call: str = Field(description="Path that wants the system's own key and its scope.")
    status_page: str = Field(description="Path of its status page.")
    incidents: str = Field("incidents", description="Dotted name of the list of open incidents.")
