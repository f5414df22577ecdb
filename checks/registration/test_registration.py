"""Products are validated, can be looked at, and are counted; what is rejected says why (runbook 004)."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from opsproof import NoData, needs, proven_by, runbook, writes

pytestmark = [pytest.mark.diagnosis]


@pytest.mark.smoke
@pytest.mark.daily
@runbook(
    "SB-012",
    severity="SEV-3",
    verifies="answer",
    next_step="Repair the list of jobs: without its total nobody knows what was registered yesterday.",
)
@proven_by("storebridge-no-pagination", "secret-rotated")
@needs("registration.statistics")
async def test_yesterdays_finished_jobs_are_counted(api, profile):
    """The list of jobs says how many were finished since yesterday; none is a number, too."""
    # created_after has no upper end, so that the runbook's total counts today, too.
    statistics = profile.registration.statistics
    yesterday = datetime.now(ZoneInfo(profile.timezone)).date() - timedelta(days=1)
    path = statistics.path.format(yesterday=yesterday)
    total = (await api.get(path)).field(statistics.field)

    assert isinstance(total, int), f"{path} says {statistics.field} is {total!r}, not a whole number"
    assert total >= 0, f"{path} says {statistics.field} is {total}"


@pytest.mark.smoke
@pytest.mark.payload_guard
@writes("nothing: the path validates and stores nothing")
@runbook(
    "SB-148",
    severity="SEV-2",
    verifies="answer",
    next_step="Register nothing until validation works: what it lets through is rejected by the market, one by one.",
)
@proven_by("storebridge-validates-anything", "storebridge-product-500", "secret-rotated")
@needs("registration.validation")
async def test_a_product_is_validated_before_it_is_registered(api, profile):
    """A valid product gets a result, and a body that is no product is refused with 4xx."""
    # The runbook's `curl -d` sends the JSON as a form; JSON is meant.
    validation = profile.registration.validation
    valid = await api.post(validation.path, json=validation.body)
    refused = [await api.post(validation.path, json=body) for body in validation.refused]

    assert valid.ok, f"{validation.path} answers {valid.describe()}"
    absent = [name for name in validation.fields if name not in valid.json()]
    assert not absent, f"{validation.path} answers without {', '.join(absent)}"
    for body, answer in zip(validation.refused, refused, strict=True):
        assert 400 <= answer.status < 500, f"{validation.path} answers {answer.describe()} to {body}, not 4xx"


@pytest.mark.smoke
@runbook(
    "SB-147",
    severity="SEV-3",
    verifies="answer",
    next_step="Follow the error_id of the answer through the logs; until then read the product in the database.",
)
@proven_by("storebridge-product-500")
@proven_by("core-endpoint-500", "wrong-body", "html-body", "slow-answers", "table-locked", "secret-rotated")
@needs("registration.details")
async def test_a_single_product_can_be_looked_at(api, profile):
    """The newest product can be read, with its state and its error code."""
    details = profile.registration.details
    listed = (await api.get(details.listing)).field(details.items)
    if not listed:
        raise NoData(
            "there is no product yet",
            where=details.listing,
            next_step="Register one product; then there is one to look at.",
            target="api",
        )
    path = details.path.format(id=listed[0]["id"])
    product = (await api.get(path)).json()

    absent = [name for name in details.fields if name not in product]
    assert not absent, f"{path} answers without {', '.join(absent)}"


@runbook(
    "SB-032",
    "SB-033",
    "SB-034",
    "SB-103",
    severity="SEV-3",
    next_step="Correct the mapping, list or default that the code stands for, then retry what waits for a review.",
)
@proven_by("storebridge-registrations-60")
@needs("registration.rejections")
async def test_no_error_code_leads(database, profile):
    """Of the last hour's rejections no error code has most of them."""
    rejections = profile.registration.rejections
    rows = await database.rows(rejections.sql)
    total = sum(row["products"] for row in rows)
    if total < rejections.at_least:
        return

    leading = rows[0]
    advice = rejections.advice.get(leading["code"])
    assert leading["products"] / total <= rejections.most_share, (
        f"{leading['products']} of {total} rejections are {leading['code']}" + (f": {advice.en}" if advice else "")
    )
