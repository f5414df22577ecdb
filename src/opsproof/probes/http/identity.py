"""Who a request says it comes from."""

import base64
import binascii
import enum
import json
import re
from datetime import UTC, datetime
from typing import Any, Literal

from opsproof.profile.targets import Identity


class Anonymous(enum.Enum):
    """The type of `ANONYMOUS`."""

    ANONYMOUS = "anonymous"

    def __repr__(self) -> str:
        return self.name


ANONYMOUS: Literal[Anonymous.ANONYMOUS] = Anonymous.ANONYMOUS
"""Nobody: the request carries no credentials, whatever the profile says."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?|")


def credentials(identity: Identity) -> dict[str, str]:
    """
    The request headers of an identity.

    Raises:
        ValueError: The credential cannot stand in a header; the text says why and does not show it.
    """
    if identity.bearer is not None:
        return {"Authorization": f"Bearer {_token(identity.bearer.get_secret_value(), 'bearer token')}"}
    if identity.api_key is not None:
        return {identity.api_key_header: _token(identity.api_key.get_secret_value(), "API key")}
    password = identity.password.get_secret_value() if identity.password else ""
    pair = base64.b64encode(f"{identity.user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def is_header_name(name: str) -> bool:
    """True if an HTTP header can have this name."""
    return _HEADER_NAME.fullmatch(name) is not None


def can_be_header(value: str) -> bool:
    """True if an HTTP header can carry this value unchanged."""
    return _HEADER_VALUE.fullmatch(value) is not None


def _token(value: str, noun: str) -> str:
    if not value:
        raise ValueError(f"the {noun} is empty")
    if not _TOKEN.fullmatch(value):
        raise ValueError(
            f"the {noun} has a line break, a space or a character outside ASCII; no HTTP header carries it"
        )
    return value


def claims(identity: Identity) -> dict[str, Any] | None:
    """What the bearer token claims, if it is a JWT; its signature is not verified."""
    if identity.bearer is None or identity.bearer.get_secret_value().count(".") != 2:
        return None
    payload = identity.bearer.get_secret_value().split(".")[1]
    try:
        found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def expiry(identity: Identity) -> datetime | None:
    """When the bearer token expires, if it is a JWT that says so."""
    try:
        return datetime.fromtimestamp((claims(identity) or {})["exp"], UTC)
    except (ValueError, TypeError, KeyError, OverflowError, OSError):
        return None
