"""PL/pgSQL: the text of a function's body or a DO block in, a tree out.

libpg_query's own PL/pgSQL parser is not used: it needs the types of a signature resolved (which fails for those of the
user), loses which block declares a variable and what is returned, and gives lines instead of offsets.
"""

from remediate.sql.plpgsql.parse import parse_block
from remediate.sql.plpgsql.tree import walk

__all__ = ["parse_block", "walk"]
