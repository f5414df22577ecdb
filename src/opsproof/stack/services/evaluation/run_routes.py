"""The evaluations API."""

from __future__ import annotations

from psycopg.types.json import Jsonb
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsproof.stack.services.common.auth import Role, requires
from opsproof.stack.services.common.bodies import id_of, limit_of, read_json
from opsproof.stack.services.common.failures import ApiError
from opsproof.stack.services.common.rows import public
from opsproof.stack.services.common.services import services_of
from opsproof.stack.services.evaluation.job_routes import submit
from opsproof.stack.services.evaluation.scoring import EvaluationInput

_CREATE = """
    WITH job AS (INSERT INTO jobs (type, payload) VALUES ('evaluation', %s) RETURNING job_id)
    INSERT INTO evaluation_runs (job_id, dataset) SELECT job_id, %s FROM job RETURNING run_id, job_id
"""
_DELETE = """
    WITH run AS (DELETE FROM evaluation_runs WHERE run_id = %s RETURNING job_id),
        job AS (DELETE FROM jobs USING run WHERE jobs.job_id = run.job_id)
    SELECT 1 FROM run
"""


@requires(Role.OPERATOR)
async def _create(request: Request) -> Response:
    asked = await read_json(request, EvaluationInput)
    services = services_of(request)
    rows = await services.database.query(_CREATE, (Jsonb(asked.model_dump()), asked.dataset))
    created = public(rows[0])
    await submit(request, created["job_id"])
    services.metrics.count("jobs_submitted_total", type="evaluation")
    services.metrics.count("evaluations_submitted_total", dataset=asked.dataset)
    return JSONResponse({**created, "status": "queued"}, 202)


@requires(Role.READER)
async def _list(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "SELECT * FROM evaluation_runs ORDER BY created_at DESC, run_id LIMIT %s", (limit_of(request),)
    )
    return JSONResponse({"evaluations": [public(row) for row in rows]})


@requires(Role.READER)
async def _get(request: Request) -> Response:
    rows = await services_of(request).database.query(
        "SELECT * FROM evaluation_runs WHERE run_id = %s", (id_of(request, "run_id"),)
    )
    if not rows:
        raise ApiError(404, "there is no such evaluation")
    return JSONResponse(public(rows[0]))


@requires(Role.OPERATOR)
async def _delete(request: Request) -> Response:
    rows = await services_of(request).database.query(_DELETE, (id_of(request, "run_id"),))
    if not rows:
        raise ApiError(404, "there is no such evaluation")
    return Response(status_code=204)


@requires(Role.ADMIN)
async def _summary(request: Request) -> Response:
    database = services_of(request).database
    jobs = await database.query("SELECT status, count(*) AS count FROM jobs GROUP BY status ORDER BY status")
    runs = await database.query("SELECT status, count(*) AS count FROM evaluation_runs GROUP BY status ORDER BY status")
    return JSONResponse({"jobs": jobs, "evaluations": runs})


ROUTES = (
    Route("/api/v1/evaluations", _list, methods=["GET"]),
    Route("/api/v1/evaluations", _create, methods=["POST"]),
    Route("/api/v1/evaluations/{run_id}", _get, methods=["GET"]),
    Route("/api/v1/evaluations/{run_id}", _delete, methods=["DELETE"]),
    Route("/api/v1/admin/summary", _summary, methods=["GET"]),
)
