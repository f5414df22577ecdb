"""What a profile says about a service that registers products at a market (runbook 004)."""

from typing import Any

from pydantic import Field

from opsproof.profile.targets import Section
from opsproof.profile.text import Text


class Statistics(Section):
    """The count of yesterday's finished jobs."""

    path: str = Field(description="Path that is asked by GET; {yesterday} is filled in, as a date.")
    field: str = Field("pagination.total", description="Dotted name of the count.")


class Validation(Section):
    """A product is validated before it is registered."""

    path: str = Field(description="Path that takes it by POST and stores nothing.")
    body: dict[str, Any] = Field(description="A product that is valid.")
    fields: tuple[str, ...] = Field(description="Dotted names that the answer must have.")
    refused: tuple[dict[str, Any], ...] = Field(description="Bodies that must be refused with 4xx.")


class Details(Section):
    """One product is looked at, as in `a single product fails again and again`."""

    listing: str = Field(description="Path that lists products.")
    items: str = Field(description="Dotted name of the list.")
    path: str = Field(description="Path of one product; {id} is filled in.")
    fields: tuple[str, ...] = Field(description="Names that the answer must have; their values may be null.")


class Rejections(Section):
    """Products that wait for a review by hand, by the reason."""

    sql: str = Field(description="Columns `code` and `products`, the most frequent code first.")
    most_share: float = Field(0.5, gt=0, le=1, description="A code with a larger share leads.")
    at_least: int = Field(10, ge=1, description="Fewer rejections than this have no leading code.")
    advice: dict[str, Text] = Field({}, description="What to do where a code leads.")


class CallRate(Section):
    """Calls of an external API, counted in one key a second."""

    keys: str = Field(description="Pattern of the keys, for SCAN.")
    limit: int = Field(ge=1, description="Most calls in one second.")
    most_keys: int = Field(2000, ge=1, description="Keys looked at, at most.")


class Registration(Section):
    """What is checked of a registration service."""

    statistics: Statistics | None = None
    validation: Validation | None = None
    details: Details | None = None
    rejections: Rejections | None = None
    call_rate: CallRate | None = None


class Monitoring(Section):
    """What the metrics server must watch."""

    series: tuple[str, ...] = Field((), description="Metrics of the service that dashboards and alerts read.")
    jobs: tuple[str, ...] = Field((), description="Scrape jobs that must have a target, and every one up.")
    rules: tuple[str, ...] = Field((), description="Alert rules that must be loaded, and be evaluated without error.")
