"""Unpacking piece by piece says what gunzip only warns of."""

import gzip

import pytest

from opsproof.rehearsal.stored.gunzip import Gunzip

TEXT = bytes(range(256)) * 4000
PACKED = gzip.compress(TEXT, mtime=0)


def unpacked(content, size=1000):
    gunzip = Gunzip()
    found = b"".join(
        piece for start in range(0, len(content), size) for piece in gunzip.feed(content[start : start + size])
    )
    gunzip.finish()
    return found, gunzip.problem


@pytest.mark.parametrize("size", [1, 7, 1000, 10_000_000])
def test_what_is_whole_is_unpacked_whatever_the_pieces_are(size):
    """A store gives pieces of any size."""
    assert unpacked(PACKED, size) == (TEXT, "")


def test_members_one_behind_the_other_are_one_file():
    """pigz and `cat a.gz b.gz` write so, and gunzip reads so."""
    assert unpacked(PACKED + PACKED) == (TEXT + TEXT, "")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(PACKED[:-1], "cut off", id="trailer-cut"),
        pytest.param(PACKED[:-8], "cut off", id="no-trailer"),
        pytest.param(PACKED[: len(PACKED) // 2], "cut off", id="half"),
        pytest.param(b"", "cut off", id="nothing"),
        pytest.param(PACKED + b"garbage", "7 bytes", id="garbage-behind"),
        pytest.param(PACKED + bytes(512), "512 bytes", id="zeros-behind"),
        pytest.param(PACKED + PACKED[:9], "cut off", id="second-member-cut"),
        pytest.param(PACKED[:-5] + b"\0" + PACKED[-4:], "damaged", id="checksum"),
        pytest.param(b"no gzip at all", "damaged", id="other"),
    ],
)
def test_what_is_not_whole_says_so(content, words):
    """In a pipe the exit status of gunzip is lost."""
    assert words in unpacked(content)[1]
    assert words in unpacked(content, 1)[1]


def test_a_bomb_comes_in_pieces():
    """A file of zeros packs a thousandfold; memory stays bounded."""
    gunzip = Gunzip()
    bomb = gzip.compress(bytes(64 << 20), mtime=0)

    assert max(len(piece) for piece in gunzip.feed(bomb)) <= 1 << 20
