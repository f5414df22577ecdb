"""Prometheus text format: the metrics that a service tells of itself."""

from collections.abc import Mapping


class NotExposition(ValueError):
    """The text is no Prometheus exposition."""


def total(text: str, name: str, *, without: str = "") -> float | None:
    """
    The sum of a metric over all its labels.

    Args:
        text: The exposition (https://prometheus.io/docs/instrumenting/exposition_formats/).
        name: Name of the sample, such as `http_requests_total`.
        without: Samples that have this value in a label are left out; "" for all of them.

    Returns:
        The sum; None if there is no such sample at all.

    Raises:
        NotExposition: The text is something else, or tells no metric at all.
    """
    found = [(labels, value) for its_name, labels, value in samples(text) if its_name == name]
    kept = (value for labels, value in found if not without or without not in labels.values())
    return sum(kept, 0.0) if found else None


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
