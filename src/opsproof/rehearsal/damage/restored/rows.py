"""Faults in the rows of a restored database, and in what numbers them."""

from opsproof.rehearsal.damage.restored import dumped
from opsproof.rehearsal.damage.restored.faults import QUIETLY, done, fault

_ROWS, _TABLES, _TOTALS = "every_row_is_what_it_was", "every_table_has_its_rows", "business_totals_agree"
_STRUCTURE, _GRANTS, _SERVICE = "the_structure_is_the_same", "owners_and_grants_are_the_same", "the_service_can_work"
_AHEAD, _COLLIDES = "sequences_are_ahead", "no_first_insert_collides"

CONTENT = (
    fault(
        "one-row-changed", "A6", "One value of one row is another one", "한 행의 값 하나가 달라짐", (_ROWS,),
        QUIETLY, "UPDATE core.workflow_instances SET summary = 'summary 0301 of line Z' WHERE id = 300",
    ),
    done(
        "dump-byte-flipped", "A16", "One byte of an uncompressed dump was flipped before the restore",
        "복원 전에 압축되지 않은 덤프의 한 바이트가 뒤집힘", (_ROWS,), dumped.with_a_byte_flipped,
    ),
    fault(
        "rows-polluted", "E10", "An UPDATE without WHERE changed every judgment", "WHERE 없는 UPDATE가 모든 판정을 바꿈",
        (_ROWS, _TOTALS), "UPDATE core.judgment_executions SET result = 'NG'",
    ),
    fault(
        "amounts-shifted", "E10", "Money moved between rows: every count is right", "행 수는 같고 금액만 달라짐",
        (_ROWS, _TOTALS), QUIETLY, "UPDATE core.workflow_instances SET tokens = tokens + 1000 WHERE id = 7",
    ),
    fault(
        "rows-lost", "", "Five rows in the middle are missing", "중간의 다섯 행이 없음", (_TABLES, _ROWS),
        "DELETE FROM core.artifacts WHERE key LIKE 'reports/1_.pdf' AND key < 'reports/15'",
    ),
    fault(
        "table-empty", "A17", "A table that nothing refers to has no rows", "참조되지 않는 테이블이 비어 있음",
        (_TABLES, _ROWS), "TRUNCATE core.feedbacks",
    ),
    fault(
        "row-exchanged", "", "One row is gone and another one came: the count is right", "행 수는 같고 한 행이 바뀜",
        (_ROWS,), "DELETE FROM core.readings WHERE taken = '2026-11-01 00:00:50Z'",
        "INSERT INTO core.readings VALUES ('2026-11-01 00:01:50Z', 'word 5')",
    ),
    fault(
        "large-object-lost", "", "A large object is missing", "대형 객체가 없음", (_ROWS, _GRANTS),
        "SELECT lo_unlink(424242)",
    ),
    fault(
        "large-object-changed", "", "The content of a large object is another one", "대형 객체의 내용이 다름", (_ROWS,),
        "SELECT lo_put(424242, 100, 'X')",
    ),
    fault(
        "view-not-refreshed", "", "A materialized view was restored without its rows", "구체화 뷰가 비어 있음",
        (_STRUCTURE, _ROWS), "REFRESH MATERIALIZED VIEW core.daily WITH NO DATA",
    ),
    fault(
        "objects-behind", "E11", "A row points to an object that the object store does not have",
        "행이 가리키는 객체가 저장소에 없음", ("other_stores_agree", _ROWS),
        "UPDATE core.artifacts SET key = 'reports/new.pdf' WHERE key = 'reports/3.pdf'",
    ),
    done(
        "objects-ahead", "E11", "The object store is newer than the database", "객체 저장소가 데이터베이스보다 새로움",
        ("other_stores_agree",), lambda copy: copy.held.append("reports/21.pdf"),
    ),
)  # fmt: skip
SEQUENCES = (
    fault(
        "sequence-at-start", "D15", "A sequence begins again", "시퀀스가 처음부터 시작함", (_AHEAD, _COLLIDES),
        "SELECT setval('core.workflow_instances_id_seq', 1)",
    ),
    fault(
        "identity-behind", "D15", "An identity column is just behind its rows", "identity가 행보다 뒤처짐",
        (_AHEAD,), "SELECT setval(pg_get_serial_sequence('core.workflows', 'id'), 11)",
    ),
    fault(
        "numbers-given-again", "", "Numbers that were given out, and whose rows are gone, would be given out again",
        "이미 발급된 번호가 다시 발급됨", (_AHEAD,), "SELECT setval('core.feedbacks_id_seq', 45)",
    ),
    fault(
        "sequence-unowned", "", "A column's default takes no number any more", "열의 기본값이 시퀀스를 쓰지 않음",
        (_STRUCTURE, _SERVICE), "ALTER TABLE core.workflow_instances ALTER id DROP DEFAULT",
    ),
)  # fmt: skip
