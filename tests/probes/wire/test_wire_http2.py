"""What becomes of a body over HTTP/2."""

import asyncio

import pytest
from asking import as_a_check
from peers import a_body, a_peer, a_wire, answer, head_of, http2_peer, sent

from opsproof.probes.wire import WireRequest

LIMIT = 200_000
"""More than the window that a connection begins with, so that windows must open."""


def test_a_body_within_the_limit_comes_whole():
    seen = sent(WireRequest("/", "http2-unsized", a_body(LIMIT), most=LIMIT, then="/stats"), http2_peer(LIMIT))

    assert (seen.end, seen.status, seen.sent, seen.whole, seen.after) == ("answered", 200, LIMIT, True, 200)


def test_a_refusal_by_content_length_costs_no_byte():
    request = WireRequest("/", "http2", a_body(2 * LIMIT), most=2 * LIMIT, pauses=(0, 1000), then="/stats")

    seen = sent(request, http2_peer(LIMIT))

    assert (seen.status, seen.early, seen.after) == (413, 0, 200)


def test_a_refusal_while_the_body_comes_is_measured():
    request = WireRequest("/", "http2-unsized", a_body(2 * LIMIT), most=2 * LIMIT, pauses=(LIMIT + 1, LIMIT + 9000))

    seen = sent(request, http2_peer(LIMIT))

    assert (seen.status, seen.early) == (413, LIMIT + 1)


def test_a_stream_that_is_reset_without_an_answer_is_told():
    seen = sent(WireRequest("/", "http2", a_body(2 * LIMIT), most=2 * LIMIT), http2_peer(LIMIT, resets=True))

    assert (seen.end, seen.status) == ("reset", 0)


def test_a_server_of_http1_speaks_no_http2():
    async def speaks_http1(reader, writer):
        await head_of(reader)
        writer.write(answer("400 Bad Request", close=True))

    assert sent(WireRequest("/", "http2", a_body(10), most=10), speaks_http1).end == "garbled"


@pytest.mark.parametrize("framing", ["http2", "length"])
def test_tls_agrees_on_the_version(framing, tmp_path):
    """Over TLS the version is negotiated, so that a proxy which offers both is asked for the one that is meant."""
    import ssl

    import trustme

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    async def speaks_what_was_agreed(reader, writer):
        if writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2":
            await http2_peer(LIMIT)(reader, writer)
            return
        await head_of(reader)
        await reader.readexactly(1000)
        writer.write(answer("200 OK"))

    async def main():
        as_a_check(may_write=True)
        async with a_peer(speaks_what_was_agreed, ssl=context) as url:
            wire = a_wire(url, ca_file=tmp_path / "ca.pem")
            return await wire.send(WireRequest("/", framing, a_body(1000), most=1000), within=5)

    assert asyncio.run(main()).status == 200
