"""Plans golden cases in a process of its own: another hash seed, another folder, another path (invariant 7).

Reads `[[folder of a case, workspace to make], …]` from stdin, writes the outputs by folder. Run as a script.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def replan(folders: Sequence[Path], into: Path) -> dict[str, dict[str, str]]:
    """The outputs of `Planned.output` by the cases' folders, planned by another process in `into`."""
    asked = [[str(folder), str(into / f"a place ({number})" / "ws")] for number, folder in enumerate(folders)]
    into.mkdir(parents=True)
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": str(TESTS), "TZ": "Pacific/Auckland"}
    done = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=into,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def main() -> None:
    from support.golden import Case, Planned

    answers = {}
    for folder, workspace in json.load(sys.stdin):
        case = Case.of(Path(folder))
        Path(workspace).parent.mkdir(parents=True)
        answers[folder] = Planned.of(case.copy_to(Path(workspace)), case.options).output()
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
