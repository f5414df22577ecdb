"""Numbers of an object store as checks: well, bad and unknown, in a run and in its replay."""

import functools
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from checkout import Checkout, together

CHECK = """
@each(indicator="indicators")
async def test_indicator(indicator, reader):
    judgement = await reader.judge(indicator)

    assert judgement.state == "well", judgement.words
"""
INDICATOR = """\
  {name}:
    title: {{en: Backups, ko: 백업}}
    objects: {{{objects}}}
    {limits}
    markers: [smoke]
    next_step: {{en: Run the backup job., ko: 백업 작업을 실행한다.}}
"""


@pytest.fixture
def store(checkout: Checkout) -> Path:
    """The folder of a store; the checkout has the check of indicators."""
    checkout.checks(CHECK, "checks/indicators/test_indicators.py")
    folder = checkout.root / "store"
    (folder / "daily").mkdir(parents=True)
    return folder


def declare(checkout: Checkout, folder: Path, indicators: dict[str, tuple[str, str]]) -> None:
    """Write the profile: for each indicator what it asks of the store, and its other keys."""
    written = [
        INDICATOR.format(name=name, objects=objects, limits="\n    ".join(limits.split(", ")))
        for name, (objects, limits) in indicators.items()
    ]
    targets = f'backups: {{kind: store, url: "local://{folder}", timeout: 60s}}'
    checkout.profile("indicators:\n" + "".join(written), targets=targets)


def test_the_age_of_a_backup_is_judged_and_no_backup_is_unknown(checkout: Checkout, store: Path) -> None:
    """Last night's backup passes, that of last week does not, and none is no answer; a replay says the same."""
    declare(checkout, store, {"backup-age": ("prefix: daily/, of: newest-age", 'unit: s, ok: "< 26 h", p1: ">= 26 h"')})
    dump = store / "daily" / "shop.dump"
    empty = checkout.run("-m", "smoke", "--lang=en")
    dump.write_bytes(b"x" * 1234)
    fresh = checkout.run("-m", "smoke", "--lang=en")
    os.utime(dump, (0, 0))
    old = checkout.run("-m", "smoke", "--lang=en")
    dump.unlink()
    runs = {"empty": empty, "fresh": fresh, "old": old}
    replay = functools.partial(checkout.run, "-m", "smoke", reports=False)
    again = together(
        {
            name: functools.partial(replay, f"--replay={run.folder}", f"--reports={checkout.root / name}")
            for name, run in runs.items()
        }
    )

    told = {name: run.told["backup-age"] for name, run in runs.items()}
    assert told == {"empty": "unknown: no data", "fresh": "passed", "old": "failed: target wrong"}
    assert {name: run.status for name, run in again.items()} == {"empty": 6, "fresh": 0, "old": 1}
    assert {name: run.status for name, run in runs.items()} == {"empty": 6, "fresh": 0, "old": 1}
    assert empty.run.outcomes[0].message.startswith("the store answers, and there is no object daily/*")
    assert old.run.outcomes[0].priority == "P1"
    for text in (old.block, again["old"].block):
        words = " ".join(text.split())
        assert "daily/shop.dump, 1,234 bytes, written 1970-01-01T00:00:00+00:00" in words


def test_every_number_of_a_store_is_read_and_only_the_count_of_none_is_one(checkout: Checkout, store: Path) -> None:
    """A backup of 0 bytes that is there, and one that is not, are two incidents."""
    (store / "daily/old").write_bytes(b"x" * 20)
    os.utime(store / "daily/old", (0, 0))
    (store / f"daily/{datetime.now(UTC):%Y}").write_bytes(b"x" * 10)
    declare(
        checkout,
        store,
        {
            "count": ("of: count", 'ok: "== 2"'),
            "count-of-none": ("of: count, prefix: nothing/", 'ok: ">= 1"'),
            "none-is-well": ("of: count, prefix: nothing/", 'ok: "== 0"'),
            "bytes": ("of: bytes", 'ok: "== 30"'),
            "bytes-of-none": ("of: bytes, prefix: nothing/", 'ok: "== 0"'),
            "newest-bytes": ("of: newest-bytes", 'ok: "== 10"'),
            "oldest-age": ("of: oldest-age", 'unit: s, ok: "> 365 d"'),
            "empty-counts": ("of: newest-age, prefix: nothing/", 'unit: s, ok: "< 1 h", empty: 0'),
            "this-year": ('of: count, prefix: "daily/{today:%Y}"', 'ok: "== 1"'),
        },
    )

    told = checkout.run("-m", "smoke").told

    assert {name for name, word in told.items() if word != "passed"} == {"count-of-none", "bytes-of-none"}
    assert told["count-of-none"] == "failed: target wrong"
    assert told["bytes-of-none"] == "unknown: no data"


def test_more_objects_than_are_looked_at_give_no_wrong_number(checkout: Checkout, store: Path) -> None:
    """A lower bound is judged where it suffices, and told to be one."""
    for number in range(10_001):
        (store / str(number)).touch()
    declare(
        checkout,
        store,
        {
            "well-beyond": ("of: count", 'ok: ">= 1"'),
            "may-be-bad": ("of: count", 'ok: "< 20000"'),
            "bad": ("of: count", 'ok: "< 100"'),
            "between-or-bad": ("of: count", 'ok: "< 5000", p1: "> 20000"'),
            "bad-or-worse": ("of: count", 'ok: "< 100", p2: "> 5000", p1: "> 20000"'),
            "bad-for-sure": ("of: count", 'ok: "< 100", p2: "> 2000", p1: "> 5000"'),
            "newest": ("of: newest-age", 'unit: s, ok: "< 1 h"'),
        },
    )

    done = checkout.run("-m", "smoke")

    assert done.told == {
        "well-beyond": "passed",
        "may-be-bad": "unknown: no data",
        "bad": "failed: target wrong",
        "between-or-bad": "unknown: no data",
        "bad-or-worse": "failed: target wrong",
        "bad-for-sure": "failed: target wrong",
        "newest": "unknown: no data",
    }
    messages = {name: outcome.message for name, outcome in done.outcomes.items()}
    assert "cannot be told from being bad" in messages["may-be-bad"]
    assert "more than the 10,000 objects" in messages["bad"]
    assert "the newest is not known" in messages["newest"]
    severities = {name: (outcome.severity, outcome.priority) for name, outcome in done.outcomes.items()}
    assert severities["between-or-bad"] == ("SEV-2", None)
    assert severities["bad-or-worse"] == severities["bad-for-sure"] == ("SEV-2", "P1")
    assert "which is P2 (> 5000; well is < 100), and may be P1" in messages["bad-or-worse"]
