"""Settings, secrets and certificates of the DR site: what a dead home site can no longer lend."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import socket
import ssl
import stat
import struct
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from opsproof.errors import NoData, PreconditionMissing, Unreachable
from opsproof.probes.settings import env_file_values, environment_of
from opsproof.profile.recovered import Certificate, Parity
from opsproof.profile.scalars import duration_text
from opsproof.profile.targets import SettingsTarget
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.site.names import place

_SECONDS = 10.0
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_LOGIN = """
import json, sys, psycopg
told = {"row": None, "said": ""}
try:
    with psycopg.connect(json.load(sys.stdin), connect_timeout=5) as connection:
        told["row"] = connection.execute(
            "SELECT current_user, current_setting('port')::int, pg_is_in_recovery(),"
            " current_setting('transaction_read_only')"
        ).fetchone()
except psycopg.OperationalError as exc:
    told["said"] = " ".join(str(exc).split())
except psycopg.Error as exc:  # what is no address is quoted in the message, password included
    told["said"] = f"{type(exc).__name__}: it is no usable address of a database"
print(json.dumps(told))
"""


class Secrets:
    """
    Compares the settings of two sites, and tries the service's own login.

    Args:
        parity: What is compared.
        asking: Keeps fingerprints, never values.
    """

    def __init__(self, parity: Parity, asking: Asking) -> None:
        self._parity = parity
        self._asking = asking
        self._salt = os.urandom(32)

    async def unlike(self) -> list[str]:
        """Settings that one site has and the other has not, or that differ, or that must differ and do not."""
        home = await self._fingerprints("home", self._parity.home)
        dr = await self._fingerprints("dr", self._parity.dr)
        return unlike(home, dr, self._parity)

    async def _fingerprints(self, site: str, target: SettingsTarget) -> dict[str, str]:
        def call() -> dict[str, str]:
            values = _values(target)
            return {name: self._fingerprint(value) for name, value in values.items()}

        by_hand = f"cut -d= -f1 {target.address}  # names alone"
        told = await self._asking.ask(f"names and salted fingerprints of the settings of {site}", by_hand, call)
        kept = {name: mark for name, mark in told.items() if name not in self._parity.ignored}
        if not kept:
            raise NoData(
                f"{site} has no setting at all", where=target.address, next_step="Correct rehearsals.recovered.parity."
            )
        return kept

    def _fingerprint(self, value: str) -> str:
        """Of a value, and of no use without the salt of this run, which is kept nowhere; "" for an empty one."""
        if not value.strip():
            return ""
        return hmac.new(self._salt, value.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()[:16]

    async def exposed(self) -> list[str]:
        """Files that must be private and are not, or cannot be read by the service; libpq ignores such a .pgpass."""
        if not self._parity.private_files:
            raise PreconditionMissing(
                "the profile names no private file",
                where="rehearsals.recovered.parity",
                next_step="Name under `private_files` the key files and .pgpass of the DR site.",
            )
        found: list[str] = []
        for path in self._parity.private_files:
            told = await self._asking.ask(f"mode of {path}", f"stat -c '%a %s' {path}", partial(_mode, path))
            if told["missing"]:
                found.append(f"{path}: {told['missing']}")
                continue
            if told["mode"] & 0o077:
                found.append(
                    f"{path} has mode {told['mode']:04o}: others may read it, and libpq ignores it; 0600 is right"
                )
            if not told["mode"] & 0o400:
                found.append(f"{path} has mode {told['mode']:04o}: its own user may not read it")
            if not told["bytes"]:
                found.append(f"{path} is empty")
        return found

    async def locked_out(self, port: int) -> list[str]:
        """
        Why the service cannot log in with what the DR site has: tried with its own secret, in an empty environment.

        Args:
            port: Of the new primary, which must be the one that lets it in.
        """
        parity = self._parity

        def call() -> dict[str, Any]:
            conninfo = _values(parity.dr).get(parity.login) or ""
            if not conninfo.strip():
                return {"row": None, "said": f"{parity.login} is not set at the DR site"}
            return _logged_in(conninfo, parity.private_files, port)

        told = await self._asking.ask(f"log in as {parity.login} of the DR site says", "env -i psql ...", call)
        found = [f"log in with {parity.login} of the DR site: {told['said']}"] if told["said"] else []
        if told["row"] is None:
            return found
        user, at, in_recovery, read_only = told["row"]
        if in_recovery or read_only == "on":
            found.append(f"{user} is let in and may only read (in recovery: {in_recovery}, read-only: {read_only})")
        if at != port:
            found.append(f"{user} is let in by a server with port {at}, the new primary has {port}")
        return found


class Certificates:
    """
    Looks at certificates as a client does that verifies them in full.

    Args:
        asking: Keeps the answers.
    """

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    async def unfit(self, certificates: Mapping[str, Certificate], now: datetime) -> list[str]:
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
            found += [f"{name}: {line}" for line in _unfit(one, told, now)]
        return found


def unlike(home: Mapping[str, str], dr: Mapping[str, str], parity: Parity) -> list[str]:
    """What two sites do not share, by name and fingerprint."""
    found = [f"{name} is set at home and not at the DR site" for name in sorted(set(home) - set(dr))]
    found += [f"{name} is set at the DR site alone" for name in sorted(set(dr) - set(home))]
    for name in sorted(set(home) & set(dr)):
        same = home[name] == dr[name]
        if not dr[name] and home[name]:
            found.append(f"{name} is empty at the DR site")
        elif name in parity.own and same:
            found.append(f"{name} is the same at both sites, and each must have its own")
        elif name not in parity.own and not same:
            found.append(f"{name} is another one at the DR site (fingerprint {dr[name]}, home {home[name]})")
    found += [f"{name} is set at neither site" for name in parity.own if name not in home and name not in dr]
    return found


def _values(target: SettingsTarget) -> dict[str, str]:
    try:
        if target.env_file is not None:
            return {name: value or "" for name, value in env_file_values(target.env_file).items()}
        if target.pid_file is not None:
            values = environment_of(int(target.pid_file.read_text().split()[0]))
            return {name: value or "" for name, value in values.items()}
    except (OSError, ValueError, IndexError) as exc:
        raise Unreachable(
            f"the settings cannot be read: {exc.strerror if isinstance(exc, OSError) else 'the pid file holds no pid'}",
            where=target.address,
            next_step="Run opsproof as the user of the service at the DR site; the service cannot read them otherwise.",
        ) from None
    return dict(os.environ)


def _mode(path: Path) -> dict[str, Any]:
    try:
        found = path.stat()
    except OSError as exc:
        return {"missing": exc.strerror or type(exc).__name__, "mode": 0, "bytes": 0}
    return {"missing": "", "mode": stat.S_IMODE(found.st_mode), "bytes": found.st_size}


def _logged_in(conninfo: str, files: tuple[Path, ...], port: int) -> dict[str, Any]:
    """
    Log in from a process that has nothing of the operator's: no ~/.pgpass, no PG* variable, no service file.

    An address without a port is one that the service asks a name for; it is then that of the new primary.
    """
    conninfo = re.sub(r"^(postgres(?:ql)?)\+\w+://", r"\1://", conninfo.strip())  # as SQLAlchemy names its driver
    password = next((path for path in files if "pgpass" in path.name), None)
    environment = {"PATH": os.defpath, "HOME": "/nonexistent", "LC_ALL": "C", "PGPORT": str(port)}
    if password is not None:
        environment["PGPASSFILE"] = str(password)
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _LOGIN],
            input=json.dumps(conninfo),
            env=environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS + 20,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"row": None, "said": f"no answer within {_SECONDS + 20:g} s"}
    warned = next((line for line in done.stderr.splitlines() if line.startswith("WARNING")), "")
    try:
        told = json.loads(done.stdout)
    except ValueError:
        return {"row": None, "said": f"the client ended with status {done.returncode} and no reason"}
    return {"row": told["row"], "said": "; ".join(filter(None, (warned, told["said"])))}


def _certificate(one: Certificate) -> dict[str, Any]:
    host, port = place(one.at)
    trusted = ssl.create_default_context(cafile=one.ca_file and str(one.ca_file))
    try:
        with socket.create_connection((host, port), timeout=_SECONDS) as wire:
            if one.postgres:
                wire.sendall(_SSL_REQUEST)
                if wire.recv(1) != b"S":
                    return {"refused": "the server offers no TLS", "until": None}
            with trusted.wrap_socket(wire, server_hostname=one.name) as secured:
                shown = secured.getpeercert() or {}
    except ssl.SSLCertVerificationError as exc:
        return {"refused": exc.verify_message, "until": None}
    except ssl.SSLError as exc:
        return {"refused": f"no TLS: {exc.reason or exc}", "until": None}
    except OSError as exc:
        raise Unreachable(
            f"no connection: {exc.strerror or exc}",
            where=one.at,
            next_step="See whether the DR site listens there; correct rehearsals.recovered.certificates.",
        ) from None
    until = ssl.cert_time_to_seconds(str(shown["notAfter"]))
    return {"refused": "", "until": datetime.fromtimestamp(until, UTC).isoformat()}


def _unfit(one: Certificate, told: Mapping[str, Any], now: datetime) -> list[str]:
    if told["refused"]:
        return [f"refused by a client that verifies it for {one.name} at {one.at}: {told['refused']}"]
    until = datetime.fromisoformat(told["until"])
    left = (until - now).total_seconds()
    if left >= one.remaining:
        return []
    return [
        f"the certificate for {one.name} at {one.at} ends {until:%Y-%m-%d %H:%M} UTC, in {left / 86400:.1f} days; "
        f"{duration_text(one.remaining)} are agreed"
    ]
