"""What of a profile is secret, and the profile as it may be shown."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, SecretStr

from opsproof.profile.loading import PLACEHOLDERS
from opsproof.profile.models import Profile
from opsproof.profile.targets import Identity, Url, address

MASK = "***"
_SECRET_PARAMETERS = ("pass", "pwd", "token", "key", "secret", "sig", "auth", "cred")
_SHORTEST_SEARCHED = 4


def secrets_of(profile: Profile) -> frozenset[str]:
    """
    Every value in a profile that must not be shown.

    Args:
        profile: The profile.

    Returns:
        The value of every secret field; of an address only what is secret in it: the password (as written and decoded),
        `user:password`, a user without password (a token, for HTTP), secret query parameters, and the whole address
        that holds one of them. A user name with a password is no secret. Placeholders of unset values are left out.
    """
    found = {text for value in _secret_values(profile) for text in _secret_texts(value)}
    return frozenset(found - {"", PLACEHOLDERS[0]})


def _secret_values(value: object) -> Iterator[SecretStr]:
    if isinstance(value, SecretStr):
        yield value
    elif isinstance(value, BaseModel):
        if isinstance(value, Identity) and value.password is not None:
            yield SecretStr(f"{value.user}:{value.password.get_secret_value()}")
        for name in type(value).model_fields:
            yield from _secret_values(getattr(value, name))
    elif isinstance(value, dict):
        for part in value.values():
            yield from _secret_values(part)
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _secret_values(part)


def _secret_texts(value: SecretStr) -> Iterator[str]:
    text = value.get_secret_value()
    if not isinstance(value, Url):
        yield text
        return
    inside = set(_secrets_in_address(text))
    yield from inside
    if inside:
        yield text


def _secrets_in_address(text: str) -> Iterator[str]:
    parts = urlsplit(text)
    user, password = parts.username or "", parts.password or ""
    if password:
        yield from (password, unquote(password), f"{user}:{password}", f"{unquote(user)}:{unquote(password)}")
    elif parts.scheme.startswith("http") and user:
        yield from (user, unquote(user))
    for name, parameter in parse_qsl(parts.query):
        if any(word in name.lower() for word in _SECRET_PARAMETERS):
            yield parameter


def as_document(profile: Profile) -> dict[str, Any]:
    """
    The profile as plain values, with everything secret masked.

    Args:
        profile: The profile.

    Returns:
        Dicts, lists and scalars in the order of the models; keys without a value are left out. A secret is `***`; an
        address is shown with user, password and query masked; a secret repeated in any other text is masked there.
    """
    secrets = sorted((text for text in secrets_of(profile) if len(text) >= _SHORTEST_SEARCHED), key=len, reverse=True)
    document: dict[str, Any] = _shown(profile, profile.model_dump(mode="json", exclude_none=True), secrets)
    return document


def _shown(value: object, dumped: Any, secrets: list[str]) -> Any:
    """`dumped`, pydantic's JSON form of `value`, with the masks filled in."""
    if isinstance(value, Url):
        parts = urlsplit(value.get_secret_value())
        shown = address(value)
        if "@" in parts.netloc:
            shown = shown.replace("://", f"://{MASK}@", 1)
        return f"{shown}?{MASK}" if parts.query else shown
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, BaseModel):
        return {key: _shown(getattr(value, key), part, secrets) for key, part in dumped.items()}
    if isinstance(value, dict):
        return {key: _shown(part, dumped.get(key), secrets) for key, part in value.items()}
    if isinstance(value, (tuple, list)):
        return [_shown(part, dumped[position], secrets) for position, part in enumerate(value)]
    if isinstance(dumped, str):
        for secret in secrets:
            dumped = dumped.replace(secret, MASK)
    return dumped


def as_yaml(profile: Profile) -> str:
    """The profile of `as_document` as YAML that people read: several lines as a block, Korean as it is."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return yaml.dump(as_document(profile), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)
