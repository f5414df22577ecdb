"""A service's own metrics, added up."""

import pytest

from opsproof.probes.exposition import total

TEXT = """\
http_requests_total{path="/items",status="200"} 3
http_requests_total{path="/items",status="500"} 1
http_requests_total{path="/metrics",status="200"} 70
http_requests_total{handler="/metrics"} 8
process_start_time_seconds 1.7e9
"""


@pytest.mark.parametrize(
    ("name", "without", "expected"),
    [
        ("http_requests_total", "", 82.0),
        ("http_requests_total", "/metrics", 4.0),
        ("process_start_time_seconds", "/metrics", 1.7e9),
        ("http_responses_total", "/metrics", None),
    ],
)
def test_a_metric_is_added_up_without_what_is_left_out(name, without, expected):
    """Services call the label differently: path, handler, route, uri."""
    assert total(TEXT, name, without=without) == expected


def test_a_metric_of_which_all_is_left_out_is_zero():
    """A service that only Prometheus has asked so far has a counter, and it stands at 0."""
    assert total('http_requests_total{path="/metrics"} 7\n', "http_requests_total", without="/metrics") == 0
