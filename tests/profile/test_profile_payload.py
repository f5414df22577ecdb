"""What the payload checks will send is known from the profile alone, and bounded by it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from opsproof.errors import ProfileError
from opsproof.profile import with_expected
from opsproof.profile.models import Profile
from opsproof.profile.payload import Payload

ITEMS = {"name": "items", "path": "/items"}
BATCH = {"name": "batch", "path": "/batch", "batch_field": "items", "takes": ["json", "ndjson"]}


def a_payload(**changes):
    return Payload.model_validate({"max_body_bytes": 1000, "endpoints": [ITEMS]} | changes)


def a_profile(**payload):
    title = {"en": "Shop", "ko": "가게"}
    section = {"max_body_bytes": 1000, "endpoints": [ITEMS]} | payload
    return Profile.model_validate({"system": "shop", "environment": "test", "title": title, "payload": section})


def cases(part):
    return {case.name: case for case in part.cases}


def test_every_size_around_the_limit_is_sent_in_every_framing():
    """One byte under, at and over it; twice and ten times it; and nothing at all."""
    sent = cases(a_payload().plan.sizes["app-items"])

    assert "empty" in sent
    for kind in ("length", "chunked", "expect"):
        sizes = {name.removeprefix(f"{kind} "): case.size for name, case in sent.items() if name.startswith(f"{kind} ")}
        assert sizes == {"limit-1": 999, "limit": 1000, "limit+1": 1001, "2x": 2000, "10x": 10_000}


def test_what_is_right_follows_from_size_form_and_encoding():
    endpoint = ITEMS | {"encodings": ["gzip"]}
    sent = cases(a_payload(endpoints=[endpoint]).plan.sizes["app-items"])

    right = {name: sent[name].right for name in ("length limit", "length limit+1", "form limit", "form limit+1")}
    packed = {name: sent[name].right for name in ("gzip limit", "gzip limit+1", "deflate limit", "deflate 10x")}

    assert right == {
        "length limit": "taken",
        "length limit+1": "refused",
        "form limit": "untaken",
        "form limit+1": "refused",
    }
    assert sent["form limit+1"].or_unsupported
    assert packed == {
        "gzip limit": "taken",
        "gzip limit+1": "refused",
        "deflate limit": "untaken",
        "deflate 10x": "untaken",
    }


def test_a_hop_has_the_lower_of_both_limits():
    hops = {"app": {"target": "api"}, "edge": {"target": "edge", "max_body_bytes": 600}, "wide": {"target": "wide"}}
    plan = a_payload(hops=hops).plan

    assert cases(plan.sizes["edge-items"])["length limit+1"].size == 601
    assert cases(plan.sizes["wide-items"])["length limit+1"].size == 1001
    assert cases(plan.sizes["edge-items"])["gzip limit+1"].size == 1001, "a proxy counts what is on the wire"


def test_http2_is_spoken_where_the_hop_does():
    hops = {"app": {"target": "api"}, "edge": {"target": "edge", "http2": True}}
    plan = a_payload(hops=hops).plan

    spoken = {name: {case.framing for case in part.cases} for name, part in plan.sizes.items()}

    assert "http2" not in spoken["app-items"]
    assert {"http2", "http2-unsized"} <= spoken["edge-items"]


def test_when_a_size_can_be_known_follows_from_the_framing():
    """By Content-Length before the first byte; without it one byte over the limit; behind a buffer, at the end."""
    hops = {"app": {"target": "api"}, "buffer": {"target": "edge", "reads_whole": 1500}}
    plan = a_payload(hops=hops, early_bytes=100).plan
    direct, buffered = cases(plan.sizes["app-items"]), cases(plan.sizes["buffer-items"])

    assert (direct["length 2x"].known_at, direct["chunked 2x"].known_at) == (0, 1001)
    assert (direct["length 2x"].most, direct["chunked 2x"].most, direct["chunked 10x"].most) == (2000, 2000, 2001)
    assert (buffered["length limit+1"].known_at, buffered["length 2x"].known_at) == (1001, 0)


def test_batches_are_planned_where_an_endpoint_takes_lists():
    without = a_payload().plan
    plan = a_payload(endpoints=[ITEMS, BATCH], max_batch_items=3).plan

    assert not without.batches
    assert not without.batch_guards
    sent = cases(plan.batches["app-batch"])
    assert {name: case.items for name, case in sent.items() if name.startswith("items")} == {
        "items": 3,
        "items+1": 4,
        "items-1": 2,
        "items of limit bytes together": 3,
        "items of limit+1 bytes together": 3,
    }
    assert {"empty list", "nested list", "no list", "list twice", "one key twice"} <= sent.keys()


@settings(max_examples=60, deadline=None)
@given(
    limit=st.integers(1, 10**9),
    total=st.integers(1, 10**10),
    early=st.integers(0, 10**7),
    batch=st.integers(1, 10_000),
    memory=st.booleans(),
)
def test_the_whole_is_never_more_than_the_profile_allows(limit, total, early, batch, memory):
    """Whatever the limits are: what would go over the bound is left out by name, and nothing is lost silently."""
    plan = a_payload(
        max_body_bytes=limit,
        max_total_bytes=total,
        early_bytes=early,
        endpoints=[ITEMS, BATCH],
        max_batch_items=batch,
        memory={} if memory else None,
        hops={"app": {"target": "api"}, "edge": {"target": "edge", "http2": True, "reads_whole": limit * 3}},
    ).plan
    everything = a_payload(
        max_body_bytes=limit, early_bytes=early, endpoints=[ITEMS, BATCH], max_batch_items=batch, max_total_bytes=10**15
    ).plan.sizes["app-items"]

    parts = [part for name in plan.__slots__ for part in getattr(plan, name).values()]

    assert sum(part.bytes for part in parts) <= total
    part = plan.sizes["app-items"]
    assert {case.name for case in part.cases} | set(part.left_out) == {case.name for case in everything.cases}


def test_the_most_telling_cases_stay_where_the_bound_is_low():
    plan = a_payload(max_total_bytes=40_000).plan

    assert cases(plan.guards["app"]).keys() == {"length limit", "length limit+1", "chunked limit+1"}
    assert plan.sizes["app-items"].left_out


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"endpoints": [BATCH]}, "max_batch_items", id="a-batch-without-a-limit"),
        pytest.param({"stored": "SELECT 1 WHERE t = %(tenant)s"}, "clean_up", id="stored-and-never-removed"),
        pytest.param({"endpoints": []}, "endpoints", id="no-endpoint"),
        pytest.param({"hops": {}}, "hops", id="no-hop"),
    ],
)
def test_what_cannot_be_checked_is_a_mistake_of_the_profile(changes, words):
    with pytest.raises(ValidationError, match=words):
        a_payload(**changes)


def test_a_lowered_limit_takes_the_place_of_the_profiles():
    profile = a_profile(hops={"app": {"target": "api"}, "edge": {"target": "api", "max_body_bytes": 800}})

    lowered = with_expected(profile, {"payload.max_body_bytes": "600", "payload.hops.edge.max_body_bytes": "500"})

    assert lowered.payload
    assert cases(lowered.payload.plan.sizes["app-items"])["length limit+1"].size == 601
    assert cases(lowered.payload.plan.sizes["edge-items"])["length limit+1"].size == 501
    assert profile.payload
    assert profile.payload.max_body_bytes == 1000


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("payload.max_body_byte", "1", "did you mean `max_body_bytes`"),
        ("payload", "1", "is no key of `payload`"),
        ("core.name", "1", "is no key of `payload`"),
        ("payload.hops.edge.target", "x", "is no key of the profile"),
        ("payload.max_body_bytes", "many", "payload.max_body_bytes: "),
        ("payload.max_body_bytes", "0", "greater than or equal to 1"),
    ],
)
def test_a_mistyped_expectation_is_an_error_that_says_what_is_right(key, value, words):
    """A limit that is not in force because of a typing mistake would prove nothing."""
    with pytest.raises(ProfileError) as caught:
        with_expected(a_profile(), {key: value})

    assert words in caught.value.what
    assert caught.value.where == "--expect"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"clean_up": "/items?tenant={tenant}"}, "`stored` and `clean_up` together"),
        ({"stored": "SELECT count(*) FROM items", "clean_up": "/items/{tenant}"}, "everybody's rows"),
        ({"stored": "SELECT 1 WHERE x = %(tenant)s", "clean_up": "/items"}, "everybody's items are deleted"),
        ({"stored": "SELECT 1 WHERE x = %(tenant)s", "clean_up": "/{id}/{tenant}"}, "a path with {tenant} once"),
        (
            {"stored": "SELECT 1 WHERE x = %(tenant)s", "clean_up": "/{tenant}", "item": {"a": 1}},
            "{tenant} and {key} in `item`",
        ),
        ({"endpoints": [ITEMS, ITEMS]}, "different names"),
        ({"endpoints": [{"name": "items", "path": "items"}]}, "pattern"),
    ],
)
def test_what_could_delete_or_count_what_is_not_ours_is_refused(changes, words):
    """The checks write and delete; a slip in the profile must not make that somebody else's loss."""
    with pytest.raises(ValidationError, match=re.escape(words)):
        a_payload(**changes)


def test_a_refusal_can_always_come_too_late():
    """Where as many bytes may be accepted as a body has, the check could never fail."""
    lowered = a_payload(early_bytes=65536)

    assert a_payload().early_at("app") == 250
    assert lowered.early_at("app") == 999
    case = cases(a_payload().plan.sizes["app-items"])["length limit+1"]
    assert case.most > case.known_at + 250


def test_connections_that_are_left_out_are_told_one_by_one():
    """Ten equal cases are ten; nine of them are not all."""
    part = a_payload(max_total_bytes=5000).plan.connections["app"]

    assert part.left_out
    assert len(part.cases) + len(part.left_out) == 11
