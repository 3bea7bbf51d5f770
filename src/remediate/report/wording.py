"""What sentences say whatever they are about, so that what holds for many findings is said once."""

from __future__ import annotations

import re
from collections.abc import Callable

from remediate.detect.model import Finding, Subject

EACH = "@"
"""Stands for the subject at the beginning of a sentence; shown as "It" or "Each"."""
SOME = "…"
"""Stands for the subject's name within a sentence that holds for several subjects."""


def of_any(sentence: str, finding: Finding) -> str:
    """The sentence with the names of the finding's subject taken out: equal for findings that say the same."""
    for name in _names(finding.subject):
        if name in sentence:
            sentence = _replaced(sentence, f"{name}.", "", _begins_a_word)
            if sentence.startswith(f"{name} "):
                sentence = EACH + sentence.removeprefix(name)
            # Many names of policies begin with the name of their table.
            sentence = _replaced(sentence, name, SOME, _ends_a_name)
    return sentence


def _replaced(sentence: str, name: str, by: str, fits: Callable[[str], bool]) -> str:
    """The sentence with every `name` replaced that is no part of a longer one, where the text behind it `fits`.

    A pattern for each name of a large plan would take longer to compile than all of them to be looked for.
    """
    pieces, done, at = [], 0, sentence.find(name)
    while at >= 0:
        end = at + len(name)
        if not (at and (sentence[at - 1] == "." or _is_word(sentence[at - 1]))) and fits(sentence[end : end + 2]):
            pieces += [sentence[done:at], by]
            done = at = end
        else:
            at += 1
        at = sentence.find(name, at)
    return "".join([*pieces, sentence[done:]])


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _begins_a_word(behind: str) -> bool:
    return bool(behind) and _is_word(behind[0])


def _ends_a_name(behind: str) -> bool:
    """The end of the sentence, a full stop at the end of one, or what separates words (or parts of a policy's name)."""
    if not behind or behind == ".":
        return True
    return behind[0] in ",;)_" or behind[0].isspace() or (behind[0] == "." and behind[1].isspace())


def _names(subject: Subject) -> list[str]:
    """What a sentence may call the subject, the longest first."""
    names = [str(subject)]
    if subject.table:
        names += [f"{subject.name} on {subject.schema}.{subject.table}", f"{subject.schema}.{subject.table}"]
    elif subject.kind == "table":
        names.append(subject.name)
    return names


def shown(sentence: str, *, several: bool) -> str:
    """A sentence of `of_any` for a reader, with a full stop."""
    if sentence.startswith(EACH):
        sentence = ("Each" if several else "It") + sentence.removeprefix(EACH)
    elif several and (kind := re.match(rf"([A-Z][a-z]+) {SOME} ", sentence)):
        sentence = f"Each {kind[1].lower()} {sentence[kind.end() :]}"
    return sentence if sentence.endswith((".", "!", "?")) else sentence + "."


def about_it(sentence: str, finding: Finding) -> str:
    """The sentence where its subject stands right above: "It has …", with all other names as they are."""
    for name in _names(finding.subject):
        if sentence.startswith(f"{name} "):
            return shown(EACH + sentence.removeprefix(name), several=False)
    return shown(sentence, several=False)
