"""How a command ends when it cannot go on: one line, the right exit code, never a traceback."""

from __future__ import annotations

import errno
import io
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import Any

from typer import Abort, BadParameter, Exit

from remediate import __version__
from remediate.errors import RemediateError, without_concealed
from remediate.report.console import until_closed

WRONG_INPUT = 2
INTERNAL = 3

# typer is built on a copy of click of its own, which it does not show: the classes are reached through the one that it
# exports. UsageError is right above BadParameter, and ClickException above that.
_UsageError: Any = BadParameter.__mro__[1]
_ClickException: Any = BadParameter.__mro__[2]


def guarded(parse: Callable[[], Any]) -> int:
    """Runs a command: `parse` reads the command line and returns what to do (or, where that is all, an exit code).

    Raises KeyboardInterrupt, which `__main__` answers, because it may also come before this is loaded.
    """
    _encode_anything()
    try:
        code = 0
        with until_closed():
            work = parse()
            code = work() if callable(work) else work
            sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except Exit as exit_:
        return exit_.exit_code
    except _UsageError as error:
        return _say(f"{error.format_message().rstrip('.')}; see {_command(error)} --help")
    except _ClickException as error:
        return _say(error.format_message())
    except Abort:
        raise KeyboardInterrupt from None
    except RemediateError as error:
        return _say(str(error))
    except MemoryError:
        return _say("this machine has not enough memory for the workspace; plan fewer services with --service")
    except OSError as error:
        return _say(_environment(error))
    except Exception as error:
        if _was_interrupted(error):
            raise KeyboardInterrupt from None
        return _internal(error)


def _was_interrupted(error: BaseException) -> bool:
    """Whether it comes of an interrupt: Python wraps one that is raised in __set_name__ while a class is made."""
    cause = error.__cause__ or error.__context__
    return isinstance(error, KeyboardInterrupt) or (cause is not None and _was_interrupted(cause))


def _encode_anything() -> None:
    """A character that the terminal's encoding lacks, or a file name that is no text, is shown escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _command(error: Any) -> str:
    return error.ctx.command_path if error.ctx is not None else "remediate"


def _environment(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{place}the disk is full; free some room"
    return f"{place}{error.strerror or error}"


def _say(line: str) -> int:
    print("remediate: " + _without_passwords(" ".join(line.split())), file=sys.stderr)
    return WRONG_INPUT


def _internal(error: Exception) -> int:
    """A fault of ours: what is needed to reproduce it goes into a file, so that the terminal keeps one line."""
    what = _without_secrets(" ".join(f"{type(error).__name__}: {error}".split()))[:200]
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="remediate-error-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.write(_reproduction(error))
            saved = f"details saved in {file.name}"
    except OSError:
        saved = "no details saved, because the temporary folder cannot be written"
    print(
        f"remediate: INTERNAL ERROR {what}; this is a fault of remediate, not yours; {saved}",
        file=sys.stderr,
    )
    return INTERNAL


def _reproduction(error: Exception) -> str:
    """The versions, the command and where it went wrong: no environment, no file contents, no values of variables."""
    from importlib.metadata import PackageNotFoundError, version

    lines = [f"remediate {__version__}", f"python {' '.join(sys.version.split())} on {sys.platform}"]
    for package in ("postgast", "tree-sitter", "tree-sitter-typescript", "typer", "gitpython"):
        try:
            lines.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            lines.append(f"{package} is not there")
    lines += [f"arguments {_arguments()!r}", f"in {os.getcwd()}", "", *traceback.format_exception(error)]
    return _without_secrets("\n".join(lines))


def _arguments() -> list[str]:
    """The command line without the address of a database, whatever it looks like."""
    shown: list[str] = []
    for argument in sys.argv[1:]:
        if shown and shown[-1] == "--database-url":
            argument = "***"
        elif argument.startswith("--database-url="):
            argument = "--database-url=***"
        shown.append(argument)
    return shown


# Up to the last @ of the line or the quotes: a password may hold any character, though it should not.
# As a path, an address has one slash.
_IN_ADDRESS = re.compile(r"(:/+[^\s/:@]*):[^\n'\"]*@")
_SECRET_WORD = r"(?:password|passwd|pwd|secret|token|api_?key)"
_QUOTED = r"""(?:E?'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|\\.)*")"""
_SECRETS = (
    (re.compile(rf"""({_SECRET_WORD}\\?['"]?\s*[=:]?\s*){_QUOTED}""", re.IGNORECASE), r"\1'***'"),
    (re.compile(rf"({_SECRET_WORD}=)[^\s'\",;&)]+", re.IGNORECASE), r"\1***"),
)


def _without_secrets(text: str) -> str:
    """An error may quote a statement or an address: passwords in it are no part of the fault."""
    text = _without_passwords(text)
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def _without_passwords(text: str) -> str:
    """Without what came with an address of a database, and without what stands in one that was given by mistake."""
    return _IN_ADDRESS.sub(r"\1:***@", without_concealed(text))
