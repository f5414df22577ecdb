"""Damaging copies one fault at a time."""

import contextlib
from dataclasses import dataclass

import pytest

from opsproof.errors import NoData, StackError
from opsproof.rehearsal.damage.damage import Area, Damage, NotApplicable
from opsproof.rehearsal.damage.proving import prove, sound


@dataclass
class Vase:
    """Something that can be broken."""

    whole: bool = True


def _raises(error):
    def inject(vase):
        raise error

    return inject


def _damage(name, inject):
    return Damage(name, "", {"en": name, "ko": name}, inject, lambda vase: "looks fine", ("vase.is_whole",))


def _area(*damages, begins_whole=True, closed=None):
    @contextlib.contextmanager
    def lab(grounds):
        try:
            yield Vase(begins_whole)
        finally:
            if closed is not None:
                closed.append(True)

    async def detect(vase):
        return {"vase.is_whole": [] if vase.whole else ["it is broken"], "vase.is_there": []}

    return Area("vases", lab, detect, damages)


def _break(vase):
    vase.whole = False


def test_each_fault_shows_what_turned_red_on_copies_of_its_own():
    """One fault must not be caught because of the one before it."""
    area = _area(_damage("broken", _break), _damage("polished", lambda vase: None))

    broken, polished = prove(area, None, say=lambda text: None)

    assert (broken.caught, broken.red, broken.usual) == (True, {"vase.is_whole": "it is broken"}, "looks fine")
    assert (polished.caught, polished.red, polished.missing) == (False, {}, ("vase.is_whole",))


@pytest.mark.parametrize("error", [ValueError("no such vase"), NoData("no such vase", where="here", next_step="look")])
def test_a_fault_that_cannot_be_put_in_is_shown_and_the_others_go_on(error):
    """Silence would read as caught; giving up would hide the rest."""
    closed = []
    area = _area(_damage("impossible", _raises(error)), _damage("broken", _break), closed=closed)

    impossible, broken = prove(area, None, say=lambda text: None)

    assert "no such vase" in impossible.failed
    assert not impossible.caught
    assert broken.caught
    assert len(closed) == 2


def test_what_does_not_apply_is_no_finding():
    """Backups without increments cannot lose one."""
    (shown,) = prove(_area(_damage("chipped", _raises(NotApplicable("it has no rim")))), None, say=lambda text: None)

    assert shown.not_applicable == "it has no rim"
    assert not shown.failed


def test_an_interrupt_ends_it_and_the_copies_are_gone():
    """Ctrl-C in the middle of a fault leaves nothing behind."""
    closed = []
    area = _area(_damage("interrupted", _raises(KeyboardInterrupt())), closed=closed)

    with pytest.raises(KeyboardInterrupt):
        list(prove(area, None, say=lambda text: None))

    assert closed


def test_copies_that_are_not_sound_prove_nothing():
    """What is red before the fault would be red with it, whatever the fault is."""
    with pytest.raises(StackError, match=r"not sound before any fault: vase.is_whole: it is broken"):
        sound(_area(begins_whole=False), None)
