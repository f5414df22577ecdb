"""Certificates of a database, and where processes are connected to."""

import asyncio
import contextlib
import os
import socket
import socketserver
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from opsproof.errors import NoData, Unreachable
from opsproof.profile.recovered import Certificate
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.site.certificates import Certificates
from opsproof.rehearsal.site.outside import Egress, Sink, escaped
from opsproof.stack.clusters import Cluster
from opsproof.stack.ports import HOST
from opsproof.stack.process import wait_for

NAME = "db.rehearsal.test"


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """What PostgreSQL says to a client that asks for TLS; the server of the wheel is built without it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME, not_after=datetime.now(UTC) + timedelta(days=100)).configure_cert(context)
    trusted = tmp_path_factory.mktemp("tls") / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))

    class Server(socketserver.BaseRequestHandler):
        def handle(self):
            assert self.request.recv(8) == bytes.fromhex("0000000804d2162f")
            self.request.sendall(b"S")
            with contextlib.suppress(OSError), context.wrap_socket(self.request, server_side=True) as secured:
                secured.recv(1)

    with socketserver.ThreadingTCPServer((HOST, 0), Server) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address[1], trusted
        server.shutdown()


def _ask(port, trusted, **changes):
    told = {"at": f"{HOST}:{port}", "name": NAME, "postgres": True, "ca_file": trusted, "remaining": "30d", **changes}
    one = Certificate.model_validate(told)
    return asyncio.run(Certificates(Asking.alone("tls")).unfit({"database": one}))


def test_the_certificate_of_a_database_is_verified_as_verify_full_does(database):
    """sslmode=require takes any certificate; a client of the DR site that verifies must be let in as well."""
    assert _ask(*database) == []
    assert "mismatch" in _ask(*database, name="db-home.rehearsal.test")[0]
    assert "days; 120d are agreed" in _ask(*database, remaining="120d")[0]
    assert "unable to get local issuer" in _ask(database[0], None)[0]


def test_a_server_without_tls_is_refused_and_one_that_is_away_is_unknown(grounds):
    """A DR site that forgot `ssl = on` works for everybody who does not insist."""
    cluster = Cluster(grounds, "plain", tcp=True)
    cluster.initialize()
    cluster.start()

    assert "offers no TLS" in _ask(cluster.port, None)[0]
    cluster.stop()
    with pytest.raises(Unreachable):
        _ask(cluster.port, None)


def test_a_connection_to_an_allowed_network_is_no_escape_and_any_other_is_one():
    """The service must reach its own database, and nobody's mail server; IPv4 in IPv6 is IPv4."""
    with Sink("mail") as mail, socket.create_connection((HOST, mail.port)):
        assert wait_for(lambda: mail.taken == 1, 30)
        within = Egress(lambda: [os.getpid()], ("127.0.0.0/8", "::1/128"))
        within.look()
        beyond = Egress(lambda: [os.getpid()], ("10.0.0.0/8",))
        with socket.socket() as wire:
            wire.connect((HOST, mail.port))
            beyond.look()

    assert escaped(within) == []
    assert f"tcp to {HOST}:{mail.port} " in "; ".join(escaped(beyond))  # this process may hold other tests' connections


def test_nobody_who_has_looked_has_seen_nothing():
    """No process is not the same as no connection."""
    nobody = Egress(list, ("127.0.0.0/8",))
    nobody.look()

    with pytest.raises(NoData):
        escaped(nobody)
    with pytest.raises(NoData):
        escaped(None)
