"""How a command ends when it cannot go on: one line, the right exit code, never a traceback."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import Any

from remediate import __version__
from remediate.errors import RemediateError

WRONG_INPUT = 2
INTERNAL = 3


def guarded(run: Callable[[], Any]) -> int:
    """Runs a command and returns its exit code."""
    import click

    try:
        result = run()
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message())
        return WRONG_INPUT
    except click.UsageError as error:
        return _say(f"{error.format_message().rstrip('.')}; see {_command(error)} --help")
    except click.ClickException as error:
        return _say(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        return _say("interrupted; nothing was left half written")
    except RemediateError as error:
        return _say(str(error))
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        return _say("this machine has not enough memory for the workspace; plan fewer services with --service")
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _say(f"{place}{error.strerror or error}")
    except Exception as error:
        return _internal(error)


def _command(error: Any) -> str:
    return error.ctx.command_path if error.ctx is not None else "remediate"


def _say(line: str) -> int:
    print("remediate: " + " ".join(line.split()), file=sys.stderr)
    return WRONG_INPUT


def _internal(error: Exception) -> int:
    """A fault of ours: what is needed to reproduce it goes into a file, so that the terminal keeps one line."""
    what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    saved = ""
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="remediate-error-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(f"remediate {__version__}\npython {sys.version}\narguments {sys.argv[1:]!r}\n\n")
            file.write("".join(traceback.format_exception(error)))
            saved = file.name
    except OSError:
        saved = "nowhere, because the temporary folder cannot be written"
    print(
        f"remediate: INTERNAL ERROR {what}; this is a fault of remediate, not yours; details saved in {saved}",
        file=sys.stderr,
    )
    return INTERNAL
