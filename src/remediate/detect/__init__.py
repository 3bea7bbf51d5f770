"""Detect: from the catalog to findings, one module a rule."""
