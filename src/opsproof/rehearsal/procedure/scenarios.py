"""Which class goes through which scenario."""

from typing import TYPE_CHECKING

from opsproof.rehearsal.procedure.damaged_database import DamagedDatabase
from opsproof.rehearsal.procedure.polluted_data import PollutedData
from opsproof.rehearsal.procedure.recovery import Recovery
from opsproof.rehearsal.procedure.region_loss import RegionLoss
from opsproof.rehearsal.procedure.surroundings import Surroundings

if TYPE_CHECKING:
    from opsproof.rehearsal.procedure.rehearsal import Rehearsal

_OF: dict[str, type[Recovery]] = {
    "region-loss": RegionLoss,
    "damaged-database": DamagedDatabase,
    "polluted-data": PollutedData,
}


def recovery_of(rehearsal: "Rehearsal", surroundings: Surroundings) -> Recovery:
    """The steps of the rehearsal's scenario."""
    return _OF[rehearsal.plan.scenario](rehearsal, surroundings)
