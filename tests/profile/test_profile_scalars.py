"""How single values are read."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsproof.profile.scalars import duration_text, seconds
from opsproof.profile.yaml_source import read_yaml

Write = Callable[[str, str], Path]


@given(st.integers(1, 10**9).map(lambda milliseconds: milliseconds / 1000))
def test_a_duration_is_read_back_as_it_is_shown(duration: float) -> None:
    """`opsproof profile show` prints what a profile may hold."""
    assert seconds(duration_text(duration)) == pytest.approx(duration, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("250ms", 0.25), ("5s", 5), ("5 s", 5), ("2m", 120), ("12h", 43200), ("1d", 86400), ("1.5", 1.5), (3, 3)],
)
def test_durations_have_units_and_a_bare_number_is_seconds(text: object, expected: float) -> None:
    """Also as text, since a variable is always text."""
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "s", "5 minutes", "-1s", "1e3s", "5s5s", True, None, []])
def test_what_is_no_duration_is_refused(text: object) -> None:
    """Truth values and half words are not silently numbers."""
    with pytest.raises(ValueError, match=r"^expected a duration such as 250ms, 5s, 2m or 12h$"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2026-12-31", "2026-12-31"),
        ("010", 10),
        ("1_000", "1_000"),
        ("0x1F", 31),
        ("-5", -5),
        ("1.5e3", 1500.0),
        (".5", 0.5),
        ("true", True),
        ("null", None),
        ("~", None),
        ("'5'", "5"),
        ("'null'", "null"),
        ("''", ""),
        ("9" * 40, "9" * 40),
    ],
)
def test_scalars_are_read_as_editors_read_them(write: Write, text: str, expected: object) -> None:
    """YAML 1.2: the schema that an editor checks against and opsproof agree about every value."""
    tree, mistakes = read_yaml(write("x.yaml", f"key: {text}\n"))

    assert mistakes == []
    assert tree.keys["key"].value == expected
    assert type(tree.keys["key"].value) is type(expected)


def test_keys_are_texts_whatever_they_look_like(write: Write) -> None:
    """`on:` and `200:` are names here."""
    tree, _ = read_yaml(write("x.yaml", "on: a\n200: b\nnull: c\n"))

    assert list(tree.keys) == ["on", "200", "null"]


def test_a_byte_order_mark_is_no_mistake(write: Write) -> None:
    """Some editors write one."""
    file = write("x.yaml", "")
    file.write_bytes(b"\xef\xbb\xbfkey: 1\n")

    assert read_yaml(file)[0].keys["key"].value == 1
