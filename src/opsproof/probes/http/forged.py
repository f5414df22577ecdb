"""Credentials that nobody issued, made from one that somebody did; no check ever sees either."""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import SecretStr

from opsproof.probes.http.identity import claims
from opsproof.profile.targets import Identity

Forgery = Literal["unknown", "tampered", "unsigned", "expired"]

_UNKNOWN = SecretStr("opsproof-made-this-up-and-nobody-issued-it")
_LONG_AGO = 946684800  # 2000-01-01
_WORDS: dict[Forgery, str] = {
    "unknown": "a credential that nobody issued",
    "tampered": "an altered signature",
    "unsigned": "`alg: none` and no signature",
    "expired": "an altered, long past expiry",
}


@dataclass(frozen=True)
class Forged:
    """
    Who pretends to be an identity of the profile; the probe makes the credential and masks it.

    Attributes:
        identity: Name of the identity.
        how: `unknown` is a made-up credential of the same kind. The others need a bearer JWT: `tampered` has another
            signature, `unsigned` has none and says `alg: none`, `expired` has another expiry under its old signature.
    """

    identity: str
    how: Forgery

    def __str__(self) -> str:
        return f"{self.identity} with {_WORDS[self.how]}"


def forged(identity: Identity, how: Forgery) -> Identity:
    """
    The identity with a credential that must be refused.

    Raises:
        ValueError: The identity has no bearer JWT to alter.
    """
    if how == "unknown":
        return _unknown(identity)
    payload = claims(identity)
    if identity.bearer is None or payload is None:
        raise ValueError("it is no bearer JWT")
    header, body, signature = identity.bearer.get_secret_value().split(".")
    if how == "unsigned":
        header, signature = _encoded({"alg": "none", "typ": "JWT"}), ""
    elif how == "expired":
        body = _encoded(payload | {"exp": _LONG_AGO})
    else:
        # Nothing of the true signature is left in it; it is as long, and well-formed: only its verification refuses it.
        signature = _base64(hashlib.shake_256(signature.encode()).digest(len(signature) * 3 // 4))
    return Identity(bearer=SecretStr(f"{header}.{body}.{signature}"))


def secrets_in(identity: Identity) -> set[str]:
    """The forged bearer and its parts: they hold what the true one holds."""
    token = identity.bearer.get_secret_value() if identity.bearer else ""
    return {token, *token.split(".")}


def _unknown(identity: Identity) -> Identity:
    if identity.bearer is not None:
        return Identity(bearer=_UNKNOWN)
    if identity.api_key is not None:
        return Identity(api_key=_UNKNOWN, api_key_header=identity.api_key_header)
    return Identity(user=identity.user, password=_UNKNOWN)


def _encoded(part: dict[str, Any]) -> str:
    return _base64(json.dumps(part, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
