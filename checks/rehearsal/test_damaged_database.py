"""Runbook 001, 5: the database is damaged beyond repair, and is restored from base backup and WAL."""

import pytest
import rehearsal_steps as steps

from opsproof import runbook, scenario, step

pytestmark = [pytest.mark.dr, pytest.mark.quarterly]


@scenario("damaged-database")
class TestDamagedDatabase:
    """Restored, verified, served from; RTO 2 hours, RPO 15 minutes."""

    test_the_environment_is_the_one_to_rehearse = steps.test_the_environment_is_the_one_to_rehearse
    test_the_copies_can_take_over = steps.test_the_copies_can_take_over

    @step("declare", critical=True, ko="T0: 데이터베이스 파일이 파괴되어 그 자리에서 고칠 수 없다.")
    @runbook(
        "FAI-118", severity="SEV-1", next_step="Nothing was damaged: see why the failure could not be brought about."
    )
    async def test_the_database_is_damaged(self, rehearsal):
        """T0: files of the database are destroyed, and it cannot be repaired in place."""
        wrong = await rehearsal.the_database_is_damaged()

        assert not wrong, "; ".join(wrong)

    test_the_failure_is_noticed = steps.test_the_failure_is_noticed
    test_the_disaster_is_declared = steps.test_the_disaster_is_declared
    test_the_backups_are_whole = steps.test_the_backups_are_whole
    test_the_archive_reaches_the_failure = steps.test_the_archive_reaches_the_failure

    @step(
        "database",
        critical=True,
        ko="베이스 백업과 보관된 WAL로, 아카이브를 건드리지 않고 복구를 마친 데이터베이스를 얻는다.",
    )
    @runbook(
        "FAI-127",
        severity="SEV-1",
        next_step="See the server's log: a missing segment ends recovery early and silently.",
    )
    async def test_the_database_is_restored(self, rehearsal):
        """Base backup and archived WAL give a database that has left recovery, without touching the archive."""
        wrong = await rehearsal.the_database_is_restored()

        assert not wrong, "; ".join(wrong)

    @step("database", ko="스키마, 권한, 시퀀스, 인덱스, 확장, 내용이 이전과 같다.")
    @runbook("FAI-032", severity="SEV-1", next_step="See what is listed; compare with the catalogue of the backup.")
    async def test_the_restored_database_is_whole(self, rehearsal):
        """Schema, rights, sequences, indexes, extensions and content are as they were."""
        wrong = await rehearsal.the_restored_database_is_whole()

        assert not wrong, "; ".join(wrong)

    test_the_first_write_is_committed = steps.test_the_first_write_is_committed

    @step("database", ko="가장 새로운 덤프가 빈 임시 데이터베이스에 오류 없이 복원되고, 있어야 할 것을 담고 있다.")
    @runbook("FAI-025", severity="SEV-2", next_step="Keep the scratch log; mend the backup job before the next night.")
    async def test_the_dump_can_be_restored_too(self, rehearsal):
        """The newest dump restores into an empty scratch database without an error, and holds what it must."""
        wrong = await rehearsal.the_dump_can_be_restored_too()

        assert not wrong, "; ".join(wrong)

    test_the_old_site_is_fenced = steps.test_the_old_site_is_fenced
    test_the_service_is_activated = steps.test_the_service_is_activated
    test_every_resolver_leads_to_the_new_site = steps.test_every_resolver_leads_to_the_new_site
    test_the_service_is_on_the_recovered_database = steps.test_the_service_is_on_the_recovered_database
    test_the_caches_are_cleared = steps.test_the_caches_are_cleared
    test_the_caches_are_rebuilt = steps.test_the_caches_are_rebuilt
    test_the_data_is_plausible = steps.test_the_data_is_plausible
    test_what_was_acknowledged_is_accounted_for = steps.test_what_was_acknowledged_is_accounted_for
    test_the_business_works = steps.test_the_business_works
    test_it_is_protected_again = steps.test_it_is_protected_again

    @step("failback", always=True, ko="RTO, RPO, 각 단계의 예산을 지켰거나, 입증되지 않은 것을 밝힌다.")
    @runbook(
        "FAI-118", "FAI-120", severity="SEV-1", next_step="See which phase took the time, and which copy was behind."
    )
    async def test_the_objectives_hold(self, rehearsal):
        """RTO, RPO and the budget of each phase are held, or it is said what was not proven."""
        wrong = await rehearsal.the_objectives_hold()

        assert not wrong, "; ".join(wrong)

    test_nothing_is_left_behind = steps.test_nothing_is_left_behind
