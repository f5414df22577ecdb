"""The SQL of a dump is followed whatever is in it, and in whatever pieces it comes."""

from datetime import UTC, datetime

import pytest

from opsproof.rehearsal.stored.sql import SqlScan

DUMP = rb"""
--
-- PostgreSQL database dump
--

\restrict abc

-- Dumped from database version 16.4 (Debian 16.4-1)
-- Dumped by pg_dump version 17.2

SET standard_conforming_strings = on;

CREATE FUNCTION public.f() RETURNS text
    LANGUAGE sql
    AS $_$ SELECT 'COPY public.orders FROM stdin;
'; -- PostgreSQL database dump complete
$_$;

CREATE TABLE public.orders (
    id bigint,
    note text DEFAULT E'it\'s; -- ''no'' comment'::text
);
CREATE TABLE public."Odd, (name)" (a integer);
CREATE TABLE public.log (id integer) PARTITION BY RANGE (id);
CREATE TABLE public.log_1 (id integer);
ALTER TABLE ONLY public.log ATTACH PARTITION public.log_1 FOR VALUES FROM (1) TO (9);
COMMENT ON TABLE public.orders IS 'a "quote, $1 and /* no comment';

COPY public.orders (id, note) FROM stdin;
1	first
2	\\.
3	it's
\.


COPY public."Odd, (name)" (a) FROM stdin;
\.


COPY public.log_1 (id) FROM stdin;
1
2
\.


COPY public.opsproof_heartbeat (id, at, writer) FROM stdin;
1	2026-11-20 02:00:00.5+09	a
2	2026-11-19 19:00:00+00	b
\.

INSERT INTO public.items VALUES (1, 'semi;colon');
INSERT INTO public.items VALUES (2, E'a\\');

--
-- PostgreSQL database dump complete
--

\unrestrict abc

"""


def scanned(text, size=1 << 20):
    scan = SqlScan("opsproof_heartbeat", "at")
    for start in range(0, len(text), size):
        scan.feed(text[start : start + size])
    scan.finish()
    return scan


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 1000, 1 << 20])
def test_a_whole_dump_is_well_whatever_the_pieces_are(size):
    """A quote, a tag or the end of a block may be parted between two pieces."""
    scan = scanned(DUMP, size)

    assert scan.problems == []
    assert scan.tables == {
        "public.orders": 3,
        "public.Odd, (name)": 0,
        "public.log": 2,
        "public.log_1": 2,
        "public.opsproof_heartbeat": 2,
        "public.items": 2,
    }
    assert scan.newest == datetime(2026, 11, 19, 19, tzinfo=UTC)
    assert (scan.server, scan.tool) == ("16.4", "17.2")


def test_every_cut_before_the_end_line_is_noticed():
    """Wherever pg_dump was ended, psql would say nothing of it."""
    end = DUMP.index(b"-- PostgreSQL database dump complete\n--\n\n\\unrestrict")

    well = [at for at in range(0, end, 7) if not scanned(DUMP[:at]).problems]

    assert well == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(DUMP.replace(b"2\t\\\\.", b"2 \\\\."), "not whole", id="column-lost"),
        pytest.param(DUMP.replace(b"first", b"fir\0st"), "NUL byte", id="nul-in-a-row"),
        pytest.param(DUMP.replace(b"SET ", b"\0SET "), "NUL byte", id="nul-in-a-statement"),
        pytest.param(DUMP + b"SELECT 1;", "behind its end", id="statement-behind"),
        pytest.param(DUMP + DUMP, "behind its end", id="twice"),
        pytest.param(DUMP.replace(b"\nSET ", b"\n\\! id\nSET "), "psql would run", id="shell"),
        pytest.param(DUMP.replace(b"02:00:00.5+09", b"yesterday"), "cannot be read", id="heartbeat"),
    ],
)
def test_what_is_wrong_is_said(text, words):
    """Each of them is restored without an error, or in part."""
    assert any(words in problem for problem in scanned(text).problems)


def test_no_name_takes_forever():
    """A pattern that tries every way to part a name stands still on a long one."""
    name = b"a" * 5000

    assert scanned(b"ALTER TABLE public." + name + b" OWNER TO me;\n").tables == {}
