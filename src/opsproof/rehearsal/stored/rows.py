"""The rows of one COPY block, counted as they pass."""

from datetime import datetime

_LONGEST_LINE = 1 << 20


class Rows:
    """
    The data of one table, as COPY writes them: a line for each row, a tab between two columns.

    Args:
        table: Its name.
        columns: Names of its columns.
        heartbeat: Which of them is the time of a heartbeat; None if the table is another.
        counted: Whether to count the columns of all rows.

    Attributes:
        rows: So far.
        begun: Whether the line feed behind the statement was read.
        newest: Time of the newest heartbeat.
    """

    def __init__(self, table: str, columns: list[str], heartbeat: str | None, *, counted: bool) -> None:
        self.table = table
        self.rows = 0
        self.begun = False
        self.newest: datetime | None = None
        self._columns = columns
        self._counted = counted
        self._tabs = 0
        self._nul = False
        self._wrong = ""
        self._line = b""
        self._index: int | None = None
        if heartbeat is not None:
            if heartbeat in columns:
                self._index = columns.index(heartbeat)
            else:
                self._wrong = f"{table} has no column {heartbeat}"

    def read(self, buffer: bytes, start: int, stop: int) -> None:
        """Count the rows of a stretch."""
        first = buffer.find(b"\n", start, stop)
        if first >= 0:  # to find is far quicker than to count, and a row may have many megabytes
            self.rows += buffer.count(b"\n", first, stop)
        if self._counted:
            self._tabs += buffer.count(b"\t", start, stop)
        self._nul = self._nul or buffer.find(b"\0", start, stop) >= 0
        if self._index is not None:
            *lines, self._line = (self._line + buffer[start:stop]).split(b"\n")
            self._line = self._line[:_LONGEST_LINE]
            for line in lines:
                self._heartbeat(line.split(b"\t"), self._index)

    def problems(self) -> list[str]:
        """What is wrong with the block, now that it is over."""
        found = [self._wrong] if self._wrong else []
        if self._nul:
            found.append(f"a NUL byte stands in the data of {self.table}: it is damaged")
        if self._counted and self._tabs != self.rows * max(0, len(self._columns) - 1):
            found.append(
                f"the data of {self.table} are not whole: {self.rows} rows of {len(self._columns)} columns "
                f"with {self._tabs} tabs"
            )
        return found

    def _heartbeat(self, values: list[bytes], index: int) -> None:
        at = time_of(values[index]) if index < len(values) else None
        if at is None:
            self._wrong = f"a time of {self.table} cannot be read"
        elif self.newest is None or at > self.newest:
            self.newest = at


def time_of(written: bytes) -> datetime | None:
    """A time with its zone, as PostgreSQL writes it; None for what is none."""
    try:
        at = datetime.fromisoformat(written.decode("ascii"))
    except ValueError:
        return None
    return at if at.tzinfo else None
