"""The folders of a rehearsal's grounds."""

from opsproof.stack.clusters.grounds import Grounds


def test_a_folder_that_is_there_is_not_walked_again(monkeypatch):
    """A server writes to it: what one listing saw may be gone at the next look, and is the server's already."""
    with Grounds() as grounds:
        owned = []
        monkeypatch.setattr(grounds.programs, "own", owned.append)
        first = grounds.folder("primary/archive")
        assert grounds.folder("primary/archive") == first
        assert grounds.folder("primary").is_dir()
    assert owned == [first.parent]


def test_every_folder_that_was_made_belongs_to_the_servers_user():
    with Grounds() as grounds:
        inner = grounds.folder("store/postgres/wal")
        user = grounds.programs.user
        owners = {(one.stat().st_uid, one.stat().st_gid) for one in (inner, inner.parent, inner.parent.parent)}
        if user is not None:
            assert owners == {user}
        assert len(owners) == 1
        assert inner.stat().st_mode & 0o777 == 0o700
