"""What sentences say whatever they are about, so that what holds for many findings is said once."""

from __future__ import annotations

import re

from remediate.detect.model import Finding, Subject

EACH = "@"
"""Stands for the subject at the beginning of a sentence; shown as "It" or "Each"."""
SOME = "…"
"""Stands for the subject's name within a sentence that holds for several subjects."""


def of_any(sentence: str, finding: Finding) -> str:
    """The sentence with the names of the finding's subject taken out: equal for findings that say the same."""
    for name in _names(finding.subject):
        if name in sentence:
            sentence = re.sub(rf"(?<![\w.]){re.escape(name)}\.(?=\w)", "", sentence)
            if sentence.startswith(f"{name} "):
                sentence = EACH + sentence.removeprefix(name)
            # Many names of policies begin with the name of their table.
            sentence = re.sub(rf"(?<![\w.]){re.escape(name)}(?=[\s,;)_]|\.?$|\.\s)", SOME, sentence)
    return sentence


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
