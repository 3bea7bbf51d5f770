"""What counts as a comment among the tokens."""

from __future__ import annotations

from remediate.sql.tokens import tokens


def test_comments_are_left_out_and_the_keyword_is_kept() -> None:
    text = "COMMENT ON TABLE a IS 'x' -- COMMENT\n/* COMMENT */"
    assert [token.text for token in tokens(text)] == ["COMMENT", "ON", "TABLE", "a", "IS", "'x'"]
