"""Repairs what Knex migrations left broken in PostgreSQL."""

__version__ = "0.1.0"
