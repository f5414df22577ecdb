"""What the http probe sends, and what it never does."""

import asyncio
import base64
import json
import subprocess
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from asking import Request, a_probe, a_server, always, as_a_check, memory_of, response

from opsproof.errors import BadAnswer, NotObserved, PreconditionMissing, Refused
from opsproof.evidence.observation import Observation
from opsproof.probes import ANONYMOUS, Forged

OK = always(response(b"{}"))
AUTH = {"auth": {"bearer": "own-token-123"}, "identities": {"admin": {"api_key": "admin-key-456"}}}


def run(main, handle=OK, **target):
    """Run `main(api, server)` against a server that answers so."""

    async def start():
        async with a_server(handle) as server:
            api = a_probe(kind="http", url=server.url, **target)
            try:
                return await main(api, server)
            finally:
                await api.close()

    return asyncio.run(start())


@pytest.mark.parametrize(
    ("identity", "sent"),
    [
        pytest.param(None, {"authorization": "Bearer own-token-123"}, id="the-targets-own"),
        pytest.param("admin", {"x-api-key": "admin-key-456"}, id="by-name"),
        pytest.param("basic", {"authorization": "Basic " + base64.b64encode(b"ops:pw").decode()}, id="basic"),
        pytest.param(ANONYMOUS, {}, id="nobody"),
    ],
)
def test_a_request_comes_from_who_the_check_says(identity, sent):
    async def main(api, server):
        await api.get("/x", identity=identity)
        headers = server.requests[0].headers
        return {name: headers[name] for name in ("authorization", "x-api-key", "cookie") if name in headers}

    identities = AUTH["identities"] | {"basic": {"user": "ops", "password": "pw"}}

    assert run(main, auth=AUTH["auth"], identities=identities) == sent


def test_an_identity_that_the_profile_does_not_have_is_named_with_those_it_has():
    async def main(api, server):
        with pytest.raises(PreconditionMissing) as caught:
            await api.get("/x", identity="reader")
        return str(caught.value).replace(server.url, "URL"), server.requests

    text, requests = run(main, **AUTH)

    assert text == (
        "the profile has no identity 'reader' for api; it has: admin\n"
        "  where: api of ingest/test, GET /x as reader at URL\n"
        "  next:  Add it to targets.api.identities in the profile."
    )
    assert requests == []


@pytest.mark.parametrize("token", ["abc\ndef", "abc def", "töken", "abc\x00"])
def test_a_token_that_no_header_carries_is_told_and_not_shown(token):
    """`$(cat token)` with a line break in it is the usual mistake."""

    async def main(api, server):
        with pytest.raises(PreconditionMissing) as caught:
            await api.get("/x")
        return str(caught.value), server.requests

    text, requests = run(main, auth={"bearer": token})

    assert text.startswith("the bearer token has a line break, a space or a character outside ASCII")
    assert token not in text
    assert requests == []


def a_jwt(expires: datetime) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": expires.timestamp()}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{claims}.c2lnbmF0dXJl"


A_JWT = a_jwt(datetime(2099, 1, 1, tzinfo=UTC))


def sent_as(forged, identity):
    """The `Authorization` and `X-API-Key` that a server gets from somebody who pretends to be the identity."""

    async def main(api, server):
        await api.get("/x", identity=Forged("admin", forged))
        headers = server.requests[0].headers
        return headers.get("authorization", "").removeprefix("Bearer "), headers.get("x-api-key", "")

    return run(main, identities={"admin": identity})


def parts_of(token):
    header, payload, signature = token.split(".")
    return (
        *(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (header, payload)),
        signature,
    )


@pytest.mark.parametrize("identity", [{"bearer": A_JWT}, {"api_key": "admin-key-456"}], ids=["bearer", "api-key"])
def test_a_made_up_credential_comes_the_way_of_the_true_one_and_has_nothing_of_it(identity):
    """Sent in another header it would be refused for the header."""
    bearer, key = sent_as("unknown", identity)

    assert bool(bearer) is ("bearer" in identity)
    assert bool(key) is ("api_key" in identity)
    (true,) = identity.values()
    assert not any(part in bearer + key for part in true.replace("-", ".").split("."))


def test_a_tampered_token_claims_the_same_under_a_signature_that_is_as_long_and_wrong():
    """Only a service that verifies the signature can tell."""
    tampered, _ = sent_as("tampered", {"bearer": A_JWT})

    header, payload, signature = parts_of(A_JWT)
    assert parts_of(tampered)[:2] == (header, payload)
    assert parts_of(tampered)[2] != signature
    assert len(tampered) == len(A_JWT)
    assert jwt.decode(tampered, options={"verify_signature": False}), "a service that verifies nothing would refuse it"


def test_an_unsigned_token_claims_the_same_and_says_alg_none():
    """What a library accepts that takes the algorithm from the token."""
    unsigned, _ = sent_as("unsigned", {"bearer": A_JWT})

    assert parts_of(unsigned) == ({"alg": "none", "typ": "JWT"}, parts_of(A_JWT)[1], "")


def test_an_expired_token_has_another_expiry_under_the_signature_of_the_true_one():
    """Nothing is signed here: a claim that was altered is all that it takes."""
    expired, _ = sent_as("expired", {"bearer": A_JWT})

    header, payload, signature = parts_of(expired)
    assert datetime.fromtimestamp(payload["exp"], UTC) < datetime(2001, 1, 1, tzinfo=UTC)
    assert (header, signature) == (parts_of(A_JWT)[0], parts_of(A_JWT)[2])


@pytest.mark.parametrize(
    "identity",
    [{"bearer": "opaque-token-1234"}, {"bearer": "a.b.c"}, {"api_key": "admin-key-456"}],
    ids=["opaque", "three-parts", "api-key"],
)
def test_what_is_no_jwt_cannot_be_forged_and_nothing_is_sent(identity):
    """The profile says that it is one; a made-up token refused in its place would prove nothing."""

    async def main(api, server):
        with pytest.raises(PreconditionMissing, match="it is no bearer JWT") as caught:
            await api.get("/x", identity=Forged("admin", "tampered"))
        return caught.value.next_step, server.requests

    next_step, requests = run(main, identities={"admin": identity})

    assert "`jwt: false`" in next_step
    assert requests == []


def test_a_forged_token_that_is_refused_for_the_expiry_of_the_true_one_proves_nothing():
    """An expired token is refused whoever signed it."""

    async def main(api, server):
        with pytest.raises(PreconditionMissing, match="token of identity admin expired"):
            await api.get("/x", identity=Forged("admin", "tampered"))

    expired = a_jwt(datetime(2026, 3, 1, 12, 0, tzinfo=UTC))

    run(main, always(response(b"{}", status="401 x")), identities={"admin": {"bearer": expired}})


def test_a_replay_needs_no_token_to_forge():
    """Evidence is judged again where nobody has the credentials."""
    forged = [Forged("admin", how) for how in ("unknown", "tampered", "unsigned", "expired")]

    async def main(api, server):
        recorder = as_a_check()
        then = [await api.get("/x", identity=who) for who in forged]
        kept = {"kind": "http", "url": server.url, "identities": {"admin": {"bearer": "-"}}}
        again = a_probe(memory=memory_of(recorder), **kept)
        return then == [await again.get("/x", identity=who) for who in forged], len(server.requests)

    assert run(main, identities={"admin": {"bearer": A_JWT}}) == (True, len(forged))


def test_401_with_an_expired_token_blames_the_token():
    """The target is right to refuse; it says nothing about the target's health."""

    async def main(api, server):
        with pytest.raises(PreconditionMissing) as caught:
            await api.get("/x", identity="admin")
        return str(caught.value).replace(server.url, "URL")

    expired = a_jwt(datetime(2026, 3, 1, 12, 0, tzinfo=UTC))

    text = run(main, always(response(b"{}", status="401 x")), identities={"admin": {"bearer": expired}})

    assert text == (
        "401: the profile's bearer token of identity admin expired at 2026-03-01 12:00:00 UTC\n"
        "  where: api of ingest/test, GET /x as admin at URL\n"
        "  next:  Renew the variable or secret that the profile takes the token from."
    )


@pytest.mark.parametrize(
    "token",
    [a_jwt(datetime.now(UTC) + timedelta(hours=1)), "no.jwt.atall", "opaque-token"],
    ids=["valid-jwt", "no-jwt", "opaque"],
)
def test_401_with_any_other_token_is_an_answer(token):
    async def main(api, server):
        return (await api.get("/x")).status

    assert run(main, always(response(b"{}", status="401 x")), auth={"bearer": token}) == 401


@pytest.mark.parametrize("method", ["post", "delete"])
def test_nothing_is_written_by_a_check_that_may_not_write(method):
    async def main(api, server):
        as_a_check(may_write=False)
        with pytest.raises(Refused) as caught:
            await getattr(api, method)("/items/1")
        return str(caught.value).replace(server.url, "URL"), server.requests

    text, requests = run(main)

    assert text == (
        f"{method.upper()} writes, and this check may not write here\n"
        f"  where: api of ingest/test, {method.upper()} /items/1 at URL\n"
        "  next:  Mark the check with @writes; it then runs where the profile's policy allows writes."
    )
    assert requests == []


def test_a_check_that_may_write_posts_and_deletes_each_time_anew():
    async def main(api, server):
        as_a_check(may_write=True)
        for _ in range(2):
            await api.post("/items", json={"name": "견본"})
            await api.delete("/items/1")
            await api.get("/items/1")
        return server.requests

    requests = run(main)

    assert [request.method for request in requests] == ["POST", "DELETE", "GET"] * 2
    assert json.loads(requests[0].body) == {"name": "견본"}
    assert requests[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "path", ["items", "http://elsewhere.example/", "/a b", "/a\r\nX-Evil: 1", "", "@elsewhere.example/", "/a#b"]
)
def test_what_is_no_path_under_the_url_is_refused(path):
    async def main(api, server):
        with pytest.raises(Refused):
            await api.get(path)
        return server.requests

    assert run(main, **AUTH) == []


@pytest.mark.parametrize("headers", [{"X-A": "b\r\nX-Evil: 1"}, {"X A": "b"}, {"X-A": "값"}])
def test_what_no_header_carries_is_refused(headers):
    async def main(api, server):
        with pytest.raises(Refused):
            await api.get("/x", headers=headers)
        return server.requests

    assert run(main) == []


async def redirecting(request: Request, writer: asyncio.StreamWriter) -> None:
    where = {"/old": "/new", "/loop": "/loop2", "/loop2": "/loop", "/far": "http://127.0.0.1:1/take-my-token"}
    if request.path in where:
        writer.write(response(status="307 x", headers={"Location": where[request.path]}))
    elif request.path.startswith("/long"):
        writer.write(response(status="302 x", headers={"Location": request.path + "x"}))
    else:
        writer.write(response(b"arrived"))


def test_a_redirect_within_the_origin_is_followed_with_the_credentials():
    async def main(api, server):
        answer = await api.get("/old")
        return answer, server.requests[1]

    answer, second = run(main, redirecting, **AUTH)

    assert (answer.text, answer.redirects) == ("arrived", ("/old",))
    assert (second.path, second.headers["authorization"]) == ("/new", "Bearer own-token-123")


def test_a_redirect_to_another_origin_is_not_followed():
    """Else a misled target could collect the credentials."""

    async def main(api, server):
        return await api.get("/far")

    answer = run(main, redirecting, **AUTH)

    assert (answer.status, answer.headers["location"]) == (307, "http://127.0.0.1:1/take-my-token")


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/loop", "endless redirects: /loop -> /loop2 -> /loop"),
        ("/long", "more than 5 redirects: /long -> /longx -> /longxx -> /longxxx -> /longxxxx -> /longxxxxx -> "),
    ],
)
def test_redirects_without_end_are_told_with_their_chain(path, what):
    async def main(api, server):
        with pytest.raises(BadAnswer) as caught:
            await api.get(path)
        return caught.value

    assert run(main, redirecting).what.startswith(what)


def test_no_cookie_of_one_identity_is_sent_for_another():
    async def main(api, server):
        await api.get("/login", identity="admin")
        await api.get("/x", identity=ANONYMOUS)
        return server.requests[1].headers

    headers = run(main, always(response(b"{}", headers={"Set-Cookie": "session=admins; Path=/"})), **AUTH)

    assert "cookie" not in headers


def test_a_proxy_of_the_environment_is_not_used(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    async def main(api, server):
        return (await api.get("/x")).status

    assert run(main) == 200


def test_connections_are_shared_and_a_new_one_is_opened_where_asked():
    """Release identity asks every replica: a shared connection would ask one of them ten times."""

    async def main(api, server):
        for number in range(5):
            await api.get(f"/{number}")
        shared = server.connections
        for _ in range(3):
            await api.get("/version", new_connection=True)
        return shared, server.connections - shared, len(server.requests)

    assert run(main) == (1, 3, 8)


def observation_of(**request) -> Observation:
    async def main(api, server):
        recorder = as_a_check(may_write=True)
        method = request.pop("method", "get")
        await getattr(api, method)(request.pop("path", "/x"), **request)
        return recorder.observations[0], server

    observation, server = run(main, **AUTH)
    assert observation.by_hand.startswith("curl ")
    return observation, server


@pytest.mark.parametrize(
    ("request_", "by_hand"),
    [
        pytest.param(
            {"path": "/health?a=1&b=2"},
            "curl -sS -i --max-time 5 -H 'Authorization: Bearer ***' 'URL/health?a=1&b=2'",
            id="query",
        ),
        pytest.param(
            {"identity": "admin", "headers": {"X-Note": "it's"}},
            """curl -sS -i --max-time 5 -H 'X-API-Key: ***' -H 'X-Note: it'"'"'s' URL/x""",
            id="headers",
        ),
        pytest.param({"method": "head", "identity": ANONYMOUS}, "curl -sS -i --max-time 5 --head URL/x", id="head"),
        pytest.param(
            {"method": "delete", "identity": ANONYMOUS}, "curl -sS -i --max-time 5 -X DELETE URL/x", id="delete"
        ),
        pytest.param(
            {"method": "post", "identity": ANONYMOUS, "json": {"name": "O'Hara", "n": 1}},
            "curl -sS -i --max-time 5 -X POST -H 'Content-Type: application/json' --data-raw "
            """'{"name":"O'"'"'Hara","n":1}' URL/x""",
            id="post-json",
        ),
        pytest.param(
            {"method": "post", "identity": ANONYMOUS, "content": bytes(3)},
            "curl -sS -i --max-time 5 -X POST --data-binary @- URL/x  # the body has 3 bytes",
            id="post-binary",
        ),
        pytest.param(
            {"path": "/items[0]", "identity": ANONYMOUS},
            "curl -sS -i --max-time 5 --globoff 'URL/items[0]'",
            id="brackets",
        ),
    ],
)
def test_every_observation_can_be_repeated_by_hand(request_, by_hand):
    observation, server = observation_of(**request_)

    assert observation.by_hand.replace(server.url, "URL") == by_hand


def test_the_line_by_hand_really_repeats_the_request():
    """An operator pastes it at night; it must do what the check did."""

    async def main(api, server):
        recorder = as_a_check(may_write=True)
        note = {"X-Note": 'it\'s "$HOME" `id` \\'}
        await api.post("/items?q=%20[1]&r=$x", json={"text": "a'b\"c $HOME !"}, headers=note, identity=ANONYMOUS)
        line = recorder.observations[0].by_hand
        await asyncio.to_thread(subprocess.run, ["sh", "-c", line], check=True, stdout=subprocess.DEVNULL)
        return server.requests

    first, second = run(main)

    assert (first.method, first.path, first.body) == (second.method, second.path, second.body)
    assert [one.headers["x-note"] for one in (first, second)] == ['it\'s "$HOME" `id` \\'] * 2


def test_different_requests_are_different_questions():
    """Else one check would get the answer to another's question."""

    async def main(api, server):
        recorder = as_a_check(may_write=True)
        for who in (None, "admin", ANONYMOUS):
            await api.get("/x", identity=who)
            await api.head("/x", identity=who)
        await api.get("/x?a=1")
        await api.get("/x", headers={"X-A": "1"})
        await api.post("/x", content=b"1")
        await api.post("/x", content=b"2")
        return [observation.question for observation in recorder.observations]

    questions = run(main, **AUTH)

    assert len(set(questions)) == len(questions) == 10


REPLAYED = {
    "json": response('{"상태": "ok", "n": [1, 2.5, null]}'.encode(), headers={"X-A": "1"}),
    "text": response(b"# HELP a b\na_total 3\n", headers={"Content-Type": "text/plain"}, status="503 x"),
    "korean-charset": response("안녕".encode("euc-kr"), headers={"Content-Type": "text/plain; charset=euc-kr"}),
    "half-a-surrogate": response(rb'{"a": "\ud800", "b": "\u2028"}'),
    "empty": response(status="204 No Content"),
}


@pytest.mark.parametrize("answer", REPLAYED.values(), ids=REPLAYED.keys())
def test_a_replayed_answer_is_the_one_of_then(answer):
    """Judging evidence again must judge the same, without the target."""

    async def main(api, server):
        recorder = as_a_check()
        then = await api.get("/x")
        again = a_probe(kind="http", url=server.url, memory=memory_of(recorder))
        as_a_check()
        now = await again.get("/x")
        return then, now, len(server.requests)

    then, now, asked = run(main, always(answer))

    assert asked == 1
    for part in ("status", "ok", "headers", "elapsed", "redirects", "size"):
        assert getattr(now, part) == getattr(then, part)
    assert now.describe() == then.describe()
    if then.body.startswith(b"{"):
        assert now.json() == then.json()
    else:
        assert now.text == then.text


@pytest.mark.parametrize(
    "answer",
    [response(b"\x89PNG\0\0"), response(b"x" * 70_000), response(b'{"a": "' + b"x" * 70_000 + b'"}')],
    ids=["binary", "long-text", "long-json"],
)
def test_a_body_that_evidence_does_not_keep_whole_is_not_judged_again(answer):
    """A verdict over half a body would be a false one."""

    async def main(api, server):
        recorder = as_a_check()
        await api.get("/x")
        again = a_probe(kind="http", url=server.url, memory=memory_of(recorder))
        as_a_check()
        now = await again.get("/x")
        with pytest.raises(PreconditionMissing) as caught:
            now.json()
        return now.status, caught.value.what

    status, what = run(main, always(answer))

    assert status == 200
    assert what.startswith("the evidence of that run does not keep this body of ")


def test_a_target_never_gets_more_requests_at_once_than_its_budget():
    """The gate must never be what takes a sick system down."""

    async def slow(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.01)
        writer.write(response(b"{}"))

    async def main(api, server):
        await asyncio.gather(*(api.get(f"/{number}") for number in range(40)))
        return server.most_at_once, server.connections, len(server.requests)

    assert run(main, slow, concurrency=4) == (4, 4, 40)


def test_checks_that_ask_the_same_share_one_request():
    async def main(api, server):
        answers = await asyncio.gather(*(api.get("/health") for _ in range(20)))
        return len(server.requests), len(set(map(id, answers)))

    assert run(main) == (1, 1)


def test_a_target_that_hangs_up_is_left_alone_after_three_questions():
    async def hang_up(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def main(api, server):
        failures = [await _failure(api.get(f"/{number}")) for number in range(10)]
        return len(server.requests), failures[-1].what

    asked, what = run(main, hang_up)

    assert asked == 3
    assert what == ("not asked: api left the last 3 questions unanswered (the connection was closed without an answer)")


async def _failure(asking) -> NotObserved:
    with pytest.raises(NotObserved) as caught:
        await asking
    return caught.value
