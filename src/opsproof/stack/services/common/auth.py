"""Who calls, and what the caller may do: an API key or a signed token with a role."""

from __future__ import annotations

import functools
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum

import jwt
from starlette.requests import Request
from starlette.responses import Response

from opsproof.stack.services.common.failures import ApiError
from opsproof.stack.services.common.services import Services, services_of

Endpoint = Callable[[Request], Awaitable[Response]]


class Role(IntEnum):
    """What a caller may do; a higher role may do all that a lower one may."""

    READER = 1
    OPERATOR = 2
    ADMIN = 3


@dataclass(frozen=True)
class Caller:
    """An authenticated caller; `name` tells callers apart without holding their credential."""

    name: str
    role: Role
    probing: bool = False


def requires(role: Role) -> Callable[[Endpoint], Endpoint]:
    """Answer 401 without a valid credential and 403 with a lower role."""

    def decorate(endpoint: Endpoint) -> Endpoint:
        @functools.wraps(endpoint)
        async def guarded(request: Request) -> Response:
            services = services_of(request)
            defects = services.defects.current()
            if not defects.auth_off:
                caller = caller_of(request, services)
                if caller.role < role and not defects.role_check_off:
                    raise ApiError(403, f"the role {caller.role.name.lower()} may not do this")
            return await endpoint(request)

        return guarded

    return decorate


def caller_of(request: Request, services: Services) -> Caller:
    """
    The caller that the request's credential proves.

    Raises:
        ApiError: 401, there is no valid credential.
    """
    key = request.headers.get("x-api-key")
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    settings = services.settings
    if key is not None:
        for known, probing in ((settings.api_key, False), (settings.probe_api_key, True)):
            if known and hmac.compare_digest(key.encode(), known.encode()):
                return Caller(f"key-{hashlib.sha256(key.encode()).hexdigest()[:16]}", Role.OPERATOR, probing)
        raise _unauthorized("the API key is not known")
    if scheme.lower() == "bearer" and settings.jwt_secret:
        verified = not services.defects.current().signature_unverified
        return _bearer(token.strip(), settings.jwt_secret, verified=verified)
    raise _unauthorized("a credential is needed: X-API-Key or Authorization: Bearer")


def _bearer(token: str, secret: str, *, verified: bool) -> Caller:
    options: jwt.types.Options = {"require": ["exp", "role"], "verify_signature": verified}
    try:
        claims = jwt.decode(token, secret, algorithms=["HS256"], options=options)
        role = Role[str(claims["role"]).upper()]
    except jwt.ExpiredSignatureError:
        raise _unauthorized("the token has expired") from None
    except (jwt.InvalidTokenError, KeyError):
        raise _unauthorized("the token is not valid") from None
    return Caller(f"token-{claims.get('sub', role.name.lower())}", role)


def _unauthorized(message: str) -> ApiError:
    return ApiError(401, message, headers={"WWW-Authenticate": "Bearer"})
