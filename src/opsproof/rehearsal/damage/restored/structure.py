# ruff: noqa: S608 - the statements are put together from constants
"""Faults in the structure of a restored database: what keeps the rows right and the answers quick."""

from opsproof.rehearsal.damage.restored.copies import Copy
from opsproof.rehearsal.damage.restored.faults import QUIETLY, done, fault

_ROWS, _TABLES, _KEEPS = "every_row_is_what_it_was", "every_table_has_its_rows", "every_row_keeps_the_constraints"
_STRUCTURE, _IN_FORCE = "the_structure_is_the_same", "constraints_triggers_and_policies_are_in_force"
_INDEXES, _CORRUPT = "indexes_are_the_same", "nothing_is_corrupt"
_EXTENSIONS, _SERVICE = "extensions_work", "the_service_can_work"
_INSTANCES, _ORDERED = "core.workflow_instances", "core.workflow_instances_by_summary"
_FOREIGN = "workflow_instances_workflow_id_fkey"

EXTENSIONS = (
    fault(
        "extension-missing", "E3", "An extension was not restored", "확장이 복원되지 않음",
        (_EXTENSIONS, _INDEXES, _SERVICE), "DROP EXTENSION pg_trgm CASCADE",
    ),
    fault(
        "extension-older", "E3", "An extension is of another version", "확장의 버전이 다름", (_EXTENSIONS,),
        "UPDATE pg_extension SET extversion = '1.3' WHERE extname = 'pg_trgm'",
    ),
    fault(
        "library-missing", "E3", "The library of an extension is not on this machine", "확장의 라이브러리가 없음",
        (_EXTENSIONS, _SERVICE), "UPDATE pg_proc SET probin = '$libdir/gone' WHERE probin = '$libdir/pg_trgm'",
    ),
)  # fmt: skip


def _behind_the_back(index: str, *statements: str) -> tuple[str, ...]:
    """Statements of which an index hears nothing."""
    flags = "UPDATE pg_index SET indisready = {0}, indislive = {0} WHERE indexrelid = '" + f"{index}'::regclass"
    return flags.format("false"), *statements, flags.format("true")


def _lost(index: str, table: str, row: str) -> tuple[str, ...]:
    """Write one row anew, and the index does not hear of it: the table is what it was."""
    kept = f"CREATE TEMP TABLE kept AS SELECT * FROM {table} WHERE {row}"
    return _behind_the_back(index, kept, f"DELETE FROM {table} WHERE {row}", f"INSERT INTO {table} TABLE kept")


INDEXES = (
    fault(
        "index-order-wrong", "E5", "An index is in the order of another machine's collation",
        "인덱스 순서가 다른 정렬 규칙을 따름", (_INDEXES, _CORRUPT),
        "UPDATE pg_index SET indcollation = (SELECT oid::text::oidvector FROM pg_collation WHERE collprovider = 'i'"
        " ORDER BY collname = 'unicode' DESC LIMIT 1)"
        " WHERE indexrelid = 'core.readings_by_word'::regclass",
    ),
    fault(
        "index-missing", "", "An index is missing", "인덱스가 없음", (_INDEXES,),
        "DROP INDEX core.workflow_instances_by_workflow",
    ),
    fault(
        "index-invalid", "", "An index is there, and not valid: a build that broke off", "인덱스가 유효하지 않음",
        (_INDEXES,), f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{_ORDERED}'::regclass",
    ),
    fault(
        "index-lacks-rows", "", "An index does not know all rows of its table", "인덱스에 일부 행이 없음",
        (_CORRUPT, _ROWS, _TABLES),
        "UPDATE pg_index SET indisready = false, indislive = false WHERE indrelid = 'core.artifacts'::regclass",
        "INSERT INTO core.artifacts VALUES ('reports/99.pdf', 1)",
        "UPDATE pg_index SET indisready = true, indislive = true WHERE indrelid = 'core.artifacts'::regclass",
    ),
    fault(
        "hash-index-lacks-a-row", "", "A hash index does not know one row", "해시 인덱스에 한 행이 없음", (_CORRUPT,),
        *_lost("core.shifts_by_line", "core.shifts", "lower(during) = '2026-11-03Z'"),
    ),
    fault(
        "gist-index-lacks-a-row", "", "A GiST index does not know one row", "GiST 인덱스에 한 행이 없음", (_CORRUPT,),
        *_lost("core.shifts_by_words", "core.shifts", "lower(during) = '2026-11-03Z'"),
    ),
    fault(
        "spgist-index-lacks-a-null", "", "An SP-GiST index does not know one row that has no value",
        "SP-GiST 인덱스에 값이 없는 한 행이 없음", (_CORRUPT,),
        *_lost("core.shifts_by_place", "core.shifts", "lower(during) = '2026-11-03 08:00Z'"),
    ),
    fault(
        "brin-index-lacks-a-range", "", "A BRIN index does not know how late its rows are",
        "BRIN 인덱스가 행의 범위를 모름", (_CORRUPT, _ROWS, _TABLES),
        *_behind_the_back("core.readings_by_time", "INSERT INTO core.readings VALUES ('2026-12-01Z', 'word 1')"),
    ),
    fault(
        "exclusion-index-lacks-a-row", "", "The index of an exclusion constraint does not know one row: another that"
        " overlaps would be let in", "EXCLUDE 제약의 인덱스에 한 행이 없음", (_CORRUPT,),
        *_lost("core.shifts_during_excl", "core.shifts", "lower(during) = '2026-11-03Z'"),
    ),
    fault(
        "gin-index-lacks-a-row", "", "A GIN index does not know one row", "GIN 인덱스에 한 행이 없음", (_CORRUPT,),
        QUIETLY, *_behind_the_back("core.workflow_instances_by_words",
        f"UPDATE {_INSTANCES} SET summary = 'set aside' WHERE id = 7",
        f"UPDATE {_INSTANCES} SET summary = 'summary 0007 of line h' WHERE id = 7"),
    ),
    fault(
        "duplicates-under-unique-index", "", "Two rows have one key, though its index is unique",
        "고유 인덱스가 있는데 같은 키의 행이 둘", (_KEEPS, _TABLES, _CORRUPT),
        "UPDATE pg_index SET indisready = false, indislive = false WHERE indrelid = 'core.artifacts'::regclass",
        "INSERT INTO core.artifacts VALUES ('reports/7.pdf', 7000)",
        "UPDATE pg_index SET indisready = true, indislive = true WHERE indrelid = 'core.artifacts'::regclass",
    ),
    fault(
        "statistics-gone", "E8", "The planner knows nothing of any table", "플래너 통계가 없음",
        ("the_planner_has_statistics",), "DELETE FROM pg_statistic",
    ),
)  # fmt: skip
CONSTRAINTS = (
    fault(
        "triggers-off", "E9", "Triggers were left disabled, those of foreign keys too", "트리거가 비활성 상태로 남음",
        (_IN_FORCE,), f"ALTER TABLE {_INSTANCES} DISABLE TRIGGER ALL",
    ),
    fault(
        "trigger-missing", "", "A trigger is missing",
        "트리거가 없음", (_IN_FORCE,), f"DROP TRIGGER touched ON {_INSTANCES}",
    ),
    fault(
        "foreign-key-not-validated", "", "A foreign key was made anew without a look at the rows",
        "외래 키가 검증되지 않음", (_IN_FORCE,), f"ALTER TABLE {_INSTANCES} DROP CONSTRAINT {_FOREIGN}, ADD CONSTRAINT"
        f" {_FOREIGN} FOREIGN KEY (workflow_id) REFERENCES core.workflows NOT VALID",
    ),
    fault(
        "rows-without-parent", "", "A parent is gone, and its rows are not",
        "부모 행이 없는 행이 있음", (_KEEPS, _TABLES),
        QUIETLY, "DELETE FROM core.workflows WHERE id = 3",
    ),
    fault(
        "rows-overlap", "", "Two rows overlap, though an exclusion constraint forbids it",
        "EXCLUDE 제약이 있는데 두 행이 겹침", (_KEEPS, _TABLES), *_behind_the_back("core.shifts_during_excl",
        "INSERT INTO core.shifts VALUES ('line 9', '[2026-11-03Z, 2026-11-03 01:00Z)')"),
    ),
    fault(
        "exclusion-missing", "", "An exclusion constraint is missing", "EXCLUDE 제약이 없음", (_IN_FORCE, _INDEXES),
        "ALTER TABLE core.shifts DROP CONSTRAINT shifts_during_excl",
    ),
    fault(
        "check-missing", "", "A check constraint is missing", "CHECK 제약이 없음", (_IN_FORCE,),
        f"ALTER TABLE {_INSTANCES} DROP CONSTRAINT known_status",
    ),
    fault(
        "row-breaks-check", "", "A row breaks a check that says it is valid", "유효하다는 CHECK를 어기는 행이 있음",
        (_KEEPS, _ROWS), f"ALTER TABLE {_INSTANCES} DROP CONSTRAINT known_status",
        f"UPDATE {_INSTANCES} SET status = 'LOST' WHERE id = 5",
        f"ALTER TABLE {_INSTANCES} ADD CONSTRAINT known_status CHECK (status IN ('PENDING', 'RUNNING', 'COMPLETED',"
        " 'FAILED')) NOT VALID",
        "UPDATE pg_constraint SET convalidated = true WHERE conname = 'known_status'",
    ),
    fault(
        "row-security-off", "", "Every customer sees the rows of all", "행 수준 보안이 꺼짐", (_STRUCTURE,),
        "ALTER TABLE core.feedbacks DISABLE ROW LEVEL SECURITY",
    ),
    fault(
        "policy-too-wide", "", "A row-security policy lets everything through",
        "행 수준 정책이 모두 허용함", (_IN_FORCE,),
        "ALTER POLICY own_feedback ON core.feedbacks USING (true)",
    ),
)  # fmt: skip


def _moved(copy: Copy) -> None:
    """Put a table into another tablespace, which stays in the lab's server."""
    cluster = copy.restored.cluster
    if not cluster.sql("SELECT FROM pg_tablespace WHERE spcname = 'aside'"):
        folder = cluster.grounds.folder("aside")
        cluster.grounds.programs.own(folder)
        cluster.sql(f"CREATE TABLESPACE aside LOCATION '{folder}'")
    copy.sql("ALTER TABLE core.artifacts SET TABLESPACE aside")


STRUCTURE = (
    done(
        "table-elsewhere", "", "A table is in another tablespace: on another disk",
        "테이블이 다른 테이블스페이스에 있음",
        (_STRUCTURE,), _moved,
    ),
    fault(
        "access-method-other", "", "A table is kept by another access method", "테이블의 접근 방식이 다름",
        (_STRUCTURE,), "CREATE ACCESS METHOD heaped TYPE TABLE HANDLER heap_tableam_handler",
        "CREATE TABLE core.again (LIKE core.artifacts INCLUDING ALL) USING heaped",
        "INSERT INTO core.again TABLE core.artifacts", "ALTER TABLE core.again OWNER TO app_owner",
        "GRANT SELECT ON core.again TO app_readers",
        "GRANT SELECT, INSERT, UPDATE ON core.again TO app_service", "DROP TABLE core.artifacts",
        "ALTER TABLE core.again RENAME TO artifacts",
        "ALTER INDEX core.again_pkey RENAME TO artifacts_pkey",
    ),
    fault(
        "column-storage-and-statistics", "", "A column is kept unpacked, and the planner learns nothing of it",
        "열의 저장 방식과 통계 대상이 다름", (_STRUCTURE,),
        f"ALTER TABLE {_INSTANCES} ALTER summary SET STATISTICS 0, ALTER summary SET STORAGE PLAIN",
    ),
    fault(
        "words-not-found", "", "A text search configuration leaves words out", "전문 검색 설정이 단어를 빠뜨림",
        (_STRUCTURE,), "ALTER TEXT SEARCH CONFIGURATION core.notes DROP MAPPING FOR uint",
    ),
    fault(
        "dictionary-changed", "", "A dictionary leaves out other words", "사전의 불용어가 다름", (_STRUCTURE,),
        "ALTER TEXT SEARCH DICTIONARY core.plain_words (STOPWORDS)",
    ),
    fault(
        "operator-class-other", "", "An operator class sorts in the other direction", "연산자 클래스의 순서가 다름",
        (_STRUCTURE,), "DROP OPERATOR FAMILY core.backwards USING btree CASCADE",
        "CREATE OPERATOR CLASS core.backwards FOR TYPE integer USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3"
        " =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(integer, integer)",
        "ALTER OPERATOR CLASS core.backwards USING btree OWNER TO postgres",
    ),
    fault(
        "aggregate-changed", "", "An aggregate computes something else", "집계 함수의 계산이 다름", (_STRUCTURE,),
        "CREATE OR REPLACE AGGREGATE core.longest (text) (SFUNC = text_larger, STYPE = text, INITCOND = '')",
    ),
    fault(
        "foreign-server-elsewhere", "", "A foreign server leads to another host", "외부 서버가 다른 호스트를 가리킴",
        (_STRUCTURE,), "ALTER SERVER erp OPTIONS (SET host 'erp-test.example')",
    ),
    fault(
        "user-mapping-of-another", "", "A user mapping has another secret", "사용자 매핑의 비밀값이 다름",
        (_STRUCTURE,), "ALTER USER MAPPING FOR app_service SERVER erp OPTIONS (SET password 'of-the-test')",
    ),
    fault(
        "default-lost", "", "A column has lost its default", "열의 기본값이 사라짐", (_STRUCTURE, _SERVICE),
        f"ALTER TABLE {_INSTANCES} ALTER status DROP DEFAULT",
    ),
    fault(
        "generated-no-more", "", "A generated column is a plain one", "생성 열이 일반 열이 됨", (_STRUCTURE,),
        f"ALTER TABLE {_INSTANCES} ALTER cost DROP EXPRESSION",
    ),
    fault(
        "not-null-lost", "", "A column may be NULL", "열의 NOT NULL이 사라짐", (_STRUCTURE,),
        f"ALTER TABLE {_INSTANCES} ALTER summary DROP NOT NULL",
    ),
    fault(
        "type-narrower", "", "A column takes shorter text", "열의 길이가 짧아짐", (_STRUCTURE,),
        "ALTER TABLE core.workflows ALTER title TYPE varchar(20)",
    ),
    fault(
        "collation-of-column", "", "A column sorts by other rules", "열의 정렬 규칙이 다름", (_STRUCTURE,),
        "ALTER TABLE core.feedbacks ALTER comment TYPE text COLLATE \"ucs_basic\"",
    ),
    fault(
        "column-missing", "", "A column is missing", "열이 없음", (_STRUCTURE, _ROWS),
        "ALTER TABLE core.judgment_executions DROP input",
    ),
    fault(
        "view-of-last-release", "", "A view is defined as in an earlier release", "뷰의 정의가 이전 릴리스의 것임",
        (_STRUCTURE,),
        f"CREATE OR REPLACE VIEW core.completed AS SELECT id, workflow_id, cost"
        f" FROM {_INSTANCES} WHERE status <> 'FAILED'",
    ),
    fault(
        "function-changed", "", "A function computes something else", "함수의 본문이 다름", (_STRUCTURE,),
        "CREATE OR REPLACE FUNCTION core.spent() RETURNS numeric LANGUAGE sql SECURITY DEFINER AS 'SELECT 0.0'",
    ),
    fault(
        "function-of-caller", "", "A function runs with the caller's rights", "함수가 호출자의 권한으로 실행됨",
        (_STRUCTURE,), "ALTER FUNCTION core.spent() SECURITY INVOKER",
    ),
    fault(
        "label-renamed", "", "A label of an enum is another one", "열거형의 이름이 다름", (_STRUCTURE, _ROWS),
        "ALTER TYPE core.method RENAME VALUE 'HYBRID' TO 'MIXED'",
    ),
    fault(
        "domain-without-check", "", "A domain takes every value", "도메인의 제약이 없음", (_IN_FORCE,),
        "ALTER DOMAIN core.share DROP CONSTRAINT share_check",
    ),
    fault(
        "partition-detached", "", "A partition is there, and its table does not see it", "파티션이 분리됨",
        (_STRUCTURE,), "ALTER TABLE core.judgment_executions DETACH PARTITION core.judgments_2026_10",
    ),
    fault(
        "partition-missing", "", "A partition is missing", "파티션이 없음", (_STRUCTURE, _TABLES),
        "DROP TABLE core.judgments_2026_10",
    ),
    fault(
        "table-unlogged", "C8", "A table became unlogged: the next crash empties it", "테이블이 UNLOGGED가 됨",
        (_STRUCTURE, "unlogged_tables_are_declared"), "ALTER TABLE core.feedbacks SET UNLOGGED",
    ),
    fault(
        "table-of-somebody", "", "A table is there that the source does not have", "원본에 없는 테이블이 있음",
        (_STRUCTURE, _TABLES), "CREATE TABLE core.workflows_old AS TABLE core.workflows",
    ),
)  # fmt: skip
