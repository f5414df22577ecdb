"""Prometheus text format: the metrics that a service tells of itself."""

from collections.abc import Mapping


class NotExposition(ValueError):
    """The text is no Prometheus exposition."""


def total(text: str, name: str) -> float | None:
    """
    The sum of a metric over all its labels.

    Args:
        text: The exposition (https://prometheus.io/docs/instrumenting/exposition_formats/).
        name: Name of the sample, such as `http_requests_total`.

    Returns:
        The sum; None if there is no such sample.

    Raises:
        NotExposition: The text is something else, or tells no metric at all.
    """
    values = [value for its_name, _, value in samples(text) if its_name == name]
    return sum(values) if values else None


def samples(text: str) -> list[tuple[str, Mapping[str, str], float]]:
    """
    Every sample of an exposition: its name, its labels, its value. Args and errors as for `total`.
    """
    from prometheus_client.parser import text_string_to_metric_families

    try:
        found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    except (ValueError, IndexError, KeyError, AttributeError) as exc:
        raise NotExposition(str(exc)) from exc
    if not found:
        raise NotExposition("no metric in it")
    return [(sample.name, sample.labels, sample.value) for sample in found]
