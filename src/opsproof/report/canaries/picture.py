"""The picture of a watched canary: a chart for each criterion, as one SVG that stands alone."""

from collections.abc import Mapping
from html import escape

from opsproof.canary.facts import CanaryFact, CriterionFact
from opsproof.judge.canary.rules import Answer
from opsproof.judge.limits import Lang
from opsproof.report.canaries.block import headline, remarks, said_of, watched
from opsproof.report.canaries.chart import BASELINE, CANARY, LIMIT, WIDTH, chart, gap_texts
from opsproof.report.canaries.reading import demand_text, name_of
from opsproof.report.canaries.words import ANSWERS, SIGNS, words
from opsproof.report.text import one_line, shortened

_MARGIN = 12
_COLUMN = 6.2
"""Pixels of a column of small text."""
_FILLS: Mapping[Answer, tuple[str, str]] = {
    Answer.PROMOTE: ("#0072B2", "#fff"),
    Answer.ROLLBACK: ("#B34700", "#fff"),
    Answer.INCONCLUSIVE: ("#fff", "#111"),
}
"""Of a label and of the word in it: also their lightness tells them apart."""
_PATTERNS = (
    '<defs><pattern id="gap" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" fill="#fff"/><rect width="1.6" height="6" fill="#bbb"/></pattern></defs>'
)


def svg(fact: CanaryFact, lang: Lang) -> str:
    """
    Each criterion over the watch: canary with bounds, baseline, limit, and where there were no data.

    Args:
        fact: The canary, redacted.
        lang: Language of the words.

    Returns:
        An SVG document; without criteria that were looked at, it says why.
    """
    head = headline(fact, lang)
    sheet = _Sheet()
    sheet.title(f"{words(lang)['head']} {fact.profile}", fact.answer, lang, size=17)
    sheet.text(watched(fact, lang))
    for row in remarks(fact, lang):
        sheet.text(f"{row.label}: {row.text}", lines=4)
    for number, criterion in enumerate(fact.criteria):
        _criterion(sheet, fact, criterion, number, lang)
    if any(criterion.looks for criterion in fact.criteria):
        sheet.legend(lang)
    height = sheet.y + _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
        f'viewBox="0 0 {WIDTH} {height:.0f}" role="img" font-family="\'Noto Sans CJK KR\', \'Noto Sans KR\', '
        f'\'Malgun Gothic\', sans-serif" font-size="12"><title>{escape(f"{head.label} {head.text}")}</title>'
        f'{_PATTERNS}<rect width="100%" height="100%" fill="#fff"/>{"".join(sheet.parts)}</svg>\n'
    )


def _criterion(sheet: "_Sheet", fact: CanaryFact, criterion: CriterionFact, number: int, lang: Lang) -> None:
    look = criterion.last
    sheet.y += 14
    answer = look.answer if look else Answer.INCONCLUSIVE
    sheet.title(name_of(criterion, lang), answer, lang, size=14, beside=demand_text(criterion, lang))
    sheet.text(said_of(criterion, lang), lines=3)
    if look is None:
        return
    drawing, height = chart(fact, criterion, number, lang)
    sheet.put(drawing, height)
    for text in gap_texts(fact, criterion, lang):
        sheet.text(text)


class _Sheet:
    """Where the next thing is put, and what is there."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.y = 0.0

    def title(self, text: str, answer: Answer, lang: Lang, *, size: int, beside: str = "") -> None:
        """A headline, what stands beside it, and the answer as a label: in colour, with a sign and the word."""
        from wcwidth import wcswidth

        self.y += size + 10
        word = f"{SIGNS[answer]} {ANSWERS[lang][answer]}"
        width = wcswidth(word) * 8 + 18
        x = WIDTH - _MARGIN - width
        fill, ink = _FILLS[answer]
        dashes = ' stroke-dasharray="4 2"' if answer is Answer.INCONCLUSIVE else ""
        columns = int((x - 2 * _MARGIN) / (_COLUMN * 1.08 * size / 12))
        head = _cut(text, columns)
        rest = _cut(beside, columns - wcswidth(head) - 2)
        self.parts += [
            f'<text x="{_MARGIN}" y="{self.y:.0f}" font-size="{size}" font-weight="bold">'
            f'{escape(head)}<tspan dx="12" font-size="12.5" font-weight="normal">{escape(rest)}</tspan></text>',
            f'<rect x="{x}" y="{self.y - 15:.0f}" width="{width}" height="20" rx="4" fill="{fill}" stroke="#333"'
            f"{dashes}/>",
            f'<text x="{x + width / 2:.0f}" y="{self.y:.0f}" text-anchor="middle" font-size="13" font-weight="bold" '
            f'fill="{ink}">{escape(word)}</text>',
        ]
        self.y += 4

    def text(self, text: str, *, lines: int = 2) -> None:
        """A paragraph."""
        from wcwidth import wrap

        columns = int((WIDTH - 2 * _MARGIN) / _COLUMN)
        for line in wrap(one_line(text), columns, max_lines=lines, placeholder=" ...", break_on_hyphens=False):
            self.y += 16
            self.parts.append(f'<text x="{_MARGIN}" y="{self.y:.0f}" fill="#333">{escape(line)}</text>')

    def put(self, drawing: str, height: float) -> None:
        """A drawing of that height."""
        self.parts.append(f'<g transform="translate(0 {self.y:.0f})">{drawing}</g>')
        self.y += height

    def legend(self, lang: Lang) -> None:
        """What the lines are."""
        from wcwidth import wcswidth

        said = words(lang)
        self.y += 26
        y, x = self.y, float(_MARGIN)
        entries = (
            (said["canary"], f'<line x1="0" x2="22" stroke="{CANARY}" stroke-width="2.2"/>'),
            (
                said["bounds"],
                f'<rect y="-6" width="22" height="12" fill="{CANARY}" fill-opacity="0.2" stroke="{CANARY}" '
                'stroke-width="0.6"/>',
            ),
            (
                said["baseline"],
                f'<line x1="0" x2="22" stroke="{BASELINE}" stroke-width="1.6" stroke-dasharray="6 3"/>',
            ),
            (said["limit"], f'<line x1="0" x2="22" stroke="{LIMIT}" stroke-width="2.4"/>'),
            (said["no_data"], '<rect y="-6" width="22" height="12" fill="url(#gap)" stroke="#777"/>'),
        )
        for word, drawing in entries:
            self.parts.append(
                f'<g transform="translate({x:.0f} {y - 4:.0f})">{drawing}<text x="28" y="4">{escape(word)}</text></g>'
            )
            x += 28 + wcswidth(word) * 7 + 22


def _cut(text: str, columns: int) -> str:
    """On one line of so many columns."""
    from wcwidth import wcswidth

    line = one_line(text)
    while line and wcswidth(line) > columns:
        line = shortened(line, len(line) - 1) if len(line) > 5 else ""
    return line
