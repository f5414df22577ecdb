import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from opsproof.errors import ProfileError
from opsproof.profile import load_profile

Write = Callable[[str, str], Path]
MistakesIn = Callable[..., list[str]]

HEAD = """\
system: shop
environment: staging
title: {en: Shop, ko: 상점}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty folder of profiles."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    return folder


@pytest.fixture
def write(root: Path) -> Write:
    """Write a file below the folder of profiles; `write("shop/staging.yaml", text)`."""

    def write(path: str, text: str) -> Path:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    return write


@pytest.fixture
def mistakes_in(root: Path, write: Write) -> MistakesIn:
    """The lines of the error that `shop/staging` gives, without the folder; the text stands below HEAD (3 lines)."""

    def mistakes_in(text: str, variables: Mapping[str, str] | None = None, head: str = HEAD) -> list[str]:
        write("shop/staging.yaml", head + textwrap.dedent(text))
        with pytest.raises(ProfileError) as caught:
            load_profile("shop/staging", root=root, variables=variables or {})
        lines = caught.value.what.splitlines()[1:]
        return [line.strip().replace(f"{root}/shop/", "") for line in lines]

    return mistakes_in
