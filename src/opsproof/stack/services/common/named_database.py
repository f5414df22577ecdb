"""Where the database is: what the DNS says at the moment of each new connection."""

from __future__ import annotations

import psycopg
from psycopg.conninfo import make_conninfo

_SECONDS = 1.0


class NamedDatabase:
    """
    The address of a database behind an SRV record; nothing is remembered, so that a switch is followed at once.

    Args:
        url: Its `postgresql://` URL; host and port in it are not used.
        srv: Name of the record: `_postgresql._tcp.db.example.com`.
        resolver: ADDRESS:PORT of the DNS server to ask.
    """

    def __init__(self, url: str, srv: str, resolver: str) -> None:
        self._url = url
        self._srv = srv
        self._resolver = resolver

    async def __call__(self) -> str:
        """
        How libpq reaches it now, by the record of the first priority.

        Raises:
            psycopg.OperationalError: The DNS gives no answer.
        """
        import dns.asyncresolver
        import dns.exception

        address, _, port = self._resolver.partition(":")
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers, resolver.port, resolver.lifetime = [address], int(port), _SECONDS
        try:
            services = await resolver.resolve(self._srv, "SRV")
            service = min(services, key=lambda one: (one.priority, -one.weight))
            hosts = await resolver.resolve(service.target, "A")
        except dns.exception.DNSException as error:
            raise psycopg.OperationalError(f"{self._srv} is not resolved: {type(error).__name__}") from None
        return make_conninfo(self._url, host=next(iter(hosts)).address, port=service.port)
