"""Settings of a service, read from environment variables and validated once, at start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_RESOLVER = re.compile(r"[0-9.]+:\d{1,5}")


class SettingsError(Exception):
    """A setting is missing or wrong; the text names the variable and never its value."""


@dataclass(frozen=True)
class Variables:
    """
    Typed reading of environment variables; an empty variable counts as unset.

    Args:
        values: The environment, as `os.environ`.
    """

    values: Mapping[str, str] = field(repr=False)

    def text(self, name: str, default: str) -> str:
        """The variable's value, or the default."""
        return self.values.get(name) or default

    def integer(self, name: str, default: int, *, minimum: int) -> int:
        """A whole number of at least `minimum`; raises SettingsError otherwise."""
        raw = self.values.get(name) or str(default)
        if not raw.isascii() or not raw.isdigit() or int(raw) < minimum:
            raise SettingsError(f"{name} must be a whole number of at least {minimum}")
        return int(raw)

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """One of the allowed words; raises SettingsError otherwise."""
        value = self.values.get(name) or default
        if value not in allowed:
            raise SettingsError(f"{name} must be one of: {', '.join(allowed)}")
        return value

    def url(self, name: str, schemes: tuple[str, ...]) -> str:
        """A URL with one of the schemes; raises SettingsError if it is missing or of another kind."""
        value = self.values.get(name, "")
        if not value:
            raise SettingsError(f"{name} is not set; give a URL that starts with {schemes[0]}://")
        try:
            parts = urlsplit(value)
            usable = parts.scheme in schemes and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise SettingsError(f"{name} is no usable URL; it must start with {schemes[0]}://")
        return value


@dataclass(frozen=True)
class Settings:
    """
    The settings that every service has. Secrets stay out of `repr`.

    A missing or short secret does not stop the service: finding that is the work of opsproof's checks.

    Args:
        database_srv: Name of an SRV record that says where the database of `database_url` is; "" for the URL's own.
        dns_resolver: ADDRESS:PORT of the server that is asked for it.
    """

    system: str
    version: str
    commit: str
    instance: str
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    api_key: str = field(repr=False)
    probe_api_key: str = field(repr=False)
    jwt_secret: str = field(repr=False)
    max_request_body_bytes: int
    max_request_body_seconds: int
    statement_seconds: int
    users_per_second: int
    defects_file: Path | None
    database_srv: str = ""
    dns_resolver: str = ""

    @classmethod
    def read(cls, system: str, variables: Variables) -> Settings:
        """
        Read and validate the settings of a system.

        Raises:
            SettingsError: A variable is missing or wrong.
        """
        defects = variables.text("DEFECTS_FILE", "")
        database_srv, dns_resolver = variables.text("DATABASE_SRV", ""), variables.text("DNS_RESOLVER", "")
        if bool(database_srv) != bool(dns_resolver):
            raise SettingsError("DATABASE_SRV and DNS_RESOLVER belong together; set both or neither")
        if dns_resolver and not _RESOLVER.fullmatch(dns_resolver):
            raise SettingsError("DNS_RESOLVER must be ADDRESS:PORT")
        return cls(
            system=system,
            version=variables.text("APP_VERSION", "1.0.0"),
            commit=variables.text("APP_COMMIT", "unknown"),
            instance=variables.text("INSTANCE", f"{system}-1"),
            database_url=variables.url("DATABASE_URL", ("postgresql", "postgres")),
            redis_url=variables.url("REDIS_URL", ("redis", "rediss")),
            api_key=variables.text("API_KEY", ""),
            probe_api_key=variables.text("PROBE_API_KEY", ""),
            jwt_secret=variables.text("JWT_SECRET", ""),
            max_request_body_bytes=variables.integer("MAX_REQUEST_BODY_BYTES", 65536, minimum=0),
            max_request_body_seconds=variables.integer("MAX_REQUEST_BODY_SECONDS", 10, minimum=1),
            statement_seconds=variables.integer("STATEMENT_SECONDS", 1, minimum=1),
            users_per_second=variables.integer("USERS_PER_SECOND", 0, minimum=0),
            defects_file=Path(defects) if defects else None,
            database_srv=database_srv,
            dns_resolver=dns_resolver,
        )
