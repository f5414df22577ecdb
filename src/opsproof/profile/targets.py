"""What an environment offers to be asked: one model for each kind of target."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from typing_extensions import override

from opsproof.profile.scalars import Duration
from opsproof.profile.stores import AccessKey, StoreUrl, place


class Section(BaseModel):
    """Base of everything in a profile: frozen, and no unknown keys. Its schema is built when first used, once."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


class Url(SecretStr):
    """An address; secret, because it may hold a user and password. `address` says what may be shown of it."""


def _url(*schemes: str) -> AfterValidator:
    def check(value: Url) -> Url:
        text = value.get_secret_value()
        try:
            parts = urlsplit(text)
            known = parts.scheme in schemes and bool(parts.hostname) and not any(map(str.isspace, text))
            _ = parts.port
        except ValueError:
            known = False
        if not known:
            raise ValueError(f"expected an address of the form {schemes[0]}://HOST[:PORT] ({', '.join(schemes)})")
        if text.count("@") > 1 or (text.count("@") == 1 and "@" not in parts.netloc) or parts.fragment:
            raise ValueError("expected user and password percent-encoded (@ is %40, / is %2F, # is %23, ? is %3F)")
        return value

    return AfterValidator(check)


HttpUrl = Annotated[Url, _url("http", "https")]
PostgresUrl = Annotated[Url, _url("postgresql", "postgres")]
RedisUrl = Annotated[Url, _url("redis", "rediss")]


def address(url: Url) -> str:
    """The part of an address that may be shown: scheme, host, port and path, without user, password and query."""
    parts = urlsplit(url.get_secret_value())
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"


class Identity(Section):
    """Who opsproof says it is: one of a bearer token, an API key, or a user and password."""

    bearer: SecretStr | None = Field(None, description="Sent as `Authorization: Bearer ...`.")
    api_key: SecretStr | None = Field(None, description="Sent in the header named by `api_key_header`.")
    api_key_header: str = "X-API-Key"
    user: str | None = Field(None, description="User of HTTP basic authentication.")
    password: SecretStr | None = Field(None, description="Password of HTTP basic authentication.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [self.bearer, self.api_key, self.user]
        if sum(way is not None for way in ways) != 1 or (self.user is None) != (self.password is None):
            raise ValueError("expected exactly one of `bearer`, `api_key`, or `user` with `password`")
        return self


class Target(Section):
    """What every kind of target has."""

    depends_on: tuple[str, ...] = Field(
        (), description="Targets that this one cannot work without; a failure here is explained by one that is down."
    )
    timeout: Duration = Field(5.0, description="Limit of one question, from asking to the whole answer.")
    concurrency: int = Field(1, ge=1, le=64, description="Questions under way at once.")
    absent: str = Field("", description="Why it is not there in this environment; what asks it is skipped.")

    @property
    def address(self) -> str:
        """Where the target is, with nothing secret in it."""
        raise NotImplementedError


class HttpTarget(Target):
    """An HTTP API."""

    kind: Literal["http"]
    url: HttpUrl
    auth: Identity | None = Field(None, description="The identity used where a check names no other.")
    identities: dict[str, Identity] = Field({}, description="Other identities, by name (admin, reader, ...).")
    ca_file: Path | None = Field(None, description="Certificate authority to trust; left out, the system's.")
    concurrency: int = Field(8, ge=1, le=64, description="Requests under way at once.")
    max_answer_bytes: int = Field(2_000_000, ge=1, description="A body larger than this is not read to its end.")

    @property
    def identity(self) -> Identity | None:
        """Who a request comes from that names nobody: `auth`, or user and password of the url."""
        parts = urlsplit(self.url.get_secret_value())
        if self.auth is not None or not parts.username:
            return self.auth
        return Identity(user=unquote(parts.username), password=SecretStr(unquote(parts.password or "")))

    @property
    @override
    def address(self) -> str:
        return address(self.url).rstrip("/")


_LABELS = (
    "Labels that Prometheus gives this system's series; every selector but those of raw PromQL is narrowed by them."
)


class PrometheusTarget(HttpTarget):
    """A Prometheus server, or what speaks its HTTP API."""

    kind: Literal["prometheus"]  # type: ignore[assignment]
    labels: dict[str, str] = Field({}, description=_LABELS)
    concurrency: int = Field(4, ge=1, le=64, description="Queries under way at once.")


class ScrapeTarget(HttpTarget):
    """A service's own metrics, where there is no Prometheus: its url is that of /metrics; read twice over a span."""

    kind: Literal["scrape"]  # type: ignore[assignment]
    labels: dict[str, str] = Field({}, description=_LABELS)
    span: Duration = Field(5.0, description="Time between the two readings; stands in for every window.")


class AlertmanagerTarget(HttpTarget):
    """An Alertmanager."""

    kind: Literal["alertmanager"]  # type: ignore[assignment]


class LokiTarget(HttpTarget):
    """A Loki server: the logs of many processes, asked by LogQL."""

    kind: Literal["loki"]  # type: ignore[assignment]
    selector: str = Field(description='The streams of this system: {app="web"}.')
    tenant: str | None = Field(None, description="Sent as X-Scope-OrgID.")


class PostgresTarget(Target):
    """A PostgreSQL database; sessions are read-only."""

    kind: Literal["postgres"]
    dsn: PostgresUrl
    concurrency: int = Field(2, ge=1, le=8, description="Connections at once.")

    @property
    @override
    def address(self) -> str:
        return address(self.dsn)


class RedisTarget(Target):
    """A Redis or Valkey server; only commands that read are sent."""

    kind: Literal["redis"]
    url: RedisUrl
    concurrency: int = Field(2, ge=1, le=8, description="Connections at once.")

    @property
    @override
    def address(self) -> str:
        return address(self.url)


class CeleryTarget(Target):
    """Celery workers, asked through their broker."""

    kind: Literal["celery"]
    broker: RedisUrl
    workers: int = Field(1, ge=1, description="How many workers must answer.")

    @property
    @override
    def address(self) -> str:
        return address(self.broker)


class AlembicTarget(Target):
    """The migration scripts that belong to the release."""

    kind: Literal["alembic"]
    scripts: Path | None = Field(None, description="Folder of alembic's scripts (with env.py and versions/).")
    heads: tuple[str, ...] = Field((), description="The head revisions, where the scripts are not at hand.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.scripts is None) == (not self.heads):
            raise ValueError("expected either `scripts` or `heads`")
        return self

    @property
    @override
    def address(self) -> str:
        return str(self.scripts) if self.scripts else "the profile's list of heads"


class LogFileTarget(Target):
    """Structured logs, one JSON object a line, in a file that can be read here."""

    kind: Literal["logfile"]
    path: Path
    tail_bytes: int = Field(4_000_000, ge=1, description="How much of the file's end is read.")

    @property
    @override
    def address(self) -> str:
        return str(self.path)


class SettingsTarget(Target):
    """The settings that a release runs with; values are measured and never leave the probe."""

    kind: Literal["settings"]
    env_file: Path | None = Field(None, description="An env file, as Docker Compose reads it.")
    pid_file: Path | None = Field(None, description="A file with the pid of a process on this machine.")
    environment: bool = Field(False, description="True: the environment that opsproof itself was started with.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum((self.env_file is not None, self.pid_file is not None, self.environment)) != 1:
            raise ValueError("expected exactly one of `env_file`, `pid_file`, or `environment: true`")
        return self

    @property
    @override
    def address(self) -> str:
        if self.environment:
            return "opsproof's own environment"
        return str(self.env_file or self.pid_file)


class HostTarget(Target):
    """A host, asked by programs that only read: this one, or one that ssh reaches without a password."""

    kind: Literal["host"]
    url: Annotated[str, Field(pattern=r"^(local://|ssh://([^\s@:/]+@)?[^\s@:/]+(:\d+)?)$")] = Field(
        description="local://, or ssh://[USER@]HOST[:PORT]."
    )
    identity_file: Path | None = Field(None, description="Private key for ssh; left out, what ssh itself would take.")
    known_hosts_file: Path | None = Field(None, description="Keys of hosts to trust; left out, those ssh knows.")
    timeout: Duration = Field(10.0, description="Limit of one program, with the connection to the host.")

    @property
    def is_local(self) -> bool:
        """True for the host that opsproof itself runs on."""
        return self.url == "local://"

    @property
    @override
    def address(self) -> str:
        return self.url


class StoreTarget(Target):
    """An object store: a bucket, or what is below a prefix of it. Objects are listed, and nothing is written."""

    kind: Literal["store"]
    url: StoreUrl = Field(
        description="s3://BUCKET[/PREFIX], gs://BUCKET[/PREFIX], az://ACCOUNT/CONTAINER[/PREFIX] or local:///FOLDER."
    )
    endpoint: HttpUrl | None = Field(None, description="Where the store listens, if it is not the cloud's own.")
    region: str | None = Field(None, pattern=r"^[\w-]+$", description="Region of the bucket; of s3 alone.")
    access_key: AccessKey | None = Field(None, description="Id of the access key; of s3 alone.")
    secret_key: SecretStr | None = Field(
        None,
        description="s3: secret access key; az: the account's key; gs: JSON of the service account. Left out, what the "
        "cloud's own tools would take here.",
    )
    timeout: Duration = Field(10.0, description="Limit of one listing, from asking to its end.")
    concurrency: int = Field(2, ge=1, le=16, description="Listings under way at once.")

    @model_validator(mode="after")
    def _belongs_to_the_scheme(self) -> Self:
        scheme = place(self.url).scheme
        usable = {"s3": {"endpoint", "region", "access_key", "secret_key"}, "local": set()}
        for key in ("endpoint", "region", "access_key", "secret_key"):
            if getattr(self, key) is not None and key not in usable.get(scheme, {"endpoint", "secret_key"}):
                raise ValueError(f"expected no `{key}` with {scheme}://")
        if scheme == "s3" and (self.access_key is None) != (self.secret_key is None):
            raise ValueError("expected `access_key` and `secret_key` together")
        return self

    @property
    @override
    def address(self) -> str:
        return f"{self.url} ({address(self.endpoint)})" if self.endpoint else self.url


AnyTarget = Annotated[
    HttpTarget
    | PrometheusTarget
    | ScrapeTarget
    | AlertmanagerTarget
    | LokiTarget
    | PostgresTarget
    | RedisTarget
    | CeleryTarget
    | AlembicTarget
    | LogFileTarget
    | SettingsTarget
    | HostTarget
    | StoreTarget,
    Field(discriminator="kind"),
]
