"""A site that is up, and of no use to people."""

from opsproof.rehearsal.damage.damage import Damage
from opsproof.rehearsal.damage.site import usual
from opsproof.rehearsal.damage.site.lab import SiteLab

_JUDGED = "site.representative_judgments_are_made"
_WORKED = "site.workflows_come_to_their_end"
_RELEASE = "site.the_release_of_home_runs_in_all_replicas"
_CHART = "site.dashboards_have_data"
_CHAT = "site.the_chat_bot_replies"


def _no_workers(lab: SiteLab) -> None:
    lab.service.works_off = False


def _read_only(lab: SiteLab) -> None:
    lab.sql(f"ALTER DATABASE {lab.database} SET default_transaction_read_only = on")
    lab.service.reconnect()


def _other_version(lab: SiteLab) -> None:
    lab.service.version = "1.3.9"


def _one_replica(lab: SiteLab) -> None:
    lab.service.replicas = 1


def _degraded(lab: SiteLab) -> None:
    lab.service.replaced["GET /health"] = 200, {"status": "degraded"}


def _no_chart(lab: SiteLab) -> None:
    lab.service.replaced["GET /api/v1/bi/query"] = 200, {"rows": [], "chart": {"type": "bar"}}


def _no_reply(lab: SiteLab) -> None:
    lab.service.replaced["POST /api/v1/chat/messages"] = 201, {"message_id": "int-0", "intent": "unknown", "reply": ""}


def _not_stored(lab: SiteLab) -> None:
    answer = {"execution_id": "jud-nowhere", "result": "STOP", "version": "v1.4.0"}
    lab.service.replaced["POST /api/v1/judgment/executions"] = 201, answer


def _other_rules(lab: SiteLab) -> None:
    lab.sql("UPDATE rules SET stop = 99 WHERE active")


def _service_clock(lab: SiteLab) -> None:
    lab.service.shift = -3600.0


BUSINESS: tuple[Damage[SiteLab], ...] = (
    Damage(
        "workers-not-started",
        "",
        {"en": "No worker runs at the DR site", "ko": "DR 사이트에 워커가 없다"},
        _no_workers,
        usual.health,
        (_WORKED,),
    ),
    Damage(
        "read-only-behind-healthy",
        "",
        {"en": "The database takes no writes, and /health is 200", "ko": "DB가 읽기 전용인데 /health는 200이다"},
        _read_only,
        usual.health,
        (_JUDGED, _WORKED, "site.the_service_logs_in_with_its_own_secret"),
    ),
    Damage(
        "another-version-runs",
        "",
        {"en": "The DR site runs an older release", "ko": "DR 사이트가 다른 버전을 실행한다"},
        _other_version,
        usual.health,
        (_RELEASE,),
    ),
    Damage(
        "one-replica-of-three",
        "",
        {"en": "One replica of three is there", "ko": "레플리카 3개 중 1개만 있다"},
        _one_replica,
        usual.health,
        (_RELEASE,),
    ),
    Damage(
        "degraded-with-200",
        "",
        {"en": "The health path answers 200 and says degraded", "ko": "200이지만 상태는 degraded다"},
        _degraded,
        usual.health,
        (_RELEASE,),
    ),
    Damage(
        "dashboard-empty",
        "",
        {"en": "The dashboard answers without data", "ko": "대시보드가 빈 데이터를 준다"},
        _no_chart,
        usual.health,
        (_CHART,),
    ),
    Damage(
        "chat-bot-mute",
        "",
        {"en": "The chat bot takes a message and says nothing", "ko": "챗봇이 응답하지 않는다"},
        _no_reply,
        usual.health,
        (_CHAT,),
    ),
    Damage(
        "judgment-not-stored",
        "",
        {"en": "A judgment is answered and stored nowhere", "ko": "판정이 저장되지 않는다"},
        _not_stored,
        usual.health,
        (_JUDGED,),
    ),
    Damage(
        "judged-by-other-limits",
        "E10",
        {"en": "The rules' limits were changed under the same version", "ko": "같은 버전의 룰 한계값이 바뀌었다"},
        _other_rules,
        usual.health,
        (_JUDGED,),
    ),
    Damage(
        "clock-an-hour-behind",
        "",
        {"en": "The clock of the DR host is an hour behind", "ko": "DR 호스트의 시계가 한 시간 늦다"},
        _service_clock,
        usual.health,
        ("site.the_clocks_agree",),
    ),
)
