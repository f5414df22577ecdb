"""A standby takes over, and gives back: whether it could, whether it did, and what was lost on the way."""
