"""The reference services of the embedded stack: one folder a system, over a real PostgreSQL and Valkey."""
