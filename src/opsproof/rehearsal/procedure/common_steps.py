"""The steps that all scenarios have, each by the name of its check; a step returns sentences for what is wrong."""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from typing_extensions import override

from opsproof.errors import NoData, NotObserved
from opsproof.probes.backup import Objects
from opsproof.profile.recovered import Recovered
from opsproof.rehearsal.clock.ledger_table import TABLE
from opsproof.rehearsal.clock.recovery_point import died
from opsproof.rehearsal.failover import asked
from opsproof.rehearsal.failover.detectors import everything
from opsproof.rehearsal.failover.promoted import inventory
from opsproof.rehearsal.failover.promotion import TOKENS, first_write
from opsproof.rehearsal.failover.split import SplitVerification
from opsproof.rehearsal.procedure.leftovers import Leftovers
from opsproof.rehearsal.procedure.recovery import Recovery, said
from opsproof.rehearsal.restored.markers import MARKERS
from opsproof.stack.process import end, told_of

ASKS_THE_SERVER = frozenset(
    {
        "every_timeline_is_explained",
        "the_archiver_is_set_up",
        "no_wal_waits_for_the_archiver",
        "what_was_archived_is_in_the_archive",
        "the_newest_commit_is_in_the_archive",
    }
)
"""What only the server that archives can tell: it is asked before the failure, and may be gone afterwards."""

_MAKES_IT_USABLE = {"database", "service", "data"}
"""Where a step of these failed, the service is not back, however well it answers."""

_SHOWN = 5
_WRITE_SECONDS = 10.0


class CommonSteps(Recovery):
    """Runbook 001, 5.2: its six phases, then protection and the end."""

    _unprotected: tuple[set[str], set[str]] | None = None
    """Who followed the new primary before it was protected, and which backups there were."""

    @override
    def state(self) -> dict[str, Any]:
        unprotected = self._unprotected and [sorted(one) for one in self._unprotected]
        return {**super().state(), "unprotected": unprotected}

    @override
    def remember(self, state: Mapping[str, Any]) -> None:
        super().remember(state)
        if state["unprotected"]:
            followed, kept = state["unprotected"]
            self._unprotected = set(followed), set(kept)

    # Declared.

    async def the_environment_is_the_one_to_rehearse(self) -> list[str]:
        """Nothing is touched in another system than the profile's."""
        home, dr = self.at.home, self.at.dr
        of_home, of_dr = await asked.system_identifier(home), await asked.system_identifier(dr)
        self.account.system_identifier = str(of_home)
        self.account.versions["postgresql"] = str(await home.value("SHOW server_version"))
        wanted = self.at.rehearsals.system_identifier
        wrong = []
        if of_home != of_dr:
            wrong.append(f"home has system identifier {of_home}, dr has {of_dr}: one is no copy of the other")
        if wanted is not None and of_home != wanted:
            wrong.append(f"home has system identifier {of_home}, the profile wants {wanted}")
        if not self.at.rehearsals.marker:
            wrong.append("the profile has no rehearsals.marker: nothing tells that this may be broken")
        for sql, value in self.at.rehearsals.marker.items():
            found = str(await home.value(sql))
            wrong += [] if found == value else [f"{sql} gives {found} on home, the profile wants {value}"]
        if await asked.recovers(home):
            wrong.append("home is in recovery: it is not the primary")
        if not await asked.recovers(dr):
            wrong.append("dr is not in recovery: it is no standby")
        return wrong

    async def the_copies_can_take_over(self) -> list[str]:
        """The state before the failure is noted, and the writer's writes are acknowledged."""
        self.before = await inventory(self.at.home)
        self.noted = await self.site.note(datetime.now(UTC))
        self.archive_before = await self.archived()
        self.keep_aside("archive", self.archive_before)
        if self.at.embedded is None:
            await asyncio.to_thread(self.end_writers)
        await self.writer.start()
        wrong = await self.archives(self.at.home, "verify")
        found, _ = await asyncio.gather(self._said_of_the_copies(), self.copies.watch())
        return said(found, wrong)

    async def _said_of_the_copies(self) -> dict[str, list[str]]:
        found = await everything(self.at.standby, "standby")
        archive = self.wanted(await everything(self.at.archive, "backup"))
        return found | {name: words for name, words in archive.items() if name.partition(".")[2] in ASKS_THE_SERVER}

    def end_writers(self) -> None:
        """End outside writers of this scenario that an earlier rehearsal has left: two would write the same ids."""
        end((one, signal.SIGTERM) for one in told_of(self.ledgers))

    async def break_it(self, words: str) -> list[str]:
        """T0, at a moment that nothing is in step with."""
        if self.watch.moments.t0 is None:
            await self._unpredictable()
            self.note("t0")
            await self.actor.act("break", words, seconds=self.seconds("declare"))
        elif not await self.failed():  # it was interrupted before it had come about
            await self.actor.act("break", words, seconds=self.seconds("declare"))
        return await self.wait(self._is_broken, "declare")

    async def the_failure_is_noticed(self) -> list[str]:
        """T1: the first question by the public name that fails."""
        wrong = await self.wait(self._is_seen, "declare")
        if not wrong:
            self.note("t1")
        return wrong

    async def the_disaster_is_declared(self) -> list[str]:
        """T2: who declared it, and why."""
        words = f"declare the disaster ({self.rehearsal.plan.scenario}); opsproof is the keeper of the timeline"
        await self.actor.act("declare", words, seconds=self.seconds("declare"))
        if self.actor.by("declare") == "operator":
            self.account.declared_by = await self.actor.confirmed("declare", seconds=self.seconds("declare"))
        self.note("t2")
        return []

    # Verified.

    async def the_backups_are_whole(self) -> list[str]:
        """All checks of stored backups."""
        return said(self.wanted(await everything(self.at.stored, "backup")))

    async def the_archive_reaches_the_failure(self) -> list[str]:
        """All checks of the archive, whose server may be gone; and how new it was, to its first hole, before T0."""
        archive = self.at.archive_of(None)
        found = self.wanted(await everything(archive, "backup"))
        ledger = self.writer.ledger(self.watch.anchor)
        wrong = await self.copies.archive(ledger, archive, self.rehearsal.plan.objectives.rpo)
        asked_now = {name: words for name, words in found.items() if name.partition(".")[2] not in ASKS_THE_SERVER}
        return said(asked_now, wrong)

    # The database.

    async def the_first_write_is_committed(self) -> list[str]:
        """T3."""
        node = self.recovered
        written = await first_write(node, f"first-{self.token}-{secrets.token_hex(4)}", seconds=_WRITE_SECONDS)
        if not written.commit.acknowledged:
            return [f"{node.name} acknowledges no write: {written.commit.why}"]
        if not written.read_back:
            return [f"{node.name} acknowledged a write that no second connection sees"]
        self.note("t3")
        return []

    async def fence(self, phase: str) -> list[str]:
        """
        Have the old primary fenced, and see it at its address: refused, in recovery, or read-only. From an address that
        does not answer nothing can be seen; then the profile's own command must have ended well, or a person says that
        it is fenced, by name, which is kept with the time.
        """
        words = "fence the home site, so that neither its service nor its database takes a write, even if it comes back"
        await self.actor.act("fence", words, seconds=self.seconds(phase))
        asking = self.rehearsal.asking
        split = SplitVerification(self.recovered, [self.at.home], asking, vouched=True)
        wrong = await self.wait(split.the_old_primary_takes_no_writes, phase)
        if not wrong and self.actor.by("fence") == "operator" and (silent := await split.silent()):
            self.rehearsal.say(f"{', '.join(silent)} does not answer, and may come back: whoever fenced it vouches")
            await self.actor.confirmed("fence", seconds=self.seconds(phase))
        return wrong

    # The service.

    async def the_service_is_activated(self) -> list[str]:
        """It runs at the DR site, and is healthy there."""
        words = "start the service at the DR site (kubectl scale --replicas=3 -n production-dr)"
        await self.actor.act("activate", words, seconds=self.seconds("service"))
        return await self.wait(self.the_dr_site_is_not_ready, "service")

    async def every_resolver_leads_to_the_new_site(self) -> list[str]:
        """Names are switched, and every resolver knows."""
        words = "switch the names to the DR site (aws route53 change-resource-record-sets)"
        await self.actor.act("switch-dns", words, seconds=self.seconds("service"))
        site = self.site
        wrong = await self.wait(site.every_resolver_leads_to_the_dr_site, "service")
        wrong += await site.answers_are_kept_no_longer_than_agreed()
        return [*wrong, *await site.this_machine_finds_the_dr_site()] if self.at.rehearsals.own_resolver else wrong

    async def the_service_is_on_the_recovered_database(self) -> list[str]:
        """Every connection of its pool, asked through the public name; and a row that it must see."""
        site = self.site
        wrong = await self.wait(site.every_connection_is_to_the_new_primary, "service")
        wrong += await site.the_service_sees_what_the_new_primary_commits()
        wrong += await site.the_old_address_serves_no_writes()
        wrong += await site.the_release_of_home_runs_in_all_replicas()
        wrong += await site.the_sites_have_the_same_settings()
        wrong += await site.the_service_logs_in_with_its_own_secret()
        recovered = self.at.rehearsals.recovered
        if recovered and recovered.certificates:
            wrong += await site.certificates_are_accepted()
        if recovered and recovered.parity and recovered.parity.private_files:
            wrong += await site.private_files_are_private()
        return wrong

    # The data.

    async def the_caches_are_cleared(self) -> list[str]:
        """By prefix, on the DR site's cache."""
        self.noted = await self.site.note_neighbours()
        await self.site.clear_cache()
        return [*await self.site.the_planted_key_is_gone(), *await self.site.nothing_but_the_cache_was_cleared()]

    async def the_caches_are_rebuilt(self) -> list[str]:
        """A miss, then hits, and what the database says."""
        return [*await self.site.the_cache_is_rebuilt(), *await self.site.the_cache_says_what_the_database_says()]

    async def the_data_is_plausible(self) -> list[str]:
        """5.2 phase 5."""
        site = self.site
        wrong = await site.the_counts_are_the_usual()
        wrong += await site.the_totals_are_those_of_before()
        wrong += await site.work_was_completed()
        wrong += await site.one_version_of_the_rules_decided()
        recovered = self.at.rehearsals.recovered
        return [*wrong, *await site.the_stores_know_of_the_same()] if recovered and _reconciles(recovered) else wrong

    async def what_was_acknowledged_is_accounted_for(self) -> list[str]:
        """The ledger against the rows that are there."""
        reconciled = await self.writer.reconciled(self.recovered, self.watch.anchor)
        self.account.reconciled = reconciled
        if (failure := self.watch.moments.t0) is not None:
            await self.copies.backups(failure)
        wrong = [f"id {one}: {why}" for one, why in list(reconciled.conflicts.items())[:_SHOWN]]
        unexpected = self.account.ledger().unexpected
        wrong += [f"{unexpected} rows are there that were never sent"] if unexpected else []
        if not wrong and (gone := died(reconciled.ledger)):
            next_step = "See the log beside the ledger, and rehearse again: a write that is lost may be missing there."
            raise NoData(gone, where=str(self.writer.log), next_step=next_step)
        return wrong

    # The business.

    async def the_business_works(self) -> list[str]:
        """T4, once all of it works through the public name."""
        site = self.site
        wrong = await site.representative_judgments_are_made()
        wrong += await site.workflows_come_to_their_end()
        wrong += await site.dashboards_have_data()
        wrong += await site.the_chat_bot_replies()
        wrong += await site.the_clocks_agree()
        if (recovered := self.at.rehearsals.recovered) and recovered.outside:
            wrong += await site.nothing_was_sent_to_the_outside()
            wrong += await site.nothing_is_connected_to_the_outside() if recovered.outside.pid_files else []
        if not wrong and not self.rehearsal.failed & _MAKES_IT_USABLE:
            self.note("t4")
        return wrong

    # Protection.

    async def it_is_protected_again(self) -> list[str]:
        """T5: one more standby streams, a backup is there that was not, and what is written now is archived."""
        if self._unprotected is None:
            self._unprotected = await self._followers(), await self._kept()
            self.rehearsal.keep()
        followed, kept = self._unprotected

        async def no_standby() -> list[str]:
            return [] if await self._followers() - followed else ["no further standby streams from the new primary"]

        async def no_backup() -> list[str]:
            return [] if await self._kept() - kept else ["no backup has come into the store"]

        missing = (("attach-standby", "attach a standby", no_standby), ("back-up", "take a backup", no_backup))
        for action, words, is_missing in missing:
            if await is_missing():  # one that was interrupted may have come so far
                await self.actor.act(action, f"{words} of the new primary", seconds=self.seconds("protect"))

        async def protected() -> list[str]:
            return [*await no_standby(), *await no_backup()]

        wrong = await self.wait(protected, "protect")
        wrong += await self.archives(self.recovered, "protect")
        wrong = said(self.wanted(await everything(self.at.stored, "backup")), wrong)
        if not wrong:
            self.note("t5")
        return wrong

    async def _followers(self) -> set[str]:
        senders = await asked.wal_senders(self.recovered)
        return {str(one["application_name"]) for one in senders if one["state"] == "streaming"}

    async def _kept(self) -> set[str]:
        backups, objects = self.at.backups, self.at.objects
        prefixes = [one.prefix for one in (backups.dumps, backups.bases) if one is not None]
        words = f"LIST {', '.join(prefixes)}"
        names = [one for prefix in prefixes for one in await self._names(objects, prefix, words)]
        return set(names)

    async def _names(self, objects: Objects, prefix: str, words: str) -> list[str]:
        return await self.rehearsal.asking.ask(words, "", lambda: [one.name for one in objects.names(prefix)])

    # The end.

    async def the_objectives_hold(self) -> list[str]:
        """RTO and RPO: failed is wrong, and what was not proven is no pass."""
        objectives, phases = self.account.objectives(), self.account.phases()
        measured = {one.name: one.model_dump(mode="json") for one in objectives}
        await self.rehearsal.asking.ask("what the clock and the ledger say", "", lambda: measured)
        wrong = [f"{one.name} failed: {one.why}" for one in objectives if one.proof == "failed"]
        wrong += [f"phase {one.name} took {one.seconds} s of {one.budget} s" for one in phases if one.proof == "failed"]
        unproven = [f"{one.name} is not proven: {one.why}" for one in objectives if one.proof == "not proven"]
        if left_out := self.rehearsal.left_out():
            unproven.append(f"{len(left_out)} steps were not executed: {', '.join(left_out)}")
        if unproven and not wrong:
            where = f"{self.rehearsal.plan.scenario} of {self.rehearsal.plan.profile}"
            raise NoData("; ".join(unproven), where=where, next_step="Rehearse again, with what is missing.")
        return wrong

    async def nothing_is_left_behind(self) -> list[str]:
        """Writer, tables, scratch copies, processes and ports are gone, and nothing of ours is in the archive."""
        left = await everything(Leftovers(self), "left")
        told = "; ".join(one for sentences in left.values() for one in sentences) or "gone"
        self.account.clean_up = (f"tables and rows of ours, and {self.at.grounds.directory.name}: {told}",)
        return said(left)

    async def _home_serves_nobody(self) -> bool:
        try:
            return await self.failed() or await asked.recovers(self.at.home)
        except NotObserved:  # fenced, or gone for good
            return True

    async def take_back(self) -> list[str]:
        """Drop the tables that only a rehearsal makes, where it is the primary now."""
        primary = self.at.home if not await self._home_serves_nobody() else self.recovered
        for table in (TABLE, TOKENS, MARKERS):
            await primary.rows(f"DROP TABLE IF EXISTS {table}")
        if self.actor.by("clean-up") == "command":
            await self.actor.act("clean-up", "remove what the commands have made", seconds=self.seconds("failback"))
        there = "SELECT to_regclass(%(table)s) IS NOT NULL"
        left = [table for table in (TABLE, TOKENS, MARKERS) if await primary.value(there, table=table)]
        return [f"table {table} is still on {primary.name}: DROP TABLE {table}" for table in left]


def _reconciles(recovered: Recovered) -> bool:
    return bool(recovered.data and recovered.data.reconciled)
