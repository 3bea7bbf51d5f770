"""Where the working tree differs from the commit that a branch is planned from."""

from __future__ import annotations

from collections.abc import Iterable

from remediate.deliver.repository import Git, GitError, Repository, explained


def differing_files(repository: Repository, commit: str, paths: Iterable[str] = ()) -> tuple[str, ...]:
    """The files below `paths` (relative to the workspace; none: all of it) that are not as in `commit`, sorted.

    Edited, staged, deleted and new files that git does not ignore. Relative to the workspace. Nothing is written, not
    even the index's cached times. Raises RemediateError if git fails.
    """
    git = Git(repository.top)
    prefix = repository.prefix
    wanted = [f":(top,literal){(prefix + ('' if path == '.' else path)).rstrip('/')}" for path in paths]
    if not wanted and prefix:
        wanted = [f":(top,literal){prefix.rstrip('/')}"]
    # The whole tree is the pattern `:(top)`; a literal empty path would match nothing.
    wanted = [":(top)" if path == ":(top,literal)" else path for path in wanted]
    options = ("--name-only", "-z", "--no-renames", "--no-ext-diff", "--ignore-submodules=all")
    try:
        changed = git.run("diff", *options, commit, "--", *wanted)
        new = git.run("ls-files", "-z", "--others", "--exclude-standard", "--full-name", "--", *wanted)
    except GitError as error:
        raise explained(error, repository.top) from None
    found = {path for output in (changed, new) for path in output.split("\0") if path}
    return tuple(sorted(path[len(prefix) :] for path in found if path.startswith(prefix)))
