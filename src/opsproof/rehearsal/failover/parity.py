"""Settings and files that a standby needs to do the primary's work; compared both ways."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

from opsproof.evidence.redaction import MASK

AT_LEAST = (
    "max_connections",
    "max_worker_processes",
    "max_wal_senders",
    "max_prepared_transactions",
    "max_locks_per_transaction",
    "max_replication_slots",
)
"""A standby with less than its primary stops replaying, or does not start; a new primary with less refuses clients."""

MAY_DIFFER = frozenset(
    {
        # where it is, and what it is called
        *("config_file", "data_directory", "data_directory_mode", "hba_file", "ident_file", "external_pid_file"),
        *("listen_addresses", "port", "unix_socket_directories", "unix_socket_group", "unix_socket_permissions"),
        *("cluster_name", "bonjour_name", "server_version", "ssl_cert_file", "ssl_key_file", "ssl_ca_file"),
        *("ssl_crl_file", "ssl_crl_dir", "ssl_library", "krb_server_keyfile", "application_name", "client_encoding"),
        # the part that it plays; other questions judge these
        *("in_hot_standby", "transaction_read_only", "hot_standby", "hot_standby_feedback", "primary_conninfo"),
        *("primary_slot_name", "restore_command", "archive_command", "archive_cleanup_command", "archive_library"),
        *("recovery_end_command", "recovery_init_sync_method", "recovery_min_apply_delay", "recovery_prefetch"),
        *("recovery_target", "recovery_target_action", "recovery_target_inclusive", "recovery_target_lsn"),
        *("recovery_target_name", "recovery_target_time", "recovery_target_timeline", "recovery_target_xid"),
        *("synchronous_standby_names", "synchronized_standby_slots", "sync_replication_slots"),
        *("max_standby_archive_delay", "max_standby_streaming_delay", "wal_receiver_create_temp_slot"),
        *(
            "wal_receiver_status_interval",
            "wal_receiver_timeout",
            "wal_retrieve_retry_interval",
            "trace_recovery_messages",
        ),
        *("wal_keep_size", "wal_sender_timeout"),
        # the size of the machine
        *("shared_buffers", "shared_memory_size", "shared_memory_size_in_huge_pages", "shared_memory_type"),
        *("dynamic_shared_memory_type", "min_dynamic_shared_memory", "huge_pages", "huge_page_size"),
        *("huge_pages_status", "num_os_semaphores", "effective_cache_size", "wal_buffers", "work_mem"),
        *("maintenance_work_mem", "autovacuum_work_mem", "logical_decoding_work_mem", "hash_mem_multiplier"),
        *("temp_buffers", "commit_timestamp_buffers", "multixact_member_buffers", "multixact_offset_buffers"),
        *("notify_buffers", "serializable_buffers", "subtransaction_buffers", "transaction_buffers"),
        *("effective_io_concurrency", "maintenance_io_concurrency", "io_method", "io_workers", "io_combine_limit"),
        *("io_max_combine_limit", "io_max_concurrency", "random_page_cost", "seq_page_cost", "max_parallel_workers"),
        *("max_parallel_workers_per_gather", "max_parallel_maintenance_workers", "max_files_per_process"),
        *("max_wal_size", "min_wal_size", "checkpoint_timeout", "checkpoint_completion_target"),
        *("checkpoint_flush_after", "checkpoint_warning", "bgwriter_delay", "bgwriter_flush_after"),
        *("bgwriter_lru_maxpages", "bgwriter_lru_multiplier", "backend_flush_after", "wal_writer_delay"),
        *("wal_writer_flush_after", "wal_sync_method", "wal_skip_threshold"),
        # what it writes into its log
        *("lc_messages", "debug_print_parse", "debug_print_plan", "debug_print_rewritten", "debug_pretty_print"),
        *("event_source", "syslog_facility", "syslog_ident", "syslog_sequence_numbers", "syslog_split_messages"),
        *("client_min_messages", "update_process_title", "deadlock_timeout"),
        *AT_LEAST,
    }
)
"""
Settings in which servers that do the same work may differ, as well as those whose names begin with `log_`; limits of
`AT_LEAST` are judged apart.
"""

_DOES_NOTHING = re.compile(r"^\s*(?:(?:/\S*/)?true|:|exit(?:\s+0)?|(?:/\S*/)?false|exit\s+\d+)\s*;?\s*$")


def limit_faults(name: str, own: Mapping[str, str], primary: Mapping[str, str]) -> list[str]:
    """Limits of a server (`name`) that are lower than those of the primary whose work it does, or is to do."""
    return [
        f"{setting} of {name} is {own[setting]}, that of the primary {primary[setting]}"
        for setting in AT_LEAST
        if setting in own and setting in primary and int(own[setting]) < int(primary[setting])
    ]


def setting_faults(name: str, own: Mapping[str, str], primary: Mapping[str, str]) -> list[str]:
    """
    Settings of a server (`name`) that are others than the primary's, but for those in `MAY_DIFFER`.

    One that only one of them has is another version's, or one of an extension that was loaded there.
    """
    return [
        f"{setting} of {name} is '{own[setting]}', that of the primary '{primary[setting]}'"
        for setting in sorted(own.keys() & primary.keys() - MAY_DIFFER)
        if own[setting] != primary[setting] and not setting.startswith("log_") and MASK not in primary[setting]
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
    """
    Where the pg_hba.conf of a server (`name`) is not the primary's.

    Returns:
        Rules that it lacks, rules of its own (for another role or database, or by another way to log in: trust), and
        rules that are open to more addresses than any of the primary's.
    """
    mine, theirs = _open(own), _open(primary)
    found = [f"pg_hba.conf of {name} lacks the primary's rule `{rule}`" for rule in sorted(theirs.keys() - mine.keys())]
    for rule in sorted(mine.keys() - theirs.keys()):
        does = "rejects whom the primary lets in" if rule.endswith(" reject") else "lets in whom the primary does not"
        found.append(f"pg_hba.conf of {name} {does}: `{rule}`")
    for rule in sorted(mine.keys() & theirs.keys()):
        for family, (bits, address) in mine[rule].items():
            widest = theirs[rule].get(family)
            if widest is not None and bits < widest[0]:
                found.append(
                    f"pg_hba.conf of {name} has `{rule}` for {address}, the primary's is for {widest[1]} at most"
                )
    return found


def _open(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[int, tuple[int, str]]]:
    """By rule, and by version of IP, how many bits of the address are given at least, and that address."""
    rules: dict[str, dict[int, tuple[int, str]]] = {}
    for row in rows:
        widest = rules.setdefault(f"{row['type']} {row['databases']} {row['roles']} {row['auth_method']}", {})
        for family, bits, address in _addresses(row["address"], row["netmask"]):
            widest[family] = min(widest.get(family, (bits, address)), (bits, address))
    return rules


def _addresses(address: str | None, netmask: str | None) -> list[tuple[int, int, str]]:
    if address == "all":
        return [(4, 0, "all"), (6, 0, "all")]
    if address is None or netmask is None:  # by the socket, or by a name
        return []
    mask = ipaddress.ip_address(netmask)
    bits = int(mask).bit_count()
    return [(mask.version, bits, f"{address}/{bits}")]
