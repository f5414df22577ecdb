"""Settings and files that a standby needs to do the primary's work; compared both ways."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

AT_LEAST = (
    "max_connections",
    "max_worker_processes",
    "max_wal_senders",
    "max_prepared_transactions",
    "max_locks_per_transaction",
    "max_replication_slots",
)
"""A standby with less than its primary stops replaying, or does not start; a new primary with less refuses clients."""

ALIKE = (
    *("server_version_num", "block_size", "wal_block_size", "segment_size", "wal_segment_size", "data_checksums"),
    *("wal_level", "archive_mode", "fsync", "full_page_writes", "synchronous_commit", "wal_log_hints"),
    *("default_transaction_read_only", "default_transaction_isolation", "default_transaction_deferrable"),
    *("autovacuum", "track_counts", "track_commit_timestamp", "shared_preload_libraries", "session_preload_libraries"),
    *("local_preload_libraries", "password_encryption", "ssl", "ssl_min_protocol_version", "row_security"),
    *("TimeZone", "DateStyle", "IntervalStyle", "bytea_output", "extra_float_digits", "search_path"),
    *("server_encoding", "default_text_search_config", "standard_conforming_strings", "transform_null_equals"),
    *("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"),
    *("idle_session_timeout", "default_tablespace", "temp_tablespaces", "zero_damaged_pages", "ignore_system_indexes"),
    *("session_replication_role", "ignore_checksum_failure", "exit_on_error", "vacuum_truncate"),
    *("max_slot_wal_keep_size", "allow_in_place_tablespaces", "lc_monetary", "lc_numeric", "lc_time"),
)
"""A difference changes what a statement does, what is kept, or who is let in."""

_DOES_NOTHING = re.compile(r"^\s*(?:(?:/\S*/)?true|:|exit(?:\s+0)?|(?:/\S*/)?false|exit\s+\d+)\s*;?\s*$")


def limit_faults(name: str, own: Mapping[str, str], primary: Mapping[str, str]) -> list[str]:
    """Limits of a server (`name`) that are lower than those of the primary whose work it does, or is to do."""
    return [
        f"{setting} of {name} is {own[setting]}, that of the primary {primary[setting]}"
        for setting in AT_LEAST
        if setting in own and setting in primary and int(own[setting]) < int(primary[setting])
    ]


def setting_faults(name: str, own: Mapping[str, str], primary: Mapping[str, str]) -> list[str]:
    """Settings in `ALIKE` that a server (`name`) does not share with the primary; also where only one has them."""
    return [
        f"{setting} of {name} is '{own.get(setting, 'not there')}', that of the primary "
        f"'{primary.get(setting, 'not there')}'"
        for setting in ALIKE
        if own.get(setting) != primary.get(setting)
    ]


def rewind_faults(name: str, own: Mapping[str, str]) -> list[str]:
    """Why pg_rewind could not bring a server back; known before the disaster, or too late."""
    found = []
    if own["data_checksums"] != "on" and own["wal_log_hints"] != "on":
        found.append(f"{name} has neither data_checksums nor wal_log_hints: pg_rewind refuses it")
    if own["full_page_writes"] != "on":
        found.append(f"full_page_writes of {name} is off: pg_rewind refuses it")
    return found


def extension_faults(
    name: str, installed: Sequence[Mapping[str, Any]], available: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Extensions of the primary's database of which the standby's installation lacks the script of that version."""
    there: dict[str, set[str]] = {}
    for row in available:
        there.setdefault(row["name"], set()).add(row["version"])
    return [
        f"extension {row['name']} {row['version']} is not installed on the machine of {name}, which has "
        f"{', '.join(sorted(there.get(row['name'], ()))) or 'no version of it'}"
        for row in installed
        if row["version"] not in there.get(row["name"], ())
    ]


def archive_faults(name: str, own: Mapping[str, str]) -> list[str]:
    """Why a server (`name`) archives nothing, as far as its settings tell."""
    if own["archive_mode"] == "off":
        return [f"archive_mode of {name} is off: it archives nothing, and needs a restart to begin"]
    command, library = own["archive_command"].strip(), own.get("archive_library", "").strip()
    if not command and not library:
        return [f"archive_command of {name} is empty: WAL is kept until the disk is full, and nothing is archived"]
    if not library and _DOES_NOTHING.match(command):
        return [f"archive_command of {name} is '{command}': it archives nothing, and the server believes it did"]
    return []


def access_faults(name: str, own: Sequence[Mapping[str, Any]], primary: Sequence[Mapping[str, Any]]) -> list[str]:
    """Rules of the primary's pg_hba.conf that a server (`name`) lacks, and rejections that only it has."""
    mine, theirs = ({_rule(row) for row in rows} for rows in (own, primary))
    found = [f"pg_hba.conf of {name} lacks the primary's rule `{rule}`" for rule in sorted(theirs - mine)]
    rejected = sorted(rule for rule in mine - theirs if rule.endswith(" reject"))
    return [*found, *(f"pg_hba.conf of {name} rejects whom the primary lets in: `{rule}`" for rule in rejected)]


def _rule(row: Mapping[str, Any]) -> str:
    return f"{row['type']} {row['databases']} {row['roles']} {row['auth_method']}"
