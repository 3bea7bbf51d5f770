"""The `remediate.toml` that `remediate init` writes: every key, with what it means and what holds without it."""

from __future__ import annotations

TEMPLATE = """\
# Configuration of remediate. Everything here is optional: a line that begins with "#" shows a key with its default,
# or, after "found", an example of what may be said instead of letting remediate find out.
# `remediate services` shows what was found, with the reasons.

[workspace]
# Folders that are services, as globs. Default: found from knexfiles, package.json and migration folders.
# services = ["services/*"]
# The order in which services run; those left out follow. Default: found from what they need of each other.
# order = ["auth-service", "venue-service"]
# "shared" or "per-service". Default: found from the knexfiles and from tables that services use of each other.
# database = "shared"
# Paths that are not read, in the syntax of .gitignore.
# exclude = []
# The major version of PostgreSQL in production: what may be written depends on it.
# postgres = 15
# Environment variables that migrations read. Without them process.env is empty, as in a fresh shell.
# environment = { DB_SCHEMA = "public" }

[tenancy]
# The table of tenants, the column that refers to it, and the setting that names the tenant of a session.
# Default: found from the tables and policies.
# table = "tenants"
# column = "tenant_id"
# setting = "app.current_tenant_id"
# Other names of that setting that are still in use. Default: found.
# legacy-settings = []
# Tables that belong to no tenant.
# global-tables = []

[roles]
# The role that the application connects with, which Row-Level Security has to bind. Default: found from grants.
# application = "app_user"
# The role that runs migrations and owns the tables. Default: found.
# migration = "postgres"
# Roles that are meant to pass Row-Level Security.
# bypass = []

[emit]
# How long a migration waits for a lock before it gives up, so that it does not hold up everyone behind it.
# lock-timeout = "5s"

# A table for each rule whose severity differs ("error", "warning" or "info"), or that is off. `remediate rules` lists
# them.
# [rules.duplicate-function]
# severity = "warning"
# enabled = true

# Findings that are accepted, by rule and subject ("*" stands for any run of characters). Each needs a reason, and may
# end on a day. In a migration the same is said with: // remediate-ignore rls-not-forced until 2027-01-31: reason
# [[suppress]]
# rule = "rls-not-forced"
# subject = "*"
# reason = "owned by a role that never serves requests"
# until = "2027-01-31"
"""
