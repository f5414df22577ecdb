"""The pages for people are there, and want a login."""

import asyncio

import pytest

from opsproof import ANONYMOUS, each, proven_by, runbook

pytestmark = [pytest.mark.smoke]


@runbook(
    "OPS-108",
    severity="SEV-2",
    verifies="answer",
    next_step="404, the release lost the page; 200 without a login, take it off the network until that is repaired.",
)
@proven_by("ops-page-missing", "auth-off", "secret-rotated")
@each(page="pages")
async def test_the_page_wants_a_login(api, page):
    """The page is shown to whom may see it, and to nobody without a login."""
    shown, refused = await asyncio.gather(
        api.get(page.path, identity=page.identity), api.get(page.path, identity=ANONYMOUS)
    )

    assert shown.status == 200, f"{page.path} answers {shown.describe()} to whom may see it"
    wants_login = refused.status in (401, 403) or bool(refused.redirects)
    assert wants_login, f"{page.path} answers {refused.describe()} without a login"
