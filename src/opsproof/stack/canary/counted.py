"""What one process of the service has counted, as its own /metrics has it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from opsproof.stack.ask import ask

SELECTED = 'client="user",path=~"/api/.*"'
"""Labels of users' requests, in PromQL; a scrape of /metrics is a request, too, and not one of theirs."""

SLOW_SECONDS = 2.5


@dataclass(frozen=True)
class Counted:
    """
    Counts of one process, or the sum of several.

    Attributes:
        requests: Users' requests.
        errors: Those answered with 5xx.
        slow: Those that took more than 2.5 seconds.
        llm_calls: Calls of the language model.
        parsing_failures: Those whose answer could not be parsed.
    """

    requests: float = 0.0
    errors: float = 0.0
    slow: float = 0.0
    llm_calls: float = 0.0
    parsing_failures: float = 0.0

    def __add__(self, other: Counted) -> Counted:
        return Counted(*(mine + theirs for mine, theirs in zip(_numbers(self), _numbers(other), strict=True)))

    def __sub__(self, other: Counted) -> Counted:
        return Counted(*(mine - theirs for mine, theirs in zip(_numbers(self), _numbers(other), strict=True)))


def counted(urls: Iterable[str]) -> Counted:
    """The counts of all these /metrics together; one that does not answer has counted nothing."""
    return sum((_read(url) for url in urls), Counted())


def _read(url: str) -> Counted:
    from prometheus_client.parser import text_string_to_metric_families

    answer = ask(url)
    if answer is None or answer.status != 200:
        return Counted()
    requests = errors = fast = llm_calls = parsing_failures = 0.0
    for family in text_string_to_metric_families(answer.body.decode()):
        for sample in family.samples:
            name, labels, value = sample.name, sample.labels, sample.value
            users = labels.get("client") == "user" and labels.get("path", "").startswith("/api/")
            if name == "http_requests_total" and users:
                requests += value
                errors += value if labels["status"].startswith("5") else 0
            elif name == "http_request_duration_seconds_bucket" and users and float(labels["le"]) == SLOW_SECONDS:
                fast += value
            elif name == "llm_calls_total":
                llm_calls += value
            elif name == "llm_parsing_failures_total":
                parsing_failures += value
    return Counted(requests, errors, requests - fast, llm_calls, parsing_failures)


def _numbers(one: Counted) -> tuple[float, ...]:
    return one.requests, one.errors, one.slow, one.llm_calls, one.parsing_failures
