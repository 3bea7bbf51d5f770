"""Rules, detectors, texts, examples and golden cases belong together: none may be without the others."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from remediate.catalogue.rules import HEADINGS, explain, get_rule, load_rules, nearest_rule
from remediate.config.model import Config
from remediate.detect.detect import detect
from remediate.detect.facts import gather
from remediate.detect.registry import DETECTORS
from remediate.errors import RemediateError
from remediate.pipeline import read, replay_all
from remediate.plan.plan import PLANNERS
from remediate.source.tree import WorkingTree
from remediate.sql.parse import parse

ROOT = Path(__file__).parents[1]
RULES = [detector.rule for detector in DETECTORS]


def folders(path: Path) -> set[str]:
    return {folder.name for folder in path.iterdir() if folder.is_dir()}


def test_every_detector_has_its_folder_and_every_folder_its_detector() -> None:
    assert folders(ROOT / "fixes") == set(load_rules()) == set(RULES)


def test_every_rule_has_a_planner() -> None:
    assert set(PLANNERS) == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_the_module_is_named_like_the_rule(rule: str) -> None:
    detector = next(detector for detector in DETECTORS if detector.rule == rule)
    assert detector.detect.__module__ == f"remediate.detect.{rule.replace('-', '_')}"


def test_every_codemod_belongs_to_a_rule() -> None:
    for folder in sorted((ROOT / "codemods").iterdir()):
        assert folder.name in RULES
        assert tomllib.loads((folder / "codemod.toml").read_text("utf-8"))["rule"] == folder.name
        for name in ("README.md", "query.scm", "example/before.ts", "example/after.ts"):
            assert (folder / name).is_file(), name


def test_every_golden_folder_belongs_to_a_rule() -> None:
    golden = ROOT / "tests" / "golden"
    assert folders(golden) <= set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_the_readme_has_the_headings_in_order(rule: str) -> None:
    text = explain(rule)
    assert text.startswith(f"# {rule}\n\n{get_rule(rule).title}.\n")
    assert tuple(re.findall(r"^## (.+)$", text, re.MULTILINE)) == HEADINGS
    for section in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]:
        assert section.strip()


@pytest.mark.parametrize("rule", RULES)
def test_the_readme_lists_the_references_of_the_rule(rule: str) -> None:
    listed = re.findall(r"\]\((https://[^)]+)\)", explain(rule).split("## References")[1])
    assert tuple(listed) == get_rule(rule).references


@pytest.mark.parametrize("rule", RULES)
def test_titles_and_levels_are_arguments(rule: str) -> None:
    known = get_rule(rule)
    assert known.title[0].isupper()
    assert not known.title.endswith(".")
    assert known.level_reason.endswith(".")
    assert re.fullmatch(r"\d+\.\d+\.\d+", known.since)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_an_example(rule: str) -> None:
    example = ROOT / "fixes" / rule / "example"
    assert list(example.glob("before/**/migrations/*.ts")), "a service before the repair"


@pytest.mark.parametrize("rule", RULES)
def test_the_example_shows_its_rule_and_no_other_fault(rule: str) -> None:
    tree = WorkingTree(ROOT / "fixes" / rule / "example" / "before")
    workspace = read(tree, Config())
    found = [
        finding
        for replayed in replay_all(workspace, tree, Config())
        for finding in detect(gather(replayed, workspace.services, Config()))
    ]
    assert {finding.rule for finding in found} == {rule}
    assert {finding.level for finding in found} == {get_rule(rule).level}


def test_an_unknown_rule_names_the_nearest() -> None:
    assert nearest_rule("missing_rsl") == "missing-rls"
    with pytest.raises(RemediateError, match="did you mean rls-not-forced"):
        explain("rls-not-force")
    with pytest.raises(RemediateError, match="remediate rules"):
        explain("zzzz")


@pytest.mark.parametrize("rule", RULES)
def test_sql_in_the_readme_is_sql(rule: str) -> None:
    for block in re.findall(r"```sql\n(.*?)```", explain(rule), re.DOTALL):
        assert parse(block)
