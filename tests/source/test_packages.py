"""Where the import of a package of the workspace leads, whatever its build makes of it."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import pytest

from remediate.source.imports import Imports
from remediate.source.packages import Packages
from remediate.source.tsconfig import TsConfigs

# (what the package declares, what is imported, the files of the package, where it leads)
CASES = [
    ({}, "@a/db", ["src/index.ts"], "src/index.ts"),
    ({"main": "dist/index.js"}, "@a/db", ["src/index.ts"], "src/index.ts"),
    ({"main": "./dist/cjs/tables.js"}, "@a/db", ["src/tables.ts", "src/index.ts"], "src/tables.ts"),
    ({"main": "lib/index.js", "source": "main.ts"}, "@a/db", ["main.ts", "src/index.ts"], "main.ts"),
    ({"exports": {".": {"types": "./x.d.ts", "import": "./build/all.js"}}}, "@a/db", ["src/all.ts"], "src/all.ts"),
    ({"exports": {"require": "./dist/cjs/index.js"}}, "@a/db", ["src/index.ts"], "src/index.ts"),
    ({"exports": {"./*": "./src/parts/*.ts"}}, "@a/db/tables", ["src/parts/tables.ts"], "src/parts/tables.ts"),
    ({"exports": "./all.js"}, "@a/db", ["all.js"], "all.js"),
    ({}, "@a/db/tables", ["src/tables/index.ts"], "src/tables/index.ts"),
    ({}, "@a/db/tables", ["tables.js"], "tables.js"),
    ({"main": "dist/index.js"}, "@a/other", ["src/index.ts"], None),
]


@pytest.mark.parametrize(("content", "target", "files", "leads"), CASES)
def test_an_import_leads_to(content: dict[str, object], target: str, files: list[str], leads: str | None) -> None:
    text = json.dumps({"name": "@a/db", **content}).encode()
    packages = Packages([PurePosixPath("packages/db/package.json")], lambda path: text)
    imports = Imports([f"packages/db/{file}" for file in files], packages, TsConfigs({}.get))
    assert imports.resolve("services/x/a.ts", target) == (leads and f"packages/db/{leads}")
