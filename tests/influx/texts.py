"""Texts that break line protocol, CSV, Flux or the joining of tags, for hypothesis to choose from and to mix."""

from __future__ import annotations

from hypothesis import strategies as st

from hostile import PLAIN, arrived

__all__ = ["names", "texts"]

BREAKING = [
    "", " ", ",", "=", '"', "\\", "\\\\", '\\"', "\n", "\r", "\r\n", "\t", "|", "||", "%", "%7C", "%%", "%7c",
    "\u240d", "\u241b", "\u241b\u240d", "\r\u240d", "\\n", "\\,", "\\ ", "a\\", "a ", " a", "#", "#a", "${1}", "\x00",
    "\x1f", "\x7f", "\x85", "\x9f", "\u2028", "\u2029", "😀", "é", "e\u0301", "\ufeff", "\ufffd", "\uffff",
    "\U0010ffff", 'f="x" 1', "true", "1i", "a=b c,d=e", "\nm f=1 1", '",f2="', "\\.", ",error,reference",
]  # fmt: skip

pieces = st.sampled_from([*BREAKING, *map(arrived, PLAIN)]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=5
)
texts = st.lists(pieces, max_size=6).map("".join)
"""Anything that a mirror can hold: no half of a surrogate pair."""

names = st.lists(texts, max_size=4, unique=True).map(lambda found: tuple(sorted(found)))
