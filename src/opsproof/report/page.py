"""Markdown of a report as an HTML page that stands alone: the same words, with pictures and colours."""

import re
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from opsproof.judge.limits import Lang

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

_OURS = re.compile(r'</?code>|<br>|<span class="(?:proven|failed|not-proven|blank)">|</span>')
"""The only tags that may come from Markdown: those that `prose` and `code` make, and the colours of the report."""
_STYLE = """\
:root { color-scheme: light; }
body { font: 15px/1.55 "Noto Sans CJK KR", "Noto Sans KR", "Malgun Gothic", "Apple SD Gothic Neo", sans-serif;
  color: #1a1a1a; background: #fff; max-width: 1060px; margin: 2rem auto; padding: 0 1.2rem; word-break: keep-all; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.35rem; margin-top: 2.4rem; border-bottom: 2px solid #333; }
h3 { font-size: 1.08rem; margin-top: 1.6rem; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0 1rem; font-size: 13.5px; }
th, td { overflow-wrap: anywhere; min-width: 4.2em; }
td:nth-child(2), td:last-child { min-width: 5.5em; }
th, td { border: 1px solid #bbb; padding: .3rem .5rem; text-align: left; vertical-align: top; }
th { background: #f0f0f0; white-space: nowrap; }
code, pre { font-family: "Noto Sans Mono CJK KR", ui-monospace, monospace; font-size: 12.5px; overflow-wrap: anywhere; }
pre { background: #f6f6f6; padding: .6rem; white-space: pre-wrap; }
blockquote { border-left: 4px solid #333; margin: 1rem 0; padding: .2rem 1rem; background: #fafafa; }
figure { margin: 1rem 0; } span { white-space: nowrap; }
.proven { color: #00558a; font-weight: 600; }
.failed { color: #fff; background: #b34700; font-weight: 700; padding: 0 .35em; }
.not-proven { color: #000; border: 1.5px dashed #444; font-weight: 600; padding: 0 .3em; }
.side-by-side { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 1rem 2rem; }
.side-by-side > div { max-width: 640px; } .side-by-side h3 { margin: .6rem 0; }
.side-by-side p { margin: .4rem 0; font-size: 13px; color: #444; }
.blank { background: #fff3b0; white-space: normal; padding: 0 .2em; }
@media screen and (max-width: 700px) {
  body { margin: 1rem auto; padding: 0 .8rem; }
  h1 { font-size: 1.3rem; } h2 { font-size: 1.15rem; margin-top: 1.6rem; }
  table { display: block; overflow-x: auto; }
  td, td:nth-child(2), td:last-child { min-width: 0; overflow-wrap: normal; }
}
@page { size: A4; margin: 14mm; }
@media print {
  body { font-size: 10.5pt; margin: 0; max-width: none; padding: 0; }
  table { font-size: 8.5pt; } tr, figure, blockquote { break-inside: avoid; } h2, h3 { break-after: avoid; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
"""


def page(markdown: str, title: str, pictures: Mapping[str, str], lang: Lang) -> str:
    """
    A whole HTML page.

    Args:
        markdown: The report. Of HTML in it only tags of ours act; all other is shown as text.
        title: Of the page, as text.
        pictures: SVG by the comment that stands in its place.
        lang: Language of the page.
    """
    from markdown_it import MarkdownIt

    def ours(_renderer: object, tokens: "Sequence[Token]", at: int, _options: object, _env: Any) -> str:
        content = tokens[at].content
        return content if _OURS.fullmatch(content) else escape(content)

    def picture(_renderer: object, tokens: "Sequence[Token]", at: int, _options: object, _env: Any) -> str:
        content = tokens[at].content.strip()
        if svg := pictures.get(content):
            return f"<figure>{svg}</figure>\n"
        return "" if re.fullmatch(r"<!-- opsproof record[^<>]*-->", content) else f"<p>{escape(content)}</p>\n"

    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    reader.add_render_rule("html_inline", ours)
    reader.add_render_rule("html_block", picture)
    body = reader.render(markdown)
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
