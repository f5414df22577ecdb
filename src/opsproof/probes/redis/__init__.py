"""Ask a Redis or Valkey server."""

from opsproof.probes.redis.probe import RedisProbe

__all__ = ["RedisProbe"]
