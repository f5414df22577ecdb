"""Sending a message to one channel, with apprise; its address is a secret and is never shown."""

import logging
import re

from opsproof.errors import PreconditionMissing
from opsproof.profile.indicators import Priority


def send(address: str, title: str, body: str, priority: Priority) -> str:
    """
    Send one message.

    Args:
        address: The channel's address, as apprise writes it: `slack://...`, `pagerduty://...`, `json://...`.
        title: One line.
        body: Plain text.
        priority: P0 and P1 are failures, P2 a warning: a pager calls nobody for what is only information.

    Returns:
        "" if the channel took it, else why not, without anything of the address.

    Raises:
        PreconditionMissing: apprise is not installed.
    """
    try:
        import apprise
    except ImportError as exc:
        raise PreconditionMissing(
            "messages are sent with apprise, which is not installed",
            where="opsproof notify",
            next_step="pip install 'opsproof[notify]'",
        ) from exc
    kind = apprise.NotifyType.WARNING if priority == "P2" else apprise.NotifyType.FAILURE
    channel = apprise.Apprise()
    logger = logging.getLogger("apprise")
    before, logger.propagate = logger.propagate, False  # its lines may hold parts of the address
    try:
        with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as log:  # type: ignore[no-untyped-call]
            if not channel.add(address):
                return "its address is none that apprise knows"
            if channel.notify(title=title, body=body, notify_type=kind, body_format=apprise.NotifyFormat.TEXT):
                return ""
            refused = re.search(r"error=(\d{3})\b", log.getvalue())
    finally:
        logger.propagate = before
    return f"it answered {refused[1]}" if refused else "it could not be reached, or did not answer in time"
