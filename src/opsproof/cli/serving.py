"""The newest verdicts of a folder of runs, and the HTTP server that tells them to deployers."""

import json
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override

from opsproof.profile.scalars import duration_text
from opsproof.report.canaries.parts import VERDICT_FILE
from opsproof.report.canaries.verdict import VerdictFile
from opsproof.report.folder import RUN_FILE

_MOST_BYTES = 65536
_PATIENCE = 10
_CLOCKS = 60.0
_RUN = re.compile(r"\d{8}T\d{6}Z-.+")
_ANSWERS = ("promote", "rollback")


class NoVerdict(Exception):
    """There is no verdict that anybody may act on; says why."""


class Verdicts:
    """
    The verdicts in a folder of runs, which is only read.

    Args:
        reports: Holds the folders of runs.
        fresh_for: Seconds after the end of a watch in which its verdict holds.
    """

    def __init__(self, reports: Path, fresh_for: float) -> None:
        self._reports = reports
        self._fresh_for = fresh_for
        self._without_canary: set[str] = set()

    def newest(self, profile: str, version: str | None = None) -> VerdictFile:
        """
        The verdict of the newest run that watched a profile's canary, with this canary alone.

        Args:
            profile: SYSTEM/ENVIRONMENT.
            version: What must have been watched; None does not ask.

        Raises:
            NoVerdict: There is none to act on.
        """
        try:
            runs = [one for one in self._reports.iterdir() if _RUN.fullmatch(one.name) and not one.is_symlink()]
        except OSError as exc:
            raise NoVerdict(f"the folder of the runs cannot be read: {exc.strerror}") from exc
        for folder in sorted(runs, reverse=True):
            if folder.name not in self._without_canary and (found := self._in(folder, profile)):
                self._is_of_now(found, folder.name, version)
                return found
        raise NoVerdict(f"no run has watched a canary of {profile}")

    def _in(self, folder: Path, profile: str) -> VerdictFile | None:
        try:
            verdict = VerdictFile.model_validate_json((folder / VERDICT_FILE).read_bytes())
        except FileNotFoundError:
            self._is_of_another_kind(folder, profile)
            return None
        except (OSError, ValueError) as exc:
            raise NoVerdict(f"{VERDICT_FILE} of the newest run, {folder.name}, cannot be read") from exc
        canary = next((one for one in verdict.canaries if one.profile == profile), None)
        if canary is None or verdict.replay_of:
            return None
        alone = {name: getattr(canary, name) for name in ("answer", "exit_status", "reasons")}
        return verdict.model_copy(update={**alone, "canaries": (canary,)})

    def _is_of_another_kind(self, folder: Path, profile: str) -> None:
        """A run without a verdict watched nothing, is being written, or lost it; of the last two nobody may promote."""
        try:
            run = json.loads((folder / RUN_FILE).read_bytes())
        except FileNotFoundError:
            return
        except (OSError, ValueError) as exc:
            raise NoVerdict(f"{RUN_FILE} of the newest run, {folder.name}, cannot be read") from exc
        canaries = run.get("canaries") if isinstance(run, dict) else None
        if not canaries:
            self._without_canary.add(folder.name)
        elif profile in [one.get("profile") for one in canaries] and not run.get("replay_of"):
            raise NoVerdict(f"the newest run, {folder.name}, watched {profile}, and its verdict is not written")

    def _is_of_now(self, verdict: VerdictFile, run: str, version: str | None) -> None:
        (canary,) = verdict.canaries
        watched = canary.versions.get("canary")
        if version is not None and watched is None:
            raise NoVerdict(
                f"the newest run, {run}, does not say which version it watched; name it in the profile's labels: "
                "canary: {..., version: ...}"
            )
        if version is not None and watched != version:
            raise NoVerdict(f"the newest run, {run}, watched version {watched}, not {version}")
        age = (datetime.now(UTC) - canary.ended).total_seconds()
        if age > self._fresh_for:
            limit = duration_text(self._fresh_for)
            raise NoVerdict(f"the newest run, {run}, ended {age / 60:.0f} min ago; a verdict holds for {limit}")
        if age < -_CLOCKS:
            raise NoVerdict(f"the newest run, {run}, ended {-age:.0f} s from now: the clocks differ")


def server_of(verdicts: Verdicts, host: str, port: int) -> ThreadingHTTPServer:
    """
    A server that tells these verdicts, bound and not yet serving.

    Args:
        verdicts: What it tells.
        host: Address to listen on.
        port: 0 takes a free one.

    Raises:
        OSError: It cannot listen there.
    """
    server = ThreadingHTTPServer((host, port), partial(_Handler, verdicts))
    server.daemon_threads = True
    return server


class _WrongRequest(Exception):
    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    server_version, sys_version = "opsproof", ""
    timeout = _PATIENCE

    def __init__(self, verdicts: Verdicts, *args: Any) -> None:
        self._verdicts = verdicts
        super().__init__(*args)

    def do_GET(self) -> None:
        """Answer `/verdict`."""
        self._answer("/verdict", self._verdict)

    def do_POST(self) -> None:
        """Answer `/gate`."""
        self._answer("/gate", self._gate)

    def _answer(self, path: str, ask: Callable[[], tuple[HTTPStatus, str]]) -> None:
        try:
            if (asked := urlsplit(self.path).path) != path:
                known = "known: GET /verdict?profile=P, POST /gate"
                wrong = asked in ("/verdict", "/gate")
                raise _WrongRequest(HTTPStatus.METHOD_NOT_ALLOWED if wrong else HTTPStatus.NOT_FOUND, known)
            self._send(*ask())
        except _WrongRequest as exc:
            self._send(exc.status, _unknown(str(exc)))
        except ConnectionError:
            self.close_connection = True  # who asked has gone

    def _verdict(self) -> tuple[HTTPStatus, str]:
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if lost := [key for key, values in query.items() if key not in ("profile", "version") or len(values) > 1]:
            raise _WrongRequest(HTTPStatus.BAD_REQUEST, f"{lost[0]}: expected profile and version, each once")
        profile, version = _named({key: values[0] for key, values in query.items()})
        try:
            return HTTPStatus.OK, self._verdicts.newest(profile, version).model_dump_json() + "\n"
        except NoVerdict as exc:
            return HTTPStatus.NOT_FOUND, _unknown(str(exc))

    def _gate(self) -> tuple[HTTPStatus, str]:
        metadata = self._metadata()
        profile, version = _named(metadata)
        wanted = metadata.get("answer", _ANSWERS[0])
        if wanted not in _ANSWERS:
            raise _WrongRequest(HTTPStatus.BAD_REQUEST, f"metadata.answer: expected one of {', '.join(_ANSWERS)}")
        try:
            verdict = self._verdicts.newest(profile, version)
        except NoVerdict as exc:
            return HTTPStatus.FORBIDDEN, _unknown(str(exc))
        reason = "; ".join(reason["en"] for reason in verdict.reasons)
        status = HTTPStatus.OK if verdict.answer == wanted else HTTPStatus.FORBIDDEN
        return status, _json({"answer": verdict.answer, "reason": reason, "run": verdict.run})

    def _metadata(self) -> Mapping[str, Any]:
        told = self.headers.get("Content-Length", "")
        if not told.isascii() or not told.isdigit():
            raise _WrongRequest(HTTPStatus.LENGTH_REQUIRED, "expected a JSON body, and its Content-Length")
        if int(told) > _MOST_BYTES:
            raise _WrongRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {_MOST_BYTES} bytes")
        try:
            payload = json.loads(self.rfile.read(int(told)))
        except TimeoutError as exc:
            raise _WrongRequest(HTTPStatus.REQUEST_TIMEOUT, f"no whole body came in {_PATIENCE} s") from exc
        except (ValueError, RecursionError) as exc:
            raise _WrongRequest(HTTPStatus.BAD_REQUEST, "the body is no JSON") from exc
        metadata = payload.get("metadata") if isinstance(payload, dict) else None
        if not isinstance(metadata, dict):
            raise _WrongRequest(HTTPStatus.BAD_REQUEST, "expected Flagger's payload with `metadata: {profile: ...}`")
        return metadata

    def _send(self, status: HTTPStatus, text: str) -> None:
        content = text.encode()
        if status != HTTPStatus.OK:
            self.log_message("%s", json.loads(text)["reason"])
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    @override
    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        self.close_connection = True
        self._send(HTTPStatus(code), _unknown(message or HTTPStatus(code).phrase))

    @override
    def log_message(self, format: str, *args: Any) -> None:
        words = ascii(format % args)[1:-1]
        print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {self.client_address[0]} {words}", file=sys.stderr, flush=True)


def _named(given: Mapping[str, Any]) -> tuple[str, str | None]:
    """Profile and version; one that is there and empty is a variable that nobody has set."""
    for key in ("profile", "version"):
        if key in given and not (isinstance(given[key], str) and given[key]):
            raise _WrongRequest(HTTPStatus.BAD_REQUEST, f"{key} is empty: expected a text, or leave it out")
    if "profile" not in given:
        raise _WrongRequest(HTTPStatus.BAD_REQUEST, "no profile is named: profile=SYSTEM/ENVIRONMENT")
    return given["profile"], given.get("version")


def _unknown(reason: str) -> str:
    return _json({"answer": "inconclusive", "reason": reason})


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False) + "\n"
