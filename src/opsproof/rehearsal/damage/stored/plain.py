"""Faults of plain dumps, as `pg_dump | gzip` leaves them (runbook 004)."""

import gzip
import re
from collections.abc import Callable

from opsproof.rehearsal.damage.damage import Area, Damage
from opsproof.rehearsal.damage.stored.lab import StoredLab, changed, damage, detect, lab
from opsproof.rehearsal.damage.stored.usual import restore_plain

_WHOLE = "every_dump_reads_to_its_end"
_STORED = "every_dump_is_what_was_stored"
_TABLES = "every_table_is_in_its_dump"
_SMALL = "no_dump_is_too_small"
_DEFINED = "every_dump_defines_what_it_holds"
_KEY = re.compile(rb"ALTER TABLE ONLY public\.orders\s+ADD CONSTRAINT [^;]*;")
_ORDERS = re.compile(rb"(COPY public\.orders [^\n]*\n)(.*?)(\\\.\n)", re.DOTALL)


def _text(change: Callable[[bytes], bytes], *, cover: bool = True) -> Callable[[StoredLab], None]:
    """Change the newest dump inside of a whole gzip file; its hash is noted as the job that made it so would."""

    def inject(lab: StoredLab) -> None:
        lab.pack(lab.newest, changed(lab.raw(lab.newest), change))
        if cover:
            lab.cover_up(lab.newest)

    return inject


def _file(change: Callable[[bytes], bytes]) -> Callable[[StoredLab], None]:
    def inject(lab: StoredLab) -> None:
        lab.write(lab.newest, changed(lab.newest.read_bytes(), change))
        lab.cover_up(lab.newest)

    return inject


def _line_end(text: bytes) -> bytes:
    return text[: text.index(b"\n", len(text) // 2) + 1]


def _row_middle(text: bytes) -> bytes:
    return text[: text.index(b"customer ", len(text) // 2) + 12]


def _hole(text: bytes) -> bytes:
    """From the middle of one row to the middle of another: blocks that were lost on the way."""
    start, end = (text.index(b"customer ", len(text) * share // 10) + 12 for share in (2, 4))
    return text[:start] + text[end + 40 :]


def _emptied(text: bytes) -> bytes:
    return _ORDERS.sub(rb"\1\3", text)


def _row_lost(text: bytes) -> bytes:
    return _ORDERS.sub(lambda match: match[1] + match[2].split(b"\n", 1)[1] + match[3], text)


def _page_of_zeros(text: bytes) -> bytes:
    at = len(text) // 2 // 4096 * 4096
    return text[:at] + bytes(4096) + text[at + 4096 :]


def _block_lost(text: bytes) -> bytes:
    return _ORDERS.sub(b"", text)


def _unclosed(text: bytes) -> bytes:
    return text[: text.index(b"\n\\.\n") + 1] + b"--\n-- PostgreSQL database dump complete\n--\n"


def _without_end(text: bytes) -> bytes:
    return text[: text.index(b"--\n-- PostgreSQL database dump complete")]


def _letter(text: bytes) -> bytes:
    return text.replace(b"customer ", b"customor ", 1)


def _one(
    name: str, source: str, english: str, korean: str, inject: Callable[[StoredLab], None], *caught_by: str
) -> Damage[StoredLab]:
    return damage(name, source, english, korean, inject, restore_plain, *caught_by)


AREA = Area(
    "stored-plain-dumps",
    lab("plain"),
    detect,
    (
        _one(
            "plain-encoding-changed",
            "",
            "The dump says that it is in another encoding",
            "덤프가 다른 인코딩이라고 말함",
            _text(lambda text: text.replace(b"client_encoding = 'UTF8'", b"client_encoding = 'LATIN1'", 1)),
            _DEFINED,
        ),
        _one(
            "plain-key-lost",
            "",
            "A primary key is made no more, all rows are there",
            "기본 키가 사라지고 행은 모두 있음",
            _text(lambda text: _KEY.sub(b"", text, count=1)),
            _DEFINED,
        ),
        _one(
            "plain-line-ends",
            "",
            "Line feeds became carriage return and line feed on the way",
            "전송 중 줄바꿈이 CRLF로 바뀜",
            _text(lambda text: text.replace(b"\n", b"\r\n")),
            _WHOLE,
        ),
        _one(
            "plain-words-of-the-tool",
            "",
            "The words of pg_dump on its error output are in the dump",
            "pg_dump의 오류 출력이 덤프에 섞임",
            _text(lambda text: text.replace(b"\nCREATE VIEW", b"\npg_dump: warning: circular keys\nCREATE VIEW", 1)),
            _DEFINED,
        ),
        _one(
            "plain-cut-at-a-line",
            "A13",
            "pg_dump ended half way, at the end of a line; the gzip file is whole",
            "pg_dump가 줄 끝에서 중단, gzip은 온전함",
            _text(_line_end),
            _WHOLE,
            _TABLES,
        ),
        _one(
            "plain-cut-in-a-row",
            "A14",
            "pg_dump ended half way, inside of a row; the gzip file is whole",
            "pg_dump가 행 중간에서 중단, gzip은 온전함",
            _text(_row_middle),
            _WHOLE,
        ),
        _one(
            "plain-gzip-cut-off",
            "A15",
            "The gzip file is cut off",
            "gzip 파일이 잘림",
            _file(lambda old: old[: len(old) * 6 // 10]),
            _WHOLE,
        ),
        _one(
            "plain-gzip-without-trailer",
            "A15",
            "The last bytes of the gzip file are missing",
            "gzip 파일의 마지막 바이트가 없음",
            _file(lambda old: old[:-6]),
            _WHOLE,
        ),
        _one("plain-empty", "A11", "A gzip file of nothing", "빈 내용의 gzip", _text(lambda _: b""), _WHOLE, _SMALL),
        _one(
            "plain-of-words",
            "A19",
            "An error message in place of a dump",
            "덤프 대신 오류 메시지",
            _text(lambda _: b"pg_dump: error: server version mismatch\n" * 99),
            _WHOLE,
        ),
        _one(
            "plain-letter-changed",
            "A16",
            "One letter changed",
            "글자 하나가 바뀜",
            _text(_letter, cover=False),
            _STORED,
        ),
        _one(
            "plain-table-emptied",
            "A17",
            "The rows of one COPY block are gone",
            "COPY 블록 하나의 행이 사라짐",
            _text(_emptied),
            _TABLES,
        ),
        _one("plain-row-lost", "", "One row is missing", "행 하나가 없음", _text(_row_lost), _TABLES),
        _one(
            "plain-table-lost",
            "",
            "A whole COPY block is missing",
            "COPY 블록 전체가 없음",
            _text(_block_lost),
            _TABLES,
        ),
        _one("plain-hole", "", "A stretch in the middle is missing", "중간 일부가 없음", _text(_hole), _WHOLE, _TABLES),
        _one(
            "plain-zeros",
            "",
            "A page of zeros in the middle",
            "중간에 0으로 채워진 페이지",
            _text(_page_of_zeros),
            _WHOLE,
        ),
        _one(
            "plain-block-unclosed",
            "",
            "A COPY block is not closed, and an end line was put behind it",
            "닫히지 않은 COPY 블록 뒤에 끝 줄",
            _text(_unclosed),
            _WHOLE,
        ),
        _one(
            "plain-without-end-line", "A13", "Only the end line is missing", "끝 줄만 없음", _text(_without_end), _WHOLE
        ),
        _one(
            "plain-twice",
            "",
            "Two dumps one behind the other",
            "덤프 두 개가 이어 붙음",
            _text(lambda text: text + text),
            _WHOLE,
        ),
        _one(
            "plain-statement-behind-the-end",
            "",
            "A statement stands behind the end line",
            "끝 줄 뒤에 문장이 있음",
            _text(lambda text: text + b"DROP TABLE orders;\n"),
            _WHOLE,
        ),
        _one(
            "plain-command-of-psql",
            "",
            "psql would run a program",
            "psql이 프로그램을 실행하게 됨",
            _text(lambda text: text.replace(b"\nSET ", b"\n\\! true\nSET ", 1)),
            _WHOLE,
        ),
        _one(
            "plain-gzip-garbage",
            "",
            "Garbage behind the gzip file",
            "gzip 뒤에 쓰레기 바이트",
            _file(lambda old: old + bytes(10)),
            _WHOLE,
        ),
        _one(
            "plain-two-gzip-members",
            "",
            "A second gzip member with a second dump",
            "두 번째 gzip 멤버에 두 번째 덤프",
            _file(lambda old: old + gzip.compress(b"SELECT 1;\n")),
            _WHOLE,
        ),
        _one(
            "plain-not-packed",
            "",
            "A plain file under the name of a packed one",
            "압축되지 않은 파일이 .gz 이름을 가짐",
            _file(lambda old: gzip.decompress(old)),
            _WHOLE,
        ),
    ),
)
