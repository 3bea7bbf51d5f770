"""Whether a file is a Knex migration, told from its text, and in which module form it is written."""

from __future__ import annotations

import re

from remediate.source.model import Module
from remediate.source.text import without_comments

EXTENSIONS = (".ts", ".js", ".cjs", ".mjs")

_ESM_UP = re.compile(
    r"""
    \bexport\s+(?:declare\s+)?(?:async\s+)?function\s*\*?\s*up\b
  | \bexport\s+(?:const|let|var)\s+up\b
  | \bexport\s+(?:const|let|var)\s*\{[^}]*\bup\b
  | \bexport\s*\{[^{}]*\bup\b
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMONJS_UP = re.compile(
    r"""
    \bexports\s*(?:\.\s*up\b|\[\s*['"]up['"]\s*\])\s*(?::[^=]*)?=
  | \bdefineProperty\(\s*(?:module\.)?exports\s*,\s*['"]up['"]
    """,
    re.VERBOSE | re.DOTALL,
)
# An object that is exported as a whole, and its member; searched one after the other, which takes linear time.
_OBJECT = re.compile(r"\bexport\s+default\s*\{|\b(?:module\s*\.\s*exports|export)\s*=\s*\{")
_MEMBER_UP = re.compile(r"\bup\s*[,:(}]|['\"]up['\"]\s*:")
# The whole module is handed on or assigned as one value: what it holds is for the interpreter to see.
_FORWARDED = re.compile(r"\bmodule\s*\.\s*exports\s*=\s*(?:require\s*\(|[A-Za-z_$]|new\b)|\bexport\s*\*\s*from\b")
_OWN_OBJECT = re.compile(r"module\s*\.\s*exports\s*=\s*[\w$]+\s*(?:;|\Z|\n)")
_UP = re.compile(r"\bup\b")
_ESM = re.compile(r"^[ \t]*export\s+(?!=)", re.MULTILINE)
_COMMONJS = re.compile(r"\bmodule\s*\.\s*exports\b|\bexports\s*[.\[]|^[ \t]*export\s*=", re.MULTILINE)

# Other tools keep files with up and down in folders of the same name. What their `up` takes tells them apart: by its
# name (Sequelize, TypeORM, node-pg-migrate), by its type (Kysely), by what is asked of it (MongoDB).
_OTHER_TOOL = re.compile(
    r"""\bup\b\s*(?::|=)?\s*(?:async\s*)?(?:function\s*\w*)?\s*\(?\s*(?:\{\s*context\s*:\s*)?
        (?: (?P<handle>queryInterface|queryRunner|pgm)\b
          | [\w$]+\s*:\s*(?P<type>Kysely|MigrationBuilder|QueryInterface|QueryRunner)\b
          | (?P<name>[A-Za-z_$][\w$]*) )""",
    re.VERBOSE,
)
_KNEX = re.compile(r"\bknex\b|\.\s*(?:schema|raw|query)\b", re.IGNORECASE)
_TEST = re.compile(r"\.(?:test|spec|e2e|stories)\.[cm]?[jt]sx?$", re.IGNORECASE)
_NUMBERED = re.compile(r"\d+[-_.]?\D")


def is_loadable(name: str) -> bool:
    """Whether a file of this name may be a migration: by extension, and neither declarations nor a test."""
    return name.endswith(EXTENSIONS) and not name.endswith((".d.ts", ".min.js")) and not is_test_name(name)


def is_test_name(name: str) -> bool:
    return _TEST.search(name) is not None


def is_numbered(name: str) -> bool:
    """Whether the name begins with a number as migrations do; such a file without `up` is worth a word."""
    return _NUMBERED.match(name) is not None


def exports_up(text: str) -> bool:
    """Whether the module exports `up`, in any of the forms of ESM, CommonJS and TypeScript."""
    if "up" not in text and "require" not in text and "export" not in text:
        return False
    code = without_comments(text)
    if _ESM_UP.search(code) or _COMMONJS_UP.search(code):
        return True
    exported = _OBJECT.search(code)
    return exported is not None and _MEMBER_UP.search(code, exported.end()) is not None


def forwards_module(text: str) -> bool:
    """Whether what the module exports is decided elsewhere: `module.exports = make(…)`, `export * from`.

    An object that the module itself puts together has to be given an `up` in it.
    """
    code = without_comments(text)
    found = _FORWARDED.search(code)
    if found is None:
        return False
    return _OWN_OBJECT.match(code, found.start()) is None or _UP.search(code) is not None


def other_tool(text: str) -> str | None:
    """What shows that `up` is for another tool than Knex: what it takes; None if nothing does."""
    for found in _OTHER_TOOL.finditer(text):
        if found["handle"] or found["type"]:
            return found["handle"] or found["type"]
        if found["name"] and re.search(rf"\b{re.escape(found['name'])}\s*\.\s*collection\s*\(", text):
            return "a MongoDB database"
    return None


def shows_knex(text: str) -> bool:
    """Whether anything in it points to Knex, or to a pg Pool."""
    return _KNEX.search(text) is not None


def module_form(text: str) -> Module | None:
    """How the module exports; None if it exports nothing that one can see."""
    code = without_comments(text)
    if _ESM.search(code):
        return "esm"
    return "commonjs" if _COMMONJS.search(code) else None
