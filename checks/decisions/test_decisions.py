"""What people ask of a decision engine: judgments, what-if, feedback, the chat bot, charts."""

import pytest

from opsproof import each, needs, proven_by, runbook, writes

pytestmark = [pytest.mark.smoke, pytest.mark.release]


@pytest.mark.recovery
@pytest.mark.dr
@writes("one judgment of a workflow, deleted again")
@runbook(
    "FAI-047",
    "FAI-137",
    severity="SEV-1",
    verifies="answer",
    next_step="See which mode fails: only the model's, go on at playbook 4.2; all of them, at 4.1 (pods, DB, Redis).",
)
@proven_by("factory-ai-judgment-503", "factory-ai-llm-down", "factory-ai-no-fallback", "factory-ai-llm-skipped")
@proven_by("secret-rotated", "database-read-only")
@each(judgment="decisions.judgments")
async def test_a_judgment_is_made_as_asked(api, database, judgment, clean_up):
    """A judgment in each mode is made, in the mode that was asked for, and stored."""
    answer = await _exchanged(api, database, judgment, clean_up)

    assert not (wrong := _wrong(answer, judgment)), wrong
    assert await _stored(database, judgment, answer) == 1, f"{answer.field(judgment.id_field)} is not stored"


@pytest.mark.recovery
@writes("one judgment of a workflow, deleted again")
@runbook(
    "FAI-098",
    severity="SEV-1",
    verifies="answer",
    next_step="Set the policy RULE_FALLBACK on the workflow; until then nothing is judged while the model is down.",
)
@proven_by("factory-ai-judgment-503", "factory-ai-no-fallback", "secret-rotated", "database-read-only")
@needs("decisions.fallback")
async def test_a_judgment_is_made_whether_the_model_answers_or_not(api, database, profile, clean_up):
    """A workflow that may fall back to rules is judged, by the model or, where it does not answer, by rules."""
    # The runbook asks this of a time when the model is down; without the fault the check shows that the way is open.
    exchange = profile.decisions.fallback
    answer = await _exchanged(api, database, exchange, clean_up)

    assert not (wrong := _wrong(answer, exchange)), wrong
    assert answer.field("decided_by") == "RULE" or not answer.field("fallback"), "rules stood in, and do not say so"


@pytest.mark.recovery
@pytest.mark.payload_guard
@writes("nothing; the what-if question is a POST")
@runbook(
    "FAI-115",
    severity="SEV-2",
    verifies="answer",
    next_step="Do not decide on a rule rollback by this simulation; compare the two versions of the rules by hand.",
)
@proven_by("factory-ai-judgment-503", "factory-ai-simulation-ignored", "secret-rotated")
@each(simulation="decisions.simulations")
async def test_a_simulation_compares_two_versions_of_the_rules(api, simulation):
    """A what-if question is judged with the version that it names, beside the one that was used."""
    # The runbook's own body has a comment in it and is no JSON, and its request has no credential: 400 and 401.
    answer = await api.post(simulation.submit, json=simulation.body)

    assert not (wrong := _wrong(answer, simulation)), wrong


@writes("one piece of feedback on an old judgment, deleted again")
@runbook(
    "FAI-051",
    severity="SEV-2",
    verifies="answer",
    next_step="See the log for the insert into feedbacks: without it a bad rule deployment shows nowhere.",
)
@proven_by("factory-ai-feedback-lost", "secret-rotated", "database-read-only")
@each(feedback="decisions.feedback")
async def test_feedback_is_stored(api, database, feedback, clean_up):
    """Feedback is taken and stored as one row."""
    answer = await _exchanged(api, database, feedback, clean_up)

    assert not (wrong := _wrong(answer, feedback)), wrong
    stored = await _stored(database, feedback, answer)
    assert stored == 1, f"POST {feedback.submit} answers {answer.status}, and {stored} rows are stored"


@pytest.mark.dr
@writes("one message to the chat bot, deleted again")
@runbook(
    "FAI-050",
    severity="SEV-2",
    verifies="answer",
    next_step="Look at the log of the chat service, then at its credential at the messenger.",
)
@proven_by("factory-ai-chat-silent", "secret-rotated", "database-read-only")
@each(message="decisions.messages")
async def test_the_chat_bot_replies(api, database, message, clean_up):
    """The bot understands a message and replies."""
    # Asked at the bot's own API; the way through the messenger, with its signature, is not part of it.
    answer = await _exchanged(api, database, message, clean_up)

    assert not (wrong := _wrong(answer, message)), wrong


@pytest.mark.recovery
@pytest.mark.diagnosis
@pytest.mark.dr
@runbook(
    "FAI-049",
    "FAI-139",
    severity="SEV-2",
    verifies="answer",
    next_step="See whether the MCP hub answers and its circuit breaker is closed, then the query in the log.",
)
@proven_by("factory-ai-empty-chart", "factory-ai-mcp-hangs", "secret-rotated")
@each(chart="decisions.charts")
async def test_a_question_becomes_a_chart(api, chart):
    """A question in natural language is answered with data and a description of the chart."""
    answer = await api.get(chart.path)

    assert answer.ok, f"{chart.path} answers {answer.describe()}"
    assert answer.field(chart.rows), f"{chart.path} answers {answer.status} without data"
    absent = [name for name in chart.fields if not answer.field(name)]
    assert not absent, f"{chart.path} answers {answer.status} without {', '.join(absent)}"


async def _exchanged(api, database, exchange, clean_up):
    """The answer to the request; what it stored is deleted when the check has ended."""
    answer = await api.post(exchange.submit, json=exchange.body)
    if answer.ok:
        path = exchange.delete.format(id=answer.field(exchange.id_field))
        clean_up.add(path, lambda: api.delete(path), lambda: _gone(database, exchange, answer))
    return answer


async def _stored(database, exchange, answer):
    return await database.value(exchange.stored, fresh=True, id=answer.field(exchange.id_field))


async def _gone(database, exchange, answer):
    return await _stored(database, exchange, answer) == 0


def _wrong(answer, exchange):
    """What is wrong with the answer; "" if nothing is."""
    if not answer.ok:
        return f"POST {exchange.submit} answers {answer.describe()}"
    found = {name: answer.field(name) for name in (*exchange.expect, *exchange.fields)}
    other = [
        f"{name} {found[name]!r}, not {value!r}" for name, value in exchange.expect.items() if found[name] != value
    ]
    silent = [f"no {name}" for name in exchange.fields if found[name] in (None, "")]
    return f"POST {exchange.submit} answers {answer.status} with {', '.join(other + silent)}" if other + silent else ""
