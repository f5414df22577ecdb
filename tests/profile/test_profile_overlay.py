"""extends: what lies over what."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsproof.errors import ProfileError
from opsproof.profile import load_profile
from opsproof.profile.tree import Node, Place, overlay, plain, without_nulls

Write = Callable[[str, str], Path]
MistakesIn = Callable[..., list[str]]

LINE = Place(Path("x.yaml"), 1)
KEYS = st.sampled_from("abc")
LEAVES = st.one_of(st.integers(0, 3), st.text("xy", max_size=2), st.booleans(), st.lists(st.integers(0, 3), max_size=2))
SECTIONS = st.dictionaries(KEYS.map(str.upper), st.dictionaries(KEYS, st.none() | LEAVES, max_size=3), max_size=3)
DOCUMENTS = st.builds(lambda top, sections: top | sections, st.dictionaries(KEYS, st.none() | LEAVES), SECTIONS)
"""Two levels; a lower-case key always holds a leaf or null, an upper-case one a mapping, as the models have it."""


def node(value: object) -> Node:
    if isinstance(value, dict):
        return Node({key: node(part) for key, part in value.items()}, LINE)
    if isinstance(value, list):
        return Node(tuple(map(node, value)), LINE)
    assert value is None or isinstance(value, (str, int, float, bool))
    return Node(value, LINE)


def merged(*documents: Mapping[str, object]) -> object:
    first, *rest = map(node, documents)
    for document in rest:
        first = overlay(first, document)
    return plain(without_nulls(first), {})


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_a_chain_may_be_read_from_either_end(a: dict[str, object], b: dict[str, object], c: dict[str, object]) -> None:
    """Overlay is associative, so that base + (middle + own) is what (base + middle) + own is."""
    x, y, z = node(a), node(b), node(c)

    assert plain(overlay(overlay(x, y), z), {}) == plain(overlay(x, overlay(y, z)), {})


@given(DOCUMENTS)
def test_an_empty_file_over_or_under_another_changes_nothing(document: dict[str, object]) -> None:
    """extends alone adds and removes nothing."""
    assert merged({}, document) == merged(document, {}) == merged(document)


@given(DOCUMENTS, DOCUMENTS)
def test_the_upper_file_wins_key_by_key(below: dict[str, object], over: dict[str, object]) -> None:
    """Every leaf that the upper file writes is in the result; a null is gone; all else comes from below."""
    result = merged(below, over)
    assert isinstance(result, dict)

    for key in below.keys() | over.keys():
        if isinstance(over.get(key, below.get(key)), dict):
            continue
        wanted = over[key] if key in over else below[key]
        assert (key not in result) if wanted is None else (result[key] == wanted)


@given(DOCUMENTS, st.data())
def test_null_removes_an_inherited_key(below: dict[str, object], data: st.DataObject) -> None:
    """Also a whole section, and nothing else with it."""
    key = data.draw(st.sampled_from([*below, "d"]))

    assert merged(below, {key: None}) == merged({name: part for name, part in below.items() if name != key})


def test_a_section_that_was_removed_begins_afresh(root: Path, write: Write) -> None:
    """null in the middle of a chain, a mapping above it: what lay below does not come back."""
    assert merged({"A": {"x": 1}}, {"A": None}, {"A": {"y": 2}}) == {"A": {"y": 2}}


def test_null_in_a_list_is_a_value() -> None:
    """Lists are replaced whole, so nothing is inherited there; the JSON body of a request may need a null."""
    assert merged({"a": [{"b": None}]}) == {"a": [{"b": None}]}


def test_mappings_merge_and_lists_are_replaced(root: Path, write: Write) -> None:
    """The environment writes only what differs."""
    write(
        "shop/base.yaml",
        """\
        system: shop
        title: {en: Shop, ko: 상점}
        targets:
          api: {kind: http, url: "http://127.0.0.1:1", timeout: 1s}
          cache: {kind: redis, url: "redis://127.0.0.1:2"}
        health: {live: /live, allow_degraded: [cache, queue]}
        """,
    )
    write(
        "shop/staging.yaml",
        """\
        extends: base.yaml
        environment: staging
        targets:
          api: {timeout: 250ms}
          cache: null
        health: {allow_degraded: [queue]}
        """,
    )

    profile = load_profile("shop/staging", root=root, variables={})

    assert list(profile.targets) == ["api"]
    assert profile.targets["api"].timeout == 0.25
    assert profile.targets["api"].address == "http://127.0.0.1:1"
    assert profile.health.live == "/live"
    assert profile.health.allow_degraded == ("queue",)


def test_a_chain_of_files_is_followed_relative_to_each(root: Path, write: Write) -> None:
    """Systems may share a file above their folders."""
    write("common.yaml", "policy: {check_deadline: 7s, run_deadline: 70s}\n")
    write("shop/base.yaml", "extends: ../common.yaml\nsystem: shop\ntitle: {en: a, ko: b}\n")
    write("shop/staging.yaml", "extends: base.yaml\nenvironment: staging\npolicy: {run_deadline: 2m}\n")

    profile = load_profile("shop/staging", root=root, variables={})

    assert (profile.policy.check_deadline, profile.policy.run_deadline) == (7.0, 120.0)


def test_an_inherited_mistake_names_the_file_that_it_stands_in(root: Path, write: Write) -> None:
    """The line to correct is in base.yaml, not in the file that was asked for."""
    base = write("shop/base.yaml", "system: shop\ntitle: {en: a, ko: b}\nhealth:\n  livee: /x\n  ready: ${R}\n")
    write("shop/staging.yaml", "extends: base.yaml\nenvironment: staging\nhealth: {live: /y}\n")

    with pytest.raises(ProfileError) as caught:
        load_profile("shop/staging", root=root, variables={})

    keys = "overall, live, ready, detailed, components, healthy_words, allow_degraded"
    assert f"{base}:4: health.livee: unknown key; did you mean `live`? The keys here are: {keys}" in caught.value.what
    assert f"{base}:5: health.ready: the variable R is not set; set it, or write ${{R:-default}}" in caught.value.what


def test_an_overridden_value_needs_no_variable(root: Path, write: Write) -> None:
    """References are followed after merging."""
    write("shop/base.yaml", "system: shop\ntitle: {en: a, ko: b}\nhealth: {live: '${LIVE}', ready: '${READY}'}\n")
    write("shop/staging.yaml", "extends: base.yaml\nenvironment: staging\nhealth: {live: /y, ready: null}\n")

    assert load_profile("shop/staging", root=root, variables={}).health.live == "/y"


@pytest.mark.parametrize(
    ("extends", "expected"),
    [
        pytest.param("none.yaml", "extends: no such file; the path is relative to this file", id="absent"),
        pytest.param("[a]", "extends: expected the path of a file, relative to this one", id="list"),
        pytest.param("staging.yaml", "extends: goes round in a circle: staging.yaml -> staging.yaml", id="itself"),
        pytest.param(
            "a.yaml", "extends: goes round in a circle: staging.yaml -> a.yaml -> b.yaml -> staging.yaml", id="circle"
        ),
    ],
)
def test_a_wrong_extends_is_named(write: Write, mistakes_in: MistakesIn, extends: str, expected: str) -> None:
    """Before the keys that are then missing confuse the reader."""
    write("shop/a.yaml", "extends: b.yaml\n")
    write("shop/b.yaml", "extends: staging.yaml\n")

    assert any(mistake.endswith(expected) for mistake in mistakes_in(f"extends: {extends}\n"))


def test_a_file_that_cannot_be_read_is_named_where_the_chain_breaks(write: Write, mistakes_in: MistakesIn) -> None:
    """Syntax errors in base.yaml are reported with base.yaml's line."""
    write("shop/base.yaml", "system: shop\ntitle: [\n")

    (mistake,) = mistakes_in("extends: base.yaml\n")

    assert mistake.startswith("base.yaml:3: not YAML: ")


def test_anchors_and_merge_keys_work_and_own_keys_win(root: Path, write: Write) -> None:
    """YAML's own way to say things once, within one file."""
    write(
        "shop/staging.yaml",
        """\
        system: shop
        environment: staging
        title: {en: a, ko: b}
        targets:
          one: &one {kind: http, url: "http://127.0.0.1:1", timeout: 1s, concurrency: 2}
          two: {timeout: 2s, <<: *one}
          three: {<<: [{timeout: 3s}, *one]}
        """,
    )

    targets = load_profile("shop/staging", root=root, variables={}).targets

    assert [(target.timeout, target.address) for target in targets.values()] == [
        (1.0, "http://127.0.0.1:1"),
        (2.0, "http://127.0.0.1:1"),
        (3.0, "http://127.0.0.1:1"),
    ]


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        pytest.param("system", "system: other\nenvironment: staging", "expected shop, the name of the folder", id="s"),
        pytest.param("environment", "system: shop\nenvironment: dr", "expected staging, the name of the file", id="e"),
    ],
)
def test_a_profile_is_named_as_its_file(mistakes_in: MistakesIn, key: str, text: str, expected: str) -> None:
    """A copied file whose name was not changed inside would report under the wrong environment."""
    assert [mistake.partition(": ")[2] for mistake in mistakes_in(f"title: {{en: a, ko: b}}\n{text}\n", head="")] == [
        f"{key}: {expected}"
    ]
