"""What an operator expects in place of what the profile says: limits that were lowered for the time being."""

from typing import Any

from pydantic import ValidationError

from opsproof.errors import ProfileError
from opsproof.profile.models import Profile
from opsproof.profile.payload import Payload
from opsproof.profile.wording import unknown

SECTION = "payload"


def with_expected(profile: Profile, expected: dict[str, str]) -> Profile:
    """
    The profile with other values in its section `payload`.

    Args:
        profile: The profile; without such a section it stays as it is.
        expected: Values by dotted key: `payload.max_body_bytes`.

    Raises:
        ProfileError: There is no such key, or it cannot have that value.
    """
    if not expected or profile.payload is None:
        return profile
    document = profile.payload.model_dump()
    for key, value in expected.items():
        _put(document, key, value)
    try:
        payload = Payload.model_validate(document)
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        key = ".".join(map(str, (SECTION, *first["loc"])))
        raise _error(f"{key}: {first['msg']}", "Give a value that the profile could have there.") from None
    return profile.model_copy(update={SECTION: payload})


def _put(document: dict[str, Any], key: str, value: str) -> None:
    section, *way = key.split(".")
    if section != SECTION or not way:
        raise _error(f"{key!r} is no key of `{SECTION}`", f"Write --expect {SECTION}.max_body_bytes=32768.")
    at: Any = document
    for name in way[:-1]:
        at = at.get(name) if isinstance(at, dict) else None
    if not isinstance(at, dict) or way[-1] not in at:
        known = list(at if isinstance(at, dict) else document)
        raise _error(unknown(way[-1], f"{key!r} is no key of the profile", "there are", known), "Correct the key.")
    at[way[-1]] = value


def _error(what: str, next_step: str) -> ProfileError:
    return ProfileError(what, where="--expect", next_step=next_step)
