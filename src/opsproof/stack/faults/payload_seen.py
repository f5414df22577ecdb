"""What tells, from outside, how a service or its edge treats a body: each function sends one and says what it saw."""

import gzip
import http.client
import json
import socket
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from opsproof.stack.ask import Answer, ask
from opsproof.stack.faults.seen import Seen, answer_of
from opsproof.stack.names import prefix_of
from opsproof.stack.parts.service import CORE_PATH
from opsproof.stack.stack import Stack

Body = Callable[[int, str], bytes | Iterable[bytes]]

_TENANT = "opsproof-look"
_SECONDS = 3.0
_IMPATIENT_SECONDS = 0.7
_MORE_THAN_THE_BOUND_SECONDS = 1.5
_REFUSALS = 48
_CHUNK_BYTES = 4096
_PAGE_BYTES = 4096


def item(size: int, mark: str) -> bytes:
    """An item of this many bytes as JSON, the mark first in its payload."""
    empty = {"tenant": _TENANT, "key": uuid.uuid4().hex, "payload": {"mark": mark, "filler": ""}}
    empty["payload"]["filler"] = "x" * (size - len(json.dumps(empty)))  # type: ignore[index]
    return json.dumps(empty).encode()


def chunked(size: int, mark: str) -> Iterator[bytes]:
    """Such an item in chunks, which no Content-Length announces."""
    whole = item(size, mark)
    yield from (whole[start : start + _CHUNK_BYTES] for start in range(0, len(whole), _CHUNK_BYTES))


def gets(status: int, body: Body, *, over: int = 1, hop: str = "", packed: bool = False, shows: str = "") -> Seen:
    """
    A body is answered with a status.

    Args:
        over: By how many bytes it is over the limit of the API.
        hop: What stands between INGEST and _URL in the variable of where it is sent.
        packed: Whether it is sent with gzip.
        shows: What the answer begins with.
    """

    def seen(stack: Stack, system: str) -> bool:
        headers = {"Content-Encoding": "gzip"} if packed else {}
        whole = body(_limit(stack, system) + over, "opsproof-mark")
        sent = gzip.compress(whole) if packed and isinstance(whole, bytes) else whole
        answer = _post(stack, system, sent, headers, hop)
        _forget(stack, system)
        return answer is not None and answer.status == status and answer.body.startswith(shows.encode())

    return seen


def is_echoed(stack: Stack, system: str) -> bool:
    """A refusal has in it what was sent."""
    mark = uuid.uuid4().hex
    answer = _post(stack, system, chunked(_limit(stack, system) + 1, mark))
    return answer is not None and answer.status == 413 and mark.encode() in answer.body


def is_stored(stack: Stack, system: str) -> bool:
    """What was refused is there all the same."""
    answer = _post(stack, system, item(_limit(stack, system) + 1, ""))
    key = {"X-API-Key": stack.variables[f"{prefix_of(system)}_API_KEY"]}
    listed = answer_of(stack, system, f"{CORE_PATH[system]}?tenant={_TENANT}&limit=1", headers=key)
    _forget(stack, system)
    found = listed.json() if listed else None
    return answer is not None and answer.status == 413 and bool(found and found["items"])


def is_reset(hop: str = "") -> Seen:
    """A connection is reset where a refusal should be."""

    def seen(stack: Stack, system: str) -> bool:
        try:
            with _begun(stack, system, _limit(stack, system) + 1, hop) as connection:
                connection.getresponse()
        except http.client.RemoteDisconnected:  # closed in order
            return False
        except ConnectionResetError:
            return True
        except OSError:
            return False
        return False

    return seen


def waits_for_the_body(times_the_limit: int = 1, hop: str = "") -> Seen:
    """Only the head of what is too large is sent, and there is no answer while the service lives."""

    def seen(stack: Stack, system: str) -> bool:
        declared = times_the_limit * _limit(stack, system) + 1
        unanswered = not _answers_to_the_head(stack, system, declared, _IMPATIENT_SECONDS, hop)
        return unanswered and answer_of(stack, system, "/health/live") is not None

    return seen


def hangs(stack: Stack, system: str) -> bool:
    """All of what is too large is sent, and there is no answer while the service lives."""
    body = item(_limit(stack, system) + 1, "")
    return (
        _post(stack, system, body, seconds=_IMPATIENT_SECONDS) is None
        and answer_of(stack, system, "/health/live") is not None
    )


def grows_with_refusals(stack: Stack, system: str) -> bool:
    """The service's memory grows by at least half of what it refused."""
    pid = stack.state.parts[f"{system}-api"].process.pid
    size = _limit(stack, system) + 1
    before = _resident_bytes(pid)
    answers = [_post(stack, system, chunked(size, "")) for _ in range(_REFUSALS)]
    grown = _resident_bytes(pid) - before
    return all(answer and answer.status == 413 for answer in answers) and grown > _REFUSALS * size / 2


def slow_body_blocks_others(stack: Stack, system: str) -> bool:
    """While a body is coming nobody else is answered."""
    with _begun(stack, system, 100) as connection:
        connection.send(b"{")
        blocked = answer_of(stack, system, "/health/live", seconds=_IMPATIENT_SECONDS) is None
    return blocked and answer_of(stack, system, "/health/live") is not None


def slow_body_is_unbounded(stack: Stack, system: str) -> bool:
    """A body that does not come is waited for longer than the service's settings say."""
    bound = float(stack.state.parts[f"{system}-api"].env["MAX_REQUEST_BODY_SECONDS"])
    return not _answers_to_the_head(stack, system, 100, bound + _MORE_THAN_THE_BOUND_SECONDS, "")


def edge_refuses_without_request_id(stack: Stack, system: str) -> bool:
    """A refusal of the edge lacks the request id that was sent."""
    sent = {"X-Request-Id": uuid.uuid4().hex}
    answer = _post(stack, system, item(_limit(stack, system) + 1, ""), sent, "_EDGE")
    return answer is not None and answer.status == 413 and "x-request-id" not in answer.headers


def _limit(stack: Stack, system: str) -> int:
    return int(stack.state.parts[f"{system}-api"].env["MAX_REQUEST_BODY_BYTES"])


def _post(
    stack: Stack,
    system: str,
    body: bytes | Iterable[bytes],
    headers: dict[str, str] | None = None,
    hop: str = "",
    seconds: float = _SECONDS,
) -> Answer | None:
    framing = {} if isinstance(body, bytes) else {"Transfer-Encoding": "chunked"}
    url = f"{stack.variables[f'{prefix_of(system)}{hop}_URL']}{CORE_PATH[system]}"
    everything = _head(stack, system) | framing | (headers or {})
    return ask(url, method="POST", headers=everything, body=body, seconds=seconds)


def _head(stack: Stack, system: str) -> dict[str, str]:
    return {"X-API-Key": stack.variables[f"{prefix_of(system)}_API_KEY"], "Content-Type": "application/json"}


@contextmanager
def _begun(stack: Stack, system: str, declared: int, hop: str = "") -> Iterator[http.client.HTTPConnection]:
    """A connection on which the head of a request was sent, and nothing of its body."""
    parts = urlsplit(stack.variables[f"{prefix_of(system)}{hop}_URL"])
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS)) as connection:
        connection.putrequest("POST", CORE_PATH[system])
        for name, value in (_head(stack, system) | {"Content-Length": str(declared)}).items():
            connection.putheader(name, value)
        connection.endheaders()
        yield connection


def _answers_to_the_head(stack: Stack, system: str, declared: int, seconds: float, hop: str) -> bool:
    with _begun(stack, system, declared, hop) as connection:
        listening: socket.socket = connection.sock
        listening.settimeout(seconds)
        try:
            connection.getresponse()
        except (OSError, http.client.HTTPException):
            return False
    return True


def _forget(stack: Stack, system: str) -> None:
    url = f"{stack.variables[f'{prefix_of(system)}_URL']}{CORE_PATH[system]}?tenant={_TENANT}"
    ask(url, method="DELETE", headers=_head(stack, system))


def _resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
