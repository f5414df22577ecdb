"""What the head of a custom dump says: pg_dump writes it before anything else (pg_backup_archiver.c, WriteHead)."""

from dataclasses import dataclass

LENGTH = 16 << 10
_MAGIC = b"PGDMP"
_FOREIGN = {
    b"Salted__": "it is encrypted by openssl",
    b"age-encryption.org": "it is encrypted by age",
    b"-----BEGIN PGP": "it is encrypted by gpg",
    b"\x85\x02": "it looks encrypted by gpg",
    b"\x8c\x0d": "it looks encrypted by gpg",
    b"\x1f\x8b": "it is packed by gzip, and its name does not say so",
    b"\x28\xb5\x2f\xfd": "it is packed by zstd",
    b"--": "it is a plain dump",
    b"\n--": "it is a plain dump",
    b"PGDMP": "it is a custom dump",
}


@dataclass(frozen=True)
class Header:
    """
    The head of a custom dump.

    Attributes:
        database: Name of the database.
        server: Version of its server.
        tool: Version of pg_dump.
    """

    database: str
    server: str
    tool: str


def header(start: bytes) -> Header:
    """
    Read the head of a custom dump.

    Args:
        start: Its first bytes, `LENGTH` of them if it has as many.

    Raises:
        ValueError: It is no custom dump; says what it is.
    """
    if not start.startswith(_MAGIC):
        raise ValueError(f"it is no custom dump: {foreign(start)}")
    try:
        major, minor, size = start[5], start[6], start[8]
        at = 11 + (1 if (major, minor) >= (1, 15) else 1 + size)
        at += 7 * (1 + size)  # the time of its making, in seven numbers
        database, at = _text(start, at, size)
        server, at = _text(start, at, size)
        tool, at = _text(start, at, size)
    except (IndexError, UnicodeDecodeError):
        raise ValueError("the head of the custom dump is damaged") from None
    return Header(database, server.split()[0] if server else "", tool.split()[0] if tool else "")


def foreign(start: bytes) -> str:
    """What content of another form is."""
    if not start.strip(b"\0"):
        return "it holds nothing but zeros" if start else "it is empty"
    known = next((words for magic, words in _FOREIGN.items() if start.startswith(magic)), "")
    return known or f"its first bytes are {start[:8].hex(' ')}; it may be encrypted"


def _text(data: bytes, at: int, size: int) -> tuple[str, int]:
    sign, length = data[at], int.from_bytes(data[at + 1 : at + 1 + size], "little")
    at += 1 + size
    if sign or not length:
        return "", at
    if at + length > len(data):
        raise IndexError
    return data[at : at + length].decode(), at + length
