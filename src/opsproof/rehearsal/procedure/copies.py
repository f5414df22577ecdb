"""How much each copy would have lost at the moment of the failure, by the newest heartbeat that it can give back."""

import asyncio
from datetime import datetime

from opsproof.profile.backups import Bases, Dumps
from opsproof.rehearsal.archive.names import Kind, lsn_text, parse
from opsproof.rehearsal.clock.exposure import Exposures, newest_below
from opsproof.rehearsal.clock.ledger import Ledger
from opsproof.rehearsal.procedure.surroundings import Surroundings
from opsproof.rehearsal.stored.catalogue import read_catalogue


async def sample_copies(
    at: Surroundings, exposures: Exposures, ledger: Ledger, failure: datetime, timeline: int
) -> None:
    """
    Take a sample of the archive, and of the newest dump and base backup from before the failure.

    Args:
        at: Has the stores.
        exposures: Keeps the worst sample of each copy.
        ledger: What was written, and where in the WAL.
        failure: T0.
        timeline: The one that the old primary wrote.

    Raises:
        NotObserved: A store gives no answer.
    """
    backups = at.backups
    if backups.wal is not None:
        stored = await asyncio.to_thread(at.objects.names, backups.wal.prefix)
        named = [(parse(one.name.rpartition("/")[2]), one.size) for one in stored]
        segments = [(name, size) for name, size in named if name and name.kind is Kind.SEGMENT]
        ends = [name.start(size) + size for name, size in segments if name.timeline == timeline]
        newest = newest_below(ledger, lsn_text(max(ends)), timeline) if ends else None
        why = f"the archive ends at {lsn_text(max(ends))}" if ends else "the archive has no segment of this timeline"
        exposures.sample("archive", failure, newest, why)
    series: tuple[tuple[str, Dumps | Bases | None], ...] = (("dump", backups.dumps), ("base backup", backups.bases))
    for name, copies in series:
        if copies is not None and at.catalogue is not None:
            noted = (await asyncio.to_thread(read_catalogue, at.catalogue, copies.prefix)).entries.values()
            before = [one for one in noted if one.finished and one.finished <= failure]
            last = max(before, key=lambda one: one.finished or failure, default=None)
            why = (
                f"newest heartbeat noted for {last.name}" if last else "the catalogue has none from before the failure"
            )
            exposures.sample(name, failure, last.heartbeat if last else None, why)
