"""The PromQL of the indicators in production, computed by promtool where the embedded stack cannot show it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from opsproof.profile import load_profile

PROFILES = Path(__file__).parents[2] / "profiles"

PODS = {
    'storebridge_registration_success_rate{job="storebridge-web", instance="POD"}': ("0.9x60", "0.8x60"),
    'storebridge_queue_depth{job="storebridge-web", instance="POD", queue="normal"}': ("700x60", "700x60"),
    'storebridge_queue_depth{job="storebridge-web", instance="POD", queue="batch"}': ("50x60", "50x60"),
    'storebridge_rate_limit{job="storebridge-web", instance="POD", api_name="naver"}': ("120x60", "120x60"),
    'storebridge_rate_limit_remaining{job="storebridge-web", instance="POD", api_name="naver"}': ("60x60", "30x60"),
    'storebridge_rate_limit{job="storebridge-web", instance="POD", api_name="domeggook"}': ("15000x60", "15000x60"),
    'storebridge_rate_limit_remaining{job="storebridge-web", instance="POD", api_name="domeggook"}': (
        "6000x60",
        "3000x60",
    ),
    'process_resident_memory_bytes{job="storebridge-web", instance="POD"}': ("300x60", "700x60"),
    'process_memory_limit_bytes{job="storebridge-web", instance="POD"}': ("1000x60", "1000x60"),
    'process_cpu_seconds_total{job="storebridge-web", instance="POD"}': ("0+15x60", "0+45x60"),
    'process_cpu_limit_cores{job="storebridge-web", instance="POD"}': ("2x60", "2x60"),
    'node_filesystem_avail_bytes{system="storebridge", fstype="ext4", instance="POD"}': ("100x60", "50x60"),
    'node_filesystem_size_bytes{system="storebridge", fstype="ext4", instance="POD"}': ("1000x60", "1000x60"),
    'node_filesystem_avail_bytes{system="storebridge", fstype="tmpfs", instance="POD"}': ("0x60", "0x60"),
    'node_filesystem_size_bytes{system="storebridge", fstype="tmpfs", instance="POD"}': ("1000x60", "1000x60"),
    'process_start_time_seconds{job="storebridge-web", instance="POD"}': ("7x60", "7x48 8x10"),
    'up{job="storebridge-web", instance="POD"}': ("1x60", "0x40 1x20"),
}
"""What the two pods of storebridge-web tell, each half a minute."""

OF_BOTH = {
    "registration-success": 0.8,
    "queue-depth": 750,
    "naver-calls-left": 0.25,
    "naver-calls-left-absolute": 30,
    "domeggook-used": 0.8,
    "memory": 0.7,
    "cpu": 0.75,
    "disk": 0.95,
    "restarts": 1,
    "web-replicas": 2,
    "web-starts": 1,
}
"""The one number of both: neither added up nor two series."""


def computed(folder, series, promql, value, at="28m", interval="30s"):
    """What promtool objects to: the expression gives this value and nothing else; None for nothing at all."""
    samples = [] if value is None else [{"labels": "{}", "value": value}]
    test = {
        "interval": interval,
        "input_series": [{"series": one, "values": values} for one, values in series],
        "promql_expr_test": [{"expr": promql, "eval_time": at, "exp_samples": samples}],
    }
    (folder / "indicator.test.yml").write_text(
        json.dumps({"evaluation_interval": interval, "tests": [test]}), encoding="utf-8"
    )
    program = shutil.which("promtool")
    assert program, "promtool is not installed; next: apt-get install prometheus"
    command = [program, "test", "rules", "indicator.test.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def indicators(name):
    """The indicators of a profile as an environment has them whose variables are the defaults."""
    return load_profile(name, root=PROFILES, variables={}, missing="keep").indicators


def test_every_promql_of_storebridge_is_asked_of_two_pods():
    """One that is left out here may be broken by the second pod."""
    known = indicators("storebridge/production")

    assert {name for name, indicator in known.items() if indicator.promql} == set(OF_BOTH)


@pytest.mark.parametrize("name", OF_BOTH)
def test_two_pods_are_one_number(name, tmp_path):
    """SB-003 wants two pods: a gauge that both tell is neither doubled nor unknown for ever."""
    series = [
        (one.replace("POD", pod), values) for one, both in PODS.items() for pod, values in zip("ab", both, strict=True)
    ]
    promql = indicators("storebridge/production")[name].promql

    assert computed(tmp_path, series, promql, OF_BOTH[name]) == ""


def histogram(until):
    """Ten observations a second for 25 hours, all below 100 ms; from the sample `until` on, between 100 and 200 ms."""
    labels = 'job="ops-assistant-api", path="/api/ops/ask", client="user"'
    name = "http_request_duration_seconds_bucket"
    quick = f"0+300x{until} {300 * until}x{3000 - until}"
    series = [(f'{name}{{{labels}, le="{le}"}}', "0+300x3000") for le in ("0.2", "+Inf")]
    late = [(f'{name}{{{labels.replace("user", "synthetic")}, le="{le}"}}', "0+9000x3000") for le in ("10", "+Inf")]
    return [(f'{name}{{{labels}, le="0.1"}}', quick), *series, *late]


@pytest.mark.parametrize(
    ("until", "at", "times"),
    [
        pytest.param(3000, "25h", 1, id="as-yesterday"),
        pytest.param(2900, "25h", 0.195 / 0.095, id="slower"),
        pytest.param(3000, "20h", None, id="no-yesterday"),
    ],
)
def test_the_response_time_is_compared_with_yesterdays(until, at, times, tmp_path):
    """The embedded stack has no yesterday: this is the only place where the comparison itself is seen."""
    promql = indicators("ops-assistant/production")["response-time-to-baseline"].promql

    assert computed(tmp_path, histogram(until), f"round({promql}, 0.0001)", times and round(times, 4), at) == ""


@pytest.mark.parametrize(
    ("since", "at", "times"),
    [
        pytest.param(0, "140s", 1, id="slow-all-along"),
        pytest.param(120, "140s", 1.95 / 0.95, id="slow-since"),
        pytest.param(0, "40s", 1.95 / 0.75, id="no-minute-before"),
        pytest.param(200, "140s", 1, id="quick-all-along"),
    ],
)
def test_the_embedded_stack_compares_with_the_minute_before(since, at, times, tmp_path):
    """What was slow a minute ago as well is no spike: this number is not the p95 under another name."""
    labels = 'job="ops-assistant-api", path="/api/ops/ask"'
    name = "http_request_duration_seconds_bucket"
    series = [(f'{name}{{{labels}, le="{le}"}}', "0+10x200") for le in ("2", "+Inf")]
    series.append((f'{name}{{{labels}, le="1"}}', f"0+10x{since} {10 * since}x{200 - since}"))
    promql = indicators("ops-assistant/embedded")["response-time-to-baseline"].promql

    assert computed(tmp_path, series, f"round({promql}, 0.0001)", round(times, 4), at, interval="1s") == ""
