"""Answers the questions that migrations ask the catalog with SELECT, from the catalog as it stands."""

from remediate.replay.questions.answer import answer, answer_fresh
from remediate.replay.questions.errors import NotUnderstood, Refused

__all__ = ["NotUnderstood", "Refused", "answer", "answer_fresh"]
