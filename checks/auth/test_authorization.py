"""Who may, may; who may not, may not."""

import asyncio

import pytest

from opsproof import ANONYMOUS, Forged, needs, proven_by, runbook

pytestmark = [pytest.mark.smoke, pytest.mark.diagnosis, pytest.mark.release]

OPEN = "Take the API off the network until authorization works: anyone can read what this path shows."


@runbook("ING-007", "ING-049", severity="SEV-1", next_step=OPEN)
@proven_by("auth-off")
@needs("authorization")
async def test_without_a_credential_nothing_is_shown(api, profile):
    """A request without a credential gets 401."""
    answer = await api.get(profile.authorization.path, identity=ANONYMOUS)

    assert answer.status == 401, f"{profile.authorization.path} without a credential answers {answer.describe()}"


@runbook("ING-007", "ING-049", severity="SEV-1", next_step=OPEN)
@proven_by("auth-off")
@needs("authorization")
async def test_a_credential_that_nobody_issued_is_refused(api, profile):
    """A made-up key or token gets 401."""
    answer = await api.get(profile.authorization.path, identity=Forged(profile.authorization.admitted, "unknown"))

    assert answer.status == 401, f"{profile.authorization.path} with a made-up credential answers {answer.describe()}"


@runbook(
    "ING-007",
    "ING-049",
    severity="SEV-1",
    next_step="Roll the release back: whoever can write a token is let in. Then see how it verifies signatures.",
)
@proven_by("signature-not-verified", "auth-off")
@needs("authorization.jwt")
async def test_a_forged_token_is_refused(api, profile):
    """A token whose signature was altered, that is not signed, or whose claims were altered gets 401."""
    forged = [Forged(profile.authorization.admitted, how) for how in ("tampered", "unsigned", "expired")]
    answers = await asyncio.gather(*(api.get(profile.authorization.path, identity=token) for token in forged))

    taken = {token: answer for token, answer in zip(forged, answers, strict=True) if answer.status != 401}
    assert not taken, f"{profile.authorization.path} does not answer 401: " + "; ".join(
        f"as {token} {answer.describe()}" for token, answer in taken.items()
    )


@runbook("ING-007", "ING-049", severity="SEV-1", next_step=OPEN)
@proven_by("role-check-off", "auth-off", "secret-rotated")
@needs("authorization.refused")
async def test_the_wrong_role_is_refused(api, profile):
    """A credential of the wrong role gets 403."""
    answer = await api.get(profile.authorization.path, identity=profile.authorization.refused)

    assert answer.status == 403, (
        f"{profile.authorization.path} as {profile.authorization.refused} answers {answer.describe()}, not 403"
    )


@runbook(
    "ING-007",
    "ING-049",
    "OPS-052",
    "SB-153",
    severity="SEV-2",
    next_step="See whether JWT_SECRET or API_KEY was changed with the release; every client has this trouble, too.",
)
@proven_by("secret-rotated", "table-locked")
@needs("authorization")
async def test_the_right_role_is_admitted(api, profile):
    """A credential of the right role gets 200."""
    answer = await api.get(profile.authorization.path, identity=profile.authorization.admitted)

    assert answer.status == 200, (
        f"{profile.authorization.path} as {profile.authorization.admitted} answers {answer.describe()}"
    )
