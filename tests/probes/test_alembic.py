"""The alembic probe with real migration scripts, and with ones that are broken."""

import asyncio

import pytest
from asking import a_probe, as_a_check, memory_of

from opsproof.errors import PreconditionMissing

SCRIPT = "revision = {0!r}\ndown_revision = {1!r}\nbranch_labels = None\ndepends_on = None\n"


def scripts(folder, **revisions):
    """A folder of migration scripts: each revision with the one before it."""
    (folder / "versions").mkdir()
    (folder / "env.py").touch()
    for revision, before in revisions.items():
        (folder / "versions" / f"{revision}.py").write_text(SCRIPT.format(revision, before))
    return folder


def ask(look, **target):
    async def main():
        return await look(a_probe(kind="alembic", name="migrations", **target))

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("revisions", "heads"),
    [
        pytest.param({"a1": None, "b2": "a1"}, ["b2"], id="one-line"),
        pytest.param({"a1": None, "b2": "a1", "c3": "a1"}, ["b2", "c3"], id="two-branches"),
    ],
)
def test_heads_are_the_newest_revisions_of_the_scripts(tmp_path, revisions, heads):
    assert ask(lambda probe: probe.heads(), scripts=scripts(tmp_path, **revisions)) == heads


@pytest.mark.parametrize(
    ("revision", "known"), [("a1", True), ("b2", True), ("c3", False), ("a", False), ("head", False)]
)
def test_a_revision_is_known_by_its_whole_id_only(tmp_path, revision, known):
    folder = scripts(tmp_path, a1=None, b2="a1")

    assert ask(lambda probe: probe.knows(revision), scripts=folder) is known


@pytest.mark.parametrize(
    ("at", "pending"),
    [
        pytest.param({"c3"}, [], id="at-head"),
        pytest.param({"a1"}, ["b2", "c3"], id="two-behind"),
        pytest.param(set(), ["a1", "b2", "c3"], id="empty-database"),
    ],
)
def test_what_a_database_lacks_is_told_in_the_order_of_applying_it(tmp_path, at, pending):
    """How far behind is what decides between waiting for a migration and rolling the release back."""
    folder = scripts(tmp_path, a1=None, b2="a1", c3="b2")

    assert ask(lambda probe: probe.pending(at), scripts=folder) == pending


def test_what_is_pending_after_a_revision_of_another_release_cannot_be_told(tmp_path):
    with pytest.raises(PreconditionMissing) as caught:
        ask(lambda probe: probe.pending({"z9"}), scripts=scripts(tmp_path, a1=None))

    assert "z9" in caught.value.what


def test_the_profiles_list_stands_in_for_scripts_that_are_not_at_hand():
    assert ask(lambda probe: probe.heads(), heads=["b2"]) == ["b2"]
    assert ask(lambda probe: probe.knows("b2"), heads=["b2"]) is True


def test_a_list_of_heads_cannot_say_that_a_revision_is_unknown():
    """`a1` may well be an older revision of the same release."""
    with pytest.raises(PreconditionMissing) as caught:
        ask(lambda probe: probe.knows("a1"), heads=["b2"])

    assert str(caught.value) == (
        "the profile lists only the heads of the release, and a1 is none of them\n"
        "  where: migrations of ingest/test, revision a1 at the profile's list of heads\n"
        "  next:  Name the folder of the release's scripts as targets.migrations.scripts in the profile."
    )


def broken(folder):
    scripts(folder, a1=None)
    (folder / "versions" / "b2.py").write_text("revision = 'b2'\nraise RuntimeError('no settings')\n")
    return folder


def torn(folder):
    return scripts(folder, b2="a1")


@pytest.mark.parametrize(
    ("make", "what"),
    [
        pytest.param(lambda folder: folder / "none", "the folder of the migration scripts is not there", id="missing"),
        pytest.param(lambda folder: folder, "the folder holds no migration script", id="empty"),
        pytest.param(broken, "the migration scripts cannot be read: RuntimeError: no settings", id="script-raises"),
        pytest.param(torn, "the migration scripts cannot be read: KeyError: 'a1'", id="revision-missing"),
    ],
)
@pytest.mark.filterwarnings("ignore:Revision a1")
def test_scripts_that_cannot_be_read_are_told(tmp_path, make, what):
    """No heads must never look like a database that is up to date."""
    with pytest.raises(PreconditionMissing) as caught:
        ask(lambda probe: probe.heads(), scripts=make(tmp_path))

    assert caught.value.what == what
    assert caught.value.next_step == "Take the folder from the release that runs, with env.py and versions/."


def test_a_replay_knows_the_heads_of_then(tmp_path):
    folder = scripts(tmp_path, a1=None)

    async def main():
        recorder = as_a_check()
        live = await a_probe(kind="alembic", name="migrations", scripts=folder).heads()
        scripts_of_today = a_probe(kind="alembic", name="migrations", heads=["z9"], memory=memory_of(recorder))
        as_a_check()
        return live, await scripts_of_today.heads()

    assert asyncio.run(main()) == (["a1"], ["a1"])
