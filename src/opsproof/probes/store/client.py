"""The client of an object store."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from opsproof.profile.stores import place
from opsproof.profile.targets import StoreTarget

if TYPE_CHECKING:
    from obstore.store import ObjectStore


def client(target: StoreTarget, timeout: float) -> ObjectStore:
    """
    A client that asks once; nothing is sent yet.

    Args:
        target: The store.
        timeout: Seconds for one request; a connection must be made in a little less.

    Raises:
        ImportError: obstore is not installed.
        obstore.exceptions.BaseError: The credentials are not of the right form, or there is no such folder.
    """
    from obstore.store import AzureStore, GCSStore, LocalStore, S3Store

    at = place(target.url)
    if at.scheme == "local":
        return LocalStore(at.bucket)
    limit = timedelta(seconds=timeout)
    how: dict[str, Any] = {
        "client_options": {"connect_timeout": 0.9 * limit, "timeout": limit},
        "retry_config": {"max_retries": 0, "retry_timeout": limit},
    }
    if target.endpoint is not None:
        endpoint = target.endpoint.get_secret_value()
        how["base_url" if at.scheme == "gs" else "endpoint"] = endpoint
        how["client_options"]["allow_http"] = endpoint.startswith("http:")
    secret = target.secret_key.get_secret_value() if target.secret_key else None
    if at.scheme == "gs":
        return GCSStore(at.bucket, **how, **_given(service_account_key=secret))
    if at.scheme == "az":
        return AzureStore(at.bucket, account_name=at.account, **how, **_given(account_key=secret))
    key = target.access_key.get_secret_value() if target.access_key else None
    options = _given(region=target.region, access_key_id=key, secret_access_key=secret)
    return S3Store(at.bucket, **how, **options)


def _given(**options: str | None) -> dict[str, Any]:
    """Left out, obstore takes it from the environment (AWS_ACCESS_KEY_ID, ...) or from the cloud's machine."""
    return {name: value for name, value in options.items() if value is not None}
