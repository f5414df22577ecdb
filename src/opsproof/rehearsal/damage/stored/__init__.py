"""Faults of stored backups: dumps in both forms, base backups, and their catalogue."""
