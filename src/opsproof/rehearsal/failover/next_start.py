"""Whether a server would start again, and be the same: a running one does not mind what its files say by now."""

import re
from typing import Any

from opsproof.rehearsal.node import Node

_FILES = """
    SELECT 'postgresql.conf' AS kind, f.sourcefile AS file, f.sourceline AS line, f.name, f.setting AS later, f.error,
           s.setting AS now, s.unit, s.vartype AS type, s.enumvals AS words, s.source, s.category
    FROM pg_file_settings f LEFT JOIN pg_settings s ON lower(s.name) = lower(f.name)
    WHERE f.error IS NOT NULL OR NOT EXISTS
        (SELECT FROM pg_file_settings g WHERE lower(g.name) = lower(f.name) AND g.seqno > f.seqno)
    UNION ALL
    SELECT 'pg_hba.conf', current_setting('hba_file'), line_number, NULL, NULL, error,
           NULL, NULL, NULL, NULL, NULL, NULL
    FROM pg_hba_file_rules WHERE error IS NOT NULL
"""
_NUMBER = re.compile(r"([-+]?[\d.]+)\s*([A-Za-z]*)")
_UNITS = {
    "B": 1.0,
    "kB": 1024.0,
    "MB": 1024.0**2,
    "GB": 1024.0**3,
    "TB": 1024.0**4,
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}
_YES, _NO = ("on", "true", "yes", "1", "t", "y"), ("off", "false", "no", "0", "f", "n")
_ROUNDED = 1e-3
_PATHS = "File Locations"


async def next_start_faults(node: Node) -> list[str]:
    """
    Lines that a server's next start, or reload, would not take, and values that it would take in place of those in
    force.

    Raises:
        NotObserved: It does not answer, or tells this role nothing of its files.
    """
    found = []
    for row in await node.rows(_FILES):
        where = f"{row['kind']} of {node.name}, {row['file']}:{row['line']}"
        change = f"{row['name']} is '{row['now']}', and '{row['later']}' from the next"
        if row["error"] is None:
            if row["source"] in ("configuration file", "default") and row["category"] != _PATHS and _differs(row):
                found.append(f"{where}: {change} reload on")
        elif row["now"] is None or _is_wrong(row):
            found.append(f"{where}: {' '.join(filter(None, (row['name'], row['error'])))}")
        elif row["source"] != "command line":  # that one wins at the next start, too
            found.append(f"{where}: {change} start on")
    return found


def _differs(row: dict[str, Any]) -> bool:
    now, later = row["now"], row["later"] or ""
    if row["type"] == "bool":
        return (now.lower() in _YES) != (later.lower() in _YES)
    if row["type"] in ("integer", "real"):
        is_, will_be = _amount(now, row["unit"]), _amount(later, row["unit"])
        return is_ is not None and will_be is not None and abs(is_ - will_be) > _ROUNDED * max(abs(is_), 1)
    return bool(row["type"] == "string" and now.split() != later.split() and now.lower() != later.lower())


def _is_wrong(row: dict[str, Any]) -> bool:
    """Whether a value is none of its setting: pg_file_settings says the same of one that only waits for a restart."""
    later = (row["later"] or "").lower()
    if row["type"] == "bool":
        return later not in (*_YES, *_NO)
    if row["type"] in ("integer", "real"):
        return _amount(row["later"] or "", row["unit"]) is None
    return row["type"] == "enum" and later not in row["words"] and later not in (*_YES, *_NO)


def _amount(text: str, unit: str | None) -> float | None:
    """A number in the setting's own unit (`8kB`, `ms`, or none); None where that is not how it is written."""
    told = _NUMBER.fullmatch(text.strip())
    if told is None:
        return None
    if not told[2] or unit is None:
        return float(told[1])
    of_the_setting = re.fullmatch(r"(\d*)(\w+)", unit)
    if told[2] not in _UNITS or of_the_setting is None or of_the_setting[2] not in _UNITS:
        return None
    return float(told[1]) * _UNITS[told[2]] / (float(of_the_setting[1] or 1) * _UNITS[of_the_setting[2]])
