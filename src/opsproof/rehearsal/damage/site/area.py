"""The damage that is done to a recovered site, and every question that is asked of it."""

from __future__ import annotations

from opsproof.errors import NotObserved
from opsproof.rehearsal.damage.damage import Area, Damage
from opsproof.rehearsal.damage.site.business import BUSINESS
from opsproof.rehearsal.damage.site.data import DATA
from opsproof.rehearsal.damage.site.lab import SiteLab, site_lab
from opsproof.rehearsal.damage.site.names import NAMES
from opsproof.rehearsal.damage.site.stale import STALE
from opsproof.rehearsal.damage.site.trust import TRUST

QUESTIONS = (
    "every_resolver_leads_to_the_dr_site",
    "answers_are_kept_no_longer_than_agreed",
    "every_connection_is_to_the_new_primary",
    "the_service_sees_what_the_new_primary_commits",
    "the_old_primary_takes_no_writes",
    "the_old_address_serves_no_writes",
    "the_planted_key_is_gone",
    "nothing_but_the_cache_was_cleared",
    "the_cache_is_rebuilt",
    "the_cache_says_what_the_database_says",
    "the_counts_are_the_usual",
    "the_totals_are_those_of_before",
    "work_was_completed",
    "one_version_of_the_rules_decided",
    "the_stores_know_of_the_same",
    "representative_judgments_are_made",
    "workflows_come_to_their_end",
    "dashboards_have_data",
    "the_chat_bot_replies",
    "the_release_of_home_runs_in_all_replicas",
    "the_clocks_agree",
    "the_sites_have_the_same_settings",
    "private_files_are_private",
    "the_service_logs_in_with_its_own_secret",
    "certificates_are_accepted",
    "nothing_was_sent_to_the_outside",
    "nothing_is_connected_to_the_outside",
)
"""In this order: clearing comes before the first request that fills the cache."""


async def detect(lab: SiteLab) -> dict[str, list[str]]:
    """Clear the cache as the lab says, then ask everything; a question without an answer is red."""
    verification = lab.verification()
    if lab.clearing is None:
        await verification.clear_cache()
    else:
        lab.clearing(lab)
    found: dict[str, list[str]] = {}
    for question in QUESTIONS:
        try:
            wrong: list[str] = await getattr(verification, question)()
        except NotObserved as exc:
            wrong = [f"unknown: {exc.what} ({exc.where})"]
        if wrong:
            found[f"site.{question}"] = wrong
    return found


DAMAGES: tuple[Damage[SiteLab], ...] = (*NAMES, *STALE, *DATA, *BUSINESS, *TRUST)
SITE = Area("site", site_lab, detect, DAMAGES)
"""Everything after the database: group F but for pg_rewind, and E10 and E11 where the site sees them."""
