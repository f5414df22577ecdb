"""What a reader sees first."""

from rehearsal_builders import a_failed_rehearsal, a_ledger, a_rehearsal, a_scenario, a_step, an_aborted_rehearsal


def test_a_rehearsal_that_is_all_proven_has_nothing_that_stands_out() -> None:
    """An empty box would be read as one."""
    assert a_scenario(a_rehearsal()).remarks == []


def test_the_worst_comes_first() -> None:
    """A reader may stop after the first line."""
    assert a_scenario(an_aborted_rehearsal()).remarks[0].startswith("The rehearsal was given up")
    assert a_scenario(a_failed_rehearsal()).remarks[0].startswith("RPO FAILED: 25 acknowledged writes are gone")


def test_everything_that_is_not_proven_stands_out() -> None:
    """Lost writes, a fault that stayed green, a phase over its budget, a copy too old, one not readable."""
    said = " ".join(a_scenario(a_failed_rehearsal()).remarks)

    for words in (
        "Acknowledged writes that are gone: 25",
        "A seeded fault was caught by no check: dump.cut-at-a-line",
        "verify backups took 40 min, budget 30 min",
        "Copy archive: with nothing but it 16 min 25.2 s would be lost",
        "Copy dump: nobody knows",
        "At the full size",
        "10 min of detection and declaration are assumed",
    ):
        assert words in said


def test_what_was_given_up_on_purpose_is_not_called_lost() -> None:
    """After a wrong change nobody looks for what recovery left out by intent; it is to be made again."""
    said = a_scenario(a_rehearsal(ledger=a_ledger(ok=494, lost=7, to_replay=7))).remarks

    assert "Acknowledged writes from after the wrong change, given up and to be made again: 7" in said
    assert not any("that are gone" in one for one in said)


def test_steps_that_say_the_same_are_one_line() -> None:
    """A database that is gone fails twenty checks; the other reasons must not be lost among them."""
    steps = [a_step("data", f"rows_{n}", n, status="failed", words="no connection") for n in range(20)]

    said = a_scenario(a_rehearsal(steps=tuple(steps))).remarks

    assert said[0] == "rows 0 and 19 more: FAILED. no connection"
    assert said[1] == "Phase failed: data checks (a step failed)"
    assert len(said) == 2
