"""Metrics that are read when somebody scrapes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from opsproof.stack.services.common.services import Services
from opsproof.stack.services.factory_ai.breaker import breaker_states
from opsproof.stack.services.factory_ai.engine import Engine
from opsproof.stack.services.factory_ai.names import DATABASE_CPU

_USUAL_CPU = 0.12


async def collected(services: Services) -> Iterable[Metric]:
    """
    The states of the circuit breakers, and the CPU of the database.

    The latter stands in for the exporter of a database server: it is made up, and high where the defects say so.
    """
    told = services.defects.current().factory.database_cpu
    cpu = GaugeMetricFamily(DATABASE_CPU, "Share of its CPU that the database server uses (a stand-in).")
    cpu.add_metric([], _USUAL_CPU if told is None else told)
    return [breaker_states(cast(Engine, services.background).breakers), cpu]
