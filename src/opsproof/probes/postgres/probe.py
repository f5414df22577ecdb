"""The probe of a PostgreSQL database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from typing_extensions import override

from opsproof.errors import BadAnswer, NoData, NotObserved, OpsproofError, PreconditionMissing, Refused
from opsproof.evidence.observer import Observer, Question
from opsproof.probes.postgres.guard import objection
from opsproof.probes.postgres.values import literal, plain
from opsproof.probes.probe import Probe
from opsproof.probes.progress import Progress
from opsproof.probes.reason import Reason
from opsproof.profile.targets import PostgresTarget

if TYPE_CHECKING:
    from opsproof.probes.postgres.session import Sessions

_PARAMETER = re.compile(r"%\((\w+)\)s|%%")
_NO_CURSOR = ("show", "explain")
_SHOWN = ("sslmode", "sslrootcert", "options", "target_session_attrs")


@dataclass(frozen=True, slots=True)
class Rows:
    """
    The rows of a statement.

    Attributes:
        columns: Names of the columns.
        rows: A list of plain values for each row.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """The rows as evidence keeps them: by column name, so that what is named as a secret is masked."""
        return {"columns": list(self.columns), "rows": self.as_dicts()}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """The rows as evidence kept them."""
        columns = tuple(kept["columns"])
        return cls(columns, tuple(tuple(row[column] for column in columns) for row in kept["rows"]))

    def as_dicts(self) -> list[dict[str, Any]]:
        """A new dict for each row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class PostgresProbe(Probe):
    """
    Asks a PostgreSQL database, in transactions that are read-only and rolled back.

    It sends one statement at a time that begins with SELECT, WITH, SHOW, TABLE, VALUES or EXPLAIN, with a statement and
    a lock timeout below the question's own limit; functions that act are refused.
    """

    def __init__(self, name: str, target: PostgresTarget, observer: Observer) -> None:
        super().__init__(name, target, observer)
        self._target = target
        self._sessions: Sessions | None = None

    async def rows(self, sql: str, *, fresh: bool = False, **parameters: Any) -> list[dict[str, Any]]:
        """
        The rows of a statement.

        Args:
            sql: One reading statement, with `%(name)s` for its parameters.
            fresh: True to ask even if this sweep has asked it before.
            **parameters: Values of the statement's parameters.

        Returns:
            A dict for each row, with plain JSON values: times in ISO 8601, intervals in seconds, bytea in hex.

        Raises:
            Refused: The statement does more than read; nothing was sent.
            NotObserved: There is no answer; says why.
        """
        return (await self._ask(sql, parameters, fresh=fresh)).as_dicts()

    async def value(self, sql: str, *, fresh: bool = False, **parameters: Any) -> Any:
        """
        The value of a statement that gives one row of one column. Arguments as for `rows`.

        Raises:
            NoData: There is no row, or the value is NULL.
            BadAnswer: There are several rows or columns.
            Refused, NotObserved: As for `rows`.
        """
        answer = await self._ask(sql, parameters, fresh=fresh)
        question = _question(sql, parameters)
        if len(answer.rows) > 1 or len(answer.columns) != 1:
            raise self._error(
                Reason(
                    BadAnswer,
                    f"{len(answer.rows)} rows of {len(answer.columns)} columns where one value was expected",
                    "Let the statement give one row of one column, or read it with rows().",
                ),
                question,
            )
        if not answer.rows or answer.rows[0][0] is None:
            raise self._error(
                Reason(
                    NoData,
                    "NULL where a value was expected" if answer.rows else "no row where a value was expected",
                    "See whether what the statement looks for was ever written; try it by hand.",
                ),
                question,
            )
        return answer.rows[0][0]

    async def _ask(self, sql: str, parameters: Mapping[str, Any], *, fresh: bool) -> Rows:
        text = _question(sql, parameters)
        if what := objection(sql):
            raise Refused(
                f"not sent: {what}",
                where=self.observer.where(text),
                next_step="Read with one plain SELECT; opsproof changes nothing in a database.",
            )

        progress = Progress()

        async def fetch() -> Rows:
            return await self._query(sql, parameters, text, progress)

        def overdue(limit: float) -> NotObserved:
            return self._error(progress.overdue(limit), text)

        by_hand = f"psql {quote(self._conninfo())} -c {quote(_filled_in(sql, parameters))}"
        return await self.observer.ask(Question(text, by_hand), fetch, Rows, fresh=fresh, overdue=overdue)

    async def _query(self, sql: str, parameters: Mapping[str, Any], question: str, progress: Progress) -> Rows:
        import psycopg

        from opsproof.probes.postgres.session import MOST_ROWS, NotConnected

        cursor = not sql.lstrip("( \n\t").lower().startswith(_NO_CURSOR)
        try:
            table = await self._open(question).query(sql, parameters, progress, cursor=cursor)
        except (NotConnected, psycopg.Error) as exc:
            failed: Exception = exc
        else:
            if len(table.rows) > MOST_ROWS:
                reason = Reason(BadAnswer, f"more than {MOST_ROWS} rows", "Count or limit in the statement.")
                raise self._error(reason, question)
            if len(set(table.columns)) < len(table.columns):
                reason = Reason(BadAnswer, "two columns with the same name", "Give each column a name of its own (AS).")
                raise self._error(reason, question)
            return Rows(table.columns, tuple(tuple(map(plain, row)) for row in table.rows))
        raise await self._explained(failed, sql, question, cursor=cursor)

    async def _explained(self, failed: Exception, sql: str, question: str, *, cursor: bool) -> OpsproofError:
        import psycopg

        from opsproof.probes.postgres.failures import not_answered, not_connected
        from opsproof.probes.postgres.session import CURSOR

        if not isinstance(failed, psycopg.Error):
            return self._error(not_connected(failed.__cause__), question)
        if isinstance(failed, psycopg.errors.ReadOnlySqlTransaction):
            return Refused(
                f"the database refused it in a read-only session: {failed.diag.message_primary}",
                where=self.observer.where(question),
                next_step="Read with one plain SELECT; opsproof changes nothing in a database.",
            )
        reason = not_answered(failed, len(CURSOR) if cursor else 0)
        if isinstance(failed, psycopg.errors.LockNotAvailable):
            reason = reason._replace(what=reason.what + await self._lock_holders(sql, question))
        return self._error(reason, question)

    async def _lock_holders(self, sql: str, question: str) -> str:
        """Who holds a lock on a table of the statement, as the end of a sentence; "" if that cannot be told."""
        import psycopg

        from opsproof.probes.postgres.session import NotConnected

        try:
            holders = await self._open(question).lock_holders()
        except (psycopg.Error, NotConnected):
            return ""
        return "".join(
            f"; {holder.table} is locked by pid {holder.pid} ({holder.application or 'unnamed'}, {holder.state}"
            + (")" if holder.seconds is None else f", for {holder.seconds:.0f} s)")
            for holder in holders
            if holder.table.lower() in sql.lower()
        )

    def _open(self, question: str) -> Sessions:
        from opsproof.probes.postgres.session import Sessions

        if self._sessions is None:
            try:
                self._sessions = Sessions(self._target.dsn.get_secret_value(), self.observer.timeout)
            except ValueError:
                reason = Reason(
                    PreconditionMissing,
                    "the dsn of the profile cannot be read",
                    "Percent-encode special characters in user and password, and check the names of its parameters.",
                )
                raise self._error(reason, question) from None
        return self._sessions

    def _conninfo(self) -> str:
        """The database's address for psql, without what is secret."""
        parts = urlsplit(self._target.dsn.get_secret_value())
        words = {
            "host": parts.hostname,
            "port": parts.port,
            "user": unquote(parts.username or ""),
            "dbname": unquote(parts.path.lstrip("/")),
        } | {name: values[-1] for name, values in parse_qs(parts.query).items() if name in _SHOWN}
        return " ".join(f"{name}={value}" for name, value in words.items() if value)

    @override
    async def _disconnect(self) -> None:
        if self._sessions is not None:
            await self._sessions.close()


def _question(sql: str, parameters: Mapping[str, Any]) -> str:
    """The statement in one line, and its parameters; equal texts ask the same."""
    filled_in = " ".join(f"{name}={literal(value)}" for name, value in sorted(parameters.items()))
    return " ".join(filter(None, (" ".join(sql.split()), filled_in and f"with {filled_in}")))


def _filled_in(sql: str, parameters: Mapping[str, Any]) -> str:
    """The statement with its parameters written into it."""
    if not parameters:
        return sql.strip()

    def written(match: re.Match[str]) -> str:
        return "%" if match[1] is None else literal(parameters.get(match[1]))

    return _PARAMETER.sub(written, sql).strip()
