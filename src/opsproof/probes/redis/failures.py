"""What went wrong with a command, in an operator's words."""

import socket
import ssl

from redis import exceptions

from opsproof.errors import BadAnswer, NotObserved, PreconditionMissing, Unreachable
from opsproof.probes.reason import Reason

_START = "Start the server, or correct host and port of its url in the profile."
_RIGHTS = "Correct user and password of the url in the profile."
_GRANT = "Grant the profile's user the right (ACL SETUSER ... +COMMAND); opsproof also sends CLIENT SETNAME."
_REPLIES: tuple[tuple[str, type[NotObserved], str, str], ...] = (
    ("is loading the dataset", Unreachable, "the server is loading its data", "Wait until it has; then ask again."),
    ("busy running a script", Unreachable, "the server is busy with a script", "End the script (SCRIPT KILL)."),
    ("Link with MASTER is down", Unreachable, "the replica has lost its master", "Look at master and replication."),
    ("cluster is down", Unreachable, "the cluster is down", "Look at the cluster's nodes and slots."),
    ("Authentication required", Unreachable, "login refused: the server wants a password", _RIGHTS),
    ("invalid username-password", Unreachable, "login refused", _RIGHTS),
    ("invalid password", Unreachable, "login refused", _RIGHTS),
    ("protected mode", Unreachable, "login refused: the server is in protected mode", _RIGHTS),
    ("without any password configured", Unreachable, "login refused: the server has no password set", _RIGHTS),
    ("no password is set", Unreachable, "login refused: the server has no password set", _RIGHTS),
    ("max number of clients", Unreachable, "too many connections", "See who holds them; raise maxclients."),
    ("has no permissions", PreconditionMissing, "the profile's user may not ask this", _GRANT),
    ("unknown command", PreconditionMissing, "the server does not know this command", "Compare the server's version."),
    ("DB index is out of range", PreconditionMissing, "there is no such database", "Correct the number in the url."),
    ("WRONGTYPE", BadAnswer, "the key holds another type of value", "See what it holds with TYPE."),
)


def reason(exc: exceptions.RedisError) -> Reason:
    """Why a command has no answer."""
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return Reason(Unreachable, "the name of the host is not known", _START)
        if isinstance(cause, ssl.SSLCertVerificationError):
            what = f"TLS: the certificate is not valid ({cause.verify_message})"
            return Reason(Unreachable, what, "Renew the certificate, or trust its authority.")
        if isinstance(cause, ssl.SSLError):
            return Reason(Unreachable, "TLS: the handshake failed", "Use redis:// or the TLS port in the url.")
        if isinstance(cause, ConnectionRefusedError):
            return Reason(Unreachable, "connection refused", _START)
        cause = cause.__cause__ or cause.__context__
    said = " ".join(str(exc).split())
    for phrase, kind, what, next_step in _REPLIES:
        if phrase.lower() in said.lower():
            return Reason(kind, what, next_step)
    if isinstance(exc, exceptions.TimeoutError):
        return Reason(Unreachable, "no connection within the time limit", "Check its url, firewall and VPN.")
    if isinstance(exc, exceptions.MovedError):
        return Reason(PreconditionMissing, "the key lies on another node of the cluster", "Name that node in the url.")
    if isinstance(exc, exceptions.InvalidResponse):
        return Reason(BadAnswer, "what answers is no Redis", "Correct the port of the url in the profile.")
    if isinstance(exc, exceptions.ConnectionError):
        return Reason(Unreachable, f"the connection broke: {said[:100]}", _START)
    return Reason(BadAnswer, f"the server refused it: {said[:200]}", "Try the command by hand.")
