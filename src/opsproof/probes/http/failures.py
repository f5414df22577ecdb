"""What went wrong with a request, in an operator's words."""

import errno
import socket
import ssl
from collections.abc import Iterator

from opsproof.errors import BadAnswer, Unreachable
from opsproof.probes.http.library import httpx
from opsproof.probes.reason import Reason

_CERTIFICATES = {
    9: ("the certificate is not valid yet", "Compare the clocks of this machine and the target."),
    10: ("the certificate has expired", "Renew the certificate of the target."),
    18: ("the certificate is self-signed", "Name the authority that signed it as ca_file in the profile."),
    19: ("the certificate chain ends in a self-signed one", "Name that authority as ca_file in the profile."),
    20: ("the certificate's issuer is not trusted here", "Name the issuer as ca_file in the profile."),
    62: ("the certificate is for another name", "Use the name of the certificate in the profile's url."),
    64: ("the certificate is for another address", "Use the name of the certificate in the profile's url."),
}
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")
_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.ENETDOWN)
_START = "Start the target, or correct host and port of its url in the profile."


def reason(exc: httpx.RequestError) -> Reason:
    """
    Why a request has no answer.

    Args:
        exc: What httpx raised, before an answer had begun.
    """
    for cause in _causes(exc):
        if isinstance(cause, socket.gaierror):
            return Reason(
                Unreachable, "the name of the host is not known", "Correct the host in the profile's url, or its DNS."
            )
        if isinstance(cause, ssl.SSLError):
            return _tls(cause)
        if isinstance(cause, ConnectionRefusedError):
            return Reason(Unreachable, "connection refused", _START)
        if isinstance(cause, OSError) and cause.errno in _NO_ROUTE:
            return Reason(Unreachable, "no route to the host", "Check the network and VPN of this machine.")
    if isinstance(exc, httpx.ConnectError):
        return Reason(Unreachable, "no connection could be made", _START)
    if closed_without_answer(exc):
        return Reason(
            Unreachable,
            "the connection was closed without an answer",
            "See whether the service behind the port runs: a proxy may hold the port, or it may expect https.",
        )
    return Reason(
        BadAnswer,
        f"what answers does not speak HTTP ({_line(exc)})",
        "Correct the port or the scheme (http, https) of the url in the profile.",
    )


def closed_without_answer(exc: httpx.RequestError) -> bool:
    """True if the connection ended before a single byte of an answer."""
    if isinstance(exc, httpx.RemoteProtocolError):
        return "without sending a response" in str(exc)
    return isinstance(exc, (httpx.ReadError, httpx.WriteError, httpx.CloseError))


def _tls(cause: ssl.SSLError) -> Reason:
    if isinstance(cause, ssl.SSLCertVerificationError):
        what, next_step = _CERTIFICATES.get(
            cause.verify_code, (f"the certificate is not valid ({cause.verify_message})", "Check the certificate.")
        )
        return Reason(Unreachable, f"TLS: {what}", next_step)
    if cause.reason in _NO_TLS:
        return Reason(
            Unreachable, "TLS: the target does not speak TLS on this port", "Use http:// or the TLS port in the url."
        )
    what = (cause.reason or "the handshake failed").lower().replace("_", " ")
    return Reason(Unreachable, f"TLS: {what}", "Compare the TLS versions and ciphers of both sides.")


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    """An exception and all that led to it."""
    while exc is not None:
        yield exc
        if isinstance(exc, BaseExceptionGroup):
            for part in exc.exceptions:
                yield from _causes(part)
        exc = exc.__cause__ or exc.__context__


def _line(exc: BaseException) -> str:
    return " ".join(str(exc).split())[:100] or type(exc).__name__
