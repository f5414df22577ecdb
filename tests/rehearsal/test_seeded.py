"""What was shown of one's own backups is kept for the report of the next rehearsal."""

from datetime import UTC, datetime, timedelta

from opsproof.rehearsal.facts import SeededFact
from opsproof.rehearsal.seeded import keep_seeded, seeded_file, seeded_of

CUT = SeededFact(name="dump-cut-off", usual="pg_restore -l: exit 0", caught_by=("backup.every_dump_reads_to_its_end",))
GONE = SeededFact(name="segment-missing", usual="ls: 9 files", caught_by=())


def test_the_report_of_the_next_rehearsal_finds_what_was_shown(tmp_path):
    """A fault that stayed green is a finding of the rehearsal, too."""
    keep_seeded(tmp_path, "factory-ai/dr", [("stored-dumps", CUT), ("archive", GONE)])

    assert seeded_of(tmp_path, "factory-ai/dr") == (CUT, GONE)
    assert seeded_of(tmp_path, "factory-ai/production") == ()


def test_an_area_that_is_shown_later_stands_beside_the_others(tmp_path):
    """Who proves the archive today has not forgotten the dumps of yesterday; the same fault is replaced."""
    keep_seeded(tmp_path, "factory-ai/dr", [("stored-dumps", CUT), ("archive", GONE)])
    caught = GONE.model_copy(update={"caught_by": ("backup.the_archive_has_no_gap",)})
    keep_seeded(tmp_path, "factory-ai/dr", [("archive", caught)])

    assert seeded_of(tmp_path, "factory-ai/dr") == (CUT, caught)


def test_what_was_shown_long_ago_is_not_said_of_today(tmp_path):
    """Backups change; a proof of last year is none."""
    keep_seeded(tmp_path, "factory-ai/dr", [("archive", GONE)])

    assert seeded_of(tmp_path, "factory-ai/dr", now=datetime.now(UTC) + timedelta(days=101)) == ()


def test_a_broken_file_is_no_proof(tmp_path):
    """The report says then that nothing was seeded."""
    path = keep_seeded(tmp_path, "factory-ai/dr", [("archive", GONE)])
    path.write_text(path.read_text()[:40])

    assert path == seeded_file(tmp_path, "factory-ai/dr")
    assert seeded_of(tmp_path, "factory-ai/dr") == ()
