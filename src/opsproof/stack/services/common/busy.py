"""Work for nothing: what a processor is kept busy with where the defects say so."""

from __future__ import annotations

import hashlib
import threading

from opsproof.stack.services.common.defects import DefectsFile

_PIECE = bytes(4_000_000)
_THREADS = 3
"""More than one, so that it has its share beside others that want the processors as well."""


class Busy:
    """Keeps the processors busy while the defects name the system; hashing leaves the interpreter to the requests."""

    def __init__(self, system: str, defects: DefectsFile) -> None:
        self._system = system
        self._defects = defects
        self._threads: list[threading.Thread] = []

    def look(self) -> None:
        """Begin if the defects say so, and nothing is under way; it ends by itself once they do not."""
        if self._wanted() and not any(thread.is_alive() for thread in self._threads):
            self._threads = [threading.Thread(target=self._work, name="busy", daemon=True) for _ in range(_THREADS)]
            for thread in self._threads:
                thread.start()

    def _wanted(self) -> bool:
        return self._system in self._defects.current().busy

    def _work(self) -> None:
        while self._wanted():
            hashlib.sha256(_PIECE).digest()
