"""The redis probe against a real Valkey: what it reads, what it never sends, failures in words."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager

import pytest
import redis
from asking import a_probe, as_a_check, memory_of
from hypothesis import given
from hypothesis import strategies as st

from opsproof.errors import BadAnswer, NotObserved, PreconditionMissing, Refused, TimedOut, Unreachable
from opsproof.probes.redis.guard import objection


@asynccontextmanager
async def a_cache(url: str, **target):
    cache = a_probe(kind="redis", url=url, name="cache", **target)
    try:
        yield cache
    finally:
        await cache.close()


def ask(url, *words, **target):
    """The answer to a command, or the error that it raises."""

    async def main():
        async with a_cache(url, **target) as cache:
            try:
                return await cache.read(*words)
            except NotObserved as exc:
                return exc

    return asyncio.run(main())


@pytest.fixture(scope="module")
def filled(cache_url):
    """A database number with a key of each kind."""
    with redis.Redis.from_url(cache_url, decode_responses=True) as client:
        client.flushdb()
        client.set("text", "안녕")
        client.set("binary", b"\xff\x00")
        client.rpush("list", *map(str, range(5)))
        client.hset("hash", mapping={"a": "1"})
        client.sadd("set", "x", "y")
        client.zadd("scores", {"x": 1.5, "y": 2})
        client.xadd("stream", {"a": "1"})
        for number in range(50):
            client.set(f"many:{number:02}", "x")
        yield client
        client.flushdb()


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("PING",), True),
        (("get", "text"), "안녕"),
        (("GET", "nothing"), None),
        (("GET", "binary"), "\\xff\x00"),
        (("LLEN", "list"), 5),
        (("LLEN", "nothing"), 0),
        (("LRANGE", "list", 0, 2), ["0", "1", "2"]),
        (("LRANGE", "list", -2, -1), ["3", "4"]),
        (("HGET", "hash", "a"), "1"),
        (("SCARD", "set"), 2),
        (("ZRANGE", "scores", 0, 0), ["x"]),
        (("ZSCORE", "scores", "x"), 1.5),
        (("XLEN", "stream"), 1),
        (("TTL", "text"), -1),
        (("EXISTS", "text"), 1),
        (("TYPE", "list"), "list"),
        (("ROLE",), ["master", 0, []]),
    ],
)
def test_a_reading_command_is_answered_the_same_live_and_replayed(filled, cache_url, words, answer):
    async def main():
        async with a_cache(cache_url) as cache:
            recorder = as_a_check()
            live = await cache.read(*words)
            as_a_check()
            again = a_probe(kind="redis", url=cache_url, name="cache", memory=memory_of(recorder))
            return live, await again.read(*words)

    assert asyncio.run(main()) == (answer, answer)


def test_info_is_numbers_by_name_and_lastsave_is_seconds(cache_url):
    async def main():
        async with a_cache(cache_url) as cache:
            return await cache.info("clients"), await cache.read("LASTSAVE"), await cache.ping()

    info, saved, alive = asyncio.run(main())

    assert info["connected_clients"] >= 1
    assert isinstance(saved, int)
    assert alive is True


def test_keys_are_scanned_up_to_a_limit_and_never_listed_at_once(filled, cache_url):
    async def main():
        async with a_cache(cache_url) as cache:
            recorder = as_a_check()
            every = await cache.scan("many:*", 100)
            some = await cache.scan("many:*", 7)
            return every, some, [one.by_hand for one in recorder.observations]

    calls = filled.info("commandstats").get("cmdstat_keys", {"calls": 0})["calls"]
    every, some, by_hand = asyncio.run(main())

    assert every == [f"many:{number:02}" for number in range(50)]
    assert len(some) == 7
    assert set(some) <= set(every)
    assert by_hand[0] == f"redis-cli -u {cache_url} --scan --pattern 'many:*' | head -n 100"
    assert filled.info("commandstats").get("cmdstat_keys", {"calls": 0})["calls"] == calls


NOT_SENT = [
    command
    for line in """
SET key value|DEL text|UNLINK text|EXPIRE text 1|PERSIST text|RENAME text other|FLUSHALL|FLUSHDB|KEYS *
RANDOMKEY|DUMP text|LPUSH list 1|LPOP list|BLPOP list 0|RPOPLPUSH list other|LMOVE list other LEFT RIGHT
LTRIM list 0 0|LRANGE list 0 -1|LRANGE list 0 1000|LRANGE list -2000 -1|LRANGE list a b|LRANGE list
ZRANGE scores 0 -1|ZADD scores 1 x|SMEMBERS set|HGETALL hash|HSET hash a 2|SADD set z|SPOP set|INCR n
APPEND text x|GETSET text x|GETDEL text|GETEX text PERSIST|XADD stream * a 1|XREAD STREAMS stream 0
XTRIM stream MAXLEN 0|XGROUP CREATE stream g 0|XINFO STREAM stream FULL|XPENDING stream g - + 10|CONFIG GET *
CONFIG SET maxmemory 1|CONFIG RESETSTAT|DEBUG SLEEP 1|SHUTDOWN|SAVE|BGSAVE|BGREWRITEAOF|REPLICAOF NO ONE
FAILOVER|CLUSTER RESET|CLUSTER FAILOVER|CLIENT KILL TYPE normal|CLIENT PAUSE 1000|CLIENT LIST|SLOWLOG RESET
SLOWLOG GET|LATENCY RESET|MEMORY PURGE|MEMORY DOCTOR|ACL LIST|ACL SETUSER x on|SCRIPT FLUSH|EVAL return 0
EVAL_RO x 0|FCALL f 0|MULTI|EXEC|WATCH text|SUBSCRIBE c|PUBLISH c x|MONITOR|SYNC|PSYNC ? -1|MIGRATE h 1 k 0 1
SORT list|SORT_RO list|SELECT 0|SWAPDB 0 1|AUTH x|HELLO 3|RESET|QUIT|WAIT 1 0|OBJECT HELP|PUBSUB CHANNELS
MODULE LIST|LOLWUT|PFADD p a|PFMERGE p q|BITFIELD text SET u8 0 1|SETRANGE text 0 x
GEORADIUS g 0 0 1 km STORE x|SUNIONSTORE a set|COPY text other|MOVE text 1|TOUCH text|RESTORE k 0 x
""".splitlines()
    for command in line.split("|")
    if command
]


@pytest.mark.parametrize("command", NOT_SENT)
def test_a_command_that_does_more_than_read_or_has_no_bound_is_never_sent(cache_url, command):
    async def main():
        cache = a_probe(kind="redis", url=cache_url, name="cache")
        with pytest.raises(Refused) as caught:
            await cache.read(*command.split())
        assert cache._client is None, "no connection was opened"
        return caught.value

    assert asyncio.run(main()).what.startswith("not sent: ")


@pytest.mark.parametrize("words", [(), ("",), ("GET text",), ("SET\nkey", "x"), ("get\ttext",)])
def test_words_that_hide_a_command_are_refused(words):
    assert objection([*map(str, words)])


@given(st.lists(st.text(max_size=8), max_size=4))
def test_any_words_are_judged(words):
    assert objection(words) is None or isinstance(objection(words), str)


def test_the_refusal_names_the_command_and_the_way_out(cache_url):
    async def main():
        await a_probe(kind="redis", url=cache_url, name="cache").read("KEYS", "*")

    with pytest.raises(Refused) as caught:
        asyncio.run(main())

    assert str(caught.value) == (
        "not sent: KEYS is not one of the commands that only read\n"
        f"  where: cache of ingest/test, KEYS * at {cache_url}\n"
        "  next:  Ask with a command that reads; opsproof changes nothing in a cache."
    )


def test_the_command_can_be_repeated_by_hand_without_the_password(cache_url):
    async def main():
        recorder = as_a_check()
        url = cache_url.replace("://", "://ops:planted-pw@")
        with pytest.raises(NotObserved):
            await a_probe("planted-pw", kind="redis", url=url, name="cache").read("LLEN", "celery queue")
        return recorder.observations[0]

    observation = asyncio.run(main())

    assert observation.by_hand == f"redis-cli -u {cache_url.replace('://', '://***@')} LLEN 'celery queue'"
    assert "planted-pw" not in str(observation.to_json())


@pytest.fixture(scope="module")
def users(cache_url):
    """Users with a password, and with less than all rights."""
    with redis.Redis.from_url(cache_url) as client:
        client.execute_command("ACL", "SETUSER", "limited", "on", ">limited-pw", "~*", "+ping", "+client|setname")
        client.execute_command("ACL", "SETUSER", "nameless", "on", ">nameless-pw", "~*", "+llen")
        yield
        client.execute_command("ACL", "DELUSER", "limited", "nameless")


RIGHTS = "Correct user and password of the url in the profile."
GRANT = "Grant the profile's user the right (ACL SETUSER ... +COMMAND); opsproof also sends CLIENT SETNAME."


@pytest.mark.parametrize(
    ("login", "kind", "what", "next_step"),
    [
        ("limited:planted-wrong@", Unreachable, "login refused", RIGHTS),
        ("nobody:planted-wrong@", Unreachable, "login refused", RIGHTS),
        ("limited:limited-pw@", PreconditionMissing, "the profile's user may not ask this", GRANT),
        ("nameless:nameless-pw@", PreconditionMissing, "the profile's user may not ask this", GRANT),
    ],
)
def test_a_refused_login_is_told_without_the_password(users, cache_url, login, kind, what, next_step):
    failure = ask(cache_url.replace("://", f"://{login}"), "LLEN", "list")

    assert (type(failure), failure.what, failure.next_step) == (kind, what, next_step)
    assert "planted-wrong" not in str(failure)


@pytest.mark.parametrize(
    ("words", "kind", "what"),
    [
        (("LLEN", "text"), BadAnswer, "the key holds another type of value"),
        (("XINFO", "STREAM", "nothing"), BadAnswer, "the server refused it: no such key"),
        (("GET",), BadAnswer, "the server refused it: wrong number of arguments for 'get' command"),
    ],
)
def test_a_command_that_does_not_fit_is_told(filled, cache_url, words, kind, what):
    failure = ask(cache_url, *words)

    assert (type(failure), failure.what) == (kind, what)


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("redis://127.0.0.1:1/0", "connection refused"),
        ("redis://nowhere.invalid/0", "the name of the host is not known"),
    ],
)
def test_a_server_that_cannot_be_reached_is_told_why(url, what):
    failure = ask(url, "PING")

    assert (type(failure), failure.what) == (Unreachable, what)
    assert failure.where == f"cache of ingest/test, PING at {url}"


def test_a_database_number_that_is_not_there_is_told(cache_url):
    failure = ask(cache_url.replace("/9", "/99"), "PING")

    assert (type(failure), failure.what) == (PreconditionMissing, "there is no such database")


@pytest.mark.parametrize(
    ("reply", "kind", "what"),
    [
        (b"-LOADING Redis is loading the dataset in memory", Unreachable, "the server is loading its data"),
        (b"-MASTERDOWN Link with MASTER is down and ...", Unreachable, "the replica has lost its master"),
        (b"-BUSY Redis is busy running a script. You can", Unreachable, "the server is busy with a script"),
        (b"-CLUSTERDOWN The cluster is down", Unreachable, "the cluster is down"),
        (b"-MOVED 123 10.0.0.1:6379", PreconditionMissing, "the key lies on another node of the cluster"),
        (b"-NOAUTH Authentication required.", Unreachable, "login refused: the server wants a password"),
        (b"-ERR max number of clients reached", Unreachable, "too many connections"),
        (b"-DENIED Redis is running in protected mode", Unreachable, "login refused: the server is in protected mode"),
        (b"-ERR unknown command 'GET'", PreconditionMissing, "the server does not know this command"),
        (b"HTTP/1.1 400 Bad Request", BadAnswer, "what answers is no Redis"),
    ],
)
def test_what_a_server_in_trouble_says_is_told_in_words(reply, kind, what):
    async def answer(reader, writer):
        while await reader.read(1000):
            writer.write(reply + b"\r\n")
            await writer.drain()

    async def main():
        listening = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}/0"
        async with a_cache(url) as cache:
            with pytest.raises(NotObserved) as caught:
                await cache.read("GET", "x")
        listening.close()
        return caught.value

    failure = asyncio.run(main())

    assert (type(failure), failure.what) == (kind, what)
    assert failure.next_step


def test_a_frozen_server_is_told_within_the_time_limit_and_the_next_answer_is_the_right_one(stack, filled, cache_url):
    """An answer that came too late must not be taken for the answer to the next question."""
    pid = stack.state.parts["valkey"].process.pid

    async def main():
        async with a_cache(cache_url, timeout=0.3) as cache:
            await cache.ping()
            os.kill(pid, signal.SIGSTOP)
            try:
                with pytest.raises(TimedOut) as caught:
                    await cache.read("LLEN", "list")
            finally:
                os.kill(pid, signal.SIGCONT)
            return caught.value.what, await cache.read("GET", "text")

    assert asyncio.run(main()) == ("connected, but no whole answer within 0.3 s", "안녕")


def test_no_more_connections_are_open_than_the_budget_allows(filled, cache_url):
    async def main():
        async with a_cache(cache_url, concurrency=2) as cache:
            await asyncio.gather(*(cache.read("GET", f"many:{number:02}") for number in range(50)))
            return [client for client in filled.client_list() if client["name"] == "opsproof"]

    assert len(asyncio.run(main())) == 2
