"""Aliases of tsconfig.json in application code, as TypeScript resolves them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from remediate.source.imports import Imports
from remediate.source.packages import Packages
from remediate.source.tsconfig import TsConfigs
from support.node import Node

IMPORTER = "apps/api/src/orders.ts"


def config(extends: str | list[str] | None = None, **options: Any) -> str:
    return json.dumps({"compilerOptions": options, **({"extends": extends} if extends else {})})


def leads(files: dict[str, str], target: str, importer: str = IMPORTER) -> str | None:
    data = {path: text.encode() for path, text in files.items()}
    return Imports(data.keys(), Packages((), lambda _: None), TsConfigs(data.get)).resolve(importer, target)


CASES: dict[str, tuple[dict[str, str], str, str | None]] = {
    "a pattern with a star": (
        {"tsconfig.json": config(paths={"@lib/*": ["./libs/*"]}), "libs/db/index.ts": ""},
        "@lib/db",
        "libs/db/index.ts",
    ),
    "an exact name of a barrel": (
        {
            "tsconfig.json": config(baseUrl=".", paths={"@org/core": ["libs/core/src/index.ts"]}),
            "libs/core/src/index.ts": "",
        },
        "@org/core",
        "libs/core/src/index.ts",
    ),
    "text behind the star": (
        {"tsconfig.json": config(paths={"#*.js": ["./src/*.ts"]}), "src/db.ts": ""},
        "#db.js",
        "src/db.ts",
    ),
    "the longest text before the star is taken": (
        {
            "tsconfig.json": config(paths={"@/*": ["./src/*"], "@/db/*": ["./data/*"]}),
            "src/db/a.ts": "",
            "data/a.ts": "",
        },
        "@/db/a",
        "data/a.ts",
    ),
    "the second place of a pattern, where the first has nothing": (
        {"tsconfig.json": config(paths={"@x/*": ["./none/*", "./some/*"]}), "some/a.ts": ""},
        "@x/a",
        "some/a.ts",
    ),
    "baseUrl alone": ({"tsconfig.json": config(baseUrl="./src"), "src/db/a.ts": ""}, "db/a", "src/db/a.ts"),
    "paths of a file that is extended, relative to that file": (
        {
            "apps/api/tsconfig.json": config("../../tsconfig.base.json"),
            "tsconfig.base.json": config(paths={"@org/*": ["libs/*/src"]}),
            "libs/core/src/index.ts": "",
        },
        "@org/core",
        "libs/core/src/index.ts",
    ),
    "extends without an extension, twice": (
        {
            "apps/api/tsconfig.json": config("../a"),
            "apps/a.json": config("./b"),
            "apps/b.json": config(baseUrl="..", paths={"@org/*": ["libs/*"]}),
            "libs/core.ts": "",
        },
        "@org/core",
        "libs/core.ts",
    ),
    "paths that replace those of the file that is extended": (
        {
            "apps/api/tsconfig.json": config("../../tsconfig.base.json", paths={"@own/*": ["./src/*"]}),
            "tsconfig.base.json": config(paths={"@own/*": ["libs/*"]}),
            "libs/a.ts": "",
            "apps/api/src/a.ts": "",
        },
        "@own/a",
        "apps/api/src/a.ts",
    ),
    "paths that are extended, relative to a baseUrl of one's own": (
        {
            "apps/api/tsconfig.json": config("../../tsconfig.base.json", baseUrl="./src"),
            "tsconfig.base.json": config(paths={"@x/*": ["x/*"]}),
            "apps/api/src/x/a.ts": "",
        },
        "@x/a",
        "apps/api/src/x/a.ts",
    ),
    "the later one of several that are extended": (
        {
            "apps/api/tsconfig.json": config(["./a.json", "./b.json"]),
            "apps/api/a.json": config(paths={"@x/*": ["./a/*"]}),
            "apps/api/b.json": config(paths={"@x/*": ["./b/*"]}),
            "apps/api/a/y.ts": "",
            "apps/api/b/y.ts": "",
        },
        "@x/y",
        "apps/api/b/y.ts",
    ),
    "the folder of the file that extends": (
        {
            "apps/api/tsconfig.json": config("../../tsconfig.base.json"),
            "tsconfig.base.json": config(paths={"@/*": ["${configDir}/src/*"]}),
            "apps/api/src/a.ts": "",
            "src/a.ts": "",
        },
        "@/a",
        "apps/api/src/a.ts",
    ),
    "comments and a comma too many": (
        {"tsconfig.json": '{ // aliases\n "compilerOptions": {"paths": {"@x/*": ["./x/*"],}, } }', "x/a.ts": ""},
        "@x/a",
        "x/a.ts",
    ),
    "a base file that nothing here extends": (
        {"tsconfig.base.json": config(paths={"@x/*": ["./x/*"]}), "x/a.ts": ""},
        "@x/a",
        "x/a.ts",
    ),
    "jsconfig.json": ({"jsconfig.json": config(paths={"@x/*": ["./x/*"]}), "x/a.js": ""}, "@x/a", "x/a.js"),
    "a package of that name": ({"tsconfig.json": config(paths={"@x/*": ["./x/*"]})}, "knex", None),
    "an alias that leads nowhere": ({"tsconfig.json": config(paths={"@x/*": ["./x/*"]})}, "@x/a", None),
    "a file that extends itself": (
        {"tsconfig.json": config("./tsconfig.json", paths={"@x/*": ["./x/*"]}), "x/a.ts": ""},
        "@x/a",
        "x/a.ts",
    ),
    "no JSON": ({"tsconfig.json": "paths: nothing", "x/a.ts": ""}, "@x/a", None),
    "options of wrong types": (
        {"tsconfig.json": config(["./b", 1], baseUrl=3, paths={"@x/*": "./x/*", "@y/*": [1]}), "x/a.ts": ""},  # type: ignore[list-item]
        "@x/a",
        None,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_an_alias_leads_to(case: str) -> None:
    files, target, expected = CASES[case]
    assert leads({**files, IMPORTER: ""}, target) == expected


def test_the_nearest_folder_counts_first() -> None:
    files = {
        "tsconfig.json": config(paths={"@x/*": ["./all/*"]}),
        "apps/api/tsconfig.json": config(paths={"@x/*": ["./own/*"]}),
        "all/a.ts": "",
        "apps/api/own/a.ts": "",
    }
    assert leads(files, "@x/a") == "apps/api/own/a.ts"
    assert leads(files, "@x/a", "apps/web/src/b.ts") == "all/a.ts"


# What only we take for an alias: files that no compiler finds by itself.
_OURS = {"a base file that nothing here extends"}
_RESOLVE = """
const fs = require('fs'), path = require('path'), ts = require('typescript');
const answers = {};
for (const [name, { root, importer, target }] of Object.entries(JSON.parse(fs.readFileSync(0, 'utf8')))) {
  const folder = path.dirname(path.join(root, importer));
  const named = (file) => ts.findConfigFile(folder, ts.sys.fileExists, file);
  const file = named('tsconfig.json') || named('jsconfig.json');
  const json = ts.readConfigFile(file, ts.sys.readFile);
  const parsed = ts.parseJsonConfigFileContent(json.config || {}, ts.sys, path.dirname(file), undefined, file);
  const options = { ...parsed.options, moduleResolution: ts.ModuleResolutionKind.Bundler, allowJs: true };
  const found = ts.resolveModuleName(target, path.join(root, importer), options, ts.sys).resolvedModule;
  answers[name] = found ? path.relative(root, found.resolvedFileName) : null;
}
process.stdout.write(JSON.stringify(answers));
"""


def test_typescript_resolves_them_alike(tmp_path: Path, node: Node) -> None:
    asked = {}
    for number, (name, (files, target, _)) in enumerate(CASES.items()):
        if name in _OURS:
            continue
        for path, text in {**files, IMPORTER: ""}.items():
            place = tmp_path / str(number) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        asked[name] = {"root": str(tmp_path / str(number)), "importer": IMPORTER, "target": target}
    script = tmp_path / "resolve.cjs"
    script.write_text(_RESOLVE)
    answers = json.loads(node(str(script), stdin=json.dumps(asked)))
    assert answers == {name: CASES[name][2] for name in asked}
