"""What people use: BI queries, the chat bot, feedback on judgments."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.auth import Role, requires
from opsproof.stack.services.common.bodies import read_json, storable
from opsproof.stack.services.common.failures import ApiError
from opsproof.stack.services.common.services import services_of
from opsproof.stack.services.factory_ai.engine import engine_of

_BY_RESULT = """
    SELECT result, count(*) AS executions FROM core.judgment_executions
    WHERE executed_at >= now() - interval '1 day' GROUP BY result ORDER BY result
"""
_BY_STATUS = """
    SELECT status, count(*) AS instances FROM workflow_instances
    WHERE created_at >= now() - interval '1 day' GROUP BY status ORDER BY status
"""
_INTENTS = {
    "defect_rate": ("불량", "defect"),
    "line_stop": ("정지", "stop"),
    "machine_status": ("상태", "status"),
}
_REPLIES = {
    "defect_rate": "I look up the defect rate of today.",
    "line_stop": "I ask a person before I stop a line.",
    "machine_status": "All machines report.",
    "unknown": "I did not understand that.",
}


class Message(BaseModel):
    """What somebody tells the bot."""

    text: str = Field(min_length=1, max_length=2000)


class Feedback(BaseModel):
    """What somebody thinks of a judgment."""

    execution_id: str = Field(min_length=1)
    value: Literal["thumbs_up", "thumbs_down"]
    comment: str = ""


@requires(Role.READER)
async def _query(request: Request) -> Response:
    question = request.query_params.get("question", "").strip()
    if not question:
        raise ApiError(422, "question: say what you want to see")
    await engine_of(request).hub.call("sql")
    about_workflows = "workflow" in question.lower() or "워크플로" in question
    rows = await services_of(request).database.query(_BY_STATUS if about_workflows else _BY_RESULT)
    x, y = ("status", "instances") if about_workflows else ("result", "executions")
    return JSONResponse({"question": question, "rows": rows, "chart": {"type": "bar", "x": x, "y": y}})


@requires(Role.OPERATOR)
async def _chat(request: Request) -> Response:
    message = await read_json(request, Message)
    intent, confidence = _intent(message.text)
    with storable():
        rows = await services_of(request).database.query(
            "INSERT INTO intent_logs (utterance, intent, confidence) VALUES (%s, %s, %s) RETURNING id",
            (message.text, intent, confidence),
        )
    answer = {"message_id": rows[0]["id"], "intent": intent, "confidence": confidence, "reply": _REPLIES[intent]}
    return JSONResponse(answer, 201)


@requires(Role.OPERATOR)
async def _give_feedback(request: Request) -> Response:
    given = await read_json(request, Feedback)
    services = services_of(request)
    if services.defects.current().factory.feedback_lost:
        return JSONResponse({"feedback_id": "fb-lost"}, 201)
    with storable():
        rows = await services.database.query(
            "INSERT INTO feedbacks (execution_id, feedback_value, comment)"
            " SELECT id, %s, %s FROM core.judgment_executions WHERE id = %s LIMIT 1 RETURNING id",
            (given.value, given.comment, given.execution_id),
        )
    if not rows:
        raise ApiError(422, "execution_id: there is no such execution")
    return JSONResponse({"feedback_id": rows[0]["id"]}, 201)


@requires(Role.OPERATOR)
async def _forget_message(request: Request) -> Response:
    return await _deleted(request, "DELETE FROM intent_logs WHERE id = %s RETURNING 1")


@requires(Role.OPERATOR)
async def _take_feedback_back(request: Request) -> Response:
    return await _deleted(request, "DELETE FROM feedbacks WHERE id = %s RETURNING 1")


async def _deleted(request: Request, statement: str) -> Response:
    if not await services_of(request).database.query(statement, (request.path_params["id"],)):
        raise ApiError(404, "there is no such thing")
    return Response(status_code=204)


def _intent(text: str) -> tuple[str, float]:
    """What the text is about, by its words, and how sure that is."""
    words = text.lower()
    for intent, known in _INTENTS.items():
        if any(word in words for word in known):
            return intent, 0.9
    return "unknown", 0.3


ROUTES = (
    Route("/api/v1/bi/query", _query, methods=["GET"]),
    Route("/api/v1/chat/messages", _chat, methods=["POST"]),
    Route("/api/v1/chat/messages/{id}", _forget_message, methods=["DELETE"]),
    Route("/api/v1/feedback", _give_feedback, methods=["POST"]),
    Route("/api/v1/feedback/{id}", _take_feedback_back, methods=["DELETE"]),
)
