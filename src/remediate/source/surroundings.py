"""What stands around a place in application code: which calls enclose a word, which function encloses an offset.

Lexical on purpose: it is asked for a few words of many files, where a syntax tree of each would take seconds. What it
cannot see (a table's name in a constant, say) it answers with nothing, and its caller takes that as unknown.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from remediate.source.text import STRING_OR_COMMENT

_CALLEE = re.compile(r"(?:[A-Za-z_$][\w$]*\s*\??\.\s*)*[A-Za-z_$][\w$]*$")
_IMPORT = re.compile(
    r"""\bimport\s+(?:type\s+)?(?P<names>[^'"`;]+?)\s+from\s*(?P<from>["'][^"'\n]+["'])
      | \b(?:const|let|var)\s+(?P<bound>\{[^}]*\}|[\w$]+)\s*=\s*(?:await\s+)?(?:require|import)\s*\(\s*
        (?P<required>["'][^"'\n]+["'])""",
    re.VERBOSE,
)
_FUNCTION = re.compile(
    r"""\bfunction\s*\*?\s*(?P<declared>[A-Za-z_$][\w$]*)
      | \b(?:const|let|var)\s+(?P<assigned>[A-Za-z_$][\w$]*)\s*(?::[^=;]*)?=
        \s*(?:async\s*)?(?:function\b|\(|<|[\w$]+\s*=>)
      | ^\s*(?:(?:public|private|protected|static|async|override)\s+)*(?P<method>[A-Za-z_$][\w$]*)\s*(?:<[^>]*>)?\(
        [^;{}=]*\)\s*(?::[^;{}=]+)?\{""",
    re.VERBOSE | re.MULTILINE,
)
# `db.from('orders')` is a query: only a word of its own begins an import.
_IMPORTS = re.compile(r"(?<![.\w$])(?:from|import|require)\s*\(?\s*\Z")
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
# No call is looked for farther away than so many characters.
_FARTHEST = 20_000
_NO_CALLS = frozenset({"if", "for", "while", "switch", "catch", "function", "return", "await", "async", "typeof", "in"})


def calls_around(data: bytes, words: Collection[str]) -> dict[str, list[tuple[str, ...]]]:
    """For each string of a file that holds one of `words` (lower case): what the calls around it are called on.

    They come innermost first: `db('orders').join('users', …)` gives `db` for both words, and
    `inTenant(id, (trx) => trx('orders'))` gives `trx`, `inTenant`. A member is given with its object: `this.db`. The
    modules that a file imports are left out.
    """
    text = data.decode("latin-1")
    skeleton = _skeleton(text)
    found: dict[str, list[tuple[str, ...]]] = {}
    for match in STRING_OR_COMMENT.finditer(text):
        if match.group("comment") is not None:
            continue
        held = {word for word in _WORD.findall(match.group().lower()) if word in words}
        if held and not _IMPORTS.search(text, max(0, match.start() - 40), match.start()):
            calls = tuple(_calls(skeleton, match.start()))
            for word in sorted(held):
                found.setdefault(word, []).append(calls)
    return found


def _skeleton(text: str) -> str:
    """The text with strings and comments blanked out, every character at its place."""
    return STRING_OR_COMMENT.sub(lambda match: " " * len(match.group()), text)


def _calls(text: str, position: int) -> Iterator[str]:
    depth = 0
    for index in range(position - 1, max(-1, position - _FARTHEST), -1):
        character = text[index]
        if character == "\n" and text[index + 1 : index + 2].isalpha():
            return  # a statement of the file itself begins here: nothing encloses it
        if character in ")]}":
            depth += 1
        elif character in "([{":
            if depth:
                depth -= 1
            elif character == "(" and (name := _called_on(text, index)):
                yield name


def _called_on(text: str, bracket: int) -> str | None:
    """What the call whose arguments begin at `bracket` is called on, at the start of its chain."""
    end = bracket
    while True:
        before = _without_generics(text[max(0, end - 300) : end].rstrip())
        match = _CALLEE.search(before)
        if match is None:
            return None
        chain = [part.strip(" \n\t?") for part in match.group().split(".")]
        rest = before[: match.start()].rstrip()
        if rest.endswith("."):
            closing = max(0, end - 300) + len(rest.rstrip("?.").rstrip()) - 1
            opening = _opening(text, closing) if text[closing : closing + 1] == ")" else None
            if opening is None:
                return None
            end = opening
            continue
        if chain[0] in _NO_CALLS:
            return None
        return ".".join(chain[:2]) if chain[0] == "this" else chain[0]


def _without_generics(before: str) -> str:
    """`db<Order>` without its type arguments; one level of them, which is what code has before a table's name."""
    return re.sub(r"<[^<>()]*(?:<[^<>()]*>[^<>()]*)*>$", "", before).rstrip()


def _opening(text: str, closing: int) -> int | None:
    depth = 0
    for index in range(closing, -1, -1):
        if text[index] == ")":
            depth += 1
        elif text[index] == "(":
            depth -= 1
            if depth == 0:
                return index
    return None


def imported_names(data: bytes) -> dict[str, str]:
    """The names that a file imports, with the module as it is written: `{"inTenant": "../db/tenant"}`."""
    found: dict[str, str] = {}
    for match in _IMPORT.finditer(data.decode("latin-1")):
        module = (match["from"] or match["required"])[1:-1]
        names = (match["names"] or match["bound"]).replace("{", ",").replace("}", ",").replace("* as", "")
        for name in names.split(","):
            local = re.split(r"\bas\b|:", name)[-1].strip().removeprefix("type ").strip()
            if re.fullmatch(r"[A-Za-z_$][\w$]*", local):
                found[local] = module
    return found


def functions_around(data: bytes, offset: int) -> tuple[str, ...]:
    """The names of the functions whose bodies hold a byte offset, innermost first."""
    text = _skeleton(data.decode("latin-1"))
    starts = {match.start(): match for match in _FUNCTION.finditer(text, 0, offset)}
    found = []
    for start in sorted(starts, reverse=True):
        match = starts[start]
        if _is_open(text, match.start(), offset):
            found.append(match["declared"] or match["assigned"] or match["method"])
    return tuple(name for name in found if name not in _NO_CALLS)


def _is_open(text: str, start: int, offset: int) -> bool:
    """Whether the function that starts at `start` still goes on at `offset`: no body of it has closed before."""
    depth = 0
    for character in text[start:offset]:
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth < 0 or (depth == 0 and character == "}"):
                return False
    return depth > 0
