"""Markdown becomes a page in which only our own tags act."""

import pytest

from opsproof.report.page import page

PICTURES = {"<!-- picture 1 -->": "<svg></svg>"}


def body(markdown: str) -> str:
    return page(markdown, "a <title>", PICTURES, "ko").split("<body>")[1]


@pytest.mark.parametrize(
    "markup",
    ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '<span onclick="x">', '<span class="proven" id="x">'],
)
def test_html_that_is_not_ours_is_shown(markup: str) -> None:
    """Should an escape ever be missing, the page must not act on it."""
    for text in (markup, f"a {markup} b"):
        assert markup not in body(text)
        assert markup.replace("<", "&lt;").split(" ")[0].split(">")[0] in body(text)


def test_our_own_tags_act() -> None:
    """Colours, code with a bar in it, and pictures."""
    assert '<span class="failed">✘</span> <code>a</code>' in body('<span class="failed">✘</span> <code>a</code>')
    assert "<figure><svg></svg></figure>" in body("text\n\n<!-- picture 1 -->\n\ntext")
    assert "picture 2" in body("<!-- picture 2 -->")
    assert "&lt;!--" in body("<!-- picture 2 -->")


def test_the_title_is_text() -> None:
    """A profile's name stands in it."""
    assert "<title>a &lt;title&gt;</title>" in page("x", "a <title>", {}, "en")
