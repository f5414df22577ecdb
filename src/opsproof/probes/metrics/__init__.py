"""Numbers of a system: from a Prometheus server, or from two readings of its own /metrics."""

from opsproof.probes.metrics.prometheus import PrometheusProbe
from opsproof.probes.metrics.sample import Sample
from opsproof.probes.metrics.scrape import ScrapeProbe

__all__ = ["PrometheusProbe", "Sample", "ScrapeProbe"]
