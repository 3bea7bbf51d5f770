"""The wheel holds what the rules need besides code, and finds it there."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    return Path(next(iter(WheelBuilder(str(ROOT)).build(directory=str(target), versions=["standard"]))))


def test_the_wheel_holds_the_catalogue(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("fixes", "codemods"):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.is_file():
                assert f"remediate/_catalogue/{file.relative_to(ROOT).as_posix()}" in held


def test_the_wheel_holds_all_that_the_package_reads(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "src" / "remediate"
    for file in sorted(package.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            assert f"remediate/{file.relative_to(package).as_posix()}" in held


def test_nothing_ignored_is_in_the_wheel(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert not [name for name in names if "__pycache__" in name or "node_modules" in name]


def test_rules_are_found_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "from remediate.catalogue.locate import locate; from remediate.catalogue.rules import load_rules;"
        "import remediate; print(remediate.__file__); print(locate('fixes')); print(locate('codemods'));"
        "print(*load_rules())"
    )
    # The installed dependencies stay on the path; the package itself comes from the wheel alone.
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        cwd=tmp_path, env={"PATH": ""}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    module, fixes, codemods, rules = done.stdout.splitlines()
    assert module == str(tmp_path / "remediate" / "__init__.py")
    assert fixes == str(tmp_path / "remediate" / "_catalogue" / "fixes")
    assert codemods == str(tmp_path / "remediate" / "_catalogue" / "codemods")
    assert "missing-rls" in rules.split()


def test_a_package_without_its_catalogue_says_what_to_do(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(
        tmp_path, [name for name in zipfile.ZipFile(wheel).namelist() if "_catalogue" not in name]
    )
    code = "from remediate.catalogue.locate import locate; locate('fixes')"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        cwd=tmp_path, env={"PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode
    assert "install knex-remediate again" in done.stderr
