"""Every question whether the service is recovered at the DR site; each names what is wrong, or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urlsplit

from opsproof.errors import PreconditionMissing
from opsproof.profile.recovered import Cache, Data, Outside, Parity, Recovered, Release
from opsproof.profile.rehearsals import Name, Rehearsals, Site
from opsproof.profile.sections import Chart, Decisions, Exchange, Work
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.site import data, outside, pools
from opsproof.rehearsal.site.business import Business, release_of, representative
from opsproof.rehearsal.site.cache import CacheKeeper, Cleared, Planted
from opsproof.rehearsal.site.certificates import Certificates
from opsproof.rehearsal.site.data import DataChecks, Reference, reference_of
from opsproof.rehearsal.site.door import Door
from opsproof.rehearsal.site.names import Names
from opsproof.rehearsal.site.outside import Egress, Sink
from opsproof.rehearsal.site.pools import Pools
from opsproof.rehearsal.site.refill import Refill, Refilled
from opsproof.rehearsal.site.secrets import Secrets

T = TypeVar("T")


@dataclass(frozen=True)
class Before:
    """
    What was noted before the failure, and cannot be asked afterwards.

    Attributes:
        planted: The key in the DR site's cache.
        reference: Counts and totals of the home site.
        version: The release of the home site.
    """

    planted: Planted | None = None
    reference: Reference | None = None
    version: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As a rehearsal writes it down, for the case that it is resumed."""
        kept: dict[str, Any] = json.loads(json.dumps(asdict(self), default=datetime.isoformat))
        return kept

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Before:
        """What a rehearsal has written down."""
        planted, reference = kept["planted"], kept["reference"]
        return cls(
            planted and Planted(**{**planted, "sample": tuple(planted["sample"])}),
            reference
            and Reference(
                datetime.fromisoformat(reference["since"]),
                datetime.fromisoformat(reference["until"]),
                reference["counts"],
                reference["totals"],
            ),
            kept["version"],
        )


class SiteVerification:
    """
    Asks whether the service is recovered at the DR site (runbook 001, 5.2, phases 4 to 6).

    Each question returns a sentence for each thing that is wrong, nothing where all is well, and raises `NotObserved`
    where it could not look. Before the failure, `note` must have been called; its answer is `before`.

    Args:
        rehearsals: The profile's section; `dr` and `recovered` must be there for most questions.
        asking: Makes what asks a target, by its name; each has an observer of its own, so that a dead home site does
            not end questions to the DR site. `Asking.alone` outside of a run.
        token: Of this rehearsal, letters and digits: part of the ids of what is written.
        t0: The failure.
        polluted: Whether the newest rules are the damage.
        before: What was noted before the failure.
        decisions: What the service is asked for, of the profile.
        work: Workflows, of the profile.
        sinks: Listeners that stand in for mail and payments.
        egress: Where the restored services were seen to be connected to.
    """

    def __init__(
        self,
        rehearsals: Rehearsals,
        *,
        asking: Callable[[str], Asking],
        token: str,
        t0: datetime,
        polluted: bool = False,
        before: Before | None = None,
        decisions: Decisions | None = None,
        work: Sequence[Work] = (),
        sinks: Sequence[Sink] = (),
        egress: Egress | None = None,
    ) -> None:
        self._profile = rehearsals
        self._asking = asking
        self._token = token
        self._t0 = t0
        self._polluted = polluted
        self._before = before or Before()
        self._decisions = decisions or Decisions()
        self._work = work
        self._sinks = sinks
        self._egress = egress
        self._names = Names(rehearsals.resolvers, asking("resolvers"))
        self._refilled: Refilled | None = None

    # Before the failure, and what is done.

    async def note(self, now: datetime) -> Before:
        """
        Before the failure: plant a key in the DR site's cache, and note what the home site holds and runs.

        Args:
            now: The clock of the rehearsal.
        """
        recovered = self._recovered
        planted = await self._keeper().plant() if recovered.cache else None
        home = _needed(self._profile.home, "home")
        reference = None
        if recovered.data:
            node = Node("home", home.database.get_secret_value(), self._asking("home"))
            reference = await reference_of(recovered.data, node, now)
        version = await release_of(self._door, recovered.release) if recovered.release else None
        self._door.forget()
        return Before(planted, reference, version)

    async def note_neighbours(self) -> Before:
        """
        Right before the cache is cleared, by whomever: note again what is beside it, for queues are worked off.

        Returns:
            What was noted before, with this in it; for the verification that asks afterwards.
        """
        return replace(self._before, planted=await self._keeper().noted_again(self._before.planted))

    async def clear_cache(self) -> Cleared:
        """Remove every key under the cache's prefix at the DR site, and no other."""
        return await self._keeper().clear()

    @property
    def refilled(self) -> Refilled | None:
        """How the cache became warm again, once `the_cache_is_rebuilt` was asked: a part of the RTO."""
        return self._refilled

    # Names.

    async def every_resolver_leads_to_the_dr_site(self) -> list[str]:
        """Each resolver gives exactly the DR site's answers, by UDP and TCP, each time, and none of another family."""
        return await self._names.wrong(self._names_needed())

    async def answers_are_kept_no_longer_than_agreed(self) -> list[str]:
        """The lifetime of every answer, and of every alias on the way, is within what was agreed."""
        return await self._names.too_long(self._names_needed())

    async def this_machine_finds_the_dr_site(self) -> list[str]:
        """The way that programs of this machine resolve leads to the DR site as well: hosts file, caches."""
        if not self._profile.own_resolver:
            raise PreconditionMissing(
                "this machine is no client of the service",
                where="rehearsals.own_resolver",
                next_step="Set it to true where opsproof runs on a client of the service.",
            )
        return await self._names.wrong_here(self._names_needed())

    # Pools.

    async def every_connection_is_to_the_new_primary(self) -> list[str]:
        """Each connection of the service's pool is to the new primary: port, system identifier, timeline, session."""
        return await self._pools().elsewhere()

    async def the_service_sees_what_the_new_primary_commits(self) -> list[str]:
        """A row that is committed on the new primary shows in every answer of the service."""
        return await self._pools().blind()

    async def the_old_primary_takes_no_writes(self) -> list[str]:
        """At its old address the old primary is gone, or lets the service only read."""
        home = _needed(self._profile.home, "home")
        url = home.service_database or home.database
        return await pools.still_open(Node("home", url.get_secret_value(), self._asking("old primary")))

    async def the_old_address_serves_no_writes(self) -> list[str]:
        """Who still has the home site's address meets nobody there, or a service that can only read."""
        return await self._pools().still_served(self._old_addresses())

    def _old_addresses(self) -> list[str]:
        """Those that the home site has alone, as the door takes them: HOST:PORT where a record says the port."""
        if self._recovered.record:
            url = _needed(_needed(self._profile.home, "home").api, "home.api").get_secret_value()
            parts = urlsplit(url)
            return [f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"]
        names = [name for name in self._names_needed().values() if name.name == self._door.host]
        return sorted({address for name in names for address in set(name.home) - set(name.dr)})

    # Cache.

    async def the_planted_key_is_gone(self) -> list[str]:
        """Nothing in the cache is from before the failure. To be asked after clearing, before the first request."""
        return await self._keeper().remembered(self._before.planted)

    async def nothing_but_the_cache_was_cleared(self) -> list[str]:
        """Queues, sessions and other databases of the same server are untouched."""
        return await self._keeper().gone_besides(self._before.planted)

    async def the_cache_is_rebuilt(self) -> list[str]:
        """The first request is a miss, the second a hit, and the share of hits is reached in time."""
        self._refilled = await self._refill().refill()
        return list(self._refilled.wrong)

    async def the_cache_says_what_the_database_says(self) -> list[str]:
        """A cached answer, a fresh one and the new primary's row agree."""
        return await self._refill().deceived(self._primary)

    # Data.

    async def the_counts_are_the_usual(self) -> list[str]:
        """As many rows as usual in the last day before the failure, and as many as the home site held."""
        return await self._data().counts(self._before.reference)

    async def the_totals_are_those_of_before(self) -> list[str]:
        """Business totals are what they were before the failure: an UPDATE without WHERE leaves all else green."""
        return await self._data().totals(self._before.reference)

    async def work_was_completed(self) -> list[str]:
        """More than the agreed share of the workflows of the last day before the failure came to their end."""
        return await self._data().completed()

    async def one_version_of_the_rules_decided(self) -> list[str]:
        """One version, and the right one: the last good one after pollution."""
        return await self._data().versions(polluted=self._polluted)

    async def the_stores_know_of_the_same(self) -> list[str]:
        """Ids of the database, and of cache, queue and object store, are the same both ways."""
        rules = _needed(self._recovered.data, "recovered.data").reconciled
        if not rules:
            raise PreconditionMissing(
                "the profile names no pair of stores",
                where="rehearsals.recovered.data.reconciled",
                next_step="Name what is kept in two stores, with its SQL and pattern.",
            )
        keeper = self._keeper() if self._recovered.cache else None
        found: list[str] = []
        for name, rule in rules.items():
            found += await data.torn_apart(name, rule, self._primary, keeper, self._asking("stores"))
        return found

    # Business.

    async def representative_judgments_are_made(self) -> list[str]:
        """Three kinds of judgment are answered as they must be, and stored on the new primary."""
        wanted, least = representative(self._decisions.judgments, self._decisions.fallback)
        return await self._business().undone(wanted, least=least)

    async def workflows_come_to_their_end(self) -> list[str]:
        """RCA and notification are COMPLETED in time: workers run at the DR site."""
        return await self._business().unfinished(self._work)

    async def dashboards_have_data(self) -> list[str]:
        """A question to the dashboards gives rows, and a chart of them."""
        charts: Mapping[str, Chart] = self._decisions.charts
        return await self._business().empty(charts)

    async def the_chat_bot_replies(self) -> list[str]:
        """A message is understood, answered and stored."""
        messages: Mapping[str, Exchange] = self._decisions.messages
        return await self._business().undone(messages)

    async def the_release_of_home_runs_in_all_replicas(self) -> list[str]:
        """The version of the home site, in the agreed number of replicas, each healthy."""
        release: Release = _needed(self._recovered.release, "recovered.release")
        return await self._business().otherwise(release, self._before.version)

    async def the_clocks_agree(self) -> list[str]:
        """Database and service of the DR site have the time of this machine."""
        return await self._business().skewed(self._recovered.clock)

    # Secrets and certificates.

    async def the_sites_have_the_same_settings(self) -> list[str]:
        """Names and fingerprints of settings and secrets agree; what each site must have of its own differs."""
        return await self._secrets().unlike()

    async def private_files_are_private(self) -> list[str]:
        """Files with secrets are there, not empty, and readable by their user alone."""
        return await self._secrets().exposed()

    async def the_service_logs_in_with_its_own_secret(self) -> list[str]:
        """The login of the DR site's own settings is let in by the new primary, from an empty environment."""
        secrets = self._secrets()
        return await secrets.locked_out((await self._pools().identity()).port)

    async def certificates_are_accepted(self) -> list[str]:
        """Every certificate of the DR site is trusted, has the right name, and does not end soon."""
        return await Certificates(self._asking("certificates")).unfit(self._recovered.certificates)

    # Outside.

    async def nothing_was_sent_to_the_outside(self) -> list[str]:
        """The outbox has sent nothing since the failure, and nothing came to the sinks."""
        sent = (self._recovered.outside or Outside()).sent
        return await outside.sent(self._primary, sent, self._t0, self._sinks)

    async def nothing_is_connected_to_the_outside(self) -> list[str]:
        """No restored process was seen connected to anything but the allowed networks."""
        egress = self._egress
        rule = self._recovered.outside
        if egress is None and rule is not None and rule.pid_files:
            egress = Egress(lambda: outside.pids_of(rule.pid_files), rule.allowed)
            egress.look()
        return outside.escaped(egress)

    # What the questions are asked of.

    @property
    def _recovered(self) -> Recovered:
        return _needed(self._profile.recovered, "recovered")

    def _names_needed(self) -> Mapping[str, Name]:
        return _needed(self._profile.names, "names")

    @cached_property
    def _door(self) -> Door:
        return Door(self._recovered, self._names, self._asking("service"))

    @cached_property
    def _primary(self) -> Node:
        site: Site = _needed(self._profile.dr, "dr")
        return Node("dr", site.database.get_secret_value(), self._asking("dr"))

    def _pools(self) -> Pools:
        return Pools(self._door, self._recovered, self._primary, self._token)

    def _keeper(self) -> CacheKeeper:
        cache: Cache = _needed(self._recovered.cache, "recovered.cache")
        return CacheKeeper(cache, self._asking("cache"), self._token)

    def _refill(self) -> Refill:
        return Refill(_needed(self._recovered.cache, "recovered.cache"), self._keeper(), self._door)

    def _data(self) -> DataChecks:
        section: Data = _needed(self._recovered.data, "recovered.data")
        return DataChecks(section, self._primary, self._t0)

    def _business(self) -> Business:
        return Business(self._door, self._primary, self._token)

    def _secrets(self) -> Secrets:
        parity: Parity = _needed(self._recovered.parity, "recovered.parity")
        return Secrets(parity, self._asking("settings"))


def _needed(section: T | None, key: str) -> T:
    if section:
        return section
    raise PreconditionMissing(
        f"the profile has no rehearsals.{key}",
        where="rehearsals",
        next_step=f"Describe it under rehearsals.{key}.",
    )
