"""Rewrite: edits of existing files, only the spans that a codemod declares."""
