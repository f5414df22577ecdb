"""What keeps a product from being registered by itself: the runbook's three reasons for a review by hand."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

CATEGORIES = {"living": "50000008", "kitchen": "50000061", "toys": "50000142"}
"""Categories of Domeggook, and what Naver calls them."""

FORBIDDEN_WORDS = ("최저가", "특효", "완치")
REQUIRED_ATTRIBUTES = ("origin",)


class ProductInput(BaseModel):
    """A product as it is to be registered; what is left out is taken from Domeggook."""

    model_config = ConfigDict(extra="forbid")

    domeggook_item_id: str = Field(pattern=r"^DG[0-9]{6}$")
    name: str = Field(default="생활용품", min_length=1, max_length=100)
    category: str = Field(default="living", max_length=50)
    attributes: dict[str, str] = Field(default_factory=lambda: {"origin": "KR"})


class Correction(BaseModel):
    """What somebody corrected after a review."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, min_length=1, max_length=100)
    category: str | None = Field(default=None, max_length=50)
    attributes: dict[str, str] | None = None


def problems_of(name: str, category: str, attributes: dict[str, Any]) -> list[dict[str, str]]:
    """Why Naver would refuse the product; [] if it would not."""
    problems = []
    if category not in CATEGORIES:
        problems.append({"code": "CATEGORY_MISMATCH", "message": f"no category of Naver is known for {category}"})
    if words := [word for word in FORBIDDEN_WORDS if word in name]:
        problems.append({"code": "FORBIDDEN_WORD", "message": f"the name has {', '.join(words)}"})
    if missing := [key for key in REQUIRED_ATTRIBUTES if not attributes.get(key)]:
        problems.append({"code": "ATTRIBUTE_MISSING", "message": f"the attributes lack {', '.join(missing)}"})
    return problems
