"""How application code reaches tables: which mentions of a table are accesses, and what proves that a tenant is set."""
