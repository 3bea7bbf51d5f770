"""Catalogue: what is data about a rule: its title, severity, level, text and examples."""
