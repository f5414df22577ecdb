"""The payload checks judge servers that opsproof did not write, by nothing but a profile."""

import pytest
from third_party_gate import judge
from third_party_servers import SERVERS, running

from opsproof.judge.outcome import Status
from opsproof.judge.verdict import Word

OVER = "payload.a_body_over_the_limit_is_refused"
SIZES = "payload.a_body_is_judged_by_its_size"
EVERYWHERE = "payload.the_limit_is_in_force_on_every_connection"
MALFORMED = "payload.malformed_framing_is_refused"
SLOW = "payload.a_slow_body_holds_up_nobody_else"

RED = {
    "nginx": {},
    "nginx-static": {
        OVER: "chunked limit+1 (65537 bytes): gets 201",
        SIZES: "chunked 10x (655360 bytes): gets 201",
        MALFORMED: "chunks without an end: gets 201",
        SLOW: "slow body at app",
    },
    "uvicorn-starlette": {},
    "gunicorn-flask-threads": {
        OVER: "chunked limit+1 (65537 bytes): gets 400",
        SIZES: "gets 100 Continue, and only then",
    },
    "gunicorn-flask": {
        OVER: "chunked limit+1 (65537 bytes): gets 400",
        SIZES: "gets 100 Continue, and only then",
        SLOW: "slow",
    },
    "no-guard": {
        OVER: "length limit+1 (65537 bytes): gets 201",
        SIZES: "length 2x (131072 bytes): gets 201",
        EVERYWHERE: "length limit+1 (65537 bytes): gets 201",
        MALFORMED: "Content-Length of 20 digits: gets no answer",
    },
}
"""What each of them really does wrong, as somebody who asks by hand sees it too."""


@pytest.mark.parametrize("name", RED)
def test_a_server_is_judged_by_what_it_does(name, tmp_path):
    """Nothing here knows opsproof, and opsproof knows nothing of it but its profile."""
    with running(SERVERS[name], tmp_path) as url:
        run, told = judge(SERVERS[name], url, tmp_path)

    failed = {outcome.name: outcome.message for outcome in run.outcomes if outcome.status is Status.FAILED}
    assert set(failed) == set(RED[name]), told
    assert [said for check, said in RED[name].items() if said not in failed[check]] == [], told
    assert run.verdict.word is (Word.FAIL if RED[name] else Word.PASS)
