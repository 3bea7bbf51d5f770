"""Audit: a live database beside the migrations that are said to have made it.

`records` holds Knex's tables against the files on disk, `drift` the live schema against what the recorded files make,
`evidence` gives every live object the statements that made it, and the checks look at what no migration can tell.
"""
