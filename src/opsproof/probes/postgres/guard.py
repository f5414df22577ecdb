"""
Which SQL may be sent.

The session is read-only in the database's own terms as well; this guard stands before it, for statements that act
without writing to a table (`pg_terminate_backend`, `setval`, `pg_sleep`), and so that nothing of the kind is ever sent.
"""

import itertools
import re

_TOKENS = re.compile(
    r"""
      (?P<space>\s+|--[^\n]*)
    | (?P<comment>/\*)
    | (?P<text>[eE]'(?:[^'\\]|\\.|'')*+'|(?:\b[bBxXnN])?'(?:[^']|'')*+')
    | (?P<dollar>(?<![\w$])\$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff][\w]*)?)\$.*?\$(?P=tag)\$)
    | (?P<escaped>[uU]&["'])
    | (?P<name>"(?:[^"]|"")*+"|[A-Za-z_\x80-\U0010ffff][\w$]*)
    | (?P<unclosed>['"]|\$[A-Za-z_]*\$)
    | (?P<parameter>%\(\w+\)s|%%)
    | (?P<other>\d[\w.]*|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_FIRST = ("select", "with", "show", "table", "values", "explain")
_WRITES = ("insert", "update", "delete", "merge")
_LOCKS = (("for", "update"), ("for", "share"), ("for", "no"), ("for", "key"))
_ACTS = re.compile(
    r"""
      pg_(?:terminate|cancel)_backend | pg_promote | pg_reload_conf | pg_rotate_logfile\w* | pg_switch_(?:wal|xlog)
    | pg_create_\w+ | pg_drop_\w+ | pg_copy_\w+ | pg_replication_slot_advance | pg_replication_origin_\w+
    | pg_sync_replication_slots | pg_logical_\w+ | pg_backup_\w+ | pg_(?:start|stop)_backup
    | pg_wal_replay_(?:pause|resume)
    | pg_export_snapshot | pg_log_standby_snapshot | pg_log_backend_memory_contexts | pg_log_query_plan | pg_notify
    | pg_stat_reset\w* | pg_stat_statements_reset | pg_stat_force_next_flush | pg_prewarm | autoprewarm_\w+
    | pg_(?:try_)?advisory_\w+ | pg_sleep\w* | pg_read_(?:binary_)?file | pg_file_\w+ | pg_import_system_collations
    | pg_restore_\w+ | pg_clear_\w+
    | pg_current_xact_id | txid_current | brin_(?:de)?summarize_\w+ | gin_clean_pending_list
    | set_config | setseed | setval | nextval | lo_\w+ | lowrite | loread | dblink\w* | postgres_fdw_\w+
    | query_to_\w+ | cursor_to_\w+ | xpath_table | ts_stat | ts_rewrite | crosstab\w* | connectby
    """,
    re.VERBOSE,
)


def objection(sql: str) -> str | None:
    """
    Why this SQL must not be sent, or None if it only reads.

    Args:
        sql: One statement, with psycopg's `%(name)s` for its parameters.
    """
    try:
        words = _words(sql)
    except ValueError as exc:
        return str(exc)
    while words and words[-1] == ";":
        words.pop()
    first = next((word for word in words if word != "("), "")
    if first not in _FIRST:
        return f"it begins with {first.upper() or 'nothing'}, not with SELECT, WITH, SHOW, TABLE, VALUES or EXPLAIN"
    if ";" in words:
        return "more than one statement"
    if first == "explain" and {"analyze", "analyse"} & set(words):
        return "EXPLAIN ANALYZE, which runs the statement"
    if "into" in words:
        return "INTO, which makes a table"
    pairs = list(itertools.pairwise(words))
    for before, word in pairs:
        if word in _WRITES and before in ("(", ")", "explain"):
            return f"{word.upper()}, which writes"
        if (before, word) in _LOCKS:
            return f"FOR {word.upper()}, which locks rows"
    for word, after in pairs:
        if after == "(" and _ACTS.fullmatch(word.strip('"').replace('""', '"')):
            return f"the function {word}, which acts or holds the session up"
    return None


def _words(sql: str) -> list[str]:
    """
    Names and keywords in lower case (quoted ones as they are), and single characters; without texts and comments.

    Raises:
        ValueError: The SQL cannot be told apart reliably.
    """
    words, position = [], 0
    while position < len(sql):
        token = _TOKENS.match(sql, position)
        if token is None or token.lastgroup == "unclosed":
            raise ValueError("a quotation that does not end")
        position = token.end()
        if token["comment"]:
            position = _end_of_comment(sql, position)
        elif token["escaped"]:
            raise ValueError("a name or text written with Unicode escapes (U&...)")
        elif token["name"]:
            words.append(token["name"] if token["name"].startswith('"') else token["name"].lower())
        elif token["other"]:
            words.append(token["other"])
        elif token["text"] or token["dollar"] or token["parameter"]:
            words.append("''")
    return words


def _end_of_comment(sql: str, position: int) -> int:
    """Where the comment ends that began before `position`; PostgreSQL's comments nest."""
    depth = 1
    for mark in re.compile(r"/\*|\*/").finditer(sql, position):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    raise ValueError("a comment that does not end")
