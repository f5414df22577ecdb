"""
Damage of restored copies: of the data in one, and of a recovery from a base backup.

Not here, because one machine cannot do it: a real change of glibc's or ICU's collation (simulated: the index is given
the collation of other rules), and a slower disk (the times of a rehearsal say nothing of it).
"""

from opsproof.rehearsal.damage.damage import Area
from opsproof.rehearsal.damage.restored.access import ACCESS
from opsproof.rehearsal.damage.restored.copies import Copy, copy_on, detect
from opsproof.rehearsal.damage.restored.recoveries import Recovery, recovery_on
from opsproof.rehearsal.damage.restored.recoveries import detect as detect_in_recovery
from opsproof.rehearsal.damage.restored.recovering import RECOVERIES
from opsproof.rehearsal.damage.restored.rows import CONTENT, SEQUENCES
from opsproof.rehearsal.damage.restored.structure import CONSTRAINTS, EXTENSIONS, INDEXES, STRUCTURE

RESTORED_DATA: Area[Copy] = Area(
    "restored-data",
    copy_on,
    detect,
    (*CONTENT, *SEQUENCES, *ACCESS, *EXTENSIONS, *INDEXES, *CONSTRAINTS, *STRUCTURE),
)
"""What is wrong with the data of a copy that was restored."""

RECOVERED_SERVERS: Area[Recovery] = Area("recovered-servers", recovery_on, detect_in_recovery, RECOVERIES)
"""What is wrong with a recovery from a base backup and its archive."""

AREAS = (RESTORED_DATA, RECOVERED_SERVERS)
