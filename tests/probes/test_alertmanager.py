"""The probe of a real Alertmanager."""

import asyncio
import json
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from asking import a_probe, a_server, always, as_a_check, memory_of, response

from opsproof.errors import BadAnswer, NoData, Unreachable


@pytest.fixture
def url(stack):
    """The stack's Alertmanager; without it these tests must not look green in CI."""
    assert not stack.variables["ALERTS_ABSENT"], stack.variables["ALERTS_ABSENT"]
    return stack.variables["ALERTMANAGER_URL"]


@pytest.fixture
def firing(url):
    """Two alerts of our own that fire, one of them silenced; gone afterwards."""
    now = datetime.now(UTC)
    alerts = [
        {"labels": {"alertname": name, "system": "probe-test", "priority": priority}, "annotations": {"summary": name}}
        for name, priority in (("Loud", "P0"), ("Quiet", "P1"))
    ]
    _post(f"{url}/api/v2/alerts", alerts)
    silence = {
        "matchers": [{"name": "alertname", "value": "Quiet", "isRegex": False, "isEqual": True}],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(minutes=5)).isoformat(),
        "createdBy": "kim@ops",
        "comment": "known",
    }
    silenced_by = _post(f"{url}/api/v2/silences", silence)["silenceID"]
    yield silenced_by
    _post(f"{url}/api/v2/alerts", [alert | {"endsAt": now.isoformat()} for alert in alerts])
    urllib.request.urlopen(urllib.request.Request(f"{url}/api/v2/silence/{silenced_by}", method="DELETE"))


def _post(url, body):
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or b"null")


def _alerts(url, *, until=lambda found: True, **more):
    async def asked():
        recorder = as_a_check()
        probe = a_probe(name="alerts", kind="alertmanager", url=url)
        try:
            for _ in range(200):
                found = await probe.alerts(**more)
                if until(found):
                    break
                probe.observer.new_sweep()
                await asyncio.sleep(0.05)
        finally:
            await probe.close()
        return found, recorder

    return asyncio.run(asked())


def test_an_alert_that_fires_is_told_and_a_silenced_one_only_when_asked_for(url, firing):
    """A silence hides the noise, and not the trouble: a recovery asks for both."""
    match = {"system": "probe-test"}

    every, _ = _alerts(url, match=match, silenced=True, until=lambda found: any(one.silenced_by for one in found))
    loud, _ = _alerts(url, match=match)

    assert {alert.name: alert.silenced_by for alert in every} == {"Loud": (), "Quiet": (firing,)}
    assert [(alert.name, alert.state, alert.annotations["summary"]) for alert in loud] == [("Loud", "active", "Loud")]


def test_labels_narrow_the_alerts(url, firing):
    """P0 of this system, and not somebody else's."""
    narrow, _ = _alerts(url, match={"system": "probe-test", "priority": "P0"}, silenced=True)
    none, _ = _alerts(url, match={"system": 'another"one'}, silenced=True)

    assert [alert.name for alert in narrow] == ["Loud"]
    assert none == []


def test_a_replay_tells_the_same(url, firing):
    """Judged again without the Alertmanager."""
    match = {"system": "probe-test"}
    live, recorder = _alerts(url, match=match, silenced=True)

    async def replayed():
        as_a_check()
        probe = a_probe(name="alerts", kind="alertmanager", url="http://127.0.0.1:9", memory=memory_of(recorder))
        return await probe.alerts(match=match, silenced=True)

    assert asyncio.run(replayed()) == live


def _silence(url, identity):
    async def asked():
        as_a_check()
        probe = a_probe(name="alerts", kind="alertmanager", url=url)
        try:
            return await probe.silence(identity)
        finally:
            await probe.close()

    return asyncio.run(asked())


def test_a_silence_tells_who_why_and_until_when(url, firing):
    """An alert that is held back is known to somebody, or was forgotten: the operator wants the name."""
    found = _silence(url, firing)

    assert (found.id, found.state, found.created_by, found.comment) == (firing, "active", "kim@ops", "known")
    assert datetime.fromisoformat(found.ends_at) > datetime.now(UTC)


def test_a_silence_that_is_not_there_is_said(url):
    """Alertmanager forgets silences after their end; what is no id at all is no silence either."""
    with pytest.raises(NoData, match="there is no silence 00000000-0000-0000-0000-000000000000"):
        _silence(url, "00000000-0000-0000-0000-000000000000")
    with pytest.raises(BadAnswer, match="where a silence was expected"):
        _silence(url, "no-uuid")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="no-list"),
        pytest.param([7], id="no-alert"),
        pytest.param([{"labels": {"alertname": "A"}}], id="no-status"),
        pytest.param([{"labels": None, "status": {"state": "active"}}], id="no-labels"),
    ],
)
def test_an_answer_of_another_form_is_said_in_words(body):
    """Neither `no alerts` nor a traceback."""

    async def asked():
        as_a_check()
        async with a_server(always(response(json.dumps(body).encode()))) as server:
            probe = a_probe(name="alerts", kind="alertmanager", url=server.url)
            try:
                await probe.alerts(match={})
            finally:
                await probe.close()

    with pytest.raises(BadAnswer, match="something else than a list of alerts"):
        asyncio.run(asked())


def test_what_is_no_alertmanager_is_said(stack):
    """A wrong url must not read as `no alerts`."""
    with pytest.raises(BadAnswer, match="where a list of alerts was expected"):
        _alerts(stack.variables["INGEST_URL"], match={})
    with pytest.raises(BadAnswer):
        _alerts(f"{stack.variables['INGEST_URL']}/health/live?x=", match={})


def test_an_alertmanager_that_is_down_is_unreachable():
    """No alerts and no Alertmanager are two things."""
    with pytest.raises(Unreachable):
        _alerts("http://127.0.0.1:9", match={})
