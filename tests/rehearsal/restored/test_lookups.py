"""What an index finds is compared with its table; an index that nobody could look at is told, and never well."""

import asyncio

import pytest

from opsproof.errors import PreconditionMissing
from opsproof.rehearsal.damage.restored import RESTORED_DATA

LEFT_OF = """
    CREATE OPERATOR CLASS core.only_left FOR TYPE point USING gist AS OPERATOR 1 <<,
    FUNCTION 1 gist_point_consistent(internal, point, int2, oid, internal),
    FUNCTION 2 gist_box_union(internal, internal),
    FUNCTION 3 gist_point_compress(internal), FUNCTION 5 gist_box_penalty(internal, internal, internal),
    FUNCTION 6 gist_box_picksplit(internal, internal), FUNCTION 7 gist_box_same(box, box, internal), STORAGE box"""
OPAQUE = (LEFT_OF, "CREATE INDEX opaque ON core.shifts USING gist (place core.only_left)")


def test_an_index_that_cannot_be_asked_is_not_proven(grounds):
    """Silence of a check that looked away is what an auditor takes for proof."""
    with RESTORED_DATA.lab(grounds) as lab:
        lab.sql(*OPAQUE)

        with pytest.raises(PreconditionMissing, match=r"core\.opaque \(gist\) was not looked at: no key of it"):
            asyncio.run(lab.verification().nothing_is_corrupt())


def test_what_is_corrupt_is_told_beside_what_was_not_looked_at(grounds):
    """There is something to mend first."""
    with RESTORED_DATA.lab(grounds) as lab:
        next(one for one in RESTORED_DATA.damages if one.name == "hash-index-lacks-a-row").inject(lab)
        lab.sql(*OPAQUE)

        said = asyncio.run(lab.verification().nothing_is_corrupt())

    assert said == [
        "core.shifts_by_line: of 4 keys 1 are not found by it as often as the table has them (1 rows): line 2",
        "core.opaque (gist) was not looked at: no key of it finds itself",
    ]


@pytest.mark.parametrize(
    "index",
    [
        "gin (to_tsvector('simple', title))",
        "gin (string_to_array(title, ' '))",
        "gin ((('[\"' || code::text || '\"]')::jsonb) jsonb_path_ops)",
        "gist ((code::text) gist_trgm_ops) WHERE id > 3",
        "spgist (title)",
        "brin (id int4_bloom_ops, title) WITH (pages_per_range = 1)",
        "hash (code)",
        'hash (title COLLATE "C")',
    ],
)
def test_a_sound_index_of_any_method_is_green(grounds, index):
    """Operators, collations, expressions and conditions are those of the index, whatever they are."""
    with RESTORED_DATA.lab(grounds) as lab:
        lab.sql("SET search_path = core, public", "UPDATE workflows SET title = 'it''s \\ ' || id WHERE id % 3 = 0")
        lab.sql("SET search_path = core, public", f"CREATE INDEX asked ON workflows USING {index}")

        assert asyncio.run(lab.verification().nothing_is_corrupt()) == []
        lab.sql(
            "UPDATE pg_index SET indisready = false, indislive = false WHERE indexrelid = 'core.asked'::regclass",
            "INSERT INTO core.workflows (code, title) VALUES ('WF-99', 'behind its back')",
            "UPDATE pg_index SET indisready = true, indislive = true WHERE indexrelid = 'core.asked'::regclass",
        )
        (said,) = asyncio.run(lab.verification().nothing_is_corrupt())

    assert said.startswith("core.asked: of ")
    assert "behind" in said or "WF-99" in said


def test_an_index_of_a_parent_table_is_not_asked_for_the_rows_of_its_children(grounds):
    """By plain inheritance each table has an index of its own."""
    with RESTORED_DATA.lab(grounds) as lab:
        lab.sql("CREATE TABLE core.late () INHERITS (core.shifts)", "INSERT INTO core.late SELECT * FROM core.shifts")

        assert asyncio.run(lab.verification().nothing_is_corrupt()) == []
        assert asyncio.run(lab.verification().every_row_keeps_the_constraints()) == []
