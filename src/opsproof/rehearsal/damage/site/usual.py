"""What people usually ask to see whether a service is back, and what it said."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request

from opsproof.rehearsal.damage.site.lab import SiteLab
from opsproof.rehearsal.damage.site.lab_profile import NAME
from opsproof.stack.ports import HOST


def health(lab: SiteLab) -> str:
    """`curl` of the health path, at the DR site's own address."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{lab.service.port}/health", timeout=10) as answer:
            return f"curl /health: {answer.status} {answer.read(60).decode()}"
    except urllib.error.HTTPError as exc:
        return f"curl /health: {exc.code}"


def dig(lab: SiteLab) -> str:
    """`dig` of the public name, at the first resolver."""
    import dns.message
    import dns.query

    host, _, port = lab.resolvers[0].address.partition(":")
    try:
        answer = dns.query.udp(dns.message.make_query(NAME, "A"), host, port=int(port), timeout=2)
    except dns.exception.Timeout:
        return f"dig @first {NAME}: no answer"
    return f"dig @first {NAME}: {', '.join(str(one) for one in answer.answer) or 'no answer'}"


def ready(lab: SiteLab) -> str:
    """`pg_isready`, and whether it is in recovery."""
    recovering = lab.sql("SELECT pg_is_in_recovery()")[0][0]
    said = "accepting connections" if lab.original.dr.answers() else "no response"
    return f"pg_isready: {said}, in recovery: {recovering}"


def rows(lab: SiteLab) -> str:
    """A count of the judgments, seen to be more than none."""
    statement = "SELECT count(*) FROM judgments"
    return f"{statement}: {lab.sql(statement)[0][0]}"


def ping(lab: SiteLab) -> str:
    """`redis-cli ping`, and DBSIZE."""
    with lab.cache() as cache:
        return f"redis-cli PING: {'PONG' if cache.ping() else 'no'}, DBSIZE {cache.dbsize()}"


def shell(lab: SiteLab) -> str:
    """`psql` as the operator, who has secrets of his own."""
    return f"psql as the operator: {lab.sql('SELECT current_user')[0][0]} is let in"


def encrypted(lab: SiteLab) -> str:
    """A client with sslmode=require: encrypted, and nothing verified."""
    import ssl

    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((HOST, lab.certificates.port), timeout=10) as wire,
        unverified.wrap_socket(wire) as tls,
    ):
        return f"sslmode=require: {tls.version()}"
