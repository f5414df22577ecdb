"""A canary over its watch: whether it can be judged, each criterion by its bounds, and the one answer of all."""

import pytest

from opsproof import NoData, each, needs, runbook

pytestmark = [pytest.mark.canary_criteria]


@runbook(
    "FAI-058",
    "FAI-059",
    severity="SEV-1",
    next_step="Mend the questions in the profile's `canary`, as each sentence says; then watch the canary.",
)
@needs("canary")
async def test_the_questions_can_tell(canary):
    """Every question of the canary gives a number that could also be bad, of the canary alone."""
    refused = canary.fact.refused
    canary.keep_evidence(criterion.name for criterion in canary.fact.criteria)

    if refused:
        raise NoData(
            f"{len(refused)} questions cannot tell: {'; '.join(refused)}",
            where=", ".join(f"{track}: {labels}" for track, labels in canary.fact.tracks.items()),
            next_step="Mend what each of them names, or wait until the canary has traffic; then watch it.",
        )
    assert all(criterion.questions for criterion in canary.fact.criteria)


@each(criterion="canary.criteria")
async def test_criterion(criterion, canary):
    """The criterion holds over the whole watch."""
    lang = canary.lang
    seen = canary.fact.criterion(criterion.id)
    look = seen.last
    canary.keep_evidence([criterion.id])

    if look is None or look.answer == "inconclusive":
        raise NoData(
            look.reason[lang] if look else "it was never looked at",
            where="; ".join(
                f"{name}: {asked}" for name, asked in canary.fact.criterion(criterion.id).questions.items()
            ),
            next_step=_to_know_it(look.more_needed if look else None),
        )
    assert look.answer == "promote", look.reason[lang]


def _to_know_it(more: int | None) -> str:
    if more is None:
        return "See what the questions give by hand; without a usable number nobody may promote."
    return f"Watch longer, or give the canary more traffic: {more} more requests without a failure would do."


@runbook(
    "FAI-060",
    "FAI-061",
    severity="SEV-1",
    next_step="Roll back (helm rollback), then see that it helped: -m recovery --stable-for 5m --expect-version OLD.",
)
@needs("canary")
async def test_the_canary_may_be_promoted(canary):
    """All criteria together say: promote."""
    fact = canary.fact
    canary.keep_evidence(criterion.name for criterion in fact.criteria)
    words = "; ".join(reason[canary.lang] for reason in fact.reasons)

    assert fact.answer != "rollback", words
    if fact.answer == "inconclusive":
        raise NoData(
            f"neither promote nor roll back ({fact.ending}): {words}",
            where=", ".join(f"{track}: {labels}" for track, labels in fact.tracks.items()),
            next_step="Leave the canary as it is, and watch it longer or with more traffic; or roll back.",
        )
    assert fact.answer == "promote"
    assert fact.criteria
