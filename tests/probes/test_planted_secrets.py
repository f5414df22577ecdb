"""A planted secret of any text, in every place a secret can be, is in no observation."""

import asyncio
import base64
import json
from urllib.parse import quote

import pytest
from asking import Request, a_probe, a_server, as_a_check, response
from hypothesis import given, settings
from hypothesis import strategies as st

from opsproof.errors import NotObserved
from opsproof.probes import Forged

FORGERIES = ("tampered", "unsigned", "expired")
VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=40)
ANY = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=40).filter(lambda s: len(s.strip()) > 7)


def shown(secret: str, kept: object) -> bool:
    """True if the secret stands anywhere in what is kept, as it is or as JSON writes it."""
    text = json.dumps(kept, ensure_ascii=False)
    return secret in text or json.dumps(secret, ensure_ascii=False)[1:-1] in text or json.dumps(secret)[1:-1] in text


@settings(max_examples=30, deadline=None)
@given(secret=VISIBLE.filter(lambda text: "***" not in text and not text.isdigit()))
def test_a_secret_that_a_target_sends_back_is_in_no_observation(secret):
    """Debug pages, error bodies and headers repeat what they were sent."""

    async def echo(request: Request, writer: asyncio.StreamWriter) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        body = {
            "/json": json.dumps({"error": f"no user for {token}", "headers": {"x": [token]}, token: 1}),
            "/text": f"Traceback: login({token!r}) {token}",
            "/form": f"a=b&note={quote(token, safe='')}",
            "/long": f"{token} " * (70_000 // (len(token) + 1)),
        }.get(request.path.partition("?")[0], "<html>" + token)
        writer.write(response(body.encode(), headers={"X-Echo": token, "Server": f"x {token}"}))

    async def main() -> list[object]:
        recorder = as_a_check(may_write=True)
        texts: list[object] = []
        async with a_server(echo) as server:
            api = a_probe(secret, kind="http", url=server.url, auth={"bearer": secret})
            for path in ("/json", "/text", "/form", "/long", f"/html?key={quote(secret, safe='')}"):
                answer = await api.get(path, headers={"X-Debug": secret})
                texts.append(repr(answer))
                try:
                    answer.field("nothing")
                except NotObserved as exc:
                    texts.append(str(exc))
            await api.post("/json", json={"password": secret, "note": secret})
            await api.close()
        return [*texts, *(observation.to_json() for observation in recorder.observations)]

    for kept in asyncio.run(main()):
        assert not shown(secret, kept)


@settings(max_examples=30, deadline=None)
@given(subject=st.text(min_size=8, max_size=40), signature=st.binary(min_size=16, max_size=64))
def test_a_forged_token_that_a_target_sends_back_is_in_no_observation(subject, signature):
    """It holds the claims, and in part the signature, of the true one; whole or in parts, it is masked as that is."""
    sent: list[str] = []

    async def echo(request: Request, writer: asyncio.StreamWriter) -> None:
        token = request.headers["authorization"].removeprefix("Bearer ")
        sent.append(token)
        body = {"whole": f"x{token}", "parts": [f"x{part}x" for part in token.split(".")], "as": quote(token, safe="")}
        writer.write(response(json.dumps(body).encode(), headers={"X-Echo": f"x{token}"}))

    async def main() -> list[object]:
        recorder = as_a_check()
        true = ".".join(
            map(_base64, (b'{"alg":"HS256"}', json.dumps({"sub": subject, "exp": 4e9}).encode(), signature))
        )
        texts: list[object] = []
        async with a_server(echo) as server:
            api = a_probe(true, kind="http", url=server.url, identities={"admin": {"bearer": true}})
            for how in FORGERIES:
                answer = await api.get("/x", identity=Forged("admin", how))
                texts.append(repr(answer))
                with pytest.raises(NotObserved) as caught:
                    answer.field("nothing")
                texts.append(str(caught.value))
            await api.close()
        return [*texts, *(observation.to_json() for observation in recorder.observations)]

    kept = asyncio.run(main())

    assert len(set(sent)) == len(FORGERIES)
    for token in sent:
        for part in (token, *filter(None, token.split("."))):
            assert not any(shown(part, one) for one in kept)


def _base64(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


@settings(max_examples=30, deadline=None)
@given(secret=ANY.filter(lambda text: "\0" not in text))
@pytest.mark.parametrize("kind", ["postgres", "redis", "celery"])
def test_a_password_in_an_address_is_in_no_observation_of_a_refused_connection(kind, secret):
    login = f"app:{quote(secret, safe='')}"
    target = {
        "postgres": {"dsn": f"postgresql://{login}@127.0.0.1:1/x?sslpassword={quote(secret, safe='')}"},
        "redis": {"url": f"redis://{login}@127.0.0.1:1/0"},
        "celery": {"broker": f"redis://{login}@127.0.0.1:1/0"},
    }[kind]

    async def main() -> list[object]:
        recorder = as_a_check()
        probe = a_probe(secret, quote(secret, safe=""), kind=kind, timeout=1, **target)
        questions = {
            "postgres": lambda: probe.rows("SELECT %(x)s AS x", x=secret),
            "redis": lambda: probe.read("GET", secret),
            "celery": lambda: probe.ping(),
        }
        with pytest.raises(NotObserved) as caught:
            await questions[kind]()
        await probe.close()
        return [str(caught.value), repr(probe), *(one.to_json() for one in recorder.observations)]

    for kept in asyncio.run(main()):
        assert not shown(secret, kept)


@settings(max_examples=30, deadline=None)
@given(secret=ANY.filter(lambda text: "\0" not in text))
def test_a_secret_in_a_database_is_in_no_observation(dsn, secret):
    """Rows, parameters, error texts and the statement by hand."""

    async def main() -> list[object]:
        recorder = as_a_check()
        texts = []
        database = a_probe(secret, kind="postgres", dsn=dsn, name="database")
        await database.rows("SELECT %(x)s::text AS note, jsonb_build_object('a', %(x)s::text) AS doc", x=secret)
        try:
            await database.rows("SELECT %(x)s::text::uuid", x=secret)
        except NotObserved as exc:
            texts.append(str(exc))
        await database.close()
        return [*texts, *(one.to_json() for one in recorder.observations)]

    for kept in asyncio.run(main()):
        assert not shown(secret, kept)
