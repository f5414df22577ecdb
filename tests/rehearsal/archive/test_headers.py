"""The pages of a segment say where they belong."""

import struct

import pytest

from opsproof.rehearsal.archive.headers import PAGE_BYTES, Header, read_header
from opsproof.rehearsal.archive.segments import read_whole

START = 0x3000000


def page(number, timeline=1, magic=0xD118, position=None):
    at = START + number * PAGE_BYTES if position is None else position
    if number == 0:
        head = struct.pack("<HHIQI4xQII", magic, 2, timeline, at, 0, 4711, 1 << 20, PAGE_BYTES)
    else:
        head = struct.pack("<HHIQI", magic, 0, timeline, at, 0)
    return head + b"\x01" * (PAGE_BYTES - len(head))


ZEROS = bytes(PAGE_BYTES)


def odd(*pages, piece=5000):
    content = b"".join(pages)
    return read_whole("x", [content[at : at + piece] for at in range(0, len(content), piece)]).odd


def test_the_header_of_a_segment_is_read():
    """As XLogLongPageHeaderData lays it out."""
    assert read_header(page(0)) == Header(0xD118, 1, START, 4711, 1 << 20, PAGE_BYTES)
    assert [read_header(content) for content in (b"", ZEROS, b"garbage" * 100, page(1))] == [None] * 4


def test_a_segment_that_ends_early_by_a_switch_is_whole():
    """pg_switch_wal leaves zeros up to the end; however the content is cut in pieces."""
    for piece in (1000, PAGE_BYTES, 1 << 20):
        assert odd(page(0), page(1), page(2, timeline=2), ZEROS, ZEROS, piece=max(piece, 100)) == ""


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        pytest.param((page(0), ZEROS, page(2)), "zeros from byte 8192 to 16384", id="hole"),
        pytest.param((page(0), page(1, position=START)), "belongs at 0/3000000, not at 0/3002000", id="other-place"),
        pytest.param((page(0), page(1, magic=0xBEEF)), "magic BEEF", id="no-page"),
        pytest.param((page(0, timeline=3), page(1, timeline=2)), "of timeline 2, before 3", id="older-timeline"),
    ],
)
def test_a_page_that_does_not_belong_is_found(pages, words):
    """None of these needs another segment, or pg_waldump, to be seen."""
    assert words in odd(*pages)
