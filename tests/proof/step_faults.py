"""What goes wrong in the middle of a rehearsal, and the step that must be red for it."""

import asyncio
import contextlib
import dataclasses
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from rehearsed import Course, Harm

from opsproof.rehearsal.procedure import damaged_database, region_loss
from opsproof.rehearsal.site.verification import SiteVerification
from opsproof.stack.process import Process, wait_for
from opsproof.stack.site import HTTP

SERVICE = "factory-ai"


@contextlib.contextmanager
def _sql(do: str, undo: str, cluster: Callable[[Course], Any], course: Course) -> Iterator[None]:
    server = cluster(course)
    server.sql(do, database=SERVICE)
    try:
        yield
    finally:
        server.sql(undo, database=SERVICE)


@contextlib.contextmanager
def _setting(name: str, value: str, cluster: Callable[[Course], Any], course: Course) -> Iterator[None]:
    server = cluster(course)
    server.sql(f"ALTER SYSTEM SET {name} = '{value}'")
    server.reload()
    try:
        yield
    finally:
        server.sql(f"ALTER SYSTEM RESET {name}")
        server.reload()


@contextlib.contextmanager
def _patched(course: Course, *changes: tuple[Any, str, Any]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for owner, name, value in changes:
            patch.setattr(owner, name, value)
        yield


@contextlib.contextmanager
def _acts(course: Course, **actions: Callable[[], object] | None) -> Iterator[None]:
    """Other hands than opsproof's own; None where it is left to the operator."""
    changed = {name.replace("_", "-"): act for name, act in actions.items()}
    own = {name: act for name, act in course.recovery.actor._own.items() if name not in changed}
    own |= {name: act for name, act in changed.items() if act is not None}
    with _patched(course, (course.recovery.actor, "_own", own)):
        yield


@contextlib.contextmanager
def _profile(course: Course, **changes: Any) -> Iterator[None]:
    profile = course.recovery.at.profile
    changed = profile.model_copy(update={"rehearsals": profile.rehearsals.model_copy(update=changes)})
    with _patched(course, (course.recovery.at, "profile", changed)):
        yield


@contextlib.contextmanager
def _file(path: Path, change: Callable[[bytes], bytes] | None) -> Iterator[None]:
    """A file is changed, or gone."""
    kept, told = path.read_bytes(), path.stat()
    if change is None:
        path.unlink()
    else:
        path.write_bytes(change(kept))
    try:
        yield
    finally:
        path.write_bytes(kept)
        os.chown(path, told.st_uid, told.st_gid)
        path.chmod(told.st_mode)


def _home(course: Course) -> Any:
    return course.site.home


def _dr(course: Course) -> Any:
    return course.site.dr


def _restored(course: Course) -> Any:
    return course.recovery.restored.cluster


def _newest_dump(course: Course) -> Path:
    folder = course.site.backups.folder / "postgres" / "daily"
    return max(path for path in folder.iterdir() if path.name != "latest.dump.gz")


def _segments(course: Course) -> list[Path]:
    """Segments since the newest base backup, oldest first."""
    wal = course.site.backups.wal
    newest = max(wal.glob("*.backup")).name[:24]
    return sorted(path for path in wal.iterdir() if len(path.name) == 24 and path.name > newest)


def _wrong_marker(course: Course) -> contextlib.AbstractContextManager[None]:
    do = "UPDATE opsproof_environment SET name = 'production'"
    return _sql(do, "UPDATE opsproof_environment SET name = 'rehearsal'", _home, course)


def _wrong_identifier(course: Course) -> contextlib.AbstractContextManager[None]:
    return _profile(course, system_identifier=course.site.system_identifier + 1)


def _replay_is_paused(course: Course) -> contextlib.AbstractContextManager[None]:
    return _sql("SELECT pg_wal_replay_pause()", "SELECT pg_wal_replay_resume()", _dr, course)


def _archiving_fails(course: Course) -> contextlib.AbstractContextManager[None]:
    return _setting("archive_command", "false", _home, course)


def _nothing_breaks(course: Course) -> contextlib.AbstractContextManager[None]:
    return _acts(course, **{"break": lambda: "nothing"})


@contextlib.contextmanager
def _nothing_is_polluted(course: Course) -> Iterator[None]:
    site, bad, watch = course.site, type(course.site).pollute, course.rehearsal.watch
    harmless = "UPDATE core.judgment_executions SET result = result"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "pollute", lambda: bad(site, harmless))
        patch.setitem(watch._noted, "t0", watch.anchor.now())
        patch.setattr(course.recovery, "_markers", None)
        patch.setattr(course.recovery, "_pollution", None)
        yield
    site.home.sql("DELETE FROM opsproof_marker WHERE name !~ '^begin'", database=SERVICE)


class _Healthy(BaseHTTPRequestHandler):
    """Says 200 to everything, as a page in front of a service that is gone."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"OK")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextlib.contextmanager
def _a_page_in_front_says_ok(course: Course) -> Iterator[None]:
    with HTTPServer(("127.0.0.1", course.site.services["home"].port), _Healthy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def _nobody_declares(course: Course) -> contextlib.AbstractContextManager[None]:
    return _acts(course, declare=None)


def _dump_is_changed(course: Course) -> contextlib.AbstractContextManager[None]:
    def flipped(content: bytes) -> bytes:
        middle = len(content) // 2
        return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]

    return _file(_newest_dump(course), flipped)


@contextlib.contextmanager
def _dump_is_cut_off(course: Course) -> Iterator[None]:
    """What is restored of it has another name, so that it can be restored again."""
    restore = damaged_database.restore_dump

    def beside(grounds: Any, dump: Path, name: str, **how: Any) -> Any:
        return restore(grounds, dump, f"harmed-{name}", **how)

    cut_off = _file(_newest_dump(course), lambda content: content[: len(content) // 2])
    with _patched(course, (damaged_database, "restore_dump", beside)), cut_off:
        yield


def _segment_is_missing(course: Course) -> contextlib.AbstractContextManager[None]:
    segments = _segments(course)
    return _file(segments[len(segments) // 2], None)


@contextlib.contextmanager
def _base_has_no_label(course: Course) -> Iterator[None]:
    """What is restored of it has another name, so that it can be restored again."""
    newest = max((course.site.backups.folder / "postgres" / "base").iterdir())
    restore = course.recovery.restore

    async def beside(name: str, *how: Any) -> Any:
        return await restore(f"harmed-{name}", *how)

    with _patched(course, (course.recovery, "restore", beside)), _file(newest / "backup_label", None):
        yield


@contextlib.contextmanager
def _segment_is_missing_for_recovery(course: Course) -> Iterator[None]:
    """What is restored without it has another name, so that it can be restored again."""
    restore = course.recovery.restore

    async def beside(name: str, *how: Any) -> Any:
        return await restore(f"harmed-{name}", *how)

    with _patched(course, (course.recovery, "restore", beside)), _segment_is_missing(course):
        yield


def _commits_wait_for_nobody(course: Course) -> contextlib.AbstractContextManager[None]:
    stack = contextlib.ExitStack()
    stack.enter_context(_patched(course, (course.recovery, "token", "harmed")))
    stack.enter_context(_setting("synchronous_standby_names", "nobody", _dr, course))
    return stack


@contextlib.contextmanager
def _old_primary_is_back(course: Course) -> Iterator[None]:
    """It calls itself read-only, so that no client of libpq takes it, and it takes writes all the same."""
    home, dr, ids = course.site.home, course.site.dr, "SELECT id FROM opsproof_ledger"
    copy = home.home / "copy"
    shutil.copytree(home.data, copy)
    copy.chmod(0o700)
    home.grounds.programs.own(copy)
    with _patched(course, (home, "data", copy)):
        home.start({"archive_mode": "off", "default_transaction_read_only": "on", "synchronous_standby_names": ""})
        old, new = ({row[0] for row in one.sql(ids, database=SERVICE)} for one in (home, dr))
        course.kept["only on the old primary"] = old - new
        try:
            yield
        finally:
            home.kill()


def _new_primary_does_not_archive(course: Course) -> contextlib.AbstractContextManager[None]:
    return _setting("archive_command", "", _dr, course)


@contextlib.contextmanager
def _settings_of_the_other_site_are_lost(course: Course) -> Iterator[None]:
    with _file(course.site.services["dr"].environment_file, lambda _: b"APP_VERSION=1.0.0\n"):
        yield


def _nobody_fences(course: Course) -> contextlib.AbstractContextManager[None]:
    return _acts(course, fence=lambda: "nothing")


def _one_resolver_stays_stale(course: Course) -> contextlib.AbstractContextManager[None]:
    site = course.site
    return _acts(course, switch_dns=lambda: site.switch_dns("dr", resolvers=["dr"]))


@contextlib.contextmanager
def _service_is_on_the_old_database(course: Course) -> Iterator[None]:
    """It was fenced, and somebody has started it again."""
    site = course.site
    site.home.start()
    site.serve_from(site.home, "dr")
    site.restart("dr")
    try:
        yield
    finally:
        site.serve_from(course.recovery.own_primary(), "dr")
        site.switch_dns("dr")
        site.restart("dr")
        site.home.stop()


@contextlib.contextmanager
def _home_still_answers(course: Course) -> Iterator[None]:
    """Who kept the old address meets a service that works, on the new database."""
    site = course.site
    site.serve_from(site.dr, "home")
    site.activate("home")
    try:
        yield
    finally:
        site.deactivate("home")
        site.serve_from(site.home, "home")
        site.switch_dns("dr")


async def _cleared_nothing(self: Any) -> None:
    """A clearing that says nothing and does nothing."""


def _cache_is_not_cleared(course: Course) -> contextlib.AbstractContextManager[None]:
    return _patched(course, (SiteVerification, "clear_cache", _cleared_nothing))


@contextlib.contextmanager
def _cache_is_flushed(course: Course) -> Iterator[None]:
    from redis import Redis

    with Redis.from_url(course.site.cache_urls["dr"]) as cache:

        async def flush(self: Any) -> None:
            cache.flushdb()

        with _patched(course, (SiteVerification, "clear_cache", flush)):
            yield
        cache.set(course.recovery.noted.planted.neighbour, "again")


@contextlib.contextmanager
def _cache_is_full(course: Course) -> Iterator[None]:
    from redis import Redis

    with Redis.from_url(course.site.cache_urls["dr"]) as cache:
        kept = cache.config_get("maxmemory*")
        cache.config_set("maxmemory-policy", "noeviction")
        cache.config_set("maxmemory", "1")
        try:
            yield
        finally:
            for name in ("maxmemory", "maxmemory-policy"):
                cache.config_set(name, kept[name])


def _another_rule_decided(course: Course) -> contextlib.AbstractContextManager[None]:
    newest = "(SELECT id FROM core.judgment_executions ORDER BY executed_at DESC, id LIMIT 1)"
    do = f"UPDATE core.judgment_executions SET ruleset_version = 'v0.9.0' WHERE id = {newest}"
    undo = "UPDATE core.judgment_executions SET ruleset_version = 'v1.4.0' WHERE ruleset_version = 'v0.9.0'"
    return _sql(do, undo, _dr, course)


@contextlib.contextmanager
def _writer_is_killed(course: Course) -> Iterator[None]:
    """Afterwards another one goes on with its ledger."""
    writer = course.recovery.writer
    killed = writer._writing
    killed.process.send(signal.SIGKILL)
    assert wait_for(lambda: not killed.process.alive(), 60)
    try:
        yield
    finally:
        grounds = course.recovery.at.grounds.directory
        writer._writing = type(killed).start(killed.orders, log=killed.log, grounds=grounds)
        writer._ended = False
        writer._writing.until(len(killed.ledger().acknowledged) + 3)


def _row_that_nobody_sent(course: Course) -> contextlib.AbstractContextManager[None]:
    do = (
        "INSERT INTO opsproof_ledger (id, at, writer, value)"
        " SELECT max(id) + 1000000, now(), (array_agg(writer ORDER BY id DESC))[1], 'x' FROM opsproof_ledger"
    )
    undo = "DELETE FROM opsproof_ledger WHERE value = 'x' AND id > 1000000"
    return _sql(do, undo, _dr, course)


def _table_is_gone(course: Course) -> contextlib.AbstractContextManager[None]:
    do = "ALTER TABLE core.judgment_executions RENAME TO gone"
    return _sql(do, "ALTER TABLE core.gone RENAME TO judgment_executions", _dr, course)


def _no_standby_is_attached(course: Course) -> contextlib.AbstractContextManager[None]:
    return _acts(course, attach_standby=lambda: "nothing", back_up=lambda: "nothing")


def _nothing_is_exported(course: Course) -> contextlib.AbstractContextManager[None]:
    async def nothing(*_: Any) -> None:
        """Nothing is kept."""

    return _patched(course, (region_loss, "keep", nothing))


@contextlib.contextmanager
def _old_primary_does_not_stream(course: Course) -> Iterator[None]:
    async def done(*_: Any, **__: Any) -> None:
        """It was rewound before."""

    home = course.site.home
    again = [(region_loss, "rewind", done), (region_loss, "follow", lambda *_: None), (home, "start", lambda: None)]
    senders = "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'home'"
    with _patched(course, *again), _setting("primary_conninfo", "host=/nonexistent", _home, course):
        assert wait_for(lambda: course.site.dr.sql(senders) == [(0,)], 60)
        yield


@contextlib.contextmanager
def _names_stay_at_the_other_site(course: Course) -> Iterator[None]:
    async def done(*_: Any, **__: Any) -> None:
        """It was switched over before."""

    site, switch = course.site, type(course.site).switch_dns
    changes = [
        (site, "deactivate", lambda _: None),
        (site, "activate", lambda _: None),
        (site.dr, "start", lambda: None),
        (region_loss, "switch_over", done),
        (region_loss, "follow", lambda *_: None),
        (site, "switch_dns", lambda to: switch(site, "dr", names=[HTTP], resolvers=["dr"])),
    ]
    try:
        with _patched(course, *changes):
            yield
    finally:
        site.switch_dns("home")


@contextlib.contextmanager
def _objective(course: Course, **changes: Any) -> Iterator[None]:
    account = course.recovery.account
    objectives = account._plan.objectives.model_copy(update=changes)
    plan = type(account._plan)(account._plan.profile, account._plan.scenario, objectives, account._plan.steps)
    with _patched(course, (account, "_plan", plan)):
        yield


def _archive_is_older_than_the_objective(course: Course) -> contextlib.AbstractContextManager[None]:
    rehearsal, plan = course.rehearsal, course.rehearsal.plan
    changed = replace(plan, objectives=plan.objectives.model_copy(update={"rpo": 0.001}))
    return _patched(course, (rehearsal, "plan", changed))


def _rto_is_exceeded(course: Course) -> contextlib.AbstractContextManager[None]:
    return _objective(course, rto=0.001)


def _phase_is_over_its_budget(course: Course) -> contextlib.AbstractContextManager[None]:
    return _objective(course, phases=course.recovery.account._plan.objectives.phases | {"service": 0.001})


def _grounds_stay(course: Course) -> contextlib.AbstractContextManager[None]:
    return _patched(course, (course.recovery.at, "close", lambda: None))


@contextlib.contextmanager
def _restored_row_is_another(course: Course) -> Iterator[None]:
    one = "id = (SELECT min(id) FROM core.judgment_executions)"
    server = _restored(course)
    ((kept,),) = server.sql(f"SELECT confidence FROM core.judgment_executions WHERE {one}", database=SERVICE)

    async def stays_closed() -> None:
        """What is not whole is not opened."""

    with _patched(course, (course.recovery, "open_to_the_service", stays_closed)):
        server.sql(f"UPDATE core.judgment_executions SET confidence = 0.001 WHERE {one}", database=SERVICE)
        try:
            yield
        finally:
            server.sql(f"UPDATE core.judgment_executions SET confidence = %s WHERE {one}", kept, database=SERVICE)


@contextlib.contextmanager
def _a_total_is_another(course: Course) -> Iterator[None]:
    """The profile's business total was another one when it was noted."""
    noted = course.recovery.noted
    reference = noted.reference
    totals = {name: f"{value}0" for name, value in reference.totals.items()}
    other = dataclasses.replace(noted, reference=dataclasses.replace(reference, totals=totals))

    async def stays_closed(*_: Any) -> None:
        """What is not right is not opened."""

    with _patched(course, (course.recovery, "noted", other), (course.recovery, "open_to_the_service", stays_closed)):
        yield


@contextlib.contextmanager
def _the_service_has_another_secret(course: Course) -> Iterator[None]:
    """The DR site's secret is not the one of the role that comes with the backup."""
    rehearsals = course.recovery.at.rehearsals
    url = rehearsals.dr.service_database.get_secret_value()
    secret = course.site.secrets[f"{SERVICE}.database"]
    dr = rehearsals.dr.model_copy(update={"service_database": SecretStr(url.replace(secret, "another"))})

    async def stays_closed(*_: Any) -> None:
        """What nobody can work on is not opened."""

    with _profile(course, dr=dr), _patched(course, (course.recovery, "open_to_the_service", stays_closed)):
        yield


@contextlib.contextmanager
def _recovery_ended_too_early(course: Course) -> Iterator[None]:
    """A segment is missing: PostgreSQL ends its recovery there, and is well."""
    recovery = course.recovery

    async def stays_closed() -> None:
        """What is not whole is not opened."""

    kept = [(recovery, name, getattr(recovery, name)) for name in ("restored", "_archive_before")]
    with _patched(course, *kept, (recovery, "open_to_the_service", stays_closed)), _segment_is_missing(course):
        newest = asyncio.run(recovery.bases_ended())[-1]
        recovery.restored = asyncio.run(recovery.restore("harmed", newest.name, None))
        yield


@contextlib.contextmanager
def _recovered_past_the_change(course: Course) -> Iterator[None]:
    async def stays_closed() -> None:
        """What is not right is not opened."""

    after = course.recovery._markers[1].name
    do = f"INSERT INTO opsproof_marker (name, at) VALUES ('{after}', now())"
    undo = f"DELETE FROM opsproof_marker WHERE name = '{after}'"
    with (
        _patched(course, (course.recovery, "open_to_the_service", stays_closed)),
        _sql(do, undo, _restored, course),
    ):
        yield


def _markers_are_swapped(course: Course) -> contextlib.AbstractContextManager[None]:
    before, after = course.recovery._markers
    return _patched(course, (course.recovery, "_markers", (after, before)))


_REGION, _DAMAGED, _POLLUTED = "region-loss", "damaged-database", "polluted-data"


def freeze_the_link(course: Course) -> None:
    """What home acknowledges from now on reaches neither the standby nor, by way of the archive, its replay."""
    home, dr = course.site.home, course.site.dr
    dr.sql("ALTER SYSTEM SET restore_command = ''")
    dr.reload()
    for (pid,) in home.sql("SELECT pid FROM pg_stat_replication"):
        Process.of(pid).send(signal.SIGSTOP)
    writing = course.recovery.writer._writing
    writing.until(len(writing.ledger().acknowledged) + FROZEN_WRITES)


def thaw_the_link(course: Course) -> None:
    """The promoted server has its own setting back."""
    course.site.dr.sql("ALTER SYSTEM RESET restore_command")
    course.site.dr.reload()


FROZEN_WRITES = 20
BEFORE = {"the_home_site_is_lost": freeze_the_link, "only_one_node_takes_writes": thaw_the_link}
"""By step what is done before it in the region's loss, for good."""

HARMS = (
    Harm("wrong-marker", _REGION, "the_environment_is_the_one_to_rehearse", "gives production", _wrong_marker, True),
    Harm(
        "wrong-system-identifier",
        _REGION,
        "the_environment_is_the_one_to_rehearse",
        "the profile wants",
        _wrong_identifier,
        True,
    ),
    Harm("replay-paused", _REGION, "the_copies_can_take_over", "paused", _replay_is_paused, True),
    Harm("archiving-fails", _REGION, "the_copies_can_take_over", "not in the archive", _archiving_fails, True),
    Harm("writer-killed", _REGION, "the_home_site_is_lost", "the outside writer has ended", _writer_is_killed),
    Harm("nothing-breaks", _REGION, "the_home_site_is_lost", "still answers", _nothing_breaks),
    Harm("page-says-ok", _REGION, "the_failure_is_noticed", "users see nothing", _a_page_in_front_says_ok),
    Harm("nobody-declares", _REGION, "the_disaster_is_declared", "nobody confirmed it", _nobody_declares),
    Harm("dump-changed", _REGION, "the_backups_are_whole", "every_dump_is_what_was_stored", _dump_is_changed),
    Harm("segment-missing", _REGION, "the_archive_reaches_the_failure", "the_archive_has_no_gap", _segment_is_missing),
    Harm(
        "archive-too-old",
        _REGION,
        "the_archive_reaches_the_failure",
        "lower archive_timeout (2 s at home)",
        _archive_is_older_than_the_objective,
    ),
    Harm("commits-wait", _REGION, "the_first_write_is_committed", "acknowledges no write", _commits_wait_for_nobody),
    Harm("old-primary-back", _REGION, "only_one_node_takes_writes", "home", _old_primary_is_back),
    Harm("no-archiving", _REGION, "the_new_primary_can_serve", "archive", _new_primary_does_not_archive),
    Harm("settings-lost", _REGION, "the_service_is_activated", "service-dr", _settings_of_the_other_site_are_lost),
    Harm("stale-resolver", _REGION, "every_resolver_leads_to_the_new_site", "home", _one_resolver_stays_stale),
    Harm(
        "old-address",
        _REGION,
        "the_service_is_on_the_recovered_database",
        "still answers at",
        _home_still_answers,
        True,
    ),
    Harm("cache-kept", _REGION, "the_caches_are_cleared", "planted before the failure", _cache_is_not_cleared),
    Harm("cache-full", _REGION, "the_caches_are_rebuilt", "was no hit but miss", _cache_is_full),
    Harm("another-rule", _REGION, "the_data_is_plausible", "v0.9.0", _another_rule_decided),
    Harm(
        "writer-died",
        _REGION,
        "what_was_acknowledged_is_accounted_for",
        "ended before it was asked to",
        _writer_is_killed,
    ),
    Harm("row-unsent", _REGION, "what_was_acknowledged_is_accounted_for", "never sent", _row_that_nobody_sent),
    Harm("table-gone", _REGION, "the_business_works", "rule-only", _table_is_gone),
    Harm(
        "not-exported",
        _REGION,
        "what_only_the_old_primary_has_is_exported",
        "nothing of them is kept",
        _nothing_is_exported,
    ),
    Harm("no-streaming", _REGION, "the_old_primary_follows", "does not stream", _old_primary_does_not_stream, True),
    Harm(
        "names-stay", _REGION, "the_home_site_serves_again", "is of the home site", _names_stay_at_the_other_site, True
    ),
    Harm("rto-exceeded", _REGION, "the_objectives_hold", "RTO failed", _rto_is_exceeded),
    Harm("phase-over", _REGION, "the_objectives_hold", "phase service took", _phase_is_over_its_budget),
    Harm("grounds-stay", _REGION, "nothing_is_left_behind", "is still there", _grounds_stay),
    Harm("nothing-damaged", _DAMAGED, "the_database_is_damaged", "still answers", _nothing_breaks),
    Harm("wal-missing", _DAMAGED, "the_restored_database_is_whole", "goes on to", _recovery_ended_too_early),
    Harm("base-without-label", _DAMAGED, "the_database_is_restored", "backup_label", _base_has_no_label),
    Harm("row-changed", _DAMAGED, "the_restored_database_is_whole", "judgment_executions", _restored_row_is_another),
    Harm("total-changed", _DAMAGED, "the_restored_database_is_whole", "before the failure", _a_total_is_another),
    Harm(
        "another-secret",
        _DAMAGED,
        "the_restored_database_is_whole",
        "the_service_can_work",
        _the_service_has_another_secret,
    ),
    Harm("dump-cut-off", _DAMAGED, "the_dump_can_be_restored_too", "cannot be read to its end", _dump_is_cut_off),
    Harm("cache-flushed", _DAMAGED, "the_caches_are_cleared", "outside of the prefix", _cache_is_flushed),
    Harm("no-standby", _DAMAGED, "it_is_protected_again", "no further standby streams", _no_standby_is_attached),
    Harm("nothing-polluted", _POLLUTED, "the_data_is_polluted", "still answers", _nothing_is_polluted),
    Harm("markers-swapped", _POLLUTED, "the_target_is_sound", "is to be there", _markers_are_swapped),
    Harm(
        "wal-ends-before",
        _POLLUTED,
        "the_database_is_recovered_to_the_target",
        "recovery ended before",
        _segment_is_missing_for_recovery,
    ),
    Harm(
        "past-the-change",
        _POLLUTED,
        "the_bad_change_is_gone_and_the_good_is_there",
        "marker",
        _recovered_past_the_change,
    ),
    Harm("not-fenced", _POLLUTED, "the_old_site_is_fenced", "not fenced", _nobody_fences),
    Harm(
        "old-database",
        _POLLUTED,
        "the_service_is_on_the_recovered_database",
        "connection",
        _service_is_on_the_old_database,
        True,
    ),
)
