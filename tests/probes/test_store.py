"""The store probe against a real S3 server, folders, and servers that are none."""

import asyncio
import json
import os
import sys

import pytest
from asking import a_probe, a_server, always, as_a_check, memory_of, response
from seaweed import put

from opsproof.errors import BadAnswer, NotObserved, PreconditionMissing, TimedOut, Unreachable
from opsproof.probes.store import MOST_OBJECTS

PAGE = b"<!doctype html><html><head><title>Shop</title></head><body><p>Hello</p></body></html>"
KEYS = {"access_key": "a-reader", "secret_key": "planted-pw"}


def listing(prefix="", memory=None, **target):
    """What a prefix comes to, or the error that it raises."""

    async def main():
        store = a_probe(memory=memory, **{"kind": "store", "name": "backups", "timeout": "60s"} | target)
        try:
            return await store.listing(prefix)
        except NotObserved as exc:
            return exc
        finally:
            await store.close()

    return asyncio.run(main())


async def asked(prefix="", **target):
    """The error or the listing, and what evidence keeps of it."""
    recorder = as_a_check()
    store = a_probe("planted-pw", "planted-reader", **{"kind": "store", "name": "backups", "timeout": "60s"} | target)
    try:
        found = await store.listing(prefix)
    except NotObserved as exc:
        found = exc
    await store.close()
    return found, recorder


@pytest.fixture(scope="module")
def filled(seaweed):
    """The store with three backups of two days, and one of another system."""
    put(seaweed, "backups", **{"shop/20261120.dump": 700, "shop/20261121.dump": 300, "shop/20261121.log": 20})
    put(seaweed, "backups", **{"blog/한글 이름.dump": 5})
    return seaweed


@pytest.mark.parametrize(
    ("prefix", "count", "size"),
    [
        pytest.param("shop/", 3, 1020, id="folder"),
        pytest.param("shop/20261121", 2, 320, id="within-a-name"),
        pytest.param("shop", 3, 1020, id="folder-without-slash"),
        pytest.param("blog/한글 ", 1, 5, id="korean"),
        pytest.param("shop/20261122", 0, 0, id="none"),
    ],
)
def test_the_objects_of_a_prefix_are_counted(filled, prefix, count, size):
    """A prefix cuts names as S3 does, within a name as well as at a slash."""
    found = listing(prefix, **filled.target())

    assert (found.count, found.size, found.whole) == (count, size, True)


def test_the_newest_is_told_by_name_size_and_age(filled):
    """The operator looks for the object by its name."""
    put(filled, "backups", **{"ages/first": 1})
    first = listing("ages/", **filled.target()).newest
    put(filled, "backups", **{"ages/a-later-one": 2})
    both = listing("ages/", **filled.target())

    assert (first.name, both.newest.size + both.oldest.size) == ("ages/first", 3)
    assert 0 <= both.newest.age <= both.oldest.age + 1 < 3600


def test_what_is_below_the_targets_own_prefix_is_all_there_is(filled):
    """One bucket holds the backups of many systems."""
    found = listing("2026112", **filled.target(url="s3://backups/shop/"))

    assert found.count == 3
    assert found.newest.name.startswith("shop/2026112")


def test_more_objects_than_come_at_once_are_all_counted(filled):
    """S3 answers with a thousand at a time."""
    put(filled, "backups", **{f"many/{number:04}": 1 for number in range(1001)})

    assert listing("many/", **filled.target()).count == 1001


def test_an_empty_bucket_that_answers_has_no_object(filled):
    """Nothing is a finding; it is no error of the question."""
    found = listing(**filled.target("empty"))

    assert (found.count, found.newest, found.oldest) == (0, None, None)


def test_a_replay_gives_the_same_listing_and_asks_nobody(filled):
    """An age is that of the run, not of the replay."""

    async def live():
        return await asked("shop/", **filled.target())

    found, recorder = asyncio.run(live())

    async def again():
        as_a_check()
        store = a_probe(memory=memory_of(recorder), **filled.target(endpoint="http://127.0.0.1:1"))
        return await store.listing("shop/")

    assert asyncio.run(again()) == found
    assert found.count == 3


@pytest.mark.parametrize(
    ("change", "kind", "what"),
    [
        pytest.param(
            {"bucket": "nothere", "key": "admin"}, PreconditionMissing, "there is no such bucket", id="bucket"
        ),
        pytest.param({"bucket": "others"}, PreconditionMissing, "access denied: the target's key may not", id="denied"),
        pytest.param({"access_key": "x"}, Unreachable, "login refused: the store does not know the access", id="key"),
        pytest.param({"secret_key": "x"}, Unreachable, "login refused: the secret key is another one", id="secret"),
        pytest.param({"endpoint": "http://127.0.0.1:1"}, Unreachable, "connection refused", id="refused"),
        pytest.param({"endpoint": "http://no.invalid"}, Unreachable, "the name of the host is not known", id="name"),
    ],
)
def test_a_failure_is_told_in_words_with_a_next_step(filled, change, kind, what):
    """Each needs another hand: the bucket's owner, the key's owner, the network's."""
    failure = listing(**filled.target(**change))

    assert isinstance(failure, kind)
    assert failure.what.startswith(what)
    assert failure.next_step
    assert "backups of ingest/test, LIST * at s3://" in failure.where


def test_tls_where_there_is_none_is_told(filled):
    failure = listing(**filled.target(endpoint=filled.endpoint.replace("http:", "https:")))

    assert (type(failure), failure.what) == (Unreachable, "TLS: the handshake failed")


@pytest.mark.parametrize("status", ["200 OK", "403 Forbidden", "404 Not Found", "500 Internal Server Error"])
def test_a_web_page_is_no_empty_bucket(status):
    """The client library finds no object in a page, and would call that none."""

    async def main():
        page = response(PAGE, status=status, headers={"Content-Type": "text/html"})
        async with a_server(always(page)) as server:
            failure, _ = await asked(url="s3://backups", endpoint=server.url, **KEYS)
            return failure, {request.method for request in server.requests}

    failure, methods = asyncio.run(main())

    assert isinstance(failure, BadAnswer)
    assert "what answers is no object store" in failure.what
    assert methods == {"GET"}


@pytest.mark.parametrize("body", [b'{"a": 1}', b"", b"plain"])
def test_an_answer_that_is_no_listing_is_no_empty_bucket(body):
    async def main():
        async with a_server(always(response(body))) as server:
            return (await asked(url="s3://backups", endpoint=server.url, **KEYS))[0]

    assert asyncio.run(main()).what == "what answers is no object store"


def test_an_error_that_is_not_known_is_told_by_its_code():
    """A store has a hundred of them."""

    async def main():
        answer = response(b"<Error><Code>KeyTooLongError</Code></Error>", status="400 Bad Request")
        async with a_server(always(answer)) as server:
            return (await asked(url="s3://backups", endpoint=server.url, **KEYS))[0]

    assert asyncio.run(main()).what == "the store refused it: KeyTooLongError"


def test_a_store_that_does_not_answer_is_told_within_the_time_limit():
    async def hang(request, writer):
        await asyncio.Event().wait()

    async def main():
        async with a_server(hang) as server:
            return (await asked(url="s3://backups", endpoint=server.url, timeout="500ms", **KEYS))[0]

    failure = asyncio.run(main())

    assert (type(failure), failure.what) == (TimedOut, "no whole answer within 0.5 s")


def test_no_secret_is_in_evidence_and_the_line_by_hand_repeats_it(filled):
    """Error bodies repeat what they were sent."""

    async def main():
        _, well = await asked("shop/", **filled.target(region="us-east-1"))
        failure, ill = await asked("shop/", **filled.target("others"))
        return [str(failure), *(one.to_json() for one in (*well.observations, *ill.observations))]

    error, well, ill = asyncio.run(main())

    assert "planted" not in json.dumps([error, well, ill])
    by_hand = f"aws --endpoint-url {filled.endpoint} --region us-east-1 s3 ls --recursive s3://backups/shop/"
    assert well["by_hand"] == by_hand


GS = {"client_email": "", "private_key": "planted-pw", "private_key_id": "", "disable_oauth": True}
CLOUDS = {
    "gs": (
        {"url": "gs://b/shop", "secret_key": json.dumps(GS)},
        "<ListBucketResult><Contents><Key>shop/x</Key><Size>7</Size><ETag>e</ETag>"
        "<LastModified>2026-11-20T00:00:00Z</LastModified></Contents></ListBucketResult>",
        "gcloud storage ls -l 'gs://b/shop/**'",
    ),
    "az": (
        {"url": "az://account/b/shop", "secret_key": "cGxhbnRlZC1wdw=="},
        "<EnumerationResults><Blobs><Blob><Name>shop/x</Name><Properties><Content-Length>7</Content-Length>"
        "<Last-Modified>Fri, 20 Nov 2026 00:00:00 GMT</Last-Modified><Content-Type>x</Content-Type><Etag>e</Etag>"
        "</Properties></Blob></Blobs></EnumerationResults>",
        "az storage blob list --account-name account -c b --prefix shop/ -o table",
    ),
}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_other_clouds_are_asked_in_their_own_way(cloud):
    """By a server that answers as their documentation says; the real ones are not here."""
    target, body, by_hand = CLOUDS[cloud]

    async def main():
        async with a_server(always(response(body.encode(), headers={"Content-Type": "application/xml"}))) as server:
            return await asked(endpoint=server.url, **target)

    found, recorder = asyncio.run(main())

    assert (found.count, found.newest.name, found.newest.size) == (1, "shop/x", 7)
    assert found.newest.written == "2026-11-20T00:00:00+00:00"
    assert recorder.observations[0].by_hand == by_hand


def test_keys_that_are_none_are_told_without_them():
    failures = [
        listing(url="gs://b", secret_key='{"private_key_id": "planted-pw"}'),
        listing(url="az://account/b", secret_key="planted-pw!"),
    ]

    assert {type(one) for one in failures} == {PreconditionMissing}
    assert {one.what for one in failures} == {"neither the profile nor this machine has credentials that can be used"}
    assert "planted" not in "".join(map(str, failures))


def test_without_keys_a_machine_that_has_none_says_so(monkeypatch):
    """The cloud's own address is asked for them; that it cannot be reached says nothing about the store."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")

    failure = listing(url="s3://backups", endpoint="http://127.0.0.1:1")

    assert failure.what == "neither the profile nor this machine has credentials that can be used"


def test_a_folder_is_listed_like_a_bucket(tmp_path):
    """Some backups are on a disk."""
    for name, written in {"daily/old": 1_000, "daily/new": 2_000, "weekly/other": 3_000}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (written, written))

    found = listing("daily/", url=f"local://{tmp_path}")

    assert (found.count, found.newest.name, found.oldest.name) == (2, "daily/new", "daily/old")
    assert (found.oldest.written, found.oldest.age - found.newest.age) == ("1970-01-01T00:16:40+00:00", 1_000)


def test_a_folder_without_a_file_has_none_and_a_folder_that_is_not_there_is_an_error(tmp_path):
    """A disk that is not mounted is not an empty one."""
    (tmp_path / "file").touch()

    assert listing("nothing/", url=f"local://{tmp_path}").count == 0
    for name in ("missing", "file"):
        failure = listing(url=f"local://{tmp_path}/{name}")
        assert (type(failure), failure.what) == (PreconditionMissing, "there is no such folder")


def test_not_more_objects_are_looked_at_than_the_limit(tmp_path):
    """A bucket of millions must not hold up the gate."""
    for number in range(MOST_OBJECTS + 1):
        (tmp_path / str(number)).touch()

    found = listing(url=f"local://{tmp_path}")

    assert (found.count, found.whole) == (MOST_OBJECTS, False)


def test_without_the_library_the_line_that_installs_it_is_told(monkeypatch, tmp_path):
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "obstore", None)

    failure = listing(url=f"local://{tmp_path}")

    assert isinstance(failure, PreconditionMissing)
    assert failure.next_step == "pip install 'opsproof[store]'"
