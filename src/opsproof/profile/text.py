"""A text in both languages of the operators."""

from opsproof.profile.targets import Section


class Text(Section):
    """A text in both languages of the operators."""

    en: str
    ko: str
