"""`python -m remediate`, and the console script."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

INTERRUPTED = "remediate: interrupted; nothing was left half written"


def main() -> None:
    """Runs the command line. Ctrl-C is answered in one line, with exit code 2, however early it comes."""
    before = signal.signal(signal.SIGINT, _leave)  # while modules are loaded there is nothing to close
    try:
        from remediate.cli import main as run

        signal.signal(signal.SIGINT, before)
        run()
    except KeyboardInterrupt:
        _leave()


def _leave(*_: object) -> NoReturn:
    """Not by sys.exit: an interrupt within exec(), as of a data class that is being made, would end the process by the
    signal after all, although it was caught (pythonrun.c, unhandled_keyboard_interrupt)."""
    print(INTERRUPTED, file=sys.stderr, flush=True)
    os._exit(2)


if __name__ == "__main__":
    main()
