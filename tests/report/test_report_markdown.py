"""Text from targets stays text in Markdown."""

import re

from hypothesis import example, given
from markdown_it import MarkdownIt
from markdown_it.token import Token
from nasty_text import nasty_text

from opsproof.report.markdown import code, code_block, prose, table
from opsproof.report.text import one_line, printable

# As GitHub and GitLab read it: tables, strikethrough, and addresses that become links by themselves.
GFM = MarkdownIt("gfm-like", {"html": True})
GFM.linkify.set({"fuzzy_link": False, "fuzzy_email": False})  # type: ignore[union-attr]

ALLOWED = {"paragraph_open", "paragraph_close", "inline", "text", "code_inline"}


def flat(tokens: list[Token]) -> list[Token]:
    return [inner for token in tokens for inner in (token, *flat(token.children or []))]


def shown(tokens: list[Token]) -> str:
    """What a reader sees."""
    return "".join(token.content for token in flat(tokens) if token.type in ("text", "code_inline", "text_special"))


def without_marks(text: str) -> str:
    return text.replace("\u200b", "").strip() or "(none)"


@given(nasty_text)
@example("1. item")
@example("\\|")
@example("https://evil.example/a")
@example("__bold__")
def test_prose_shows_the_text_and_makes_nothing_of_it(text: str) -> None:
    """A link or picture out of an error body could lead an operator anywhere."""
    tokens = GFM.parse(prose(text))

    assert {token.type for token in flat(tokens)} <= ALLOWED
    assert without_marks(shown(tokens)) == without_marks(one_line(text))


@given(nasty_text)
@example("# heading")
@example("- item")
def test_prose_in_a_list_item_stays_one_item(text: str) -> None:
    """A list item may hold headings and lists; what stands in it must not make one."""
    tokens = GFM.parse(f"- {prose(text)}\n- next: {prose(text)}\n")

    assert [token.type for token in tokens].count("list_item_open") == 2
    assert not {"heading_open", "blockquote_open", "fence", "code_block", "html_block"} & {t.type for t in tokens}


@given(nasty_text, nasty_text)
@example("\\|", "\\|")
def test_a_table_keeps_its_cells(first: str, second: str) -> None:
    """A broken cell would move the next step of one check to another."""
    text = table(("A", "B", "C"), [(prose(first), code(second), prose(second))])

    tokens = GFM.parse(text)

    kinds = [token.type for token in tokens]
    assert kinds.count("td_open") == 3
    assert kinds.count("tr_open") == 2
    cells = [token for token in tokens if token.type == "inline"][3:]
    inner = [token for cell in cells for token in cell.children or []]
    assert {token.type for token in inner} <= ALLOWED | {"html_inline"}
    assert {token.content for token in inner if token.type == "html_inline"} <= {"<code>", "</code>"}
    assert without_marks(shown(cells[:1])) == without_marks(one_line(first))
    assert without_marks(shown(cells[1:2])) == without_marks(one_line(second))


@given(nasty_text, nasty_text)
def test_a_code_block_ends_where_it_should(command: str, other: str) -> None:
    """A fence inside a command would turn the rest of the report into something else."""
    tokens = GFM.parse(f"{code_block([command, other])}\n\nafter")

    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[0].content == f"{printable(command)}\n{printable(other)}\n"


def test_nobody_is_mentioned() -> None:
    """GitHub and GitLab notify whoever is named after an @, and link issues, after Markdown was read."""
    assert re.findall(r"@\w|#\d", prose("ask @admin about #123")) == []


def test_long_text_is_cut() -> None:
    """The table must stay readable; the run's other files hold the whole text."""
    assert len(prose("word " * 1000)) <= 400
