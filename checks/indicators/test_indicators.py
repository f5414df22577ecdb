"""The numbers of the profile, each judged by its own limits; rows, markers, title and next step are the profile's."""

from opsproof import each


@each(indicator="indicators")
async def test_indicator(indicator, reader):
    """The indicator is well."""
    judgement = await reader.judge(indicator)

    assert judgement.state == "well", judgement.words
