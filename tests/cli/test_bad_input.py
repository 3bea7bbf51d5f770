"""What the user can mend: one line that says where, what and what to do; exit code 2; nothing written."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.running import COMMAND, Result, command, environment, one_line, run
from cli.workspaces import PLATFORM, Repository, contents, repository, write

COMMANDS = [["plan"], ["apply", "--branch", "fix"], ["apply", "--write"], ["catalog"], ["services"], ["init"]]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_no_such_path(arguments: list[str], tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    line = one_line(run(*arguments, absent))
    assert line == f"{absent}: no such path; name the folder of a repository or of a service"
    assert not absent.exists()


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_file_instead_of_a_folder(arguments: list[str], tmp_path: Path) -> None:
    file = tmp_path / "file.ts"
    file.write_text("text")
    assert one_line(run(*arguments, file)) == f"{file}: is not a folder; name the folder that holds the services"
    assert contents(tmp_path) == {str(file): b"text"}


def test_no_git_repository(tmp_path: Path) -> None:
    write(tmp_path, PLATFORM)
    before = contents(tmp_path)
    assert run("plan", tmp_path).code == 1, "planning needs none"
    line = one_line(run("apply", tmp_path, "--branch", "fix"))
    assert line.startswith(f"{tmp_path}: is not in a git repository; ")
    assert "git init" in line
    assert "--write" in line
    assert contents(tmp_path) == before


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    repo = repository(tmp_path, PLATFORM, commit=False)
    assert run("plan", repo.root).code == 1
    line = one_line(run("apply", repo.root, "--branch", "fix"))
    assert line.startswith(f"{tmp_path}: the repository has no commit yet; commit the services first; ")


def test_a_patch_without_a_commit_still_starts_at_the_top_level(tmp_path: Path) -> None:
    repo = repository(tmp_path, {f"sub/{path}": text for path, text in PLATFORM.items()}, commit=False)
    patch = run("plan", repo.root / "sub", "--format", "patch").out
    assert "+++ b/sub/services/orders/" in patch
    repo("apply", "--check", stdin=patch.encode())


@pytest.mark.parametrize("arguments", COMMANDS[:5], ids=" ".join)
def test_no_services(arguments: list[str], tmp_path: Path) -> None:
    repo = repository(tmp_path, {"src/index.ts": "export {};\n", "package.json": "{}"})
    before = repo.state()
    line = one_line(run(*arguments, repo.root))
    assert "no services found in 2 files (no knexfile" in line
    assert "workspace.services" in line
    assert repo.state() == before


def test_an_empty_folder(tmp_path: Path) -> None:
    assert "no services found in 0 files" in one_line(run("plan", tmp_path))


@pytest.mark.parametrize(
    ("branch", "said"),
    [
        ("main", "the branch main exists already; choose another name, or delete it: git branch -D main"),
        ("main/sub", "the branch main/sub cannot stand beside the branch main; choose another name"),
        ("a..b", "'a..b' cannot be the name of a branch; use letters, digits, - and /"),
        ("with space", "'with space' cannot be the name of a branch"),
        ("-x", "'-x' cannot be the name of a branch"),
        ("HEAD", "'HEAD' cannot be the name of a branch"),
        ("", "'' cannot be the name of a branch"),
    ],
)
def test_a_branch_that_cannot_be(repo: Repository, branch: str, said: str) -> None:
    before = (repo.state(), repo("for-each-ref"))
    assert said in one_line(run("apply", repo.root, f"--branch={branch}"))
    assert (repo.state(), repo("for-each-ref")) == before


def test_no_identity(repo: Repository) -> None:
    repo("config", "--unset", "user.name")
    repo("config", "--unset", "user.email")
    before = (repo.state(), repo("for-each-ref"))
    line = one_line(run("apply", repo.root, "--branch", "fix"))
    assert "git does not know who you are; run: git config user.name" in line
    assert (repo.state(), repo("for-each-ref")) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rule", "rls-forced"], "--rule: there is no rule 'rls-forced'; did you mean rls-not-forced?"),
        (["--service", "order"], "--service: there is no service order here; did you mean orders?"),
        (["--service", "zzz"], "--service: there is no service zzz here; there are: accounts, orders"),
        (["--date", "31.01.2027"], "--date: '31.01.2027' is no date; write it as 2027-01-31"),
        (["--date", "2027-02-30"], "--date: '2027-02-30' is no date; write it as 2027-01-31"),
        (["--date", "20270131"], "--date: '20270131' is no date; write it as 2027-01-31"),
        (["--date", ""], "--date: '' is no date; write it as 2027-01-31"),
    ],
)
@pytest.mark.parametrize("verb", [["plan"], ["apply", "--branch", "fix"], ["apply", "--write"]], ids=" ".join)
def test_an_unknown_name(repo: Repository, verb: list[str], arguments: list[str], said: str) -> None:
    before = (repo.state(), repo("for-each-ref"))
    assert one_line(run(*verb, repo.root, *arguments)) == said
    assert (repo.state(), repo("for-each-ref")) == before


def test_an_unknown_service_of_the_catalog(platform: Path) -> None:
    assert "did you mean orders?" in one_line(run("catalog", platform, "--service", "ordres"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tenancy]\ncolum = 'x'\n", "unknown key tenancy.colum; the nearest known key is tenancy.column"),
        ("[workspaces]\n", "unknown key workspaces; the nearest known key is workspace"),
        ("[rules.missing-rls]\nlevel = 'error'\n", "unknown key rules.missing-rls.level; "),
        ("[rules.missing-rsl]\n", "key rules.missing-rsl: there is no rule 'missing-rsl'; did you mean missing-rls?"),
        ("[[suppress]]\nrule = 'rls-forced'\nreason = 'x'\n", "key suppress[1].rule: there is no rule 'rls-forced'; "),
        ("[rules.missing-rls]\nseverity = 'fatal'\n", "key rules.*.severity: invalid enum value 'fatal'"),
        ("[workspace]\npostgres = 'new'\n", "key workspace.postgres: "),
        ("[workspace\n", "remediate.toml:1: is not TOML: "),
    ],
)  # fmt: skip
def test_a_wrong_configuration(repo: Repository, text: str, said: str) -> None:
    write(repo.root, {"remediate.toml": text})
    repo.commit()
    before = (repo.state(), repo("for-each-ref"))
    for arguments in COMMANDS[:5]:
        line = one_line(run(*arguments, repo.root))
        assert said in line
        assert "remediate.toml" in line
    assert (repo.state(), repo("for-each-ref")) == before


def test_a_configuration_that_is_not_there(platform: Path, tmp_path: Path) -> None:
    line = one_line(run("plan", platform, "--config", tmp_path / "absent.toml"))
    assert line == f"{tmp_path / 'absent.toml'}: cannot be read: No such file or directory"


def test_an_output_that_cannot_be_written(platform: Path, tmp_path: Path) -> None:
    assert "is a folder; name a file with --output" in one_line(run("plan", platform, "--output", tmp_path))
    target = tmp_path / "absent" / "plan.txt"
    assert one_line(run("plan", platform, "-o", target)) == f"{target}: cannot be written: No such file or directory"


# ------------------------------------------------------------------------------ as a user who may not, or has no room


_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH, _CAP_FOWNER = 1, 2, 3


def obey_permissions() -> None:
    """Root may read and write everything: takes that away from the process that is about to start."""
    if os.getuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH, _CAP_FOWNER):
            assert libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0


def restricted(*arguments: str | Path) -> Result:
    return command(*arguments, env=environment(PYTHONDONTWRITEBYTECODE="1"), preexec_fn=obey_permissions)


def test_a_repository_that_may_only_be_read(repo: Repository) -> None:
    before = (repo.state(), repo("for-each-ref"))
    subprocess.run(["chmod", "-R", "a-w", str(repo.root)], check=True)
    try:
        assert restricted("plan", repo.root).code == 1, "planning only reads"
        line = one_line(restricted("apply", repo.root, "--branch", "fix"))
        assert "the repository cannot be written to" in line
        assert line.endswith("; no branch was created")
        line = one_line(restricted("apply", repo.root, "--write"))
        assert "cannot be written: Permission denied; nothing was written" in line
        assert "remediate.toml: cannot be written: Permission denied" in one_line(restricted("init", repo.root))
        line = one_line(restricted("plan", repo.root, "--write-baseline"))
        assert "remediate-baseline.json: cannot be written: Permission denied" in line
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(repo.root)], check=True)
    assert (repo.state(), repo("for-each-ref")) == before


def test_a_folder_that_may_not_be_opened(tmp_path: Path) -> None:
    closed = write(tmp_path / "closed", PLATFORM)
    closed.chmod(0o000)
    try:
        line = one_line(restricted("plan", closed))
        assert line.startswith(f"{closed}")
        assert line.endswith(": Permission denied")
    finally:
        closed.chmod(0o755)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files to another user")
def test_a_repository_of_another_user(tmp_path: Path) -> None:
    """git refuses it; planning goes on, and a patch still begins at the top level."""
    repo = repository(tmp_path, {f"sub/{path}": text for path, text in PLATFORM.items()})
    subprocess.run(["chown", "-R", "nobody", str(repo.root)], check=True)
    assert "+++ b/sub/services/orders/" in run("plan", repo.root / "sub", "--format", "patch").out
    line = one_line(run("apply", repo.root / "sub", "--branch", "fix"))
    assert "git does not trust this repository, because it belongs to another user" in line
    assert line.endswith(f"run: git config --global --add safe.directory {repo.root}")


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few hundred kilobytes."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a file system is not permitted here; the limit on file sizes is tested below")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(tiny: Path) -> None:
    repo = repository(tiny / "repository")
    left = os.statvfs(tiny).f_bavail * os.statvfs(tiny).f_frsize
    (tiny / "filler").write_bytes(b"x" * left)
    before = (repo.state(), repo("for-each-ref"))
    assert "the disk is full; nothing was written; free some room" in one_line(
        run("apply", repo.root, "--branch", "fix")
    )
    assert "the disk is full; nothing was written; free some room" in one_line(run("apply", repo.root, "--write"))
    assert "No space left on device" in one_line(run("init", repo.root))
    assert "No space left on device" in one_line(run("plan", repo.root, "--write-baseline"))
    assert "No space left on device" in one_line(run("plan", repo.root, "--output", tiny / "plan.txt"))
    assert (repo.state(), repo("for-each-ref")) == before
    assert {path.name for path in tiny.iterdir()} == {"repository", "filler"}


def test_files_that_may_not_grow(repo: Repository) -> None:
    """What a full disk does where none can be made: a limit on the size of files stops every write."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))

    before = (repo.state(), repo("for-each-ref"))
    for arguments in (["apply", "--branch", "fix"], ["apply", "--write"], ["init"], ["plan", "--write-baseline"]):
        result = command(*arguments, repo.root, preexec_fn=limit, env=environment(PYTHONDONTWRITEBYTECODE="1"))
        assert "File too large" in one_line(result), arguments
    assert (repo.state(), repo("for-each-ref")) == before


def test_output_to_a_full_device(platform: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, "plan", str(platform)], stdout=full, stderr=subprocess.PIPE, env=environment(), check=False
        )
    assert done.returncode == 2
    assert done.stderr.decode() == "remediate: the disk is full; free some room\n"


# -------------------------------------------------------------------------------------------------- interrupted


def test_an_interrupt_ends_it_in_one_line(repo: Repository, tmp_path: Path) -> None:
    """Ctrl-C while it works: a line, and nothing half written."""
    slow = "exports.up = async (knex) => {\n  for (let i = 0; i < 1e12; i++) { knex.raw('SELECT 1'); }\n};\n"
    many = {f"services/orders/migrations/{number:03}_slow.js": slow for number in range(100, 160)}
    write(repo.root, many)
    repo.commit()
    before = (repo.state(), repo("for-each-ref"))
    for arguments, seconds in (
        (["plan"], 0.2),
        (["plan"], 1.5),
        (["apply", "--branch", "fix"], 1.5),
        (["apply", "--write"], 1.5),
    ):
        process = subprocess.Popen(
            [*COMMAND, *arguments, str(repo.root)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        )
        time.sleep(seconds)  # early on it is still loading
        assert process.poll() is None, "it is still at work"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 2
        assert (out, err) == (b"", b"remediate: interrupted; nothing was left half written\n")
    assert (repo.state(), repo("for-each-ref")) == before


PRINTING = [["plan"], ["plan", "--format", "json"], ["plan", "--format", "patch"], ["catalog"], ["services"]]


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_a_reader_that_has_seen_enough(arguments: list[str]) -> None:
    """`| head -1`: no complaint, and the exit code is what it would have been."""
    from cli.conftest import EXAMPLE

    process = subprocess.Popen(
        [*COMMAND, *arguments, str(EXAMPLE)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    assert err == b""
    assert process.wait(20) == (1 if arguments[0] == "plan" else 0)


def test_a_reader_that_never_came(platform: Path) -> None:
    script = f"{' '.join(COMMAND)} plan {platform} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, env=environment(), check=False)
    assert (done.returncode, done.stderr) == (1, b"")


def test_without_git_planning_works(platform: Path, tmp_path: Path) -> None:
    for name in ("bash", "env"):
        found = shutil.which(name)
        if found:
            (tmp_path / name).symlink_to(found)
    env = environment(PATH=str(tmp_path))
    assert command("plan", platform, env=env).code == 1
    line = one_line(command("apply", platform, "--branch", "fix", env=env))
    assert re.fullmatch(r"git was not found; install git; without it only plan works", line)
