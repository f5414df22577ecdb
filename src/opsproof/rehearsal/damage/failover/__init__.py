"""Damage to pairs of servers: a standby that could not take over, a promotion that went wrong, a way back that lied."""
