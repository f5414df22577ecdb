"""The one line of a locustfile: `attach()`. Locust's events do the rest, in a local run, a master and a worker."""

import logging
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import gevent
import gevent.ssl
from locust import FastHttpUser, events
from locust.env import Environment
from locust.html import get_html_report
from locust.runners import STATE_MISSING, LocalRunner, MasterRunner, WorkerRunner

from opsproof.benchmark.facts import PlanFact, RequestFact, SecondFact, WorkerFact
from opsproof.benchmark.files import PARENT
from opsproof.benchmark.judged import generator_of
from opsproof.errors import OpsproofError, ProfileError
from opsproof.judge.benchmark.trust import distorted
from opsproof.judge.verdict import EXIT_STATUS, Word
from opsproof.load.collector import Collector
from opsproof.load.generator import PATIENCE, Generator, error_text
from opsproof.load.options import add_options, selected
from opsproof.load.outcome import Outcome
from opsproof.load.pacing import leave_out_without_tasks, pace, users_in_words
from opsproof.load.plan import WRITE_TAG, LoadPlan, plan_of
from opsproof.probes.http.identity import credentials

_TOLD, _PLAN, _CUT = "opsproof_told", "opsproof_plan", "opsproof_cut"
_MOST_SPAWNED = 100
"""Users a second; Locust warns of more."""
_LAST_WORDS = 5.0
_PROGRESS_LINES = 20
_USAGE_ERROR = 4

log = logging.getLogger("opsproof.load")
_RUNS: dict[Environment, "_Run"] = {}


def attach() -> None:
    """
    Measure and judge the Locust run that this file is of.

    The profile (`--profile SYSTEM/ENVIRONMENT`) says how much traffic there is, for how long, and what must hold. Users
    and spawn rate of the command line do not count; a `wait_time` of a user does not, either: tasks wait for arrivals.
    """
    happenings: Any = events
    happenings.init_command_line_parser.add_listener(add_options)
    happenings.init.add_listener(_begin)
    # Locust calls who quits in reverse: the first one has the last word on the exit status, and no gate of the
    # locustfile's own makes a 0 of what failed here.
    happenings.quitting._handlers.insert(0, _have_the_last_word)


def _begin(environment: Environment, runner: Any, **_: Any) -> None:
    try:
        _must_have_no_shape(environment)
        plan = plan_of(environment.parsed_options, Path(environment.parsed_options.profiles))  # type: ignore[union-attr]
        _RUNS[environment] = _Run(environment, runner, plan)
        # What was loaded took a second, which no timer that is set now must take for gone by.
        gevent.get_hub().loop.update_now()
    except OpsproofError as exc:
        _refuse(str(exc))


def _must_have_no_shape(environment: Environment) -> None:
    if environment.shape_class is not None:
        raise ProfileError(
            "the locustfile has a LoadTestShape, and how many arrivals come, and when, is the profile's to say",
            where=type(environment.shape_class).__name__,
            next_step="Take it out: `load.rate`, `load.duration` and `load.warm_up` are the plan (docs/load.md).",
        )


def _context(authority: str | None) -> Any:
    try:
        return gevent.ssl.create_default_context(cafile=authority)
    except OSError as exc:
        raise ProfileError(
            f"the authority to trust cannot be read: {exc.strerror or exc}",
            where=f"ca_file: {authority}",
            next_step="Name a file of certificates in PEM.",
        ) from exc


def _have_the_last_word(environment: Environment, **_: Any) -> None:
    if environment in _RUNS:
        _RUNS[environment].conclude()


def _refuse(why: str) -> NoReturn:
    print(f"opsproof: {why}", file=sys.stderr, flush=True)  # noqa: T201
    raise SystemExit(_USAGE_ERROR)


def _is_orphan() -> bool:
    """Whether the process that waited for the result is gone: nobody is left who would end the load."""
    return os.environ.get(PARENT, str(os.getppid())) != str(os.getppid())


class _Run:
    """A Locust run in this process: a generator, or what collects from generators, or both."""

    def __init__(self, environment: Environment, runner: Any, plan: LoadPlan) -> None:
        options: Any = environment.parsed_options
        self._environment = environment
        self._runner = runner
        self._plan = plan
        self._started = datetime.now(UTC)
        self._workers = 1
        self._placed: list[str] = []
        self._missing = 0
        self._wanted = 0
        self._conductor: gevent.Greenlet | None = None
        self._told = self._refused = False
        self._reports, self._lang = Path(options.reports), options.lang
        load = plan.load
        environment.host = plan.target.address
        if plan.writes:
            environment.stop_timeout = load.timeout  # a task that has written cleans up
        self._selected = selected(options)
        if not plan.writes:
            environment.exclude_tags = [*(environment.exclude_tags or options.exclude_tags or []), WRITE_TAG]
        leave_out_without_tasks(environment, self._selected)
        self._words = f"{plan.words}, {users_in_words(environment)}"
        self._collector = Collector(load)
        self._generator: Generator | None = None
        if isinstance(runner, WorkerRunner):
            self._generator = Generator(load, runner.client_id, self._tell_master, placed=False)
            generator = self._generator
            runner.register_message(_PLAN, self._be_placed)
            runner.register_message(_CUT, lambda **_: generator.cut("sure"))
        elif isinstance(runner, LocalRunner):
            self._generator = Generator(load, "local", self._collector.take, placed=True)
        else:
            runner.register_message(_TOLD, self._take)
        if self._generator is not None:
            self._drive(self._generator)
        if not isinstance(runner, WorkerRunner):
            self._conduct_from_here()

    def _drive(self, generator: Generator) -> None:
        """Let the generator have this process's users."""
        plan = self._plan
        happenings: Any = self._environment.events
        auth = credentials(plan.target.identity) if plan.target.identity else {}
        authority = str(plan.target.ca_file) if plan.target.ca_file else None
        context = _context(authority)
        for user in self._environment.user_classes:
            for limit in ("network_timeout", "connection_timeout"):
                if hasattr(user, limit):
                    setattr(user, limit, min(getattr(user, limit), plan.load.timeout))
            if issubclass(user, FastHttpUser):
                # It verifies no certificate by itself, and is about to send credentials.
                user.insecure = False
                user.ssl_context_factory = staticmethod(lambda **_: context)
        defaults = {"timeout": plan.load.timeout} | ({"verify": authority} if authority else {})
        pace(generator, plan.target.address, auth, defaults, lambda: plan.writes or self._may_change(generator))

        def on_request(
            request_type: str, name: str, response_time: float, exception: Any, response: Any = None, **_: Any
        ) -> None:
            error = "" if exception is None else plan.redactor.text(error_text(exception))
            answered = bool(getattr(response, "status_code", 0))
            generator.end(f"{request_type} {name}", response_time, error, answered=answered)

        def on_user_error(exception: Any, **_: Any) -> None:
            generator.fail(plan.redactor.text(error_text(exception)))

        happenings.request.add_listener(on_request)
        happenings.user_error.add_listener(on_user_error)
        happenings.spawning_complete.add_listener(
            lambda **_: generator.begin(lambda: self._runner.user_classes_count) if generator.placed else None
        )
        happenings.test_stopping.add_listener(lambda **_: generator.close("interrupted"))

    def _may_change(self, generator: Generator) -> bool:
        """Where there may be no writes: in a task with the tag `read`, or as a user outside of tasks, to log in."""
        tags = generator.tags()
        return gevent.getcurrent() in self._runner.user_greenlets if tags is None else "read" in tags

    def _let_arrivals_come(self, generator: Generator) -> None:
        """Unless the master has no place for this worker: what came late would be load above what is planned."""
        if generator.placed:
            generator.begin(self._runner.user_classes_count)

    def _conduct_from_here(self) -> None:
        """Begin, watch and end the run: users as the profile says, and no more."""
        load, options = self._plan.load, self._environment.parsed_options
        users, start, address = load.users_at_once, self._runner.start, self._plan.target.address
        options.num_users, options.spawn_rate = users, min(users, _MOST_SPAWNED)  # type: ignore[union-attr]

        def bounded(user_count: int = 0, spawn_rate: float = 0, **how: Any) -> None:
            """Whoever asks (a command line, a web page, a worker that came late): it begins once."""
            if self._conductor is not None:
                log.error("no users are added, and no second benchmark is begun; start Locust again for another one")
                return
            self._environment.host = address
            start(users, min(users, _MOST_SPAWNED), **how)

        self._runner.start = bounded
        happenings: Any = self._environment.events
        happenings.test_start.add_listener(self._on_start)
        happenings.spawning_complete.add_listener(self._on_spawned)

    def _on_start(self, **_: Any) -> None:
        self._started = datetime.now(UTC)
        if not isinstance(self._runner, MasterRunner):
            return
        clients = self._runner.clients
        ready = [client.id for client in (*clients.ready, *clients.spawning, *clients.running)]
        self._placed, self._workers = ready, len(ready)
        self._wanted = max(self._environment.parsed_options.expect_workers or 0, len(ready))  # type: ignore[union-attr]
        self._missing = self._wanted - len(ready)
        for number, client in enumerate(ready):
            place = {"number": number, "workers": len(ready), "plan": self._words}
            self._runner.send_message(_PLAN, place, client_id=client)

    def _on_spawned(self, **_: Any) -> None:
        if self._conductor is None:
            self._conductor = gevent.spawn(self._conduct)

    def _conduct(self) -> None:
        """Watch it, and end it."""
        try:
            self._see_to_its_end()
        finally:
            if self._environment.web_ui is None:
                self._runner.quit()
            else:
                self._runner.stop()
                self._tell_outcome()

    def _see_to_its_end(self) -> None:
        """See each second whether it goes on."""
        load, collector = self._plan.load, self._collector
        longest = load.duration + (1 + PATIENCE) * load.timeout + _LAST_WORDS
        began = time.monotonic()
        looked = told = 0.0
        while time.monotonic() - began < longest and not collector.ended(self._workers_left()):
            gevent.sleep(0.2)
            if collector.down:
                collector.ending = "down"
                break
            if _is_orphan():
                break
            now = time.monotonic()
            if now - looked < 1.0:
                continue
            looked = now
            if not collector.ending and (gate := self._surely_fails()):
                log.warning("gate %s fails, whatever is still to come: ending early", gate)
                self._cut()
            if now - told >= load.duration / _PROGRESS_LINES:
                told = now
                log.info("%s", collector.progress(now - began))

    def _workers_left(self) -> int:
        """Workers that may still tell something; who went missing is not waited for."""
        if not isinstance(self._runner, MasterRunner):
            return 1
        clients = self._runner.clients
        return sum(one in clients and clients[one].state != STATE_MISSING for one in self._placed)

    def _cut(self) -> None:
        """A gate surely fails: let no more arrivals come, anywhere."""
        self._collector.ending = "sure"
        if self._generator is not None:
            self._generator.cut("sure")
        else:
            self._runner.send_message(_CUT)

    def _surely_fails(self) -> str:
        """A gate that fails whatever is to come; "" if there is none, or the numbers may be the generator's own."""
        collector = self._collector
        generator = generator_of(collector.workers(), self._plan_fact(), collector.judged(), self._missing, "done")
        return "" if distorted(self._plan.load, generator) else collector.surely_fails()

    def _plan_fact(self) -> PlanFact:
        load = self._plan.load
        return PlanFact(
            rate=load.rate,
            duration=load.duration,
            warm_up=load.warm_up,
            users=load.users_at_once,
            timeout=load.timeout,
            workers=max(self._workers, self._wanted),
            writes=self._plan.writes,
            selected=self._selected,
        )

    def conclude(self) -> None:
        """The process ends: say the answer, and make it the exit status unless somebody has a worse one than 0."""
        code = self._environment.process_exit_code
        if isinstance(self._runner, WorkerRunner):
            self._environment.process_exit_code = _USAGE_ERROR if self._refused else code
            return
        self._environment.process_exit_code = code or EXIT_STATUS[Word.INCONCLUSIVE]
        self._runner.quit()
        outcome = self._tell_outcome()
        self._environment.process_exit_code = code or outcome

    def _tell_outcome(self) -> int:
        """Judge, write and print; once for each run."""
        outcome = Outcome(self._plan, self._collector, self._plan_fact(), started=self._started, missing=self._missing)
        if not self._told:
            self._told = True
            began = self._conductor is not None
            page = get_html_report(self._environment, show_download_link=False) if began else ""  # type: ignore[no-untyped-call]
            outcome.tell(self._reports, self._lang, page)
        return outcome.fact.exit_status

    def _tell_master(
        self,
        ledger: WorkerFact,
        seconds: list[SecondFact],
        requests: tuple[RequestFact, ...] | None,
        ending: str | None,
    ) -> None:
        data = {
            "ledger": ledger.model_dump(),
            "seconds": [second.model_dump() for second in seconds],
            "requests": None if requests is None else [one.model_dump() for one in requests],
            "ending": ending,
        }
        self._runner.send_message(_TOLD, data)

    def _take(self, msg: Any, **_: Any) -> None:
        told = msg.data
        requests = told["requests"]
        self._collector.take(
            WorkerFact.model_validate(told["ledger"]),
            [SecondFact.model_validate(second) for second in told["seconds"]],
            None if requests is None else tuple(map(RequestFact.model_validate, requests)),
            told["ending"],
        )

    def _be_placed(self, msg: Any, **_: Any) -> None:
        place = msg.data
        if place["plan"] != self._words:
            log.error(
                "the master has another plan than this worker, which takes no part: %s; here %s; "
                "give both the same locustfile, --profile, profiles, tags and --allow-writes",
                place["plan"],
                self._words,
            )
            self._refused = True
            self._runner.quit()
        assert self._generator is not None
        self._generator.place(place["number"], place["workers"])
