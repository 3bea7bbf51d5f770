"""An error of the user is one line: where, what, what to do."""

from __future__ import annotations

import pickle

import pytest

from remediate.errors import RemediateError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (RemediateError("no such path"), "no such path"),
        (RemediateError("no such path", place="a/b"), "a/b: no such path"),
        (RemediateError("no such path", hint="try c"), "no such path; try c"),
        (RemediateError("two\n  lines", place="a", hint="try\nc"), "a: two lines; try c"),
    ],
)
def test_one_line(error: RemediateError, text: str) -> None:
    assert str(error) == text
    assert str(pickle.loads(pickle.dumps(error))) == text, "workers hand it on to the process that prints it"
