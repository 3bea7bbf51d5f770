"""Which operating-system account a server runs as: PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from remediate.errors import RemediateError


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the operating system."""

    name: str
    uid: int
    gid: int

    def may_enter(self, path: Path) -> bool:
        """Whether the account can reach what is in the folder `path`: it may pass it and everything above it.

        Judged by owner and mode alone; an account in more groups than its own, or an access list, may be able to do
        more, never less than this says in practice.
        """
        return all(self._has(folder, stat.S_IXUSR, stat.S_IXOTH) for folder in (path, *path.parents))

    def may_run(self, program: Path) -> bool:
        """Whether the account can reach, read and execute the file `program`."""
        return self.may_enter(program.parent) and self._has(program, 0o500, 0o005)

    def _has(self, path: Path, as_owner: int, as_other: int) -> bool:
        status = path.stat()
        wanted = as_owner if status.st_uid == self.uid else as_other
        return status.st_mode & wanted == wanted


def server_account() -> Account | None:
    """The account that a server has to be started as, or None where that is the present one."""
    if os.geteuid() != 0:
        return None
    import pwd

    # Never the account `postgres`: histories run as superuser of our server, which can reach every file of its
    # account, and with `postgres` these may be the clusters of the machine.
    for name in ("nobody", "daemon"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise RemediateError(
        "PostgreSQL does not run as root, and there is no account 'nobody' to run it as",
        hint="run remediate as another user",
    )
