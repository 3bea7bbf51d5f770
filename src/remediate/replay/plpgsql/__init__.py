"""Follows what DO blocks and functions in PL/pgSQL (and SQL) do to the catalog, statement by statement."""

from remediate.replay.plpgsql.host import Host
from remediate.replay.plpgsql.run import DoOutcome, run_do, run_function, run_query

__all__ = ["DoOutcome", "Host", "run_do", "run_function", "run_query"]
