"""${VAR}, ${VAR:-default}, $${ and file:PATH."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsproof.errors import ProfileError
from opsproof.profile import load_profile, load_with_unset, secrets_of
from opsproof.profile.references import interpolate

Write = Callable[[str, str], Path]
MistakesIn = Callable[..., list[str]]

PROFILE = """\
system: shop
environment: staging
title: {en: Shop, ko: 상점}
targets:
  api: {kind: http, url: "${URL}", auth: {bearer: "${TOKEN}"}, timeout: "${TIMEOUT}", concurrency: "${BUDGET}"}
  database: {kind: postgres, dsn: "postgresql://${USER_NAME}@${HOST}/x"}
  cache: {kind: redis, url: "${REDIS}"}
  settings: {kind: settings, environment: "${OWN}"}
  logs: {kind: logfile, path: "${LOG}"}
policy: {fail_on: "${SEVERITY}", waivers: [{check: a, owner: b, reason: c, until: "${UNTIL}"}]}
"""
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from("${}:-"), max_size=30)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)


@given(TEXTS)
def test_an_escaped_text_is_read_back_as_it_was(text: str) -> None:
    """`$${` stands for `${`, wherever it is."""
    assert interpolate(text.replace("${", "$${"), {}) == (text, ())


@given(NAMES, TEXTS.filter(bool), TEXTS, TEXTS)
def test_what_a_variable_holds_is_not_read_again(name: str, value: str, before: str, after: str) -> None:
    """A password with `${` in it stays what it is."""
    before, after = before.replace("$", ""), after.replace("$", "")

    assert interpolate(f"{before}${{{name}}}{after}", {name: value}) == (f"{before}{value}{after}", ())


@given(NAMES, TEXTS.filter(lambda text: "}" not in text and "${" not in text))
def test_a_default_stands_in_for_an_unset_or_empty_variable(name: str, default: str) -> None:
    """CI systems pass a secret that they do not have as an empty text."""
    reference = f"${{{name}:-{default}}}"

    assert interpolate(reference, {}) == interpolate(reference, {name: ""}) == (default, ())
    assert interpolate(reference, {name: "set"}) == ("set", ())


@given(NAMES)
def test_an_empty_variable_counts_as_not_set(name: str) -> None:
    """An empty token would be sent, and refused, far from the cause."""
    assert interpolate(f"${{{name}}}", {name: ""}) == ("", (name,))


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${A-b}", "${A:?b}", "${A", "${A:-${B}}", "${ A }"])
def test_a_reference_that_is_written_wrong_is_a_mistake(mistakes_in: MistakesIn, text: str) -> None:
    """Shell has more forms than opsproof; none of them passes silently."""
    assert mistakes_in(f"health: {{live: '{text}'}}", {"A": "a", "B": "b"}) == [
        "staging.yaml:4: health.live: expected ${VAR} or ${VAR:-default}, the default without ${...}; "
        "write $${ for a plain ${"
    ]


@pytest.mark.parametrize(
    ("variable", "value"),
    [("URL", "x"), ("TIMEOUT", "x"), ("BUDGET", "x"), ("REDIS", "x"), ("OWN", "x"), ("SEVERITY", "x"), ("UNTIL", "x")],
)
def test_no_error_repeats_what_a_variable_holds(root: Path, write: Write, variable: str, value: str) -> None:
    """Whatever the type of the key that refuses it."""
    write("shop/staging.yaml", PROFILE)
    planted = f"hunter2{value}"

    with pytest.raises(ProfileError) as caught:
        load_profile("shop/staging", root=root, variables={variable: planted})

    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert "hunter2" not in repr(caught.value)


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=6), st.sampled_from(["URL", "REDIS", "HOST"]))
def test_no_error_repeats_any_part_of_an_address(planted: str, variable: str) -> None:
    """Arbitrary values, in the keys that are parsed; the sign in front of them is in no message of ours."""
    profile = Path(__file__).parent / "data"

    with pytest.raises(ProfileError) as caught:
        load_profile("shop/staging", root=profile, variables={variable: f"//\N{SECTION SIGN}{planted}"})

    assert "\N{SECTION SIGN}" not in str(caught.value)


def test_values_take_the_type_of_their_key(root: Path, write: Write) -> None:
    """A variable is always text; numbers, durations, truth values and dates are read from it."""
    write("shop/staging.yaml", PROFILE)

    profile = load_profile(
        "shop/staging",
        root=root,
        variables={
            "URL": "http://h:1",
            "TOKEN": "t0ken-value",
            "TIMEOUT": "250ms",
            "BUDGET": "3",
            "USER_NAME": "reader",
            "HOST": "db:5432",
            "REDIS": "rediss://c",
            "OWN": "true",
            "LOG": "/var/log/x",
            "SEVERITY": "SEV-1",
            "UNTIL": "2026-12-31",
        },
    )

    assert profile.targets["api"].timeout == 0.25
    assert profile.targets["api"].concurrency == 3
    assert profile.targets["database"].address == "postgresql://db:5432/x"
    assert profile.policy.fail_on == "SEV-1"
    assert profile.policy.waivers[0].until.isoformat() == "2026-12-31T23:59:59.999999+00:00"


def test_a_profile_without_its_variables_can_be_kept_for_a_replay(root: Path, write: Write) -> None:
    """Every kind of key takes a placeholder that is valid there; none of them counts as a secret."""
    write("shop/staging.yaml", PROFILE)

    profile = load_profile("shop/staging", root=root, variables={}, missing="keep")

    assert profile.targets["api"].address == "http://unset.invalid"
    assert profile.targets["database"].address == "postgresql://unset.invalid"
    assert profile.targets["cache"].address == "redis://unset.invalid"
    assert profile.targets["api"].timeout == 1.0
    assert profile.policy.fail_on == "SEV-2"
    assert secrets_of(profile) == frozenset()


def test_what_is_unset_is_told_with_its_place(root: Path, write: Write) -> None:
    """So that a caller can say what a placeholder stands for."""
    file = write("shop/staging.yaml", PROFILE)

    _, unset = load_with_unset("shop/staging", root=root, variables={"URL": "http://h", "LOG": "x"})

    assert [(reference.reference, str(reference.place)) for reference in unset][:3] == [
        ("TOKEN", f"{file}:5"),
        ("TIMEOUT", f"{file}:5"),
        ("BUDGET", f"{file}:5"),
    ]
    assert [reference.reference for reference in unset if reference.loc == ("targets", "database", "dsn")] == [
        "USER_NAME",
        "HOST",
    ]


def test_unset_variables_alone_ask_for_variables(root: Path, write: Write) -> None:
    """Nothing in the file is to be corrected."""
    write("shop/staging.yaml", "system: shop\nenvironment: staging\ntitle: {en: '${T}', ko: b}\n")

    with pytest.raises(ProfileError) as caught:
        load_profile("shop/staging", root=root, variables={})

    assert caught.value.next_step == "set what is missing in this shell or in the settings of the CI job"


def test_a_file_is_read_relative_to_the_file_that_names_it(root: Path, write: Write) -> None:
    """Mounted secrets; the newline that editors leave at the end is not part of one."""
    write("secrets/token", "t0ken-of-file\n")
    write("base.yaml", "targets: {api: {kind: http, url: 'http://h', auth: {bearer: 'file:secrets/${NAME}'}}}\n")
    write("shop/staging.yaml", "extends: ../base.yaml\nsystem: shop\nenvironment: staging\ntitle: {en: a, ko: b}\n")

    profile = load_profile("shop/staging", root=root, variables={"NAME": "token"})

    assert secrets_of(profile) == {"t0ken-of-file"}


def test_a_variable_cannot_make_a_file_be_read(root: Path, write: Write) -> None:
    """Only the profile's author decides what is read."""
    write("shop/staging.yaml", "system: shop\nenvironment: staging\ntitle: {en: '${T}', ko: b}\n")

    profile = load_profile("shop/staging", root=root, variables={"T": "file:/etc/hostname"})

    assert profile.title.en == "file:/etc/hostname"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(None, "cannot be read (No such file or directory)", id="absent"),
        pytest.param(b"\n", "is empty", id="empty"),
        pytest.param(b"\xff\xfe", "is not UTF-8, or its name is none", id="binary"),
        pytest.param(b"x" * 1_000_001, "is larger than 1 MB", id="large"),
    ],
)
def test_a_secret_file_that_cannot_be_used_is_named(
    root: Path, write: Write, mistakes_in: MistakesIn, content: bytes | None, expected: str
) -> None:
    """As the profile writes it: a variable in the path may be private."""
    if content is not None:
        write("shop/private", "").write_bytes(content)

    assert mistakes_in("health: {live: 'file:${NAME}'}", {"NAME": "private"}) == [
        f"staging.yaml:4: health.live: the file ${{NAME}} {expected}; create it, or correct the path"
    ]


def test_a_device_is_not_read(mistakes_in: MistakesIn) -> None:
    """/dev/zero would never end."""
    assert mistakes_in("health: {live: 'file:/dev/zero'}") == [
        "staging.yaml:4: health.live: the file /dev/zero is no file; create it, or correct the path"
    ]
