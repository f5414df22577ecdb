"""Read the SQL of a dump from its first byte to its last, in bounded memory."""

import re
from datetime import datetime

from opsproof.rehearsal.stored.rows import Rows, time_of

_TOKEN = re.compile(rb"""'|"|\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\$|--|/\*|;|\x00|(?<=\n)\\""")
_ESCAPED = re.compile(rb"\\.|''|'", re.DOTALL)
_ESCAPE_MARK = re.compile(rb"(?:\A|[^\w\x80-\xff])[eE]\Z")
_WORD = re.compile(rb"[\w\x80-\xff]\Z")
_LONGEST_TOKEN = 130
_LONGEST_HEAD = 64 << 10
_PART = rb'(?:"(?:[^"]|"")*+"|[^\s("]++)++'
_COPY = re.compile(rb"COPY (" + _PART + rb")\s*(?:\((.*)\)\s*)?FROM stdin", re.DOTALL)
_INSERT = re.compile(rb"INSERT INTO (" + _PART + rb")\s")
_TABLE = re.compile(rb"CREATE (?:UNLOGGED )?TABLE (" + _PART + rb")\s")
_ATTACH = re.compile(rb"ALTER TABLE (?:ONLY )?(" + _PART + rb") ATTACH PARTITION (" + _PART + rb")\s")
_DATABASE = re.compile(rb"CREATE DATABASE (" + _PART + rb")\s")
_MADE = re.compile(rb"CREATE (?:OR REPLACE |UNIQUE |UNLOGGED |MATERIALIZED )*([A-Z]+)")
_KINDS = {
    "constraints": re.compile(rb"ALTER TABLE [^;]* ADD CONSTRAINT "),
    "owners": re.compile(rb"ALTER [A-Z ]+ [^;]* OWNER TO "),
    "grants": re.compile(rb"GRANT "),
    "values of sequences": re.compile(rb"SELECT pg_catalog\.setval\("),
}
_IDENTIFIER = re.compile(r'"((?:[^"]|"")*)"|([^.,\s]+)')
_LITERAL = re.compile(rb"'([^']*)'")
_END = b"-- PostgreSQL database dump complete"
_SERVER, _TOOL = b"-- Dumped from database version ", b"-- Dumped by pg_dump version "
_HARMLESS = (b"\\restrict ", b"\\unrestrict ", b"\\connect ")
_AT_MOST = 20


class SqlScan:
    """
    A plain dump, fed piece by piece.

    Args:
        heartbeat: Name of the heartbeat's table; without a schema it is that of any schema.
        column: Its column with the time.
        columns: Whether to count the columns of all rows; the blocks of a custom dump have a length, and a hole shows.

    Attributes:
        tables: Rows by `schema.table`, partitions counted for their parents too; 0 for one without data.
        newest: Time of the newest heartbeat; None if there is none.
        server: Version of the server that it is of; "" if it does not say.
        tool: Version of the pg_dump that wrote it; "" if it does not say.
        database: Its database; "" if it does not say.
        kinds: How many objects of each kind it would make: `index`, `constraints`, `owners`; and the settings that
            say what its bytes mean.
        problems: What is wrong with it.
    """

    def __init__(self, heartbeat: str, column: str, *, columns: bool = True) -> None:
        self.newest: datetime | None = None
        self.server = self.tool = self.database = ""
        self.kinds: dict[str, int] = {}
        self.problems: list[str] = []
        self._heartbeat, self._column, self._columns = heartbeat, column, columns
        self._rows: dict[str, int] = {}
        self._parents: dict[str, str] = {}
        self._buffer = b"\n"
        self._at = 1
        self._inside = b""
        self._head = bytearray()
        self._comment = bytearray()
        self._copy: Rows | None = None
        self._ended = False
        self._behind = False

    @property
    def tables(self) -> dict[str, int]:
        """Rows by `schema.table`."""
        whole = dict(self._rows)
        for table in sorted(self._rows):
            parent, seen = self._parents.get(table), {table}
            while parent and parent not in seen:
                whole[parent] = whole.get(parent, 0) + self._rows[table]
                seen.add(parent)
                parent = self._parents.get(parent)
        return whole

    @property
    def parents(self) -> list[str]:
        """Tables that have partitions."""
        return sorted(set(self._parents.values()))

    def feed(self, piece: bytes) -> None:
        """Read a further piece."""
        self._buffer = self._buffer[self._at - 1 :] + piece
        self._at = 1
        self._read(final=False)

    def finish(self) -> None:
        """The dump is over: `problems` says what is wrong with it."""
        self._read(final=True)
        if self._copy is not None:
            told = f"it ends inside of the data of {self._copy.table}, after {self._copy.rows} rows"
            self._object(told)
        elif self._inside not in (b"", b"--"):
            self._object(f"it ends inside of a {_QUOTED.get(self._inside, 'quoted text')}")
        elif self._head.strip():
            self._object(f"it ends inside of a statement: {_shown(self._head)}")
        if not self._ended:
            self._object("its end line is missing (PostgreSQL database dump complete): it was cut off")
        if self._behind:
            self._object("something stands behind its end line")

    def _object(self, problem: str) -> None:
        if problem not in self.problems and len(self.problems) < _AT_MOST:
            self.problems.append(problem)

    def _read(self, *, final: bool) -> None:
        while self._at < len(self._buffer):
            before = self._at, self._inside, self._copy
            if self._copy is not None:
                self._rows_of(self._copy, final=final)
            elif self._inside:
                self._quoted(final=final)
            else:
                self._plain(final=final)
            if before == (self._at, self._inside, self._copy):
                return

    def _plain(self, *, final: bool) -> None:
        token = _TOKEN.search(self._buffer, self._at)
        safe = len(self._buffer) if final else max(self._at, len(self._buffer) - _LONGEST_TOKEN)
        if token is None or (token.start() >= safe and not final):
            self._keep(self._buffer[self._at : safe])
            self._at = safe
            return
        self._keep(self._buffer[self._at : token.start()])
        self._at, found = token.end(), token.group()
        if found == b"\0":
            self._object("a NUL byte stands in it: it is damaged")
        elif found == b";":
            self._statement()
        elif found == b"\\":
            self._inside = b"\\"
            self._comment = bytearray(found)
        elif found in (b"--", b"/*"):
            self._inside = found
            self._comment = bytearray(found)
        else:
            before = self._buffer[max(0, token.start() - 2) : token.start()]
            self._keep(found)
            if found == b"'" and _ESCAPE_MARK.search(before):
                self._inside = b"E'"
            elif not (found.startswith(b"$") and _WORD.search(before)):
                self._inside = found

    def _quoted(self, *, final: bool) -> None:
        end = {b"--": b"\n", b"\\": b"\n", b"/*": b"*/", b"E'": b"'"}.get(self._inside, self._inside)
        if self._inside == b"E'":
            start, stop = self._escaped_end()
        else:
            start = self._buffer.find(end, self._at)
            stop = start + len(end)
        if start < 0:
            safe = len(self._buffer) if final else max(self._at, len(self._buffer) - len(end) + 1)
            if self._inside == b"E'" and not final:
                safe = max(self._at, stop)
            self._hold(self._buffer[self._at : safe])
            self._at = safe
            return
        self._hold(self._buffer[self._at : stop])
        self._at = stop
        if self._inside in (b"--", b"\\"):
            self._line(bytes(self._comment).strip())
            self._at -= 1  # the next line begins behind this line feed
        self._inside = b""

    def _escaped_end(self) -> tuple[int, int]:
        """Where an E'...' ends; else -1, and up to where it was read."""
        at = self._at
        for token in _ESCAPED.finditer(self._buffer, self._at):
            if token.group() == b"'":
                if token.end() == len(self._buffer):
                    return -1, token.start()
                return token.start(), token.end()
            at = token.end()
        return -1, max(at, len(self._buffer) - 1)

    def _hold(self, text: bytes) -> None:
        if self._inside in (b"--", b"\\", b"/*"):
            self._comment += text[: max(0, 512 - len(self._comment))]
        else:
            if b"\0" in text:
                self._object("a NUL byte stands in it: it is damaged")
            self._keep(text)

    def _keep(self, text: bytes) -> None:
        if self._ended and text.strip():
            self._behind = True
        if not self._head:
            text = text.lstrip()
        self._head += text[: max(0, _LONGEST_HEAD - len(self._head))]

    def _line(self, line: bytes) -> None:
        """A comment, or a command of psql."""
        if line.startswith(b"\\"):
            if not line.startswith(_HARMLESS):
                self._object(f"psql would run a command that pg_dump does not write: {_shown(line)}")
            elif self._ended and not line.startswith(b"\\unrestrict "):
                self._behind = True
        elif line == _END:
            self._behind = self._behind or self._ended
            self._ended = True
        elif line.startswith(_SERVER):
            self.server = line.removeprefix(_SERVER).decode(errors="replace").split()[0]
        elif line.startswith(_TOOL):
            self.tool = line.removeprefix(_TOOL).decode(errors="replace").split()[0]

    def _statement(self) -> None:
        head = bytes(self._head).strip()
        self._head.clear()
        if self._ended:
            self._behind = True
        for kind in _kinds(head):
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if copy := _COPY.fullmatch(head):
            columns = _names(copy[2] or b"")
            table = _name(copy[1])
            self._rows.setdefault(table, 0)
            heartbeat = self._column if _same(table, self._heartbeat) else None
            self._copy = Rows(table, columns, heartbeat, counted=self._columns)
        elif insert := _INSERT.match(head):
            table = _name(insert[1])
            rows = max(1, head.count(b"\n\t("))
            self._rows[table] = self._rows.get(table, 0) + rows
            if _same(table, self._heartbeat):
                self._newer(max(filter(None, map(time_of, _LITERAL.findall(head))), default=None))
        elif made := _TABLE.match(head):
            self._rows.setdefault(_name(made[1]), 0)
        elif attached := _ATTACH.match(head):
            self._parents[_name(attached[2])] = _name(attached[1])
        elif database := _DATABASE.match(head):
            self.database = _name(database[1])

    def _rows_of(self, copy: Rows, *, final: bool) -> None:
        if not copy.begun:
            if self._buffer[self._at : self._at + 1] != b"\n":
                self._object(f"no line feed behind COPY {copy.table}")
            copy.begun = True
            self._at += 1
        end = self._buffer.find(b"\n\\.\n", self._at - 1)
        if end < 0 and final and self._buffer.endswith(b"\n\\."):
            end = len(self._buffer) - 3
        stop = end + 1 if end >= 0 else len(self._buffer) if final else max(self._at, len(self._buffer) - 3)
        copy.read(self._buffer, self._at, stop)
        self._at = stop
        if end >= 0:
            self._at = min(end + 4, len(self._buffer))
            self._at -= 1  # the line feed behind \. stays
            self._copy = None
            self._rows[copy.table] += copy.rows
            self._newer(copy.newest)
            for problem in copy.problems():
                self._object(problem)

    def _newer(self, at: datetime | None) -> None:
        if at is not None and (self.newest is None or at > self.newest):
            self.newest = at


_MEANING = re.compile(rb"SET (client_encoding|standard_conforming_strings) = ")
_QUOTED = {b"'": "quoted text", b"E'": "quoted text", b'"': "quoted name", b"/*": "comment", b"\\": "command"}


def _kinds(head: bytes) -> list[str]:
    made = _MADE.match(head)
    found = [made[1].decode().lower()] if made else []
    found += [_shown(head)] if _MEANING.match(head) else []
    return found + [kind for kind, pattern in _KINDS.items() if pattern.match(head)]


def _name(written: bytes) -> str:
    return ".".join(_names(written))


def _names(written: bytes) -> list[str]:
    found = _IDENTIFIER.findall(written.decode(errors="replace"))
    return [quoted.replace('""', '"') or plain for quoted, plain in found]


def _same(table: str, wanted: str) -> bool:
    return table == wanted or ("." not in wanted and table.rpartition(".")[2] == wanted)


def _shown(text: bytes | bytearray) -> str:
    return bytes(text[:60]).decode(errors="replace").strip()
