"""How answering a question stops: PostgreSQL would refuse it (`Refused`), or it is beyond what is understood here."""

from __future__ import annotations

from remediate.replay.refused import Refused


class NotUnderstood(Exception):
    """The question uses something that is not modelled; the answer is `Unknown` with this reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


__all__ = ["NotUnderstood", "Refused"]
