"""Many environments spread over processes by xdist: `--dist loadgroup`, one group a profile (design, section 4)."""

from typing import Any

import pytest

from opsproof.plugin.stash import GATE

_REFUSED = "opsproof_refused"


def is_grouped(config: pytest.Config) -> bool:
    """True with `--dist loadgroup`, of which xdist tells its workers under another name."""
    option = config.option
    return getattr(option, "dist", "no") == "loadgroup" or bool(getattr(option, "loadgroup", False))


def schedule(config: pytest.Config, log: Any) -> Any:
    """
    xdist's own scheduling by group, with the profile in a test's id as its group; None for xdist's choice.

    xdist 3.8 writes the group behind the id, which pytest 9.2 no longer lets it do; the groups are then silently lost.
    """
    if not is_grouped(config):
        return None
    from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]

    profiles = sorted(config.stash[GATE].profiles, key=len, reverse=True)
    scheduling = LoadGroupScheduling(config, log)
    otherwise = scheduling._split_scope

    def group(nodeid: str) -> str:
        named = (name for name in profiles if f"[{name}]" in nodeid or f"[{name}-" in nodeid)
        return next(named, None) or str(otherwise(nodeid))

    scheduling._split_scope = group
    return scheduling


def refuse(config: pytest.Config, why: str) -> None:
    """In a worker: let the process that started it know what it refused; xdist itself would only see it end."""
    if hasattr(config, "workeroutput"):
        config.workeroutput[_REFUSED] = why


def heed_refusal(node: Any) -> None:
    """
    Where the reports arrive: end as if the checks had been refused here.

    Raises:
        pytest.UsageError: A worker refused what it collected.
    """
    if why := getattr(node, "workeroutput", {}).get(_REFUSED):
        raise pytest.UsageError(why)
