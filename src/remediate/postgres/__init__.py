"""PostgreSQL: the one adapter to a server. Nothing outside of this folder starts one or talks to one.

`server.Server` is a PostgreSQL of our own that lives as long as this process; `database` makes, opens and drops
databases on it or on a server of the user; `extensions` stands in for extensions whose binaries are missing.
"""
