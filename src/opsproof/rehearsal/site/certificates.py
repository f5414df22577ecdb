"""Certificates of the DR site, as a client sees them that verifies in full."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from opsproof.errors import PreconditionMissing, Unreachable
from opsproof.profile.recovered import Certificate
from opsproof.profile.scalars import duration_text
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.site.names import place

_SECONDS = 10.0
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


class Certificates:
    """
    Looks at certificates as a client does that verifies them in full.

    Args:
        asking: Keeps the answers.
    """

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    async def unfit(self, certificates: Mapping[str, Certificate]) -> list[str]:
        """Certificates that a client would refuse, or will soon."""
        if not certificates:
            raise PreconditionMissing(
                "the profile names no certificate of the DR site",
                where="rehearsals.recovered",
                next_step="Name them under `certificates`, that of the database too.",
            )
        found: list[str] = []
        for name, one in certificates.items():
            by_hand = f"openssl s_client -verify_return_error -connect {one.at} -servername {one.name}"
            by_hand += " -starttls postgres" if one.postgres else ""
            text = f"certificate {name} at {one.at} for {one.name}"
            told = await self._asking.ask(text, by_hand, partial(_certificate, one))
            found += [f"{name}: {line}" for line in _unfit(one, told)]
        return found


def _certificate(one: Certificate) -> dict[str, Any]:
    host, port = place(one.at)
    trusted = ssl.create_default_context(cafile=one.ca_file and str(one.ca_file))
    try:
        with socket.create_connection((host, port), timeout=_SECONDS) as wire:
            if one.postgres:
                wire.sendall(_SSL_REQUEST)
                if wire.recv(1) != b"S":
                    return {"refused": "the server offers no TLS", "until": "", "left": 0.0}
            with trusted.wrap_socket(wire, server_hostname=one.name) as secured:
                shown = secured.getpeercert() or {}
    except ssl.SSLCertVerificationError as exc:
        return {"refused": exc.verify_message, "until": "", "left": 0.0}
    except ssl.SSLError as exc:
        return {"refused": f"no TLS: {exc.reason or exc}", "until": "", "left": 0.0}
    except OSError as exc:
        raise Unreachable(
            f"no connection: {exc.strerror or exc}",
            where=one.at,
            next_step="See whether the DR site listens there; correct rehearsals.recovered.certificates.",
        ) from None
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)
    left = (until - datetime.now(UTC)).total_seconds()
    return {"refused": "", "until": f"{until:%Y-%m-%d %H:%M} UTC", "left": left}


def _unfit(one: Certificate, told: Mapping[str, Any]) -> list[str]:
    if told["refused"]:
        return [f"refused by a client that verifies it for {one.name} at {one.at}: {told['refused']}"]
    if told["left"] >= one.remaining:
        return []
    return [
        f"the certificate for {one.name} at {one.at} ends {told['until']}, in {told['left'] / 86400:.1f} days; "
        f"{duration_text(one.remaining)} are agreed"
    ]
