"""Every damage to a recovered site is seen by the questions that promise it, and a sound site is green."""

import asyncio
import inspect

import pytest

from opsproof.rehearsal.damage.site import QUESTIONS, SITE
from opsproof.rehearsal.site.verification import SiteVerification

WORDS = {
    "one-resolver-leads-home": "127.0.0.3 is of the home site",
    "all-resolvers-lead-home": "127.0.0.3 is of the home site",
    "resolver-gives-both-sites": "127.0.0.1, 127.0.0.3",
    "resolver-takes-turns": "127.0.0.3 is of the home site",
    "old-answer-by-tcp": "by TCP: api.rehearsal.test A is 127.0.0.3",
    "resolver-silent": "no answer within",
    "resolver-fails": "SERVFAIL",
    "name-gone": "NXDOMAIN",
    "alias-loop": "endless chain of aliases",
    "answer-kept-for-a-day": "may be kept for 86400 s",
    "service-record-wrong-port": "SRV is 0 5",
    "address-of-the-other-family": "AAAA ::1",
    "alias-leads-home": "api-home.rehearsal.test is of the home site",
    "target-leads-home": "which is 127.0.0.3 of the home site",
    "alias-leads-nowhere": "no address is known for it: NXDOMAIN",
    "old-site-takes-writes": "still answers at 127.0.0.1 of the home site",
    "old-primary-frozen": "says nothing: it may go on any time",
    "one-key-left": "1 keys are under site:judgment:",
    "pool-on-the-old-primary": "port",
    "half-of-the-pool-old": "port",
    "pool-told-from-memory": "knows no session with pid",
    "old-primary-takes-writes": "takes writes at its old address",
    "cache-not-cleared": "planted before the failure is still there",
    "cache-cleared-in-another-database": "still there",
    "everything-flushed": "seen 1 FLUSHALL",
    "own-database-flushed": "a key outside of the prefix is gone",
    "cache-takes-no-writes": "no key under",
    "cache-never-hit": "the cache is not warm: 0% hits",
    "service-has-another-cache": "no key under",
    "cache-refilled-with-old-values": "the first request after clearing was no miss but hit",
    "another-layer-answers": "answered by a cache",
    "most-judgments-lost": "agreed are 800 to 1200",
    "few-judgments-lost": "991 rows where the home site held 1000",
    "judgments-twice": "1100 rows where the home site held 1000",
    "data-of-two-days-ago": "0 rows",
    "workflows-failed": "must be above 95%",
    "no-workflow-at-all": "0 rows",
    "two-versions-decided": "decided by v1.3.0, v1.4.0",
    "polluting-rules-still-there": "it must be v1.3.0 alone",
    "update-without-where": "orders is 350, and was 1275",
    "database-older-than-the-queue": "missing in the database",
    "queue-older-than-the-database": "only in the database",
    "stores-of-different-moments": "p-9",
    "workers-not-started": "PENDING after 2 s",
    "read-only-behind-healthy": "read-only transaction",
    "another-version-runs": "'1.3.9' answers",
    "one-replica-of-three": "1 replicas answer, 3 must",
    "degraded-with-200": "not healthy",
    "dashboard-empty": "no data in rows",
    "chat-bot-mute": "intent is 'unknown'",
    "judgment-not-stored": "not in the database",
    "judged-by-other-limits": "result is 'NORMAL', and must be 'STOP'",
    "clock-an-hour-behind": "behind",
    "secret-missing": "JWT_SECRET is set at home and not at the DR site",
    "secret-empty": "JWT_SECRET is empty",
    "secret-of-last-year": "API_KEY is another one",
    "settings-lead-to-the-home-database": "DATABASE_URL is the same at both sites",
    "password-file-open": "0644",
    "password-file-missing": "No such file",
    "password-of-last-year": "password authentication failed",
    "certificate-ended": "expired",
    "certificate-ends-soon": "in 3.0 days",
    "certificate-not-yet-valid": "not yet valid",
    "certificate-of-another-name": "mismatch",
    "certificate-of-a-stranger": "unable to get local issuer",
    "mail-sent": "mail: 1 were sent",
    "mail-server-reached": "1 connections were made to it",
    "connected-to-the-outside": "127.0.0.3:25",
}
"""By damage a part of the sentence by which a question turns red: each for its own reason."""

OWN_RESOLVER = "this_machine_finds_the_dr_site"
"""Asked only where opsproof runs on a client of the service."""


def test_every_question_is_green_for_a_sound_site(grounds):
    """A red question here would make every other test of this file worthless."""
    with SITE.lab(grounds) as lab:
        assert asyncio.run(SITE.detect(lab)) == {}


@pytest.mark.parametrize("damage", SITE.damages, ids=lambda damage: damage.name)
def test_a_damage_turns_the_questions_red_that_promise_to_catch_it(grounds, damage):
    """What the usual look says stays green, or says nothing; the question must not."""
    with SITE.lab(grounds) as lab:
        damage.inject(lab)
        usual = damage.usual(lab)
        found = asyncio.run(SITE.detect(lab))

    assert usual
    assert set(damage.caught_by) <= set(found), found
    said = " ".join(line for name in damage.caught_by for line in found[name])
    assert WORDS[damage.name] in said


def test_every_question_is_asked_and_turned_red_by_a_damage():
    """A question that nothing turns red may be one that cannot turn red."""
    own = {name for name, one in vars(SiteVerification).items() if inspect.iscoroutinefunction(one)}
    asked = own - {"note", "note_neighbours", "clear_cache", OWN_RESOLVER}

    assert asked == set(QUESTIONS)
    assert {f"site.{name}" for name in QUESTIONS} == {name for one in SITE.damages for name in one.caught_by}
