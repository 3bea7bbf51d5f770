"""SQL: the only place that knows the SQL parser; parsing, deparsing, typed quoting."""
