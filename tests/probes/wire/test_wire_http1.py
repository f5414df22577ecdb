"""What becomes of a body over HTTP/1.1, told exactly: an answer, a reset, silence, and after how many bytes."""

import asyncio
import zlib

import pytest
from peers import a_body, answer, chunks_of, head_of, reset, sent

from opsproof.probes.wire import WireRequest

LIMIT = 40_000
BIG = 10 * LIMIT


async def refuses_by_length(reader, writer):
    """As a right server: by the head alone."""
    await head_of(reader)
    writer.write(answer("413 Payload Too Large", close=True))
    await writer.drain()


async def takes(reader, writer):
    """Reads whatever comes, and says how much it was."""
    while True:
        head = (await head_of(reader)).lower()
        if head.startswith("get"):
            writer.write(answer("200 OK"))
            continue
        if "100-continue" in head:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in head:
            body = await chunks_of(reader)
        else:
            body = await reader.readexactly(int(head.partition("content-length: ")[2].split()[0]))
        writer.write(answer("201 Created", str(len(body)).encode()))


def test_an_early_refusal_is_early():
    """By Content-Length it is known before the first byte of the body; a patient client has sent none."""
    seen = sent(WireRequest("/", "length", a_body(BIG), most=BIG, pauses=(0, 1000)), refuses_by_length)

    assert (seen.end, seen.status, seen.early, seen.sent, seen.whole) == ("answered", 413, 0, 0, False)
    assert seen.text == "{}"


def test_a_refusal_while_the_body_comes_is_measured():
    async def counts(reader, writer):
        await head_of(reader)
        await reader.readexactly(LIMIT + 1)
        writer.write(answer("413 Payload Too Large", close=True))
        await writer.drain()
        await reader.read(BIG)

    seen = sent(WireRequest("/", "chunked", a_body(BIG), most=BIG, pauses=(LIMIT + 1, BIG // 2)), counts)

    assert seen.status == 413
    assert seen.early == LIMIT + 1


def test_a_server_that_reads_the_whole_body_first_is_caught():
    async def reads_whole(reader, writer):
        await head_of(reader)
        await reader.readexactly(BIG)
        writer.write(answer("413 Payload Too Large", close=True))

    seen = sent(WireRequest("/", "length", a_body(BIG), most=BIG, pauses=(0, 1000)), reads_whole)

    assert (seen.status, seen.early, seen.whole) == (413, BIG, True)


@pytest.mark.parametrize("framing", ["length", "chunked", "expect"])
def test_a_body_comes_whole(framing):
    seen = sent(WireRequest("/", framing, a_body(BIG), most=BIG), takes)

    assert (seen.status, seen.text, seen.sent, seen.whole) == (201, str(BIG), BIG, True)
    assert seen.continued is (framing == "expect")


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_no_body_is_a_body(framing):
    assert sent(WireRequest("/", framing, a_body(0)), takes).text == "0"


@pytest.mark.parametrize(("coding", "wbits"), [("gzip", 31), ("deflate", 15)])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_packed_body_is_small_on_the_wire_and_large_inside(coding, wbits, framing):
    inside = []

    async def unpacks(reader, writer):
        head = (await head_of(reader)).lower()
        assert f"content-encoding: {coding}" in head
        if "chunked" in head:
            body = await chunks_of(reader)
        else:
            body = await reader.readexactly(int(head.partition("content-length: ")[2].split()[0]))
        inside.append(zlib.decompress(body, wbits))
        writer.write(answer("201 Created"))

    seen = sent(WireRequest("/", framing, a_body(BIG, coding=coding), most=BIG), unpacks)

    assert inside == [b"x" * BIG]
    assert seen.sent < BIG / 50


def test_a_refusal_before_100_continue_costs_no_byte():
    seen = sent(WireRequest("/", "expect", a_body(BIG), most=BIG), refuses_by_length)

    assert (seen.status, seen.continued, seen.sent) == (413, False, 0)


def test_a_reset_without_an_answer_is_told():
    async def resets(reader, writer):
        await head_of(reader)
        reset(writer)

    seen = sent(WireRequest("/", "length", a_body(BIG), most=BIG), resets)

    assert (seen.end, seen.status) == ("reset", 0)
    assert seen.says.startswith("a reset connection without an answer in ")


def test_an_answer_that_came_before_the_reset_is_not_lost():
    """asyncio's own streams lose it when the next write fails."""

    async def answers_and_resets(reader, writer):
        await head_of(reader)
        writer.write(answer("413 Payload Too Large"))
        await writer.drain()
        writer.close()  # unread bytes of the body make the kernel send a reset

    for _ in range(20):
        seen = sent(WireRequest("/", "length", a_body(BIG), most=BIG), answers_and_resets)
        assert (seen.end, seen.status) == ("answered", 413)


@pytest.mark.parametrize(
    ("said", "end"),
    [
        pytest.param(b"", "closed", id="nothing"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "garbled", id="no-http"),
        pytest.param(b"HTTP/1.1 413 X\r\nContent-Length: 100\r\n\r\nhalf", "cut", id="half-an-answer"),
    ],
)
def test_what_is_no_whole_answer_is_called_by_its_name(said, end):
    async def says(reader, writer):
        await head_of(reader)
        writer.write(said)
        await writer.drain()
        if not said:
            return
        writer.write_eof()
        await reader.read(BIG)

    assert sent(WireRequest("/", "length", a_body(100), most=100), says).end == end


def test_silence_ends_in_time():
    async def hangs(reader, writer):
        await reader.read(10 * BIG)
        await asyncio.sleep(60)

    seen = sent(WireRequest("/", "length", a_body(100), most=100), hangs, within=0.5)

    assert seen.end == "silent"
    assert seen.says.startswith("no answer at all in ")


def test_a_peer_that_reads_nothing_holds_up_no_longer_than_that():
    async def reads_nothing(reader, writer):
        await asyncio.sleep(60)

    seen = sent(WireRequest("/", "length", a_body(50_000_000), most=50_000_000), reads_nothing, within=0.5)

    assert seen.end == "silent"
    assert seen.sent < 50_000_000


def test_the_connection_is_used_again_after_a_refusal():
    async def refuses_and_drains(reader, writer):
        await head_of(reader)
        writer.write(answer("413 Payload Too Large"))
        await reader.readexactly(LIMIT + 1)
        await head_of(reader)
        writer.write(answer("200 OK"))

    request = WireRequest("/", "length", a_body(LIMIT + 1), most=LIMIT + 1, pauses=(0,), then="/stats")

    assert sent(request, refuses_and_drains).after == 200


def test_a_connection_that_takes_the_rest_of_the_body_for_a_request_is_unusable():
    async def forgets_the_body(reader, writer):
        await head_of(reader)
        writer.write(answer("413 Payload Too Large"))
        await reader.readexactly(1)
        writer.write(answer("400 Bad Request", close=True))
        await writer.drain()
        await reader.read(BIG)

    request = WireRequest("/", "length", a_body(LIMIT + 1), most=LIMIT + 1, pauses=(0,), then="/stats")

    assert sent(request, forgets_the_body).after == 400


def test_a_connection_that_the_server_closes_is_not_used_again():
    request = WireRequest("/", "length", a_body(LIMIT + 1), most=LIMIT + 1, pauses=(0,), then="/stats")

    assert sent(request, refuses_by_length).after == 0


def test_an_open_connection_that_is_silent_is_told():
    async def answers_once(reader, writer):
        await head_of(reader)
        writer.write(answer("413 Payload Too Large"))
        await reader.read(BIG)
        await asyncio.sleep(60)

    request = WireRequest("/", "length", a_body(LIMIT + 1), most=LIMIT + 1, pauses=(0,), then="/stats")

    assert sent(request, answers_once, within=0.5).after == -1


def test_a_taken_body_leaves_the_connection_usable():
    assert sent(WireRequest("/", "chunked", a_body(LIMIT), most=LIMIT, then="/stats"), takes).after == 200


def test_what_no_library_would_write_goes_out_as_it_is():
    came = []

    async def keeps(reader, writer):
        came.append((await head_of(reader), await reader.read()))
        writer.write(answer("400 Bad Request", close=True))

    request = WireRequest(
        "/x", "raw", raw_headers=("Content-Length: -1", "Content-Length: 7"), raw_content=b"abc", ends=True
    )
    seen = sent(request, keeps)

    head, content = came[0]
    assert head.startswith("POST /x HTTP/1.1\r\nHost: 127.0.0.1:")
    assert head.endswith("\r\nContent-Length: -1\r\nContent-Length: 7\r\n\r\n")
    assert content == b"abc"
    assert seen.status == 400


def test_a_slow_body_comes_a_byte_at_a_time_until_it_is_ended():
    async def loses_patience(reader, writer):
        await head_of(reader)
        assert len(await reader.read(100)) == 1
        await reader.readexactly(3)
        writer.write(answer("408 Request Timeout", close=True))

    seen = sent(WireRequest("/", "length", a_body(100), most=50, trickle=0.02), loses_patience)

    assert seen.status == 408
    assert 4 <= seen.early < 50


def test_a_slow_body_that_nobody_ends_is_left_after_its_last_byte():
    async def waits(reader, writer):
        await head_of(reader)
        await reader.readexactly(100)

    seen = sent(WireRequest("/", "length", a_body(100), most=5, trickle=0.02), waits)

    assert (seen.end, seen.sent) == ("silent", 5)
