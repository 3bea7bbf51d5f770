"""A change as a unified diff that `git apply` takes."""

from __future__ import annotations

import difflib

from remediate.plan.model import Change

_SPECIAL = {
    "\t": "\\t",
    "\n": "\\n",
    "\r": "\\r",
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\v": "\\v",
}


def unified_diff(change: Change, prefix: str = "") -> str:
    """The diff of one change. `prefix` leads from where it is applied to the workspace ("" or "sub/folder/").

    Paths are quoted as git quotes them: with special characters in C notation, and with a tab behind a name that holds
    a space, because a reader of patches takes the rest of such a line for a time stamp.
    """
    path = prefix + change.path
    old, new = _quoted("a/" + path), _quoted("b/" + path)
    lines = [f"diff --git {old} {new}"]
    if change.before is None:
        lines.append("new file mode 100644")
    source = "/dev/null" if change.before is None else old + _stamp(old)
    hunks = difflib.unified_diff(_lines(change.before or ""), _lines(change.text), source, new + _stamp(new))
    body = [line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in hunks]
    return "\n".join(lines) + "\n" + "".join(body)


def _lines(text: str) -> list[str]:
    """Lines as git counts them: only a line feed ends one (str.splitlines knows eight other characters)."""
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _stamp(quoted: str) -> str:
    return "\t" if " " in quoted and not quoted.startswith('"') else ""


def _quoted(path: str) -> str:
    """As git's quote_c_style with core.quotePath: bytes beyond ASCII as octal escapes, in double quotes."""
    if path.isascii() and path.isprintable() and not set(path) & set('"\\'):
        return path
    parts = []
    for byte in path.encode("utf-8", "surrogateescape"):
        character = chr(byte)
        if character in _SPECIAL:
            parts.append(_SPECIAL[character])
        elif 32 <= byte < 127:
            parts.append(character)
        else:
            parts.append(f"\\{byte:03o}")
    return '"' + "".join(parts) + '"'
