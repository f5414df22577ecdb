"""What went wrong with a listing, in an operator's words."""

import re

from opsproof.errors import BadAnswer, NotObserved, PreconditionMissing, TimedOut, Unreachable
from opsproof.probes.reason import Reason

CODE = re.compile(r"<Code>(\w{1,60})</Code>")
"""How a store names an error in its answer; nothing else answers so."""

NOWHERE = "opsproof-asks-for-what-is-not-there"
"""Name of an object that is in no store; asked for, a store says so in its own way."""

_STATUS = re.compile(r"non-2xx status code: (\d{3}[ \w-]*)")
_ADDRESS = "Start the store, or correct the endpoint of the target in the profile."
_KEYS = "Correct access_key and secret_key of the target in the profile."
_NO_BUCKET = "there is no such bucket"
_BUCKET = "Correct the url of the target; see by hand which buckets there are."
_GRANT = "Grant the target's key the right to list the bucket (s3:ListBucket)."
_REGION = "Correct region and endpoint of the target in the profile."
_LATER = "Ask later; see who else asks so much of the store."
_CLOCK = "Set the clock of this machine (chronyc tracking), or that of the store."
_NO_CREDENTIALS = (
    PreconditionMissing,
    "neither the profile nor this machine has credentials that can be used",
    "Give the target credentials that may list the bucket (access_key, secret_key).",
)
NO_STORE = Reason(
    BadAnswer,
    "what answers is no object store",
    "See by hand what answers there; the endpoint of the target may be another service's, or a console for people.",
)
_CODES: dict[str, tuple[type[NotObserved], str, str]] = {
    "NoSuchBucket": (PreconditionMissing, _NO_BUCKET, _BUCKET),
    "ContainerNotFound": (PreconditionMissing, _NO_BUCKET, _BUCKET),
    "InvalidBucketName": (PreconditionMissing, _NO_BUCKET, _BUCKET),
    "AccessDenied": (PreconditionMissing, "access denied: the target's key may not list this bucket", _GRANT),
    "AuthorizationPermissionMismatch": (PreconditionMissing, "access denied: the target's key may not list", _GRANT),
    "AuthorizationFailure": (PreconditionMissing, "access denied: the target's key may not list", _GRANT),
    "InvalidAccessKeyId": (Unreachable, "login refused: the store does not know the access key", _KEYS),
    "SignatureDoesNotMatch": (Unreachable, "login refused: the secret key is another one", _KEYS),
    "AuthenticationFailed": (Unreachable, "login refused", _KEYS),
    "ExpiredToken": (Unreachable, "login refused: the credentials have expired", "Get new credentials."),
    "RequestTimeTooSkewed": (Unreachable, "login refused: the clocks of here and there differ too much", _CLOCK),
    "AuthorizationHeaderMalformed": (PreconditionMissing, "the bucket is in another region", _REGION),
    "PermanentRedirect": (PreconditionMissing, "the bucket is in another region", _REGION),
    "SlowDown": (Unreachable, "the store asks to slow down", _LATER),
}
_SAID: tuple[tuple[str, type[NotObserved], str, str], ...] = (
    ("kind: ConnectionRefused", Unreachable, "connection refused", _ADDRESS),
    ("dns error", Unreachable, "the name of the host is not known", _ADDRESS),
    ("InvalidContentType", Unreachable, "TLS: the handshake failed", "Use http:// or the TLS port in the endpoint."),
    ("invalid peer certificate", Unreachable, "TLS: the certificate is not valid", "Renew the store's certificate."),
    ('"tcp connect error"', Unreachable, "no connection could be made", "Check its endpoint, firewall and VPN."),
    ("kind: Timeout", TimedOut, "no whole answer within the time limit", "See whether the store is overloaded."),
    ("IncompleteMessage", Unreachable, "the connection broke", _ADDRESS),
    ("BareRedirect", PreconditionMissing, "the bucket is in another region", _REGION),
    (
        "kind: PermissionDenied",
        PreconditionMissing,
        "access denied: the folder may not be read",
        "Let this user read it.",
    ),
    (
        "kind: NotFound",
        PreconditionMissing,
        "there is no such folder",
        "Correct the url of the target; mount what is missing.",
    ),
    ("Parse(", *NO_STORE),
    ("Got invalid list response", *NO_STORE),
    ("credential error", *_NO_CREDENTIALS),
    ("Invalid Access Key", *_NO_CREDENTIALS),
)


def reason(exc: Exception) -> Reason:
    """Why a listing failed; what obstore says of it is told by its meaning, for it may repeat what was sent."""
    said = str(exc)
    if "Error performing" in said and "performing list request" not in said and NOWHERE not in said:
        # A machine in a cloud asks the cloud's own address for them, before anything is asked of the store.
        return Reason(*_NO_CREDENTIALS)
    if code := CODE.search(said):
        next_step = "Repeat it by hand; look the code up in the store's manual."
        return Reason(*_CODES.get(code[1], (BadAnswer, f"the store refused it: {code[1]}", next_step)))
    for phrase, kind, what, next_step in _SAID:
        if phrase in said:
            return Reason(kind, what, next_step)
    if status := _STATUS.search(said):
        return NO_STORE._replace(what=f"{status[1].strip()}, and not as a store says it: {NO_STORE.what}")
    return Reason(BadAnswer, f"the listing failed ({type(exc).__name__})", "Repeat it by hand; it says more.")
