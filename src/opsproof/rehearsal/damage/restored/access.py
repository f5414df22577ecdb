"""Faults in who may do what on a restored database."""

from opsproof.rehearsal.damage.restored import dumped
from opsproof.rehearsal.damage.restored.copies import Copy
from opsproof.rehearsal.damage.restored.faults import done, everywhere, fault

_GRANTS, _ROLES = "owners_and_grants_are_the_same", "roles_are_the_same"
_SETTINGS, _SERVICE = "settings_are_the_same", "the_service_can_work"


def _with_another_secret(copy: Copy) -> None:
    sql = "SELECT rolpassword FROM pg_authid WHERE rolname = 'app_service'"
    kept = copy.restored.cluster.sql(sql)[0][0]
    undo = f"ALTER ROLE app_service PASSWORD '{kept}'"
    copy.everywhere("ALTER ROLE app_service PASSWORD 'of-last-year'", undo)


ACCESS = (
    done(
        "owners-and-grants-gone", "E1", "Restored with --no-owner --no-acl", "소유자와 권한 없이 복원됨",
        (_GRANTS, _SERVICE), dumped.without_owners,
    ),
    fault(
        "grant-lost", "E1", "The service may not read one table", "서비스가 한 테이블을 읽지 못함", (_GRANTS, _SERVICE),
        "REVOKE SELECT ON core.judgment_executions FROM app_service",
    ),
    fault(
        "grant-too-many", "", "Everybody may read a table", "모두가 테이블을 읽을 수 있음", (_GRANTS,),
        "GRANT SELECT ON core.feedbacks TO PUBLIC",
    ),
    fault(
        "default-grants-lost", "", "Tables that are made later get no grants", "기본 권한이 없음", (_GRANTS,),
        "ALTER DEFAULT PRIVILEGES FOR ROLE app_owner IN SCHEMA core REVOKE SELECT ON TABLES FROM app_readers",
    ),
    fault(
        "view-of-superuser", "", "A view belongs to the superuser", "뷰의 소유자가 슈퍼유저임", (_GRANTS,),
        "ALTER VIEW core.completed OWNER TO postgres",
    ),
    fault(
        "open-to-everybody", "", "Everybody may connect to the database", "모두가 데이터베이스에 접속 가능", (_GRANTS,),
        "GRANT CONNECT ON DATABASE {database} TO PUBLIC",
    ),
    everywhere(
        "role-missing", "E2", "A role was not restored", "역할이 복원되지 않음", (_ROLES, _GRANTS),
        "ALTER ROLE app_readers RENAME TO app_gone", "ALTER ROLE app_gone RENAME TO app_readers",
    ),
    everywhere(
        "role-too-strong", "", "The service's role is a superuser", "서비스 역할이 슈퍼유저임", (_ROLES,),
        "ALTER ROLE app_service SUPERUSER", "ALTER ROLE app_service NOSUPERUSER",
    ),
    everywhere(
        "role-locked-out", "", "The service's role may not log in", "서비스 역할이 로그인하지 못함", (_ROLES, _SERVICE),
        "ALTER ROLE app_service NOLOGIN", "ALTER ROLE app_service LOGIN",
    ),
    everywhere(
        "membership-lost", "", "A role is no member any more", "역할의 소속이 사라짐", (_ROLES,),
        "REVOKE app_readers FROM app_report", "GRANT app_readers TO app_report",
    ),
    done(
        "secret-of-last-year", "F5", "The service's secret is not the one that the copy knows", "서비스의 비밀번호가 다름",
        (_ROLES, _SERVICE), _with_another_secret,
    ),
    everywhere(
        "role-setting-lost", "", "A limit of the service's role is lost", "역할 설정이 사라짐", (_SETTINGS,),
        "ALTER ROLE app_service RESET statement_timeout", "ALTER ROLE app_service SET statement_timeout = '30s'",
    ),
    fault(
        "search-path-lost", "", "The service does not find its tables", "search_path가 사라져 테이블을 찾지 못함",
        (_SETTINGS, _SERVICE), "ALTER ROLE app_service IN DATABASE {database} RESET search_path",
    ),
    fault(
        "zone-of-database-lost", "", "The database's time zone is lost: days begin at another hour",
        "데이터베이스의 시간대가 사라짐", (_SETTINGS, _SERVICE), "ALTER DATABASE {database} RESET timezone",
    ),
    done(
        "encoding-other", "", "Restored into a database without an encoding", "다른 인코딩의 데이터베이스로 복원됨",
        (_SETTINGS,), dumped.into_another_encoding,
    ),
)  # fmt: skip
