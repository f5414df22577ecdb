"""Resolvers that are not the lab's: this machine's own, and one that is not there."""

import asyncio

import pytest

from opsproof.errors import PreconditionMissing
from opsproof.profile.rehearsals import Name
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.damage.site.responder import Records, Responder
from opsproof.rehearsal.site.names import Names


def _name(name, answer):
    return {"api": Name.model_validate({"name": name, "home": ["192.0.2.1"], "dr": [answer], "ttl": "60s"})}


def test_the_own_way_of_a_machine_to_resolve_is_judged_too():
    """An old line in a hosts file outlives every switch of a name."""
    names = Names((), Asking.alone("names"))

    assert asyncio.run(names.wrong_here(_name("127.0.0.1", "127.0.0.1"))) == []
    assert "must be 192.0.2.9" in asyncio.run(names.wrong_here(_name("127.0.0.1", "192.0.2.9")))[0]
    assert "unknown" in asyncio.run(names.wrong_here(_name("no-such-name.invalid", "192.0.2.9")))[0]


def test_a_resolver_that_is_not_there_is_unknown_and_named():
    """Nobody who could be asked is not an agreement."""
    with Responder(Records({("api.test", "A"): ["127.0.0.1"]})) as there:
        with Responder(Records()) as gone:
            assert gone.port != there.port
        names = Names((there.address, gone.address), Asking.alone("names"))
        found = asyncio.run(names.wrong(_name("api.test", "127.0.0.1")))

    assert len(found) == 1
    assert found[0].startswith(f"{gone.address}: api.test A: unknown, no answer")


def test_without_a_resolver_nothing_is_asked_and_nothing_is_well():
    """An empty list in a profile must not pass for resolvers that all agree."""
    with pytest.raises(PreconditionMissing, match="no resolver is named"):
        asyncio.run(Names((), Asking.alone("names")).wrong(_name("api.test", "127.0.0.1")))
