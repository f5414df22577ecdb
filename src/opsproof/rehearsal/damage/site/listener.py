"""A listener of a lab that shows a certificate."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opsproof.rehearsal.damage.site.lab_profile import NAME
from opsproof.stack.ports import HOST


class TlsListener:
    """
    Shows a certificate to whoever connects, until it is left.

    Args:
        folder: Where the authority's certificate is written.
    """

    def __init__(self, folder: Path) -> None:
        import trustme

        self._authority = trustme.CA()
        self.ca_file = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self.ca_file))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.port = 0

    def show(
        self, name: str = NAME, *, begun: timedelta = timedelta(days=-1), left: timedelta, own: bool = True
    ) -> None:
        """
        Show another certificate from now on.

        Args:
            name: That it is for.
            begun: From now, when it begins to be valid.
            left: From now, when it ends.
            own: Whether the authority that clients trust has signed it.
        """
        import trustme

        authority = self._authority if own else trustme.CA()
        now = datetime.now(UTC)
        made = authority.issue_cert(name, not_before=now + begun, not_after=now + left)
        fresh = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.configure_cert(fresh)
        self._context = fresh

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._listening.accept()
                connection.settimeout(5)
                with contextlib.suppress(OSError), self._context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(1)

    def __enter__(self) -> TlsListener:
        self.show(left=timedelta(days=365))
        self._listening = socket.create_server((HOST, 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)
