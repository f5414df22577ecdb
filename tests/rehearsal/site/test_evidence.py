"""What is asked of a site leaves no secret behind, and nothing but a site's own cache is ever written."""

import asyncio
import json

import pytest

from opsproof.errors import PreconditionMissing, Refused
from opsproof.evidence.recorder import Recorder, recording
from opsproof.profile.targets import Url
from opsproof.rehearsal.damage.site import QUESTIONS, site_lab
from opsproof.rehearsal.site.cache_client import cache_client
from opsproof.rehearsal.site.verification import Before


def test_no_question_leaves_a_secret_in_the_evidence(grounds):
    """Auditors and customers read the bundle: keys, passwords and values of settings stay where they are."""
    recorder = Recorder("test")

    async def ask(lab):
        recording.set(recorder)
        site = lab.verification()
        await site.clear_cache()
        for question in QUESTIONS:
            await getattr(site, question)()

    with site_lab(grounds) as lab:
        asyncio.run(ask(lab))
        values = [line.partition("=")[2] for line in lab.settings("dr").read_text().splitlines()]
        secrets = [lab.original.secret, *(value for value in values if "://" not in value and "@" not in value)]
    kept = "\n".join(f"{one.question} {one.by_hand} {json.dumps(one.answer)}" for one in recorder.observations)

    assert len(recorder.observations) > len(QUESTIONS)
    assert [secret for secret in secrets if secret in kept] == []


@pytest.mark.parametrize("url", ["no-address hunter2-hunter2", "postgresql+psycopg://factory:hunter2-hunter2@[::1/x"])
def test_an_unusable_address_is_not_quoted(grounds, url):
    """libpq repeats what it cannot read in its message, with the password in it."""

    async def ask(lab):
        return await lab.verification().the_service_logs_in_with_its_own_secret()

    with site_lab(grounds) as lab:
        path = lab.settings("dr")
        lines = [line for line in path.read_text().splitlines() if not line.startswith("DATABASE_URL")]
        path.write_text("\n".join([*lines, f"DATABASE_URL={url}"]) + "\n")
        found = asyncio.run(ask(lab))

    assert len(found) == 1
    assert "hunter2" not in found[0]


def test_the_cache_client_refuses_to_clear_a_server(grounds):
    """The runbook's FLUSHALL takes queues, locks and sessions along."""

    with site_lab(grounds) as lab, cache_client(Url(lab.service.cache_url)) as client:
        for command in ("FLUSHALL", "FLUSHDB", "flushall", "KEYS", "EVAL", "DEL"):
            with pytest.raises(Refused, match=command):
                client.ask(command)


def test_clearing_takes_a_prefix_with_signs_of_a_pattern_literally(grounds):
    """Keys under `app:*` of somebody else look like ours to a pattern that is not escaped."""
    with site_lab(grounds) as lab, lab.cache() as cache:
        cache.mset({"site:judgment-1": "x", "site?judgment:1": "x"})
        before = cache.dbsize()
        cleared = asyncio.run(lab.verification().clear_cache())

        assert cleared.keys == 21
        assert cache.dbsize() == before - 21
        assert cache.exists("site:judgment-1", "site?judgment:1") == 2


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("the_planted_key_is_gone", "no key was planted"),
        ("the_totals_are_those_of_before", "nothing was noted at the home site"),
        ("the_release_of_home_runs_in_all_replicas", "was not noted before the failure"),
    ],
)
def test_what_was_not_noted_before_the_failure_is_unknown_and_not_well(grounds, question, words):
    """A cache without a planted key would otherwise always look as if it had been cleared."""
    with site_lab(grounds) as lab:
        lab.before = Before()
        with pytest.raises(PreconditionMissing, match=words):
            asyncio.run(getattr(lab.verification(), question)())


def test_what_is_noted_before_the_failure_can_be_kept(grounds):
    """A rehearsal that is killed after the failure is resumed with what it has written down."""
    with site_lab(grounds) as lab:
        before = lab.before
    kept = json.dumps(before.to_json())

    assert before.version == "1.4.2"
    assert before.planted is not None
    assert before.reference is not None
    assert before.reference.counts == {"judgments": 1000}
    assert Before.from_json(json.loads(kept)) == before


def test_a_queue_that_was_worked_off_before_clearing_is_no_loss(grounds):
    """Workers of the DR site go on while people decide; only what clearing takes is its fault."""

    async def ask(lab):
        site = lab.verification()
        with lab.cache() as cache:
            cache.delete("site:queue")
            early = await site.nothing_but_the_cache_was_cleared()
            lab.before = await site.note_neighbours()
            renewed = await lab.verification().nothing_but_the_cache_was_cleared()
            cache.delete("session:7")
        return early, renewed, await lab.verification().nothing_but_the_cache_was_cleared()

    with site_lab(grounds) as lab:
        early, renewed, after = asyncio.run(ask(lab))

    assert "site:queue" in early[0]
    assert renewed == []
    assert "session:7" in after[0]
