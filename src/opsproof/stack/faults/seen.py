"""What tells, from outside, that a service has a defect: each function asks and says whether it saw it."""

import json
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from opsproof.stack.ask import Answer, ask
from opsproof.stack.names import GATE, prefix_of
from opsproof.stack.parts.service import CORE_PATH
from opsproof.stack.stack import Stack

Seen = Callable[[Stack, str], bool]
_IMPATIENT_SECONDS = 0.5
_SECONDS_TO_LOG = 1.0
_MORE_THAN_THE_PROBE_KEY_MAY = 12


def answer_of(
    stack: Stack, system: str, path: str, *, role: str = "", headers: dict[str, str] | None = None, seconds: float = 3.0
) -> Answer | None:
    """The system's answer to a GET, as a role or as nobody; it is not counted among what users ask."""
    variables, prefix = stack.variables, prefix_of(system)
    bearer = {"Authorization": f"Bearer {variables[f'{prefix}_{role}_TOKEN']}"} if role else {}
    return ask(
        f"{variables[f'{prefix}_URL']}{path}", headers={"User-Agent": GATE} | bearer | (headers or {}), seconds=seconds
    )


def status(path: dict[str, str], expected: int, *, role: str = "") -> Seen:
    """The path of the system answers with a status."""

    def seen(stack: Stack, system: str) -> bool:
        answer = answer_of(stack, system, path[system], role=role)
        return answer is not None and answer.status == expected

    return seen


def body(path: dict[str, str], text: str) -> Seen:
    """The path of the system answers with exactly this text."""

    def seen(stack: Stack, system: str) -> bool:
        answer = answer_of(stack, system, path[system])
        return answer is not None and answer.body == text.encode()

    return seen


def slow(path: dict[str, str]) -> Seen:
    """The path does not answer within half a second although the service lives."""

    def seen(stack: Stack, system: str) -> bool:
        late = answer_of(stack, system, path[system], seconds=_IMPATIENT_SECONDS) is None
        return late and answer_of(stack, system, "/health/live") is not None

    return seen


def half_of_the_answers(path: str, expected: int) -> Seen:
    """Of four answers two have a status, the first not: whoever asks once may not notice."""

    def seen(stack: Stack, system: str) -> bool:
        answers = [answer_of(stack, system, path, role="OPERATOR") for _ in range(4)]
        found = [answer is not None and answer.status == expected for answer in answers]
        return found == [False, True, False, True]

    return seen


def refuses_at_once(path: dict[str, str], requests: int) -> Seen:
    """One request alone is answered 200; of many at once some are refused with 503."""

    def status_of(stack: Stack, system: str) -> int:
        answer = answer_of(stack, system, path[system], role="OPERATOR")
        return answer.status if answer else 0

    def seen(stack: Stack, system: str) -> bool:
        if status_of(stack, system) != 200:
            return False
        with ThreadPoolExecutor(requests) as threads:
            asked = [threads.submit(status_of, stack, system) for _ in range(requests)]
        return any(one.result() == 503 for one in asked)

    return seen


def metrics_stand_still(stack: Stack, system: str) -> bool:
    """Two scrapes with a request between them are the same."""
    first = answer_of(stack, system, "/metrics")
    answer_of(stack, system, "/health/live")
    second = answer_of(stack, system, "/metrics")
    return first is not None and second is not None and first.body == second.body


def request_id_is_not_echoed(stack: Stack, system: str) -> bool:
    """An answer lacks the request id that was sent."""
    sent = uuid.uuid4().hex
    answer = answer_of(stack, system, "/health/live", headers={"X-Request-Id": sent})
    return answer is not None and answer.headers.get("x-request-id") != sent


def request_id_is_not_logged(stack: Stack, system: str) -> bool:
    """A request is logged without its id."""
    sent = uuid.uuid4().hex
    log = Path(stack.variables[f"{prefix_of(system)}_LOG_FILE"])
    before = log.stat().st_size
    answer = answer_of(stack, system, "/no-such-path", headers={"X-Request-Id": sent})
    return answer is not None and _logged_without(log, before, sent)


def no_request_id_is_made(stack: Stack, system: str) -> bool:
    """An answer to a request that brought no id has none either."""
    answer = answer_of(stack, system, "/health/live")
    return answer is not None and not answer.headers.get("x-request-id")


def logged_as(**told: str) -> Seen:
    """The log line of a request tells this of it, which is not what was asked."""

    def seen(stack: Stack, system: str) -> bool:
        sent = uuid.uuid4().hex
        log = Path(stack.variables[f"{prefix_of(system)}_LOG_FILE"])
        before = log.stat().st_size
        answer_of(stack, system, "/no-such-path", headers={"X-Request-Id": sent})
        end = time.monotonic() + _SECONDS_TO_LOG
        while time.monotonic() < end:
            for line in _written(log, before).splitlines(keepends=True):
                if sent.encode() in line and line.endswith(b"\n"):
                    return bool(told.items() <= json.loads(line).items())
            time.sleep(0.01)
        return False

    return seen


def forged_token_is_taken(path: dict[str, str]) -> Seen:
    """An admin's token with another signature is answered 200."""

    def seen(stack: Stack, system: str) -> bool:
        token = stack.variables[f"{prefix_of(system)}_ADMIN_TOKEN"]
        forged = f"{token.rpartition('.')[0]}.{'A' * 43}"
        answer = answer_of(stack, system, path[system], headers={"Authorization": f"Bearer {forged}"})
        return answer is not None and answer.status == 200

    return seen


def error_id_is_not_logged(stack: Stack, system: str) -> bool:
    """A refused request is logged without the error id that its caller was given."""
    log = Path(stack.variables[f"{prefix_of(system)}_LOG_FILE"])
    before = log.stat().st_size
    answer = answer_of(stack, system, "/no-such-path")
    error = ((answer and answer.json()) or {}).get("error", {})
    return "error_id" in error and _logged_without(log, before, str(error["error_id"]))


def component_is_missing(name: str) -> Seen:
    """/health/detailed says nothing of a component."""

    def seen(stack: Stack, system: str) -> bool:
        answer = answer_of(stack, system, "/health/detailed")
        found = answer.json() if answer else None
        return isinstance(found, dict) and name not in found.get("components", {})

    return seen


def rate_limit_is_off(stack: Stack, system: str) -> bool:
    """More requests than the probe key may make, and none is refused."""
    key = {"X-API-Key": stack.variables[f"{prefix_of(system)}_PROBE_API_KEY"]}
    answers = [answer_of(stack, system, "/api/v1/limits", headers=key) for _ in range(_MORE_THAN_THE_PROBE_KEY_MAY)]
    return all(answer is not None and answer.status == 200 for answer in answers)


def version_changes(stack: Stack, system: str) -> bool:
    """Of several answers, some say another version."""
    answers = [answer_of(stack, system, "/version") for _ in range(4)]
    versions = {(answer.json() or {}).get("version") for answer in answers if answer}
    return len(versions) > 1


def _logged_without(log: Path, offset: int, text: str) -> bool:
    """Whether the log grew beyond `offset` and, a moment later too, does not hold the text."""
    end = time.monotonic() + _SECONDS_TO_LOG
    while time.monotonic() < end:
        written = _written(log, offset)
        if text.encode() in written:
            return False
        if b"/no-such-path" in written:
            return True
        time.sleep(0.01)
    return False


def _written(log: Path, offset: int) -> bytes:
    with log.open("rb") as file:
        file.seek(offset)
        return file.read()


def large_body_gets(expected: int) -> Seen:
    """A body over the limit is refused with this status."""

    def seen(stack: Stack, system: str) -> bool:
        variables, prefix = stack.variables, prefix_of(system)
        body = b" " * (int(stack.state.parts[f"{system}-api"].env["MAX_REQUEST_BODY_BYTES"]) + 1)
        headers = {"X-API-Key": variables[f"{prefix}_API_KEY"], "Content-Type": "application/json"}
        answer = ask(f"{variables[f'{prefix}_URL']}{CORE_PATH[system]}", method="POST", headers=headers, body=body)
        return answer is not None and answer.status == expected

    return seen


def component_is_unhealthy(name: str) -> Seen:
    """/health/detailed says that a component is not healthy."""

    def seen(stack: Stack, system: str) -> bool:
        answer = answer_of(stack, system, "/health/detailed")
        found = answer.json() if answer else None
        return isinstance(found, dict) and found.get("components", {}).get(name, {}).get("status") == "unhealthy"

    return seen
