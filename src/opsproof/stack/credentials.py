"""Random credentials of one stack, and the tokens that are made from them."""

import secrets
import time
from collections.abc import Iterable

from opsproof.stack.names import prefix_of

ROLES = ("operator", "admin", "reader")
TOKEN_SECONDS = 12 * 3600
JWT_SECRET_BYTES = 48


def new_credentials(systems: Iterable[str]) -> dict[str, str]:
    """
    Fresh credentials.

    Returns:
        `postgres` (superuser's password), and for each system `SYSTEM.database`, `SYSTEM.api-key`,
        `SYSTEM.probe-api-key` and `SYSTEM.jwt`.
    """
    made = {"postgres": secrets.token_urlsafe(24)}
    for system in systems:
        made[f"{system}.database"] = secrets.token_urlsafe(24)
        made[f"{system}.api-key"] = secrets.token_urlsafe(24)
        made[f"{system}.probe-api-key"] = secrets.token_urlsafe(24)
        made[f"{system}.jwt"] = secrets.token_urlsafe(JWT_SECRET_BYTES)
    return made


def token_variables(system: str, jwt_secret: str, *, seconds: float = TOKEN_SECONDS) -> dict[str, str]:
    """
    One token (JWT, HS256) a role, as variables: SYSTEM_OPERATOR_TOKEN and so on.

    Args:
        seconds: How long they are valid; negative for tokens that have expired already.
    """
    return {f"{prefix_of(system)}_{role.upper()}_TOKEN": token(role, jwt_secret, seconds=seconds) for role in ROLES}


def token(role: str, jwt_secret: str, *, seconds: float) -> str:
    """A token (JWT, HS256) of a role, valid for `seconds` from now."""
    import warnings

    import jwt

    now = int(time.time())
    claims = {"sub": f"opsproof-{role}", "role": role, "iat": now - 24 * 3600, "exp": now + int(seconds)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a secret that is too short is what `weak-jwt-secret` is about
        return jwt.encode(claims, jwt_secret, algorithm="HS256")
