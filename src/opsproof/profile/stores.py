"""Addresses of object stores, and of what is in them."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, SecretStr

_NAME = r"[A-Za-z0-9][\w.-]*"
_FORMS = (
    re.compile(rf"(?P<scheme>s3|gs)://(?P<bucket>{_NAME})(?:/(?P<prefix>.*))?", re.ASCII),
    re.compile(rf"(?P<scheme>az)://(?P<account>{_NAME})/(?P<bucket>{_NAME})(?:/(?P<prefix>.*))?", re.ASCII),
    re.compile(r"(?P<scheme>local)://(?P<bucket>/.+)"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """
    What the address of a store says.

    Attributes:
        scheme: s3, gs, az or local.
        account: Of az, the storage account.
        bucket: Bucket or container; of local, the folder.
        prefix: How the names of all objects begin, without a slash at its ends; "" for the whole bucket.
    """

    scheme: str
    account: str
    bucket: str
    prefix: str


def place(url: str) -> Place:
    """
    Read the address of a store.

    Raises:
        ValueError: It is none.
    """
    match = next(filter(None, (form.fullmatch(url) for form in _FORMS)), None)
    if match is None:
        forms = "s3://BUCKET[/PREFIX], gs://BUCKET[/PREFIX], az://ACCOUNT/CONTAINER[/PREFIX] or local:///FOLDER"
        raise ValueError(f"expected an address of the form {forms}")
    named = match.groupdict()
    prefix = (named.get("prefix") or "").rstrip("/")
    if prefix:
        _prefix(f"{prefix}/")
    return Place(named["scheme"], named.get("account") or "", named["bucket"], prefix)


def _url(value: str) -> str:
    place(value)
    return value


def _prefix(value: str) -> str:
    folders = value.split("/")[:-1]
    if any(part in ("", ".", "..") for part in folders) or not value.isprintable():
        raise ValueError("expected how names of objects begin: shop/daily- (no / before it, no //, `.` or `..` in it)")
    return value


def _word(value: SecretStr) -> SecretStr:
    # obstore panics, with a stack of Rust, on a key that no HTTP header can hold.
    if not re.fullmatch(r"[!-~]+", value.get_secret_value()):
        raise ValueError("expected one word of ASCII; see whether a line feed came with it")
    return value


AccessKey = Annotated[SecretStr, AfterValidator(_word)]
StoreUrl = Annotated[str, AfterValidator(_url)]
NamePrefix = Annotated[str, AfterValidator(_prefix)]
