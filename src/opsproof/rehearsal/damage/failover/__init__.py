"""Damage to pairs of servers: a standby that could not take over, a promotion that went wrong, a way back that lied."""

from opsproof.rehearsal.damage.failover import promotions, returns, standby

AREAS = (standby.AREA, promotions.AREA, returns.AREA)
