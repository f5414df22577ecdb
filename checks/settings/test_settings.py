"""The settings without which a release must not run."""

import pytest

from opsproof import each, proven_by, runbook

pytestmark = [pytest.mark.smoke, pytest.mark.release, pytest.mark.recovery, pytest.mark.diagnosis]


@runbook(
    "EVAL-004",
    "EVAL-005",
    "EVAL-006",
    "ING-048",
    "ING-049",
    "ING-050",
    "SB-153",
    severity="SEV-1",
    next_step="Set it in the secret store, roll the release out again, and rotate whatever was signed with a weak one.",
)
@proven_by("missing-secret", "default-secret", "placeholder-secret", "weak-jwt-secret", "jobs-in-process")
@each(setting="required_settings")
async def test_required_setting_is_strong_enough(settings, setting):
    """A required setting is there, no default or placeholder, long enough, and as wanted; its value is never shown."""
    found = await settings.measure(setting)

    assert found.present, f"{setting.name} is not set, or is empty"
    assert not found.is_default, f"{setting.name} is a well-known default or a placeholder"
    assert found.bytes >= setting.min_bytes, f"{setting.name} has {found.bytes} bytes, {setting.min_bytes} are required"
    assert found.is_as_wanted, f"{setting.name} has another value than {setting.equals}, which this environment wants"
