"""What the http probe makes of answers that are not what was asked for."""

import asyncio
import gzip
import resource
import ssl
import zlib
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from asking import Request, a_probe, a_server, always, response

from opsproof.errors import BadAnswer, NoData, NotObserved, TimedOut, Unreachable

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def ask(handle, *, path="/x", timeout=5.0, look=lambda answer: answer, scheme=None, server=None, **target):
    """Ask a server that answers like that; the probe's answer, or the error it raises."""

    async def main():
        async with a_server(handle, **(server or {})) as running:
            url = running.url.replace("https:", f"{scheme}:").replace("http:", f"{scheme}:") if scheme else running.url
            api = a_probe(kind="http", url=url, timeout=timeout, **target)
            try:
                return look(await api.get(path))
            except NotObserved as exc:
                exc.where = exc.where.replace(url, "URL")
                return exc
            finally:
                await api.close()

    return asyncio.run(main())


def test_a_whole_answer_can_be_read_in_every_way():
    answer = ask(always(response(b'{"a": {"b": [{"c": 7}]}}', headers={"X-Request-Id": "r-1"})))

    assert (answer.status, answer.ok, answer.headers["x-request-id"]) == (200, True, "r-1")
    assert (answer.json(), answer.field("a.b.0.c")) == ({"a": {"b": [{"c": 7}]}}, 7)
    assert answer.text == '{"a": {"b": [{"c": 7}]}}'
    assert answer.describe() == f"200 OK in {answer.elapsed * 1000:.0f} ms"


def test_any_status_is_an_answer_and_no_error():
    """Whether 503 is right is for the check to judge."""
    answer = ask(always(response(b"{}", status="503 whatever the server says")))

    assert (answer.status, answer.ok) == (503, False)
    assert answer.describe().startswith("503 Service Unavailable in ")


@pytest.mark.parametrize(
    ("answer", "look", "kind", "text"),
    [
        pytest.param(
            response(b"<!doctype html>\n<h1>It works</h1>", headers={"Content-Type": "text/html"}),
            lambda answer: answer.json(),
            BadAnswer,
            "200 OK with HTML where JSON was expected: <!doctype html> <h1>It works</h1>\n"
            "  where: api of ingest/test, GET /x at URL\n"
            "  next:  See what answers there by hand: a proxy, a login page or another service may stand in front.",
            id="html-where-json",
        ),
        pytest.param(
            response(b'{"a": ', headers={"Content-Type": "application/json"}),
            lambda answer: answer.json(),
            BadAnswer,
            '200 OK with broken JSON where JSON was expected: {"a":\n'
            "  where: api of ingest/test, GET /x at URL\n"
            "  next:  See what answers there by hand: a proxy, a login page or another service may stand in front.",
            id="broken-json",
        ),
        pytest.param(
            response(b"[" * 100_000),
            lambda answer: answer.json(),
            BadAnswer,
            f"200 OK with JSON too deeply nested to read: {'[' * 80}\n"
            "  where: api of ingest/test, GET /x at URL\n"
            "  next:  See what answers there by hand: a proxy, a login page or another service may stand in front.",
            id="too-deep",
        ),
        pytest.param(
            response(b"", status="502 x"),
            lambda answer: answer.json(),
            BadAnswer,
            "502 Bad Gateway with an empty body where JSON was expected\n"
            "  where: api of ingest/test, GET /x at URL\n"
            "  next:  See what answers there by hand: a proxy, a login page or another service may stand in front.",
            id="empty-body",
        ),
        pytest.param(
            response(b'{"components": {"redis": 1, "worker": 2}}'),
            lambda answer: answer.field("components.database.status"),
            NoData,
            "200 OK without the field components.database.status: components has no 'database', it has redis, worker\n"
            "  where: api of ingest/test, GET /x at URL\n"
            "  next:  Compare the answer by hand with the name in the profile; a release may rename it.",
            id="field-missing",
        ),
        pytest.param(
            response(b'{"items": []}'),
            lambda answer: answer.field("items.0"),
            NoData,
            "200 OK without the field items.0: items is a list of 0\n"
            "  where: api of ingest/test, GET /x at URL\n"
            "  next:  Compare the answer by hand with the name in the profile; a release may rename it.",
            id="list-too-short",
        ),
        pytest.param(
            response(b"<html>no metrics", headers={"Content-Type": "text/html"}),
            lambda answer: answer.metric("http_requests_total"),
            BadAnswer,
            "200 OK with HTML where Prometheus metrics were expected\n"
            "  where: api of ingest/test, GET /x at URL\n"
            "  next:  See by hand what is served there; the release may have renamed the metric.",
            id="no-exposition",
        ),
        pytest.param(
            b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n",
            lambda answer: answer,
            BadAnswer,
            "what answers does not speak HTTP (illegal status line: bytearray(b'SSH-2.0-OpenSSH_9.2p1'))\n"
            "  where: api of ingest/test, GET /x at URL\n"
            "  next:  Correct the port or the scheme (http, https) of the url in the profile.",
            id="no-http",
        ),
        pytest.param(
            response(b"abc", headers={"Content-Encoding": "br"}),
            lambda answer: answer,
            BadAnswer,
            "the body is packed as br, which was not asked for\n"
            "  where: api of ingest/test, GET /x at URL\n"
            "  next:  Correct the target or proxy.",
            id="unknown-encoding",
        ),
        pytest.param(
            response(b"no gzip", headers={"Content-Encoding": "gzip"}),
            lambda answer: answer,
            BadAnswer,
            "the body is said to be packed, but cannot be unpacked\n"
            "  where: api of ingest/test, GET /x at URL\n"
            "  next:  Ask by hand to see what comes.",
            id="broken-packing",
        ),
    ],
)
def test_a_body_of_another_form_is_told_in_words(answer, look, kind, text):
    """An operator must see at once that something else answers, not a traceback of a JSON parser."""
    failure = ask(always(answer), look=look)

    assert (type(failure), str(failure)) == (kind, text)


def test_an_answer_that_breaks_off_is_told():
    async def half(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(response(b"half", length=100))
        await writer.drain()
        writer.close()

    failure = ask(half)

    assert str(failure) == (
        "the answer broke off: status 200 and 4 bytes had come\n"
        "  where: api of ingest/test, GET /x at URL\n"
        "  next:  Ask by hand to see what comes."
    )


def test_a_packed_body_that_was_not_asked_for_is_unpacked():
    answer = ask(always(response(gzip.compress(b'{"ok": true}'), headers={"Content-Encoding": "gzip"})))

    assert answer.json() == {"ok": True}


async def endless(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        await writer.drain()


def bomb() -> bytes:
    """A gigabyte of zeros in a megabyte."""
    packing = zlib.compressobj(9, wbits=31)
    return b"".join(packing.compress(bytes(1 << 20)) for _ in range(1024)) + packing.flush()


@pytest.mark.parametrize(
    ("handle", "announced"),
    [
        pytest.param(endless, "", id="endless-body"),
        pytest.param(always(response(b"x" * 10_000_000)), ", the target announces 10000000", id="10-mb-body"),
        pytest.param(
            always(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 10_000_000), "", id="10-mb-unannounced"
        ),
        pytest.param(always(response(bomb(), headers={"Content-Encoding": "gzip"})), "", id="decompression-bomb"),
    ],
)
def test_a_body_larger_than_the_limit_is_not_read_to_its_end(handle, announced):
    """A gate must not be brought down by what a sick target sends."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    failure = ask(handle)

    assert isinstance(failure, BadAnswer)
    assert str(failure) == (
        f"status 200 with a body of more than 2000000 bytes{announced}\n"
        "  where: api of ingest/test, GET /x at URL\n"
        "  next:  Ask for less (a limit, a smaller page), or raise max_answer_bytes of the target in the profile."
    )
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, "kilobytes held more than before"


def test_a_body_of_just_the_limit_is_read():
    answer = ask(always(response(b"x" * 1000)), max_answer_bytes=1000)

    assert answer.size == 1000


def test_an_answer_that_never_ends_tells_what_had_come():
    async def trickle(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(response(b"abc", length=10))
        await writer.drain()
        await asyncio.sleep(60)

    failure = ask(trickle, timeout=0.3)

    assert isinstance(failure, TimedOut)
    assert str(failure) == (
        "the answer did not end within 0.3 s: status 200 and 3 bytes had come\n"
        "  where: api of ingest/test, GET /x at URL\n"
        "  next:  See whether the target streams here without end, or is overloaded; ask again by hand."
    )


def test_a_target_that_accepts_and_says_nothing_is_told_from_one_that_cannot_be_reached():
    async def silent(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    failure = ask(silent, timeout=0.3)

    assert isinstance(failure, TimedOut)
    assert str(failure) == (
        "connected, but no whole answer within 0.3 s\n"
        "  where: api of ingest/test, GET /x at URL\n"
        "  next:  See whether the target is overloaded, frozen or waiting for something else; ask again by hand."
    )


async def hang_up(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.close()


CLOSED = (
    "the connection was closed without an answer\n"
    "  where: api of ingest/test, GET /x at URL\n"
    "  next:  See whether the service behind the port runs: a proxy may hold the port, or it may expect https."
)


def test_a_connection_closed_without_an_answer_is_unreachable():
    """A proxy that holds the port of a dead service looks like this."""
    failure = ask(hang_up)

    assert (type(failure), str(failure)) == (Unreachable, CLOSED)


def test_a_connection_that_the_target_closes_while_it_is_idle_is_no_failure():
    """Servers close idle connections when they like; that is no outage."""
    answered: list[asyncio.StreamWriter] = []

    async def close_after_first(request: Request, writer: asyncio.StreamWriter) -> None:
        if writer in answered:
            writer.close()
        else:
            answered.append(writer)
            writer.write(response(b"{}"))

    async def main() -> list[int]:
        async with a_server(close_after_first) as server:
            api = a_probe(kind="http", url=server.url)
            statuses = [(await api.get("/x", fresh=True)).status for _ in range(3)]
            await api.close()
            return statuses

    assert asyncio.run(main()) == [200, 200, 200]


@pytest.mark.parametrize(
    ("url", "what"),
    [
        pytest.param("http://127.0.0.1:1", "connection refused", id="refused"),
        pytest.param("http://nowhere.invalid", "the name of the host is not known", id="name-unknown"),
    ],
)
def test_a_target_that_cannot_be_reached_is_told_why(url, what):
    async def main() -> NotObserved:
        with pytest.raises(Unreachable) as caught:
            await a_probe(kind="http", url=url).get("/health")
        return caught.value

    failure = asyncio.run(main())

    assert failure.what == what
    assert failure.where == f"api of ingest/test, GET /health at {url}"
    assert failure.next_step
    assert failure.target == "api"


NOW = datetime.now(UTC)
TLS = {
    "expired": (("127.0.0.1",), NOW - timedelta(1), True, "TLS: the certificate has expired", "Renew"),
    "wrong-name": (
        ("other.example",),
        NOW + timedelta(1),
        True,
        "TLS: the certificate is for another ",
        "Use the name",
    ),
    "unknown-authority": (
        ("127.0.0.1",),
        NOW + timedelta(1),
        False,
        "TLS: the certificate's issuer",
        "Name the issuer",
    ),
}


def a_certificate(tmp_path, names, until):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, not_before=NOW - timedelta(10), not_after=until).configure_cert(context)
    return context


@pytest.mark.parametrize(("names", "until", "trusted", "what", "next_step"), TLS.values(), ids=TLS.keys())
def test_a_certificate_that_is_not_valid_is_told_with_the_way_out(tmp_path, names, until, trusted, what, next_step):
    context = a_certificate(tmp_path, names, until)

    failure = ask(always(response()), server={"ssl": context}, ca_file=tmp_path / "ca.pem" if trusted else None)

    assert isinstance(failure, Unreachable)
    assert failure.what.startswith(what)
    assert failure.next_step.startswith(next_step)


def test_a_valid_certificate_of_an_authority_in_the_profile_is_trusted(tmp_path):
    context = a_certificate(tmp_path, ("127.0.0.1",), NOW + timedelta(1))

    answer = ask(always(response(b"{}")), server={"ssl": context}, ca_file=tmp_path / "ca.pem")

    assert answer.status == 200


def test_https_to_a_port_without_tls_is_told():
    async def speak_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    async def main() -> NotObserved:
        listening = await asyncio.start_server(speak_first, "127.0.0.1", 0)
        api = a_probe(kind="http", url=f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
        with pytest.raises(Unreachable) as caught:
            await api.get("/x")
        listening.close()
        return caught.value

    failure = asyncio.run(main())

    assert failure.what == "TLS: the target does not speak TLS on this port"
    assert failure.next_step == "Use http:// or the TLS port in the url."


def test_an_authority_file_that_is_not_there_is_the_profiles_mistake(tmp_path):
    failure = ask(always(response()), scheme="https", ca_file=tmp_path / "nothing.pem")

    assert failure.what == "the certificates of ca_file cannot be read (No such file or directory)"
    assert failure.next_step == f"Correct ca_file of api in the profile: {tmp_path}/nothing.pem"
