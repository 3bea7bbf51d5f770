"""Whether a text names a table as a relation: as the whole of it, or where SQL has a table.

Lexical, and on the cautious side: SQL stands in strings in pieces that no parser takes. Words of prose are no tables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from remediate.source.access.words import words_of

Kind = Literal["sql", "bare", "alias"]

# How far behind FROM a list of relations goes on.
_LIST = 400
_BEGINS_SQL = re.compile(
    r"""\s*(?: [(,;$] | -- | /\* | \\[nrt]
      | (?P<word> select|insert|update|delete|with|from|join|left|right|inner|full|cross|natural|lateral|union|except
        |intersect|where|and|or|using|into|truncate|merge|copy|lock|exists|not|in|explain|declare|begin|do|call
        |create|on|set|values|having|order|limit|returning|as|case|when|then|set_config ) (?!\w) )""",
    re.VERBOSE | re.IGNORECASE,
)
_LIST_BEGINS = re.compile(r"\b(?:from|truncate|lock)\s", re.IGNORECASE)
_PREFIX = r"""(?: [\\]? "? [\w$]+ [\\]? "? \s*\.\s* | "? \$\{[^}]*\} "? \s*\.\s* )? [\\]? "? \Z"""
_BEFORE = re.compile(
    r"(?: ['\"`] \s* | \b (?:from|join|into|using|copy|only|lock|truncate|update|table|lateral) \s+ \(? \s* )"
    + _PREFIX,
    re.VERBOSE | re.IGNORECASE,
)
_IN_LIST = re.compile(r", \s* (?:only\s+)?" + _PREFIX, re.VERBOSE | re.IGNORECASE)
_VERB = re.compile(r"\b(?:select|delete|insert|update)\b", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[*=(,$?;]")


@dataclass(frozen=True)
class Relation:
    """A table by its schema and name."""

    schema: str
    name: str

    @cached_property
    def words(self) -> frozenset[str]:
        """The words that a file has to hold, in lower case, to name it."""
        return words_of(self.name)

    @cached_property
    def _qualified(self) -> str:
        schema = rf"""(?: (?: [\\]?"? {re.escape(self.schema)} [\\]?"? | "? \$\{{[^}}]*\}} "? ) \s*\.\s* )?"""
        return rf"""{schema} [\\]?"? {re.escape(self.name)} [\\]?"? (?![\w$]) (?! \s*\.\s* ["\w] )"""

    @cached_property
    def _in_sql(self) -> re.Pattern[str]:
        stop = r"\b(?:where|group|order|having|limit|union|set|select|values|returning|on)\b"
        return re.compile(
            rf"""
            (?<![\w$]) (?:
              (?P<keyword> from|join|into|using|copy|only|lock(?:\s+table)?|truncate(?:\s+table)? )
                \s+ (?:only\s+)? (?:lateral\s+)? \(? \s* {self._qualified}
            | (?P<update> update ) \s+ (?:only\s+)? {self._qualified} (?= [^;]* \b (?:set|SET) \b )
            | (?P<list> from|truncate|lock ) \s (?: (?! {stop} ) [^;] ){{0,{_LIST}}}?
                , \s* (?:only\s+)? {self._qualified}
            )""",
            re.VERBOSE | re.IGNORECASE,
        )

    @cached_property
    def _bare(self) -> re.Pattern[str]:
        alias = r"(?P<alias> \s+ (?P<as> as \s+ )? [\"\w]+ )?"
        return re.compile(rf"""\s* {self._qualified} {alias} \s*""", re.VERBOSE | re.IGNORECASE)

    def kind_in(self, text: str) -> Kind | None:
        """How the content of a string names it: "bare" as the whole (`orders`, `orders as o`), "alias" as what may be
        the table and its alias, or two words (`orders list`), "sql" where SQL has a relation.
        """
        if text.lower() == self.name.lower():
            return "bare"
        # Patterns are made for one table each: only where nothing simpler will do.
        whole = self._bare.fullmatch(text) if len(text) < len(self.name) + 150 else None
        if whole is not None:
            return "alias" if whole["alias"] and not whole["as"] else "bare"
        for match in self._in_sql.finditer(text):
            word = match["keyword"] or match["update"] or match["list"]
            if word.isupper() or _is_sql(text) or _is_piece(text, match.start()):
                return "sql"
        return None

    def offset_in(self, text: str, *, is_sql: bool) -> int | None:
        """Where it is first named as a relation in a whole file: of SQL, or of another language with SQL in it."""
        for match in self._in_sql.finditer(text):
            word = match["keyword"] or match["update"] or match["list"]
            line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
            if is_sql or word.isupper() or _VERB.search(line):
                return match.end() - 1
        return None


def may_name(text: str, offset: int) -> bool:
    """Whether the word at an offset of a file may be a relation: at the start of a string, or where SQL has one.

    Cheap, so that most files need not be parsed, and never wrong where it says no.
    """
    if _BEFORE.search(text, max(0, offset - 200), offset) is not None:
        return True
    if _IN_LIST.search(text, max(0, offset - 200), offset) is None:
        return False
    return _LIST_BEGINS.search(text, max(0, offset - _LIST - 50), offset) is not None


def _is_piece(text: str, offset: int) -> bool:
    """Whether a piece of SQL that begins anywhere has a verb before an offset: `n < (select x from orders where …)`."""
    return _PUNCTUATION.search(text) is not None and _VERB.search(text, 0, offset) is not None


def _is_sql(text: str) -> bool:
    """Whether a text begins as SQL does. `Select an item from orders` is a sentence, `select x from orders` is not."""
    match = _BEGINS_SQL.match(text)
    if match is None:
        return False
    return not match["word"] or not match["word"].istitle() or _PUNCTUATION.search(text) is not None
