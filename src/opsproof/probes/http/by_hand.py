"""The curl line that repeats a request by hand."""

from collections.abc import Mapping
from pathlib import Path
from shlex import quote

from opsproof.profile.targets import Identity

_LONGEST_BODY = 2000


def curl(
    method: str,
    url: str,
    *,
    identity: Identity | None,
    headers: Mapping[str, str],
    body: bytes | None,
    timeout: float,
    ca_file: Path | None,
) -> str:
    """
    A line for the shell, with `***` where a credential must be filled in.

    A body that is long or no text is read from standard input, and its size is told.
    """
    words = ["curl", "-sS", "-i", "--max-time", f"{timeout:g}"]
    if any(character in url for character in "[]{}"):
        words.append("--globoff")
    if ca_file is not None:
        words += ["--cacert", quote(str(ca_file))]
    if method == "HEAD":
        words.append("--head")
    elif (method, body) != ("GET", None):
        words += ["-X", method]
    words += _login(identity)
    for name, value in headers.items():
        words += ["-H", quote(f"{name}: {value}" if value else f"{name};")]
    text = None if body is None or len(body) > _LONGEST_BODY else _text(body)
    if text is not None:
        words += ["--data-raw", quote(text)]
    elif body is not None:
        words += ["--data-binary", "@-"]
    line = " ".join([*words, quote(url)])
    return line if body is None or text is not None else f"{line}  # the body has {len(body)} bytes"


def _login(identity: Identity | None) -> list[str]:
    if identity is None:
        return []
    if identity.bearer is not None:
        return ["-H", "'Authorization: Bearer ***'"]
    if identity.api_key is not None:
        return ["-H", quote(f"{identity.api_key_header}: ***")]
    return ["-u", quote(f"{identity.user}:***")]


def _text(body: bytes) -> str | None:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
