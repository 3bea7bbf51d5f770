"""Replay: what a database looks like after the statements, by PostgreSQL's rules, without a server."""
