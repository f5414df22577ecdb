"""The stand-in for the DNS answers as a real one does, also what is wrong."""

import json
import socket

import dns.flags
import dns.message
import dns.rcode
import pytest
from site_asking import asked, eventually

from opsproof.stack.site import HTTP
from opsproof.stack.site.dns_server import Resolver

_NAME = "api.example.test."


@pytest.fixture
def zone(tmp_path):
    """A zone with one name."""
    file = tmp_path / "zone.json"
    file.write_text(json.dumps({"ttl": 2, "records": {_NAME: {"A": ["127.0.0.1", "127.0.0.2"]}}}))
    return file


def answered(zone, name=_NAME, kind="A"):
    """The answer to a question, as a client reads it."""
    return dns.message.from_wire(Resolver(zone).answer(dns.message.make_query(name, kind).to_wire()))


def test_a_name_in_any_case_has_all_its_records_with_their_ttl(zone):
    """Names are not told apart by case; a TTL says how long a switch may take to be seen."""
    answer = answered(zone, "API.Example.TEST.")

    assert {str(one) for one in answer.answer[0]} == {"127.0.0.1", "127.0.0.2"}
    assert answer.answer[0].ttl == 2
    assert answer.flags & dns.flags.AA


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        pytest.param("gone.example.test.", "A", dns.rcode.NXDOMAIN, id="no-such-name"),
        pytest.param(_NAME, "SRV", dns.rcode.NOERROR, id="no-such-record"),
    ],
)
def test_what_is_not_there_is_told_apart(zone, name, kind, code):
    """A name that is gone is another finding than a record that is missing."""
    answer = answered(zone, name, kind)

    assert answer.rcode() == code
    assert answer.answer == []


@pytest.mark.parametrize("content", ["", "[]", '{"ttl": 2, "records": {"api.example.test.": {"A": ["nowhere"]}}}'])
def test_a_damaged_zone_is_the_servers_failure(zone, content):
    """And no answer that the name is gone."""
    zone.write_text(content)

    assert answered(zone).rcode() == dns.rcode.SERVFAIL


def test_a_changed_zone_is_in_force_at_once(zone):
    """A switch is a change of the file."""
    zone.write_text(json.dumps({"ttl": 2, "records": {_NAME: {"A": ["127.0.0.9"]}}}))

    assert [str(one) for one in answered(zone).answer[0]] == ["127.0.0.9"]


def test_what_is_no_question_gets_no_answer(zone):
    """An answer to an answer would go round for ever."""
    reply = dns.message.make_response(dns.message.make_query(_NAME, "A"))

    assert Resolver(zone).answer(reply.to_wire()) is None
    assert Resolver(zone).answer(b"\0") is None


def test_garbage_does_not_end_the_server(site):
    """Whatever is sent, the next question is answered."""
    host, _, port = site.resolvers["home"].partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as packets:
        packets.sendto(b"\xff" * 40, (host, int(port)))
    with socket.create_connection((host, int(port))) as stream:
        stream.sendall(b"\0\x03abc")
        assert eventually(lambda: stream.recv(1) == b"")

    for tcp in (False, True):
        assert asked(site.resolvers["home"], HTTP, tcp=tcp) == [site.variables["SITE_HOME_HTTP_SRV"]]
