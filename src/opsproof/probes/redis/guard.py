"""Which commands may be sent: those that read, and answer with a bounded amount."""

from collections.abc import Sequence

LONGEST_RANGE = 1000
"""How many elements one question may read of a list or sorted set."""

_READS = frozenset(
    word
    for line in (
        "PING ECHO TIME DBSIZE LASTSAVE ROLE INFO",
        "EXISTS TYPE TTL PTTL EXPIRETIME PEXPIRETIME",
        "GET GETRANGE STRLEN MGET BITCOUNT GETBIT",
        "LLEN LINDEX LPOS HLEN HGET HMGET HEXISTS HSTRLEN",
        "SCARD SISMEMBER SMISMEMBER ZCARD ZCOUNT ZLEXCOUNT ZRANK ZSCORE ZMSCORE",
        "XLEN PFCOUNT",
    )
    for word in line.split()
)
READS_OF_TWO_WORDS = frozenset(
    (first, second)
    for first, *seconds in (
        ("XINFO", "STREAM", "GROUPS", "CONSUMERS"),
        ("OBJECT", "ENCODING", "IDLETIME", "FREQ", "REFCOUNT"),
        ("MEMORY", "USAGE", "STATS"),
        ("SLOWLOG", "LEN"),
        ("LATENCY", "LATEST"),
        ("CLUSTER", "INFO", "MYID", "COUNTKEYSINSLOT", "KEYSLOT"),
        ("ACL", "WHOAMI"),
        ("CLIENT", "ID", "GETNAME"),
        ("COMMAND", "COUNT"),
        ("PUBSUB", "NUMSUB", "NUMPAT"),
    )
    for second in seconds
)
_RANGES = ("LRANGE", "ZRANGE")


def objection(words: Sequence[str]) -> str | None:
    """
    Why this command must not be sent, or None if it only reads.

    Args:
        words: The command and its arguments, as texts.
    """
    command, *arguments = [*words, ""][: max(1, len(words))]
    name = command.upper()
    if any(character.isspace() for character in name):
        return "give the command's words one by one"
    if name in _RANGES:
        return _range_objection(name, arguments)
    if name == "XPENDING":
        return None if len(arguments) == 2 else "XPENDING is asked for its summary: a key and a group"
    if name == "XINFO" and "FULL" in map(str.upper, arguments[2:]):
        return "XINFO STREAM FULL answers without bound"
    if name in _READS or (name, (arguments or [""])[0].upper()) in READS_OF_TWO_WORDS:
        return None
    return f"{name or 'nothing'} is not one of the commands that only read"


def _range_objection(name: str, arguments: Sequence[str]) -> str | None:
    try:
        _, start, stop = arguments[0], int(arguments[1]), int(arguments[2])
    except (IndexError, ValueError):
        return f"{name} is asked with a key, a start and a stop"
    if (start < 0) == (stop < 0) and stop - start < LONGEST_RANGE:
        return None if len(arguments) == 3 or name == "ZRANGE" else f"{name} takes a key, a start and a stop"
    return f"{name} reads {LONGEST_RANGE} elements at most; give start and stop from the same end"
