"""Evaluate: what SQL a migration sends, found by interpreting its TypeScript without ever running it."""
