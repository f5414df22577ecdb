"""Text as a broken or hostile target may send it."""

from hypothesis import strategies as st

PIECES = (
    "[click](http://evil.example)",
    "![x](http://evil.example/p.png)",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "<!-- hidden -->",
    "</code></td>",
    "<http://evil.example>",
    "https://evil.example/a",
    "www.evil.example",
    "# heading",
    "\n# heading\n",
    "\n\n---\n",
    "\n===\n",
    "- item",
    "1. item",
    "> quote",
    "a | b",
    "\\|",
    "\\",
    "`code`",
    "``",
    "\n```\n",
    "~~~",
    "**bold**",
    "__bold__",
    "*a*",
    "_a_",
    "~~gone~~",
    "&lt;b&gt;",
    "&#35;",
    "[ref]: http://evil.example",
    "[^1]",
    "$x$",
    "\x1b[31m",
    "\u202e",
    "\r",
    "\t",
    "]]>",
    "[[ATTACHMENT|/etc/passwd]]",
    "한글",
    "🦆",
    " ",
    "x",
)

nasty_text = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
    st.lists(st.sampled_from(PIECES) | st.text(st.characters(exclude_categories=()), max_size=5), max_size=6).map(
        "".join
    ),
)
"""Markup, terminal commands, half characters, in any order."""
