"""Runbook 001, 5: a wrong rule has polluted the data, and it is recovered to the moment before."""

import pytest
import rehearsal_steps as steps

from opsproof import runbook, scenario, step

pytestmark = [pytest.mark.dr, pytest.mark.quarterly]


@scenario("polluted-data")
class TestPollutedData:
    """Recovered to a point in time, both sides of it proved; RTO 1 hour, RPO 5 minutes."""

    test_the_environment_is_the_one_to_rehearse = steps.test_the_environment_is_the_one_to_rehearse
    test_the_copies_can_take_over = steps.test_the_copies_can_take_over

    @step("declare", critical=True, ko="T0: 잘못된 룰이 판단을 대량으로 바꿨고, 다른 것은 모두 정상으로 보인다.")
    @runbook(
        "FAI-119", severity="SEV-1", next_step="Nothing was changed: see why the failure could not be brought about."
    )
    async def test_the_data_is_polluted(self, rehearsal):
        """T0: a wrong rule has changed judgments in bulk, and everything else looks healthy."""
        wrong = await rehearsal.the_data_is_polluted()

        assert not wrong, "; ".join(wrong)

    test_the_failure_is_noticed = steps.test_the_failure_is_noticed
    test_the_disaster_is_declared = steps.test_the_disaster_is_declared
    test_the_backups_are_whole = steps.test_the_backups_are_whole
    test_the_archive_reaches_the_failure = steps.test_the_archive_reaches_the_failure

    @step("database", critical=True, ko="복구할 시점에 시간대가 있고, 백업 종료 후이며 잘못된 변경 전이다.")
    @runbook(
        "FAI-125",
        "FAI-127",
        severity="SEV-1",
        next_step="Choose another target or an older backup; never fall back to the newest one.",
    )
    async def test_the_target_is_sound(self, rehearsal):
        """The moment to recover to has a zone, lies after the backup's end and before the bad change."""
        wrong = await rehearsal.the_target_is_sound()

        assert not wrong, "; ".join(wrong)

    @step("database", critical=True, ko="아카이브를 건드릴 수 없는 사본에서 복구가 목표 시점에 멈추고 끝난다.")
    @runbook(
        "FAI-127", severity="SEV-1", next_step="See the server's log; a target that is never reached ends in FATAL."
    )
    async def test_the_database_is_recovered_to_the_target(self, rehearsal):
        """Recovery stops at the target and ends, in a copy that cannot touch the archive."""
        wrong = await rehearsal.the_database_is_recovered_to_the_target()

        assert not wrong, "; ".join(wrong)

    @step("database", ko="목표 시점 전의 표식은 있고, 후의 표식은 없다.")
    @runbook(
        "FAI-119",
        "FAI-127",
        severity="SEV-1",
        next_step="The target was wrong: recover again, from the same backup, to another moment.",
    )
    async def test_the_bad_change_is_gone_and_the_good_is_there(self, rehearsal):
        """The marker from before the target is there, the one from after it is not."""
        wrong = await rehearsal.the_bad_change_is_gone_and_the_good_is_there()

        assert not wrong, "; ".join(wrong)

    test_the_first_write_is_committed = steps.test_the_first_write_is_committed

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
        "FAI-119", "FAI-120", severity="SEV-1", next_step="See which phase took the time, and which copy was behind."
    )
    async def test_the_objectives_hold(self, rehearsal):
        """RTO, RPO and the budget of each phase are held, or it is said what was not proven."""
        wrong = await rehearsal.the_objectives_hold()

        assert not wrong, "; ".join(wrong)

    test_nothing_is_left_behind = steps.test_nothing_is_left_behind
