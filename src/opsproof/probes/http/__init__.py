"""Ask an HTTP API."""

from opsproof.probes.http.answer import HttpAnswer
from opsproof.probes.http.forged import Forged
from opsproof.probes.http.identity import ANONYMOUS
from opsproof.probes.http.probe import HttpProbe

__all__ = ["ANONYMOUS", "Forged", "HttpAnswer", "HttpProbe"]
