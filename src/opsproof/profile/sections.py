"""What a profile says about its system: where to ask, what must be there, how much is too much."""

import json
from typing import Any, Self

from pydantic import Field, model_validator

from opsproof.profile.scalars import Duration
from opsproof.profile.targets import Section


class Health(Section):
    """The health endpoints of the `api` target (runbooks 002 and 003)."""

    overall: str | None = Field(None, description="Path that says whether the service is up.")
    live: str | None = Field(None, description="Liveness: the process runs; asks no dependency.")
    ready: str | None = Field(None, description="Readiness: traffic may come.")
    detailed: str | None = Field(None, description="Path with one status for each component.")
    components: dict[str, str] = Field(
        {}, description="Components that `detailed` must show, each with the target that it stands for (or '')."
    )
    healthy_words: tuple[str, ...] = Field(("healthy", "ok"), description="Status words that mean healthy.")
    allow_degraded: tuple[str, ...] = Field(
        (),
        description="Components without which readiness may answer 503 (the runbook's --allow-ready-degraded). "
        "Readiness alone: what else tells that they are down stays red; waive it, with an end, for the time of a "
        "degraded mode.",
    )


class Release(Section):
    """Where the running release says what it is."""

    path: str = Field(description="Path whose JSON answer holds the version.")
    field: str = Field("version", description="Dotted name of the field.")
    requests: int = Field(10, ge=1, le=100, description="Requests on fresh connections, so that every replica answers.")
    replicas: int | None = Field(
        None, ge=1, description="So many different replicas must answer; left out, they are not told apart."
    )
    instance: str = Field("instance", description="Dotted name of the field that tells replicas apart.")
    commit: str = Field("commit", description="Dotted name of the field that holds the commit.")


class Endpoint(Section):
    """A core path of the API and what its answer must hold."""

    name: str = Field(description="Short name; part of the check's id.")
    path: str
    identity: str | None = Field(None, description="Identity of the target to use; left out, its `auth`.")
    fields: tuple[str, ...] = Field((), description="Dotted names that the JSON answer must have.")
    at_once: int = Field(
        1,
        ge=1,
        le=50,
        description="Requests at once, each on a connection of its own: every replica behind a balancer is met, and "
        "what is well only while idle shows.",
    )


class Authorization(Section):
    """A path that only one role may read."""

    path: str
    admitted: str = Field(description="Identity that must get 200.")
    jwt: bool = Field(False, description="Whether its bearer is a JWT; forged ones are then made from it and sent.")
    refused: str | None = Field(None, description="Identity that must get 403.")


class Tracing(Section):
    """How a request is followed through the logs (runbooks 002 and 003)."""

    path: str = Field(description="Path that answers without error.")
    error_path: str = Field(description="Path that answers 404 with the structured error body.")
    header: str = "X-Request-Id"
    log_field: str = Field("request_id", description="Field of a log line that holds the request id.")
    error_fields: tuple[str, ...] = Field(
        ("error_id", "path", "method"), description="Fields that an error's body and log line must have."
    )
    within: Duration = Field(5.0, description="Time for the line to arrive in the logs.")


class Exposition(Section):
    """The service's own metrics in Prometheus text format."""

    path: str = "/metrics"
    counter: str = Field(description="A counter that every request moves; requests of `path` itself are left out.")
    process: str = Field(
        "process_start_time_seconds",
        description="A metric that tells one replica from another: only readings of the same one are compared.",
    )
    readings: int = Field(
        10, ge=2, le=100, description="Readings at most, until one replica has moved; more than replicas."
    )


class RateLimit(Section):
    """A path under a low limit, so that the limit can be seen with few requests."""

    path: str
    identity: str
    limit: int = Field(ge=1, le=50, description="Requests that the limit lets through in one window.")
    status: int = 429


class RequiredSetting(Section):
    """A setting without which the release must not run."""

    name: str
    min_bytes: int = Field(1, ge=1, description="Least length in bytes of UTF-8.")
    not_one_of: tuple[str, ...] = Field(
        (
            *("changeme", "change-me", "change-this", "replace", "replaceme", "placeholder", "default", "example"),
            *("secret", "password", "passwd", "postgres", "admin", "root", "guest", "user"),
            *("test", "demo", "sample", "dummy", "insecure", "todo", "fixme"),
        ),
        description="Known default values, compared without case; refused as well where a value is made of nothing but "
        "them, filling words (your, please, key), digits and separators: please-change-me-2024.",
    )
    equals: str | None = Field(None, description="The one value that it must have; for what is no secret.")


class Work(Section):
    """A piece of synthetic work that a worker must finish."""

    name: str = Field(description="Short name; part of the check's id.")
    submit: str = Field(description="Path that takes the work by POST.")
    body: dict[str, Any] = Field(
        description="JSON body of the POST; the text {marker} is filled in, which no other run has."
    )
    id_field: str = Field(description="Dotted name of the id in the answer.")
    status: str = Field(description="Path that tells how the work stands; {id} is filled in.")
    status_field: str = "status"
    succeeded: tuple[str, ...] = ("succeeded",)
    failed: tuple[str, ...] = ("failed", "cancelled")
    delete: str = Field(description="Path that deletes the work; {id} is filled in.")
    marked: str = Field(
        "", description="SQL that finds what was stored of a POST without an answer; parameter %(marker)s, column `id`."
    )
    within: Duration = Field(20.0, description="Time for the work to finish.")
    same_again: tuple[str, ...] = Field(
        (), description="Dotted names of the answer that must be the same when the same work is done once more."
    )
    metadata_field: str | None = Field(None, description="Dotted name of the metadata that must be kept.")
    metadata_keys: tuple[str, ...] = ()
    metadata_as_sent: tuple[str, ...] = Field((), description="Keys of the body that the metadata must repeat.")
    metadata_commit: str = Field("", description="Key of the metadata that must be the commit of the running release.")

    @model_validator(mode="after")
    def _body_holds_what_is_looked_for(self) -> Self:
        if absent := [key for key in self.metadata_as_sent if key not in self.body]:
            raise ValueError(f"`metadata_as_sent` names {', '.join(absent)}, which `body` does not have")
        if self.marked and "{marker}" not in json.dumps(self.body):
            raise ValueError("`marked` looks for a marker, and `body` has no {marker}")
        return self


class Queues(Section):
    """The queues of the `workers` target, and how they are where work is done."""

    names: tuple[str, ...] = Field(min_length=1, description="Queues that a worker must take from.")
    held: Duration = Field(
        3600.0,
        description="A message that a worker took and has not acknowledged for longer is stuck; more than the longest "
        "task takes, with all that is reserved behind it. The default is Celery's own visibility_timeout.",
    )
    apart: Duration = Field(3.0, description="Time between two readings of a queue's length.")
    growth: int = Field(20, ge=0, description="So many more messages at the second reading are no backlog that grows.")


class RecentJobs(Section):
    """What became of the jobs of late: evidence for a diagnosis, and for the record."""

    states: str = Field(description="SQL: columns `status` and `jobs`, a row for each status of the last hour.")
    failed: str = Field("", description="SQL: the newest failed jobs, with what they say about it.")


class StoredMetadata(Section):
    """Metadata that finished runs must have kept."""

    sql: str = Field(description="Reads the newest finished runs: columns `id` and `metadata`.")
    keys: tuple[str, ...] = Field(min_length=1)


class Exchange(Section):
    """A request that does something: what its answer must say, what it leaves behind, how that is taken back."""

    submit: str = Field(description="Path that takes it by POST.")
    body: dict[str, Any] = Field(description="JSON body of the POST.")
    expect: dict[str, Any] = Field({}, description="Dotted names of the answer, and the value that each must have.")
    fields: tuple[str, ...] = Field((), description="Dotted names of the answer that must have a value.")
    id_field: str = Field("", description="Dotted name of the id of what is stored; left out, nothing is.")
    stored: str = Field("", description="SQL that counts what is stored under an id; parameter %(id)s.")
    delete: str = Field("", description="Path that deletes it; {id} is filled in.")


class Chart(Section):
    """A question whose answer is a chart."""

    path: str
    rows: str = Field("rows", description="Dotted name of the chart's data.")
    fields: tuple[str, ...] = Field(("chart.type",), description="Dotted names that describe the chart.")


class Decisions(Section):
    """What a decision engine is asked for (runbook 001)."""

    judgments: dict[str, Exchange] = Field({}, description="By mode.")
    fallback: Exchange | None = Field(None, description="A judgment that rules must make where the model does not.")
    simulations: dict[str, Exchange] = Field({}, description="What-if questions; they store nothing.")
    messages: dict[str, Exchange] = Field({}, description="Messages to the chat bot.")
    feedback: dict[str, Exchange] = Field({}, description="Feedback on judgments.")
    charts: dict[str, Chart] = Field({}, description="Questions in natural language.")
