"""The one error that is the user's to solve; everything else that escapes is a fault of ours."""

from __future__ import annotations

import re


class RemediateError(Exception):
    """Wrong input or environment: one line with place, cause and next step; exit code 2.

    `cause` says what is wrong, `place` where (a path, `path:line`, a configuration key), `hint` what to do about it.
    The text never spans lines: a cause that came from elsewhere (PostgreSQL, git) is folded to one line here, so that
    no caller can forget to.
    """

    def __init__(self, cause: str, *, place: str = "", hint: str = "") -> None:
        super().__init__(cause)
        self.cause = _one_line(cause)
        self.place = _one_line(place)
        self.hint = _one_line(hint)

    def __str__(self) -> str:
        text = f"{self.place}: {self.cause}" if self.place else self.cause
        return f"{text}; {self.hint}" if self.hint else text

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments are lost by the default pickling, and workers of a process pool raise this.
        return (_rebuild, (self.cause, self.place, self.hint))


_concealed: set[str] = set()


def conceal(secret: str) -> None:
    """From now on `without_concealed` takes it out: a password that came with an address, whoever quotes it."""
    if secret:
        _concealed.add(secret)


def without_concealed(text: str) -> str:
    """The text with three stars for each concealed secret that stands in it as a whole word."""
    for secret in sorted(_concealed, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
    return text


def _rebuild(cause: str, place: str, hint: str) -> RemediateError:
    return RemediateError(cause, place=place, hint=hint)


def _one_line(text: str) -> str:
    return " ".join(text.split())
