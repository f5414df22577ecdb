"""Steps that all scenarios of a rehearsal have; each scenario's class says in which order."""

from opsproof import runbook, step


@step("declare", critical=True, ko="시스템 식별자와 표식 행이 프로필에 적힌 것과 같다.")
@runbook(
    "FAI-030",
    severity="SEV-1",
    next_step="Nothing was touched. Correct the profile, or the marker row of the environment.",
)
async def test_the_environment_is_the_one_to_rehearse(self, rehearsal):
    """System identifier and marker row are those that the profile names."""
    wrong = await rehearsal.the_environment_is_the_one_to_rehearse()

    assert not wrong, "; ".join(wrong)


@step("declare", ko="장애 전: standby가 복제 중이고, 외부 기록기의 쓰기가 확인된다.")
@runbook(
    "FAI-030",
    severity="SEV-2",
    next_step="Repair what is listed before you rehearse, or know that this is what a real failure would meet.",
)
async def test_the_copies_can_take_over(self, rehearsal):
    """Before the failure: the standby streams, and the outside writer's writes are acknowledged."""
    wrong = await rehearsal.the_copies_can_take_over()

    assert not wrong, "; ".join(wrong)


@step("declare", ko="사용자가 보는 서비스가 실패하고, 그것을 본 시각을 안다.")
@runbook(
    "FAI-121",
    severity="SEV-2",
    next_step="Find out why monitoring sees nothing: every minute of it is part of the RTO.",
)
async def test_the_failure_is_noticed(self, rehearsal):
    """What users see fails, and when it was seen is known."""
    wrong = await rehearsal.the_failure_is_noticed()

    assert not wrong, "; ".join(wrong)


@step("declare", ko="누군가 재해를 선언하고, 그 시각이 기록된다.")
@runbook("FAI-121", severity="SEV-2", next_step="Let the DevOps Lead declare it, with time and trigger.")
async def test_the_disaster_is_declared(self, rehearsal):
    """Somebody declares the disaster, and the time of it is written down."""
    wrong = await rehearsal.the_disaster_is_declared()

    assert not wrong, "; ".join(wrong)


@step("verify", ko="모든 백업이 저장된 그대로 온전하고, 충분히 새롭다.")
@runbook(
    "FAI-123",
    "FAI-124",
    severity="SEV-1",
    next_step="Take the backup before the one that is listed; keep the damaged one for the post-mortem.",
)
async def test_the_backups_are_whole(self, rehearsal):
    """Every backup is what was stored, whole and fresh enough."""
    wrong = await rehearsal.the_backups_are_whole()

    assert not wrong, "; ".join(wrong)


@step("verify", ko="WAL 아카이브에 빈 곳이 없고, 가장 새로운 커밋이 RPO 안에 있다.")
@runbook(
    "FAI-125",
    severity="SEV-1",
    next_step="See which segment is missing; look for it in pg_wal of every server before anything is recycled.",
)
async def test_the_archive_reaches_the_failure(self, rehearsal):
    """The WAL archive has no hole, and its newest commit is within the RPO."""
    wrong = await rehearsal.the_archive_reaches_the_failure()

    assert not wrong, "; ".join(wrong)


@step("database", critical=True, ko="쓰기가 제한 시간 안에 커밋되고, 두 번째 연결에서 다시 읽힌다.")
@runbook(
    "FAI-083",
    "FAI-128",
    severity="SEV-1",
    next_step="See pg_is_in_recovery(), default_transaction_read_only and what the commit waits for (SyncRep).",
)
async def test_the_first_write_is_committed(self, rehearsal):
    """A write is committed within its time and read back on a second connection."""
    wrong = await rehearsal.the_first_write_is_committed()

    assert not wrong, "; ".join(wrong)


@step("service", critical=True, ko="버린 쪽은 더 이상 쓰기를 받지 않는다: 두 곳이 쓰면 진실이 둘이 된다.")
@runbook(
    "FAI-034",
    severity="SEV-1",
    next_step="Stop the service and the database of the home site, or take their addresses away, before you go on.",
)
async def test_the_old_site_is_fenced(self, rehearsal):
    """What is given up takes no writes any more: two sites that write are two truths."""
    wrong = await rehearsal.the_old_site_is_fenced()

    assert not wrong, "; ".join(wrong)


@step("service", critical=True, ko="다른 사이트의 서비스가 실행되고, 준비되었다고 답한다.")
@runbook("FAI-129", severity="SEV-1", next_step="See the log of the service; scale it up by hand.")
async def test_the_service_is_activated(self, rehearsal):
    """The service of the other site runs and says that it is ready."""
    wrong = await rehearsal.the_service_is_activated()

    assert not wrong, "; ".join(wrong)


@step("service", ko="프로필의 모든 리졸버가 TTL 안에 새 사이트를 답한다.")
@runbook(
    "FAI-031",
    "FAI-130",
    severity="SEV-1",
    next_step="Correct the record; flush the resolver that is listed, or wait for its TTL.",
)
async def test_every_resolver_leads_to_the_new_site(self, rehearsal):
    """Every resolver of the profile answers with the new site, within its TTL."""
    wrong = await rehearsal.every_resolver_leads_to_the_new_site()

    assert not wrong, "; ".join(wrong)


@step("service", ko="서비스를 통해 확인할 때, 풀의 모든 연결이 복구된 데이터베이스에 있다.")
@runbook(
    "FAI-131",
    severity="SEV-1",
    next_step="Restart the replicas that hold old connections; correct what their address comes from.",
)
async def test_the_service_is_on_the_recovered_database(self, rehearsal):
    """Asked through the service, every connection of its pool is on the recovered database."""
    wrong = await rehearsal.the_service_is_on_the_recovered_database()

    assert not wrong, "; ".join(wrong)


@step("data", ko="캐시 접두사의 키가 남지 않았고, 같은 서버의 다른 데이터는 그대로다.")
@runbook(
    "FAI-135",
    severity="SEV-2",
    next_step="Delete the prefix again (SCAN and UNLINK); never FLUSHALL on a shared server.",
)
async def test_the_caches_are_cleared(self, rehearsal):
    """No key of the cache's prefix is left, and what shares the server is untouched."""
    wrong = await rehearsal.the_caches_are_cleared()

    assert not wrong, "; ".join(wrong)


@step("data", ko="첫 요청은 미스, 둘째는 히트이며, 둘 다 데이터베이스와 같다.")
@runbook("FAI-136", severity="SEV-2", next_step="See whether the service may write to the cache.")
async def test_the_caches_are_rebuilt(self, rehearsal):
    """The first request is a miss, the second a hit, and both are what the database says."""
    wrong = await rehearsal.the_caches_are_rebuilt()

    assert not wrong, "; ".join(wrong)


@step("data", ko="하루의 판단 수, 완료된 워크플로, 룰 버전이 평소와 같다.")
@runbook(
    "FAI-032",
    "FAI-132",
    "FAI-133",
    "FAI-134",
    severity="SEV-1",
    next_step="Compare with the ledger and the last backup; open the service to nobody before it is explained.",
)
async def test_the_data_is_plausible(self, rehearsal):
    """Judgments of the day, completed workflows and the rule version are as usual."""
    wrong = await rehearsal.the_data_is_plausible()

    assert not wrong, "; ".join(wrong)


@step("data", ko="원장의 모든 쓰기가 남음, 유실, 불확정 중 하나이고, 예상 밖이거나 충돌하는 것이 없다.")
@runbook("FAI-032", severity="SEV-2", next_step="Take the ids of lost writes from the ledger, and tell their owners.")
async def test_what_was_acknowledged_is_accounted_for(self, rehearsal):
    """Each write of the ledger is there, lost or indeterminate; none is unexpected or in conflict."""
    wrong = await rehearsal.what_was_acknowledged_is_accounted_for()

    assert not wrong, "; ".join(wrong)


@step("business", ko="판단, 워크플로, BI, 챗봇이 공개 이름으로 동작한다.")
@runbook(
    "FAI-033",
    "FAI-137",
    "FAI-138",
    "FAI-139",
    severity="SEV-1",
    next_step="See which of them is listed and what it depends on.",
)
async def test_the_business_works(self, rehearsal):
    """Judgments, workflows, BI and chat work through the public name."""
    wrong = await rehearsal.the_business_works()

    assert not wrong, "; ".join(wrong)


@step("protect", ko="새 Primary에서 standby가 복제하고, 아카이브가 WAL을 받으며, 백업이 만들어졌다.")
@runbook(
    "FAI-030",
    severity="SEV-1",
    next_step="A second failure now would be the end: attach a standby, mend archiving, take a backup.",
)
async def test_it_is_protected_again(self, rehearsal):
    """A standby streams from the new primary, its archive takes WAL, and a backup was taken."""
    wrong = await rehearsal.it_is_protected_again()

    assert not wrong, "; ".join(wrong)


@step("failback", always=True, ko="훈련이 시작한 것은 모두 사라졌고, 건드리면 안 되는 것은 그대로다.")
@runbook("FAI-030", severity="SEV-2", next_step="End by hand what is listed.")
async def test_nothing_is_left_behind(self, rehearsal):
    """What the rehearsal has started is gone, and what it may not touch is as it was."""
    wrong = await rehearsal.nothing_is_left_behind()

    assert not wrong, "; ".join(wrong)
