"""What the source was when its backup was made: taken then, kept beside the backup, compared with every copy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opsproof.rehearsal.node import Node
from opsproof.rehearsal.restored.content import LARGE_OBJECTS, content_hashes
from opsproof.rehearsal.restored.inventory import Inventory, read_inventory, read_sequences


@dataclass(frozen=True)
class Reference:
    """
    Plain JSON throughout (`dataclasses.asdict`, `Reference(**kept)`).

    Attributes:
        inventory: By kind and name, the facts of everything in the database, and of its roles.
        rows: By table (`schema.table`), how many rows it has.
        contents: By table, {"rows", "bytes", "sha256"} of its ordered rows; leave out those that go on changing.
        sequences: By sequence, its last value.
        totals: By name, the value of each business total.
    """

    inventory: Inventory
    rows: dict[str, int]
    contents: dict[str, dict[str, Any]] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    totals: dict[str, Any] = field(default_factory=dict)


async def reference_of(node: Node, totals: Mapping[str, str] | None = None) -> Reference:
    """
    Read everything of a source that nobody writes to meanwhile (a standby that is paused, or before the backup).

    Args:
        totals: By name, SQL that gives one value.

    Raises:
        NotObserved: It cannot be read.
    """
    contents = await content_hashes(node)
    return Reference(
        inventory=await read_inventory(node),
        rows={table: one["rows"] for table, one in contents.items() if table != LARGE_OBJECTS},
        contents=contents,
        sequences={one["sequence"]: one["last_value"] for one in await read_sequences(node)},
        totals={name: await node.value(sql) for name, sql in (totals or {}).items()},
    )
