"""What watches the service is there itself: its series, its scrape targets, its alert rules."""

import pytest

from opsproof import NoData, needs, proven_by, runbook


@pytest.mark.smoke
@pytest.mark.daily
@pytest.mark.alert
@runbook(
    "SB-054",
    severity="SEV-2",
    verifies="answer",
    next_step="Restore the metric under its name: an alert on a metric that is not there never fires.",
)
@proven_by("storebridge-metric-missing", "metrics-missing", "metrics-garbage", "scrape-down", "metrics-stale")
@proven_by("redis-stopped", "redis-frozen", "postgres-stopped", "postgres-frozen", "pool-exhausted")
@proven_by("database-password-changed", "redis-password-required", "table-locked")
@needs("exposition", "monitoring.series")
async def test_every_metric_of_the_dashboard_is_exported(api, profile):
    """The service exports every metric that the dashboards and alerts read."""
    answer = await api.get(profile.exposition.path)
    assert answer.status == 200, f"{profile.exposition.path} answers {answer.describe()}"

    absent = [name for name in profile.monitoring.series if not _tells(answer, name)]
    assert not absent, f"{profile.exposition.path} has no {', '.join(absent)}"


@pytest.mark.hourly
@pytest.mark.daily
@pytest.mark.diagnosis
@runbook(
    "EVAL-003",
    "SB-151",
    severity="SEV-2",
    next_step="See the target's last error in Prometheus (/targets): until it is up again its numbers stand still.",
)
@proven_by("api-stopped", "api-frozen", "metrics-missing", "metrics-garbage", "scrape-down", "metrics-stale")
@proven_by("prometheus-empty")
@needs("monitoring.jobs")
async def test_every_scrape_target_is_up(metrics, profile):
    """Every scrape job of this system has a target, and Prometheus can read every one of them."""
    # The runbook looks at every target of the server; those of other systems are other profiles' trouble.
    if not hasattr(metrics, "targets"):
        pytest.skip(f"{profile.name} has no Prometheus: its target `metrics` is the service itself")
    targets = [target for target in await metrics.targets() if target.job in profile.monitoring.jobs]

    missing = sorted(set(profile.monitoring.jobs) - {target.job for target in targets})
    down = [f"{target.job} {target.instance} ({target.last_error})" for target in targets if target.health != "up"]
    assert not missing, f"Prometheus scrapes no target of the job {', '.join(missing)}"
    assert not down, f"down: {'; '.join(down)}"


@pytest.mark.alert
@pytest.mark.release
@pytest.mark.recovery
@runbook(
    "FAI-079",
    "FAI-091",
    "FAI-101",
    "SB-072",
    "SB-084",
    "EVAL-041",
    severity="SEV-2",
    next_step="Load the rule file again (promtool check rules says what is wrong with it): nobody is told meanwhile.",
)
@proven_by("alert-rule-missing")
@needs("monitoring.rules")
async def test_every_alert_rule_is_loaded(metrics, profile):
    """Every alert rule of the runbook is loaded, and is evaluated without an error."""
    if not hasattr(metrics, "rules"):
        pytest.skip(f"{profile.name} has no Prometheus: its target `metrics` is the service itself")
    rules = {rule.name: rule for rule in await metrics.rules()}

    missing = [name for name in profile.monitoring.rules if name not in rules]
    broken = [f"{name} ({rules[name].last_error})" for name in profile.monitoring.rules if _is_broken(rules.get(name))]
    assert not missing, f"not loaded: {', '.join(missing)}"
    assert not broken, f"not evaluated: {'; '.join(broken)}"


def _tells(answer, name):
    try:
        answer.metric(name)
    except NoData:
        return False
    return True


def _is_broken(rule):
    return rule is not None and rule.health != "ok"
