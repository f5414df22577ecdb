"""Runbook 001, 5: the region is lost, and the standby of the DR site takes over."""

import pytest
import rehearsal_steps as steps

from opsproof import runbook, scenario, step

pytestmark = [pytest.mark.dr, pytest.mark.quarterly]


@scenario("region-loss")
class TestRegionLoss:
    """Six phases of the runbook, then protection and failback; RTO 4 hours, RPO 30 minutes."""

    test_the_environment_is_the_one_to_rehearse = steps.test_the_environment_is_the_one_to_rehearse
    test_the_copies_can_take_over = steps.test_the_copies_can_take_over

    @step("declare", critical=True, ko="T0: 원래 사이트가 데이터베이스와 서비스까지 사라졌다.")
    @runbook("FAI-117", severity="SEV-1", next_step="Nothing was lost: see why the failure could not be brought about.")
    async def test_the_home_site_is_lost(self, rehearsal):
        """T0: the home site is gone, its database and its service."""
        wrong = await rehearsal.the_home_site_is_lost()

        assert not wrong, "; ".join(wrong)

    test_the_failure_is_noticed = steps.test_the_failure_is_noticed
    test_the_disaster_is_declared = steps.test_the_disaster_is_declared
    test_the_backups_are_whole = steps.test_the_backups_are_whole
    test_the_archive_reaches_the_failure = steps.test_the_archive_reaches_the_failure

    @step("database", critical=True, ko="pg_promote가 true를 답하고, standby가 자신의 타임라인에 있다.")
    @runbook(
        "FAI-126",
        severity="SEV-1",
        next_step="false means that it may still promote itself later: poll it, and fence the old primary.",
    )
    async def test_the_standby_is_promoted(self, rehearsal):
        """pg_promote says true, and the standby is on a timeline of its own."""
        wrong = await rehearsal.the_standby_is_promoted()

        assert not wrong, "; ".join(wrong)

    test_the_first_write_is_committed = steps.test_the_first_write_is_committed

    @step("database", ko="같은 시스템의 다른 노드는 스스로 무엇이라 하든 쓰기를 받지 않는다.")
    @runbook(
        "FAI-034",
        "FAI-126",
        severity="SEV-1",
        next_step="Fence the other node first (stop it, take its address away); then compare both by the ledger.",
    )
    async def test_only_one_node_takes_writes(self, rehearsal):
        """No other node of the same system takes writes, whatever it says of itself."""
        wrong = await rehearsal.only_one_node_takes_writes()

        assert not wrong, "; ".join(wrong)

    @step("database", ko="새 Primary의 타임라인, 동기 설정, 아카이브, 슬롯, 한도가 올바르다.")
    @runbook("FAI-126", severity="SEV-1", next_step="Correct the setting that is listed and reload.")
    async def test_the_new_primary_can_serve(self, rehearsal):
        """Timeline, synchronous settings, archiving, slots and limits of the new primary are right."""
        wrong = await rehearsal.the_new_primary_can_serve()

        assert not wrong, "; ".join(wrong)

    test_the_service_is_activated = steps.test_the_service_is_activated
    test_every_resolver_leads_to_the_new_site = steps.test_every_resolver_leads_to_the_new_site
    test_the_service_is_on_the_recovered_database = steps.test_the_service_is_on_the_recovered_database
    test_the_caches_are_cleared = steps.test_the_caches_are_cleared
    test_the_caches_are_rebuilt = steps.test_the_caches_are_rebuilt
    test_the_data_is_plausible = steps.test_the_data_is_plausible
    test_what_was_acknowledged_is_accounted_for = steps.test_what_was_acknowledged_is_accounted_for
    test_the_business_works = steps.test_the_business_works
    test_it_is_protected_again = steps.test_it_is_protected_again

    @step("failback", ko="분기 후 이전 타임라인의 커밋을 되감기 전에 세고 내보낸다.")
    @runbook("FAI-034", severity="SEV-1", next_step="Do not rewind: export first, from a copy of its data folder.")
    async def test_what_only_the_old_primary_has_is_exported(self, rehearsal):
        """Commits of the old timeline after the fork are counted and exported before anything is rewound."""
        wrong = await rehearsal.what_only_the_old_primary_has_is_exported()

        assert not wrong, "; ".join(wrong)

    @step("failback", ko="체크포인트를 확인한 뒤 되감고, 격리된 채 자신의 설정으로 복제한다.")
    @runbook(
        "FAI-034",
        severity="SEV-1",
        next_step="pg_rewind's own words do not count: prove streaming by a token; else take a new base backup.",
    )
    async def test_the_old_primary_follows(self, rehearsal):
        """Rewound behind a checkpoint gate, fenced, with its own settings, and streaming."""
        wrong = await rehearsal.the_old_primary_follows()

        assert not wrong, "; ".join(wrong)

    @step("failback", ko="이름, 서비스, 데이터베이스가 원래 사이트의 것이고, DR 사이트가 뒤따른다.")
    @runbook(
        "FAI-034", severity="SEV-1", next_step="Go back to the DR site by the same steps; compare both by the ledger."
    )
    async def test_the_home_site_serves_again(self, rehearsal):
        """Names, service and database are those of the home site, and the DR site follows."""
        wrong = await rehearsal.the_home_site_serves_again()

        assert not wrong, "; ".join(wrong)

    @step("failback", always=True, ko="RTO, RPO, 각 단계의 예산을 지켰거나, 입증되지 않은 것을 밝힌다.")
    @runbook(
        "FAI-117", "FAI-120", severity="SEV-1", next_step="See which phase took the time, and which copy was behind."
    )
    async def test_the_objectives_hold(self, rehearsal):
        """RTO, RPO and the budget of each phase are held, or it is said what was not proven."""
        wrong = await rehearsal.the_objectives_hold()

        assert not wrong, "; ".join(wrong)

    test_nothing_is_left_behind = steps.test_nothing_is_left_behind
