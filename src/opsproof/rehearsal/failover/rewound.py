"""Whether a server that was brought back is a true standby, and nothing of what it had alone is left or forgotten."""

from collections.abc import Mapping
from pathlib import Path

from opsproof.errors import NoData
from opsproof.evidence.redaction import MASK
from opsproof.rehearsal.failover import asked
from opsproof.rehearsal.failover.divergence import Divergence
from opsproof.rehearsal.failover.exports import Kept, sha256_of
from opsproof.rehearsal.failover.failback import settled_timeline
from opsproof.rehearsal.failover.lost_rows import Export
from opsproof.rehearsal.failover.next_start import next_start_faults
from opsproof.rehearsal.failover.pages import MOST_BYTES, page_faults, row_faults
from opsproof.rehearsal.failover.promotion import first_write, has_token, new_token
from opsproof.rehearsal.node import Node

_OF_THE_PART = (
    *("primary_conninfo", "primary_slot_name", "in_hot_standby", "transaction_read_only", "config_file"),
    *("recovery_target_timeline", "synchronous_standby_names", "external_pid_file"),
)


class RewoundVerification:
    """
    The old primary, after it was made a standby of the new one.

    Args:
        primary: The new primary.
        rewound: The old one.
        lost: What its timeline had alone; None if that was not counted.
        kept: What was kept of it; None if nothing was.
        before: Its settings before it was rewound.
        seconds: Within which a token that is written on the primary must be on it.
        full_read: Bytes of a database up to which every page of it is read.
    """

    def __init__(
        self,
        primary: Node,
        rewound: Node,
        lost: Divergence | None,
        kept: Kept | None,
        before: Mapping[str, str],
        *,
        seconds: float = 15.0,
        full_read: int = MOST_BYTES,
    ) -> None:
        self._primary = primary
        self._rewound = rewound
        self._lost = lost
        self._kept = kept
        self._before = before
        self._seconds = seconds
        self._full_read = full_read

    async def what_only_the_old_timeline_had_is_kept(self) -> list[str]:
        """
        Its commits were counted to the end of its WAL, each row that they wrote or deleted is in a file that nobody
        changed, and they did nothing else.
        """
        if self._lost is None:
            where, next_step = "the old primary's pg_wal", "Count its commits after the fork before pg_rewind."
            raise NoData("commits of the old timeline were not counted", where=where, next_step=next_step)
        found = []
        if not self._lost.whole:
            found.append(f"its WAL was read to {self._lost.end} only, short of its last checkpoint")
        found += [
            f"transaction {name} is prepared on the old timeline, and not decided" for name in self._lost.prepared
        ]
        if self._kept is None:
            count = len(self._lost.commits)
            return [*found, f"{count} commits of the old timeline, and nothing of them is kept"] if count else found
        if self._kept.missing:
            found.append(f"not exported: {'; '.join(self._kept.missing)}; the WAL of it is in {self._kept.folder}/wal")
        for export in self._kept.exports:
            file = Path(export.file)
            if not file.is_file():
                found.append(f"{export.rows} rows of {export.table} are not kept: {file.name} is not there")
            elif sha256_of(file) != export.sha256:
                found.append(f"{file.name} is not what was exported: its sha256 differs")
        for name, sha256 in self._kept.wal.items():
            file = Path(self._kept.folder) / "wal" / name
            if not file.is_file() or sha256_of(file) != sha256:
                found.append(f"the copy of WAL segment {name} of the old timeline is not there, or not what it was")
        return found

    async def the_new_primary_has_settled_on_its_timeline(self) -> list[str]:
        """Its control file knows the timeline that it writes; else pg_rewind saw an old one."""
        await settled_timeline(self._primary, force=False)
        return []

    async def what_is_written_now_arrives(self) -> list[str]:
        """It is in recovery, and a token that is written on the primary is there within the limit."""
        found = []
        if not await asked.recovers(self._rewound):
            found.append(f"{self._rewound.name} is not in recovery: it is no standby")
        token = await new_token(self._primary.asking, "arrives")
        written = await first_write(self._primary, token)
        if not written.commit.acknowledged:
            return [*found, f"{self._primary.name} takes no token: {written.commit.why}"]
        there = await asked.until(lambda: has_token(self._rewound, token, of=self._primary), bool, self._seconds)
        if not there:
            found.append(
                f"a token written on {self._primary.name} is not on {self._rewound.name} after {self._seconds:g} s"
            )
        return found

    async def nothing_is_left_that_only_it_has(self) -> list[str]:
        """No row of the old timeline is still on it, unless the primary has it too."""
        if self._lost is None:
            where, next_step = self._rewound.name, "Compare its rows with those of the primary by hand."
            raise NoData("what it had alone was not counted", where=where, next_step=next_step)
        found = []
        for export in self._kept.exports if self._kept else ():
            if not export.digests:
                continue
            sql = f"SELECT md5(t::text) AS digest FROM {export.table} t WHERE md5(t::text) = ANY(%(digests)s)"  # noqa: S608
            there = [await self._digests(node, export, sql) for node in (self._rewound, self._primary)]
            left = there[0] - there[1]
            if left:
                found.append(
                    f"{len(left)} of {export.rows} rows of {export.table} are still on {self._rewound.name} only"
                )
        return found

    async def its_configuration_is_its_own(self) -> list[str]:
        """Its settings are those from before: pg_rewind copies the files of the source."""
        now = await asked.settings(self._rewound)
        return [
            f"{name} of {self._rewound.name} is '{now.get(name, 'not there')}', before it was "
            f"'{self._before.get(name, 'not there')}'"
            for name in sorted({*now, *self._before})
            if name not in _OF_THE_PART and now.get(name) != (was := self._before.get(name)) and MASK not in (was or "")
        ]

    async def every_page_can_be_read(self) -> list[str]:
        """Every page of every table is read there: pg_rewind copies blocks, and checks none."""
        return await page_faults(self._rewound, self._full_read)

    async def tables_at_rest_have_the_same_rows_on_both(self) -> list[str]:
        """Rows of tables that nobody writes to meanwhile are the primary's, byte for byte."""
        return await row_faults(self._primary, self._rewound, self._full_read, self._seconds)

    async def its_next_start_is_like_this_one(self) -> list[str]:
        """No line of its files is wrong, and none waits for a restart or a reload."""
        return await next_start_faults(self._rewound)

    async def _digests(self, node: Node, export: Export, sql: str) -> set[str]:
        import psycopg.conninfo

        there = Node(node.name, psycopg.conninfo.make_conninfo(node.conninfo, dbname=export.database), node.asking)
        return {row["digest"] for row in await there.rows(sql, digests=list(export.digests))}
