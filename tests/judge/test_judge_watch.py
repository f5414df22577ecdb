"""What counts in a window is a stretch that somebody looked at, unbroken."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from opsproof.judge.watch import MOST_SPANS, Sample, Watch
from opsproof.judge.windows import State

H, F, U = State.HEALTHY, State.FAILED, State.UNKNOWN


def watch(*checks: str, stable_for: float = 5.0) -> Watch:
    return Watch(checks or ("a",), stable_for=stable_for, longest_pause=2.5)


def feed(seen: Watch, check: str, states: str, *, begin: int = 0) -> None:
    """One sample a second: h healthy, f failed, u unknown, p cannot be told yet, blank: nobody looked."""
    by_letter = {"h": H, "f": F, "u": U, "p": None}
    for second, letter in enumerate(states, start=begin):
        if letter != " ":
            seen.take(Sample(check, second, second + 0.1, by_letter[letter], "" if letter == "h" else "wrong"))


def test_a_stretch_is_stable_when_the_last_sample_began_at_its_end():
    """Five healthy seconds are seen by six samples."""
    seen = watch()
    feed(seen, "a", "hhhhh")
    assert (seen.stable, seen.held) == (False, 4.0)

    feed(seen, "a", "h", begin=5)
    assert (seen.stable, seen.healthy_since) == (True, 0.0)


def test_one_red_sample_begins_the_stretch_anew_and_is_kept():
    """The flap is what the reader of the post-mortem looks for."""
    seen = watch()
    feed(seen, "a", "hhhhfhhhhh")

    (line,) = seen.timelines
    assert (seen.stable, seen.healthy_since, seen.flaps, seen.longest) == (False, 5.0, 1, 4.0)
    assert [(span.state, span.start, span.samples) for span in line.spans] == [(H, 0, 4), (F, 4, 1), (H, 5, 5)]
    assert line.spans[1].message == "wrong"


def test_what_could_not_be_read_breaks_the_stretch_and_is_no_flap():
    """Not to know is neither green nor a failure."""
    seen = watch()
    feed(seen, "a", "hhhuhh")

    assert (seen.healthy_since, seen.flaps) == (4.0, 0)


def test_a_flap_counts_across_what_could_not_be_read():
    """Healthy, out of sight, failed: it failed again."""
    seen = watch()
    feed(seen, "a", "hhuf")

    assert seen.flaps_of("a") == 1


def test_a_missed_sample_is_a_gap_and_not_green():
    """Nobody knows what happened meanwhile."""
    seen = watch()
    feed(seen, "a", "hhhh    hhhh")

    (line,) = seen.timelines
    assert [span.state for span in line.spans] == [H, State.GAP, H]
    assert (seen.stable, seen.healthy_since, seen.gaps) == (False, 8.0, 1)


def test_a_pause_of_the_whole_machine_breaks_every_stretch():
    """A laptop that slept for five minutes has not seen five green minutes."""
    seen = watch("a", "b")
    for check in ("a", "b"):
        feed(seen, check, "hhhh")
    seen.miss(3.1, 300.0, "suspended")
    for check in ("a", "b"):
        feed(seen, check, "hh", begin=300)

    assert (seen.stable, seen.healthy_since, seen.gaps) == (False, 300.0, 1)


def test_all_checks_must_be_healthy_at_the_same_time():
    """Two checks that take turns are never healthy together."""
    seen = watch("a", "b")
    for second in range(40):
        feed(seen, "a", "hf"[second % 2], begin=second)
        feed(seen, "b", "fh"[second % 2], begin=second)

    assert (seen.first_healthy, seen.longest, seen.stable) == (None, 0.0, False)


def test_healthy_at_once_is_more_than_healthy_one_after_the_other():
    """After a deploy it is enough once, and then for all in the same round."""
    seen = watch("a", "b", stable_for=0)
    feed(seen, "a", "fh")
    feed(seen, "b", "h")
    assert not seen.stable

    feed(seen, "b", "h", begin=1)
    assert seen.stable


def test_a_check_without_any_sample_is_not_healthy():
    """One that never got its turn must not be forgotten."""
    seen = watch("a", "b")
    feed(seen, "a", "hhhhhhhhh")

    assert (seen.healthy_since, seen.stable) == (None, False)


def test_what_cannot_be_told_yet_changes_nothing_and_holds_nothing():
    """A number over a stretch that is too short yet is neither red nor green."""
    seen = watch()
    feed(seen, "a", "hhpppppppp")
    assert (seen.healthy_since, seen.held, seen.stable) == (0.0, 1.0, False)

    feed(seen, "a", "h", begin=10)
    assert seen.stable


def test_a_number_over_a_stretch_tells_of_that_stretch():
    """The sample at 9 s was read over the four seconds since all else was healthy."""
    seen = watch("fast", "slow")
    feed(seen, "fast", "fffffhhhhh")
    feed(seen, "slow", "fffffpppp")
    seen.take(Sample("slow", 9.0, 9.1, H, since=5.0))

    assert (seen.healthy_since, seen.first_healthy) == (5.0, 5.0)


def test_no_number_tells_of_a_time_in_which_it_was_seen_to_be_bad():
    """A stretch reaches back to the last bad sample of the check itself, at most."""
    seen = watch()
    feed(seen, "a", "hhhf")
    seen.take(Sample("a", 5.0, 5.1, H, since=1.0))

    assert seen.healthy_since == 3.1


def test_a_long_window_does_not_fill_the_memory():
    """Of a check that flaps all night the first and the newest changes are kept, and every flap is counted."""
    seen = watch()
    feed(seen, "a", "hf" * 1000)

    (line,) = seen.timelines
    assert (len(line.spans), line.flaps) == (MOST_SPANS, 1000)
    assert (line.spans[0].start, line.spans[-1].start) == (0, 1999)


@given(st.lists(st.text(alphabet="hfup ", min_size=1, max_size=40), min_size=1, max_size=3), st.integers(1, 8))
def test_stable_means_that_every_second_of_the_stretch_was_seen_healthy(courses, stable_for):
    """Said once more, without the machine: by looking at all samples."""
    names = [str(number) for number in range(len(courses))]
    seen = watch(*names, stable_for=float(stable_for))
    length = max(map(len, courses))
    for second in range(length):
        for name, course in zip(names, courses, strict=True):
            feed(seen, name, course[second : second + 1], begin=second)
        if seen.stable:
            since = seen.healthy_since
            assert since is not None
            for course in courses:
                seconds = range(int(since), second + 1)
                looked = [at for at in seconds if course[at : at + 1] not in ("", " ")]
                told = [at for at in looked if course[at] != "p"]
                assert all(course[at] == "h" for at in told)
                assert told[-1] - since >= stable_for
                assert all(later - earlier <= 2 for earlier, later in itertools.pairwise(looked))
            return
