"""Which profiles a name or glob means."""

from collections.abc import Callable
from pathlib import Path

import pytest

from opsproof.errors import ProfileError
from opsproof.profile import find_profiles, load_profile

Write = Callable[[str, str], Path]


@pytest.fixture
def shops(root: Path, write: Write) -> Path:
    """Two systems with base files, a schema, and a file outside of any system."""
    for path in ("shop/base.yaml", "shop/staging.yaml", "shop/embedded.yaml", "depot/embedded.yaml", "common.yaml"):
        write(path, "")
    return root


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        pytest.param(["shop/staging"], ["shop/staging"], id="a-name"),
        pytest.param(["*/embedded"], ["depot/embedded", "shop/embedded"], id="one-environment-of-all-systems"),
        pytest.param(["shop/*"], ["shop/embedded", "shop/staging"], id="all-of-one-system-but-base"),
        pytest.param(["*"], ["depot/embedded", "shop/embedded", "shop/staging"], id="all"),
        pytest.param(["shop/*", "*/embedded"], ["depot/embedded", "shop/embedded", "shop/staging"], id="each-once"),
        pytest.param([], [], id="nothing-asked"),
    ],
)
def test_patterns_name_existing_profiles(shops: Path, patterns: list[str], expected: list[str]) -> None:
    """Sorted, each once; base.yaml is no environment."""
    assert find_profiles(patterns, shops) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param("nothing/*", "no profile matches 'nothing/*'", id="nothing-near"),
        pytest.param("shop/stagin", "no profile matches 'shop/stagin'; did you mean shop/staging?", id="misspelt"),
        pytest.param(
            "shop/base",
            "no profile matches 'shop/base'; base.yaml is what environments extend, not an environment",
            id="base",
        ),
        pytest.param("../shops/shop/staging", "no profile matches '../shops/shop/staging'", id="a-path"),
    ],
)
def test_a_pattern_that_matches_nothing_is_an_error(shops: Path, pattern: str, expected: str) -> None:
    """Nothing checked must never look like a pass; one good pattern does not hide a bad one."""
    with pytest.raises(ProfileError) as caught:
        find_profiles(["shop/*", pattern], shops)

    assert caught.value.what.startswith(expected)
    assert str(caught.value).endswith(
        f"\n  where: {shops}\n  next:  use one of: depot/embedded, shop/embedded, shop/staging"
    )


def test_an_unknown_profile_is_an_error_with_the_nearest_names(shops: Path) -> None:
    """load_profile says the same as find_profiles."""
    with pytest.raises(ProfileError, match="no profile matches 'shop/stagging'; did you mean shop/staging"):
        load_profile("shop/stagging", root=shops, variables={})


def test_a_folder_without_profiles_is_an_error(tmp_path: Path) -> None:
    """Usually the command was started in the wrong folder."""
    with pytest.raises(ProfileError) as caught:
        find_profiles(["*"], tmp_path / "profiles")

    assert str(caught.value) == (
        f"there are no profiles here\n  where: {tmp_path}/profiles\n"
        "  next:  name the folder that holds SYSTEM/ENVIRONMENT.yaml, or work in the folder above `profiles`"
    )
