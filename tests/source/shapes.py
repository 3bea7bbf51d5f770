"""Small pieces of ordinary code, as the files of one service, and what is said of the accesses in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from remediate.source.access.access import accesses_of
from remediate.source.access.relations import Relation
from remediate.source.code import code_file
from remediate.source.imports import Imports
from remediate.source.model import CodeFile
from remediate.source.packages import Packages
from remediate.source.tsconfig import TsConfigs

SETTINGS = frozenset({"app.tenant"})
SET = "await trx.raw(`SELECT set_config('app.tenant', ?, true)`, [id]);"
# The usual module: a connection, and a function that opens a transaction for a tenant.
DB = f"""
import knex from 'knex';
export const db = knex(config);
export async function inTenant(id, work) {{
  return db.transaction(async (trx) => {{
    {SET}
    return work(trx);
  }});
}}
"""
# The same as a method.
RUN = f"async run(id, work) {{ return db.transaction(async (trx) => {{ {SET} return work(trx); }}); }}"
IMPORT = "import { db, inTenant } from './db';\n"

Files = dict[str, str]


def orders(text: str, **others: str) -> Files:
    """A file that imports the usual module, and others (`src__jobs__a` is src/jobs/a.ts)."""
    files = {f"src/{name.replace('__', '/')}.ts": content for name, content in others.items()}
    return {"src/db.ts": DB, "src/orders.ts": IMPORT + text, **files}


def doubts(
    files: Files, settings: frozenset[str] = SETTINGS, functions: dict[str, frozenset[str]] | None = None
) -> list[str]:
    return list(found(files, settings, functions))


def found(
    files: Files, settings: frozenset[str] = SETTINGS, functions: dict[str, frozenset[str]] | None = None
) -> Iterator[str]:
    data = {path: text.encode() for path, text in files.items()}
    manifests = [PurePosixPath(path) for path in data if path.endswith("package.json")]
    packages = Packages(manifests, lambda path: data.get(path.as_posix()))
    imports = Imports(data.keys(), packages, TsConfigs(data.get))
    code: list[CodeFile] = []
    for path in data:
        if path.endswith((".ts", ".js", ".tsx", ".cjs")):
            code.append(code_file("shop", path, path, data[path], data.get, imports)[0])
        elif not path.endswith(".json"):
            code.append(CodeFile("shop", path, "script", data=data[path]))
    found = accesses_of(code, functions or {}).doubts(Relation("public", "orders"), settings)
    return (doubt.sentence for doubt in found)
