"""Sentences on a benchmark are there in every language, with the same numbers."""

import math
import string

import pytest

from opsproof.judge.benchmark.words import _WORDS, number_words, words


def parts(text: str) -> set[str | None]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


def test_every_language_has_every_sentence_with_its_numbers():
    english, korean = _WORDS["en"], _WORDS["ko"]

    assert english.keys() == korean.keys()
    for key, text in english.items():
        assert parts(korean[key]) <= parts(text), key
        assert parts(text) - parts(korean[key]) <= {"lower", "upper"}, key


def test_a_sentence_holds_another_one_in_its_language():
    said = words("not_trusted", why=words("nothing"), doubt=words("cmp_same"))

    assert said["en"].startswith("there was no request to judge; but both are the same benchmark")
    assert said["ko"].startswith("판정할 요청이 없음; 단, 두 파일이")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0123, "%", "1.23 %"),
        (0.4049, "s", "405 ms"),
        (1.2345, "s", "1,234 ms"),
        (12.34, "s", "12.3 s"),
        (0.000123, "s", "0.123 ms"),
        (math.inf, "s", "∞"),
        (-math.inf, "s", "?"),
        (math.nan, "%", "?"),
    ],
)
def test_numbers_are_read_without_powers_of_ten(value, unit, text):
    assert number_words(value, unit) == text
