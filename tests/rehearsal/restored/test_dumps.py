"""A dump is restored whole, or the restore says why not."""

import gzip

import pytest

from opsproof.rehearsal.damage.restored.source import DATABASE, source_on
from opsproof.rehearsal.restored import restore_dump


def _restored(grounds, dump, name, form="custom", **changes):
    roles = {"roles": source_on(grounds).roles} | changes
    made = restore_dump(grounds, dump, name, form=form, database=DATABASE, **roles)
    made.cluster.kill()
    return made


def _written(grounds, name, content):
    path = grounds.folder("damaged") / name
    path.write_bytes(content)
    return path


def test_a_plain_packed_dump_comes_back_with_its_times(grounds):
    """The form that the runbook keeps; seconds by part are what a projection to full size is made of."""
    packed = _written(grounds, "latest.sql.gz", gzip.compress(source_on(grounds).plain.read_bytes()))

    made = _restored(grounds, packed, "plain", "plain")

    assert made.failed == ""
    assert made.seconds.keys() == {"start", "roles", "rows", "analyze"}
    assert made.bytes == packed.stat().st_size


def test_a_plain_dump_that_is_cut_at_the_end_of_a_line_is_no_restore(grounds):
    """psql ends with status 0 there, even with ON_ERROR_STOP: half of the rows would be all."""
    lines = source_on(grounds).plain.read_bytes().splitlines(keepends=True)

    made = _restored(grounds, _written(grounds, "cut.sql", b"".join(lines[: len(lines) // 2])), "cut", "plain")

    assert "end line" in made.failed


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_packed_dump_that_is_cut_off_is_no_restore(grounds, share):
    """In a pipe the status of gunzip is lost."""
    packed = gzip.compress(source_on(grounds).dump.read_bytes())

    cut = _written(grounds, f"cut-{share}.dump.gz", packed[: int(len(packed) * share)])
    made = _restored(grounds, cut, f"cut-{share}")

    assert made.failed


def test_an_empty_dump_is_no_restore(grounds):
    """psql is content with nothing."""
    made = _restored(grounds, _written(grounds, "empty.sql", b""), "empty", "plain")

    assert "end line" in made.failed


def test_a_dump_with_owners_needs_its_roles(grounds):
    """In a bare cluster every owner and grant is an error, and the first ends the restore."""
    made = _restored(grounds, source_on(grounds).dump, "bare", roles=None)

    assert 'role "app_' in made.failed


def test_a_dump_that_is_not_there_is_said_so(grounds):
    """A file that was not downloaded is the first thing to know at night."""
    made = _restored(grounds, grounds.folder("damaged") / "never.dump", "never")

    assert "never.dump" in made.failed
