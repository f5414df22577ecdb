"""Settings that come along with a base backup and act on the machine where it is restored."""

import re

_LINE = re.compile(r"^\s*([a-z_][\w.]*)\s*(?:=|\s)\s*(.*?)\s*$", re.IGNORECASE)
_NEVER = ("recovery_target", "recovery_end_command")
_COMMANDS = (
    "archive_command",
    "archive_library",
    "archive_cleanup_command",
    "restore_command",
    "primary_conninfo",
    "ssl_passphrase_command",
    "shared_preload_libraries",
    "session_preload_libraries",
    "local_preload_libraries",
    "dynamic_library_path",
    "include",
    "include_dir",
    "include_if_exists",
    "hba_file",
    "ident_file",
    "data_directory",
)
_QUIET = {"recovery_target_timeline", "recovery_target_action", "recovery_target_inclusive"}


def commands_in(text: str, *, confirmed: bool) -> list[str]:
    """
    What a restored copy would run, or where it would stop.

    Args:
        text: Of a configuration file.
        confirmed: The catalogue says that the file is what it was on the server; then only what would end a recovery
            somewhere is named.

    Returns:
        Names of settings; values may hold credentials and are left out.
    """
    found = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None or line.lstrip().startswith("#"):
            continue
        name, value = match[1].lower(), match[2].partition("#")[0].strip().strip("'")
        if not value:
            continue
        never = name.startswith(_NEVER) and name not in _QUIET
        if never or (name in _COMMANDS and not confirmed):
            found.append(f"{name} is set" + ("" if never else ", and the catalogue does not confirm the file"))
    return found
