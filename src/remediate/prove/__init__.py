"""Proof: every change is tried on a real PostgreSQL, attacked, and taken back.

`prove.prove` is the public function: from the catalogs and changes of a plan to proofs. What could not be tried is told
as unprovable here, with the reason; it is never called proven.
"""
