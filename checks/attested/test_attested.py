"""What a person confirms, where no probe can see it; question, rows, markers and next step are the profile's."""

from opsproof import each


@each(entry="attested")
async def test_attested(entry, attester):
    """A person has looked, and says that it is so."""
    answer = await attester.ask(entry)

    assert answer.answer == "yes", answer.words
