"""SELECT, as far as expressions and views hold it (ruleutils.c get_select_query_def), on one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from remediate.sql.calls import function_name, spell_order, window_specification
from remediate.sql.columns import spell_found
from remediate.sql.context import Context, Entry
from remediate.sql.inference import is_implicit, require_boolean, require_operator
from remediate.sql.lookup import MismatchError
from remediate.sql.parse import Node
from remediate.sql.piece import ATOM, COMPARE, IN, NOT, Piece, as_type
from remediate.sql.quote import quote_identifier
from remediate.sql.types import base_type, is_text_like, spell_type

Columns = dict[str, str | None] | None

_EXISTS, _ALL, _ANY, _ROWCOMPARE, _EXPRESSION, _MULTIEXPR, _ARRAY = range(1, 8)
_UNION, _INTERSECT, _EXCEPT = 2, 3, 4
_EMPTY_SET, _SIMPLE_SET, _ROLLUP, _CUBE, _SETS = range(1, 6)
_IMPLICIT_ROW: Final = 3  # COERCE_IMPLICIT_CAST
_JOINS: Final = {1: "JOIN", 2: "LEFT JOIN", 3: "FULL JOIN", 4: "RIGHT JOIN"}
_LOCKS: Final = {2: "FOR KEY SHARE", 3: "FOR SHARE", 4: "FOR NO KEY UPDATE", 5: "FOR UPDATE"}
_WAITS: Final = {2: " SKIP LOCKED", 3: " NOWAIT"}


def spell_sublink(node: Node, context: Context) -> Piece:
    """A sub-select in an expression."""
    context.has_subquery = True
    if context.forbid_subquery is not None:
        raise MismatchError("0A000", f"cannot use subquery in {context.forbid_subquery}")
    if node.subselect.WhichOneof("node") != "select_stmt":
        raise context.unspelled("sub-select")
    query = node.subselect.select_stmt
    text, columns = spell_select(query, context, aliases=bool(query.sort_clause))
    kind = node.sub_link_type
    if kind == _EXISTS:
        return Piece(f"EXISTS ({text})", ATOM, "boolean")
    first = next(iter(columns.values()), None) if columns else None
    if kind in (_ARRAY, _EXPRESSION) and columns is not None and len(columns) > 1:
        raise MismatchError("42601", "subquery must return only one column")
    if kind == _ARRAY:
        return Piece(f"ARRAY({text})", ATOM, f"{first}[]" if first else None)
    if kind == _EXPRESSION:
        return Piece(f"({text})", ATOM, first)
    test = context.spell(node.testexpr, context)
    operator = node.oper_name[-1].string.sval if node.oper_name else "="
    test = _compared(operator, node.testexpr, test, columns)
    if kind == _ANY and operator == "=":
        return Piece(f"{test.within(IN + 1)} IN ({text})", IN, "boolean")
    if kind == _ALL and operator == "<>":
        return Piece(f"NOT {test.within(IN + 1)} IN ({text})", NOT, "boolean")
    return Piece(
        f"{test.within(COMPARE + 1)} {operator} {'ANY' if kind == _ANY else 'ALL'} ({text})", COMPARE, "boolean"
    )


def _compared(operator: str, node: Node, test: Piece, columns: Columns) -> Piece:
    """The left side of IN, ANY and ALL in the light of what the sub-select gives (transformSubLink)."""
    if columns is None or node.WhichOneof("node") == "row_expr":
        return test
    if len(columns) > 1:
        raise MismatchError("42601", "subquery has too many columns")
    (wanted,) = columns.values() if columns else (None,)
    test = as_type(test, wanted)
    require_operator(operator, test.type, wanted)
    return test


def spell_select(node: Node, context: Context, *, aliases: bool = True) -> tuple[str, Columns]:
    """The text and the output columns with their types (None where they cannot be told).

    `aliases` False leaves the names of output columns away: nobody sees them in an expression.
    """
    prefix = spell_with(node, context) if node.HasField("with_clause") else ""
    try:
        if node.op in (_UNION, _INTERSECT, _EXCEPT):
            text, columns = _set_operation(node, context, aliases)
        elif node.values_lists:
            text, columns = _values(node, context)
        else:
            text, columns = _simple(node, context, aliases)
    finally:
        if prefix:
            context.ctes.pop()
    return prefix + text, columns


def spell_with(node: Node, context: Context) -> str:
    """The WITH clause of a statement; its names are known to `context` until its last `ctes` is taken off."""
    clause = node.with_clause
    known: dict[str, Columns] = {}
    context.ctes.append(known)
    parts = []
    for item in clause.ctes:
        cte = item.common_table_expr
        if cte.ctequery.WhichOneof("node") != "select_stmt":
            raise context.unspelled("data-modifying WITH")
        names = [name.string.sval for name in cte.aliascolnames]
        if clause.recursive:
            known[cte.ctename] = dict.fromkeys(names) if names else None
        text, columns = spell_select(cte.ctequery.select_stmt, context)
        known[cte.ctename] = _renamed(columns, names)
        listed = f"({', '.join(map(quote_identifier, names))})" if names else ""
        how = {2: " MATERIALIZED", 3: " NOT MATERIALIZED"}.get(cte.ctematerialized, "")
        parts.append(f"{quote_identifier(cte.ctename)}{listed} AS{how} ({text})")
    return f"WITH {'RECURSIVE ' if clause.recursive else ''}{', '.join(parts)} "


def _renamed(columns: Columns, names: list[str]) -> Columns:
    if columns is None:
        return dict.fromkeys(names) if names else None
    types = list(columns.values())
    kept = list(columns)[len(names) :]
    return dict(zip([*names, *kept], types, strict=False))


def _set_operation(node: Node, context: Context, aliases: bool) -> tuple[str, Columns]:
    left, columns = spell_select(node.larg, context, aliases=aliases)
    duplicate = context.duplicate
    right, others = spell_select(node.rarg, context, aliases=False)
    columns = _united(columns, others)
    context.duplicate = duplicate  # the names are those of the left side
    word = {_UNION: "UNION", _INTERSECT: "INTERSECT", _EXCEPT: "EXCEPT"}[node.op] + (" ALL" if node.all else "")
    if node.rarg.op > 1:
        right = f"({right})"
    # PostgreSQL sorts what set operations give by number.
    numbered = [(name, str(at)) for at, name in enumerate(columns or (), 1)]
    return f"{left} {word} {right}" + _tail(node, context, numbered), columns


def _united(mine: Columns, theirs: Columns) -> Columns:
    """The names of the left side, with the types that both have in common (transformSetOperationTree)."""
    if mine is None or theirs is None or len(mine) != len(theirs):
        return mine
    return {name: _common(kind, other) for (name, kind), other in zip(mine.items(), theirs.values(), strict=True)}


def _common(mine: str | None, theirs: str | None) -> str | None:
    if mine == theirs or mine is None or theirs is None:
        return mine or theirs
    left, right = base_type(mine), base_type(theirs)
    if left == right:
        return left
    if is_implicit(left, right) or (left == "text" and not is_text_like(right)):
        return right
    return left


def _values(node: Node, context: Context) -> tuple[str, Columns]:
    rows = []
    types: list[str | None] = []
    for row in node.values_lists:
        pieces = [context.spell(item, context) for item in row.list.items]
        types = types or [piece.type for piece in pieces]
        rows.append(f"({', '.join(piece.text for piece in pieces)})")
    columns = {f"column{at}": type_name for at, type_name in enumerate(types, 1)}
    return f"VALUES {', '.join(rows)}" + _tail(node, context, ()), columns


def _simple(node: Node, context: Context, aliases: bool) -> tuple[str, Columns]:
    with context.level() as entries:
        sources = [source(item, context, entries) for item in node.from_clause]
        inputs = list(entries)
        targets, outputs, columns = _targets(node, context, entries, aliases)
        parts = ["SELECT"]
        if node.distinct_clause:
            by = [_key(item, context, outputs) for item in node.distinct_clause if item.WhichOneof("node")]
            parts.append(f"DISTINCT ON ({', '.join(by)})" if by else "DISTINCT")
        if targets:
            parts.append(", ".join(targets))
        if sources:
            parts.append("FROM " + ", ".join(sources))
        if node.HasField("where_clause"):
            parts.append("WHERE " + condition(node.where_clause, "WHERE", context))
        # Names of output columns may stand in GROUP BY and ORDER BY.
        entries.append(Entry("", {name: type_name for name, type_name in (columns or {}).items() if name}, None, False))
        if node.group_clause:
            # Unlike in ORDER BY, a column of FROM comes first.
            grouped = [("" if _is_column(name, inputs) else name, text) for name, text in outputs]
            keys = [_grouping(item, context, grouped) for item in _flat(node.group_clause)]
            parts.append("GROUP BY " + ", ".join(keys))
        if node.HasField("having_clause"):
            parts.append("HAVING " + condition(node.having_clause, "HAVING", context))
        if node.window_clause:
            windows = [item.window_def for item in node.window_clause]
            named = [f"{quote_identifier(one.name)} AS {window_specification(one, context)}" for one in windows]
            parts.append("WINDOW " + ", ".join(named))
        text = " ".join(parts) + _tail(node, context, outputs)
    return text, columns


Outputs: TypeAlias = Sequence[tuple[str, str]]
"""The name of each output column, "" where it has none that can be told, and how its expression is spelled."""


def _is_column(name: str, entries: Sequence[Entry]) -> bool:
    return any(entry.columns is not None and name in entry.columns and name not in entry.merged for entry in entries)


def _key(node: Node, context: Context, outputs: Outputs) -> str:
    """What stands in ORDER BY or DISTINCT ON: an output column by name or number counts as its expression.

    parse_clause.c findTargetlistEntrySQL92; PostgreSQL prints the expression back.
    """
    kind = node.WhichOneof("node")
    if kind == "column_ref" and len(node.column_ref.fields) == 1:
        name = node.column_ref.fields[0].string.sval
        for output, text in outputs:
            if output and output == name:
                return text
    if kind == "a_const" and node.a_const.WhichOneof("val") == "ival":
        number: int = node.a_const.ival.ival
        if 0 < number <= len(outputs) and not any(text.endswith("*") for _, text in outputs[:number]):
            return outputs[number - 1][1]
    return context.spell(node, context).text


def condition(node: Node, place: str, context: Context) -> str:
    """An expression that has to be a boolean; `place` is what an error calls it."""
    piece = as_type(context.spell(node, context), "boolean")
    require_boolean(piece.type, place)
    return piece.text


def _flat(items: Sequence[Node]) -> list[Node]:
    """GROUP BY (a, b) is GROUP BY a, b (flatten_grouping_sets); ROW(a, b) is a row."""
    found: list[Node] = []
    for item in items:
        inner = _parenthesised(item)
        found += [item] if inner is None else _flat(inner)
    return found


def _parenthesised(item: Node) -> Any:
    is_row = item.WhichOneof("node") == "row_expr" and item.row_expr.row_format == _IMPLICIT_ROW
    return item.row_expr.args if is_row else None


def _grouping(item: Node, context: Context, outputs: Outputs) -> str:
    if item.WhichOneof("node") != "grouping_set":
        return _key(item, context, outputs)
    kind, content = item.grouping_set.kind, item.grouping_set.content
    if kind == _EMPTY_SET:
        return "()"
    word = {_ROLLUP: "ROLLUP", _CUBE: "CUBE", _SETS: "GROUPING SETS "}[kind]
    return f"{word}({', '.join(_grouping_set(each, kind == _SETS, context, outputs) for each in content)})"


def _grouping_set(item: Node, wrapped: bool, context: Context, outputs: Outputs) -> str:
    """A part of a grouping set: several keys stand in parentheses, and in GROUPING SETS one does, too."""
    if item.WhichOneof("node") == "grouping_set":
        return _grouping(item, context, outputs)
    keys = [_key(each, context, outputs) for each in _flat([item])]
    return f"({', '.join(keys)})" if wrapped or len(keys) > 1 else keys[0]


def _tail(node: Node, context: Context, outputs: Outputs) -> str:
    text = ""
    if node.sort_clause:
        text += " ORDER BY " + spell_order(node.sort_clause, context, lambda key: _key(key, context, outputs))
    if node.HasField("limit_offset"):
        text += " OFFSET " + context.spell(node.limit_offset, context).text
    if node.HasField("limit_count"):
        text += " LIMIT " + context.spell(node.limit_count, context).text
    for item in node.locking_clause:
        text += f" {_LOCKS.get(item.locking_clause.strength, '')}{_WAITS.get(item.locking_clause.wait_policy, '')}"
    return text


def _targets(node: Node, context: Context, entries: list[Entry], aliases: bool) -> tuple[list[str], Outputs, Columns]:
    texts: list[str] = []
    outputs: list[tuple[str, str]] = []
    columns: Columns = {}
    for item in node.target_list:
        target = item.res_target
        stars = _star(target.val, entries)
        if stars is not None:
            for entry in stars:
                if entry.columns is None:
                    columns = None
                    texts.append(f"{quote_identifier(entry.alias)}.*" if len(stars) > 1 else "*")
                    outputs.append(("", texts[-1]))
                    continue
                for name in entry.columns:
                    if name in entry.merged and len(target.val.column_ref.fields) == 1:
                        continue
                    piece = spell_found(entry, name, context)
                    renamed = aliases and context.written_name(entry.relation, name) != name
                    texts.append(f"{piece.text} AS {quote_identifier(name)}" if renamed else piece.text)
                    outputs.append((name, piece.text))
                    if columns is not None and name in columns and len(context.levels) == 1:
                        context.duplicate = name
                    if columns is not None:
                        columns[name] = piece.type
            continue
        piece = context.spell(target.val, context)
        implied = implied_name(target.val)
        name = target.name or implied
        # A string constant that nothing gave a type is text in the end (resolveTargetListUnknowns).
        type_name = "text" if piece.kind in ("literal", "null") and piece.type is None else piece.type
        if columns is not None:
            if name in columns and len(context.levels) == 1:
                context.duplicate = name
            columns[name] = type_name
        if target.val.WhichOneof("node") == "column_ref" and not piece.text.endswith(quote_identifier(implied)):
            implied = ""  # the column is being renamed, the output column is not
        shown = aliases and name != implied and name != "?column?"
        texts.append(f"{piece.text} AS {quote_identifier(name)}" if shown else piece.text)
        outputs.append((name, piece.text))
    return texts, outputs, columns


def _star(value: Node, entries: list[Entry]) -> list[Entry] | None:
    """The relations that `*` or `t.*` stands for; None for everything else."""
    if value.WhichOneof("node") != "column_ref":
        return None
    fields = value.column_ref.fields
    if fields[-1].WhichOneof("node") != "a_star":
        return None
    if len(fields) == 1:
        return list(entries)
    alias = fields[-2].string.sval
    return [entry for entry in entries if entry.alias == alias] or [Entry(alias, None)]


def implied_name(value: Node) -> str:
    """parse_target.c FigureColname."""
    kind = value.WhichOneof("node")
    if kind == "column_ref":
        last = value.column_ref.fields[-1]
        return str(last.string.sval) if last.WhichOneof("node") == "string" else "?column?"
    if kind == "func_call":
        return function_name(value.func_call)[1]
    if kind == "type_cast":
        inner = implied_name(value.type_cast.arg)
        return inner if inner != "?column?" else str(value.type_cast.type_name.names[-1].string.sval)
    if kind == "a_expr" and value.a_expr.kind == 6:
        return "nullif"
    if kind == "sqlvalue_function":
        return {1: "current_date", 4: "current_timestamp", 10: "current_role", 11: "current_user", 12: "user",
                13: "session_user"}.get(value.sqlvalue_function.op, "?column?")  # fmt: skip
    if kind == "sub_link":
        if value.sub_link.sub_link_type == _EXISTS:
            return "exists"
        if value.sub_link.sub_link_type == _ARRAY:
            return "array"
        targets = value.sub_link.subselect.select_stmt.target_list
        if value.sub_link.sub_link_type == _EXPRESSION and targets:
            return str(targets[0].res_target.name) or implied_name(targets[0].res_target.val)
    if kind == "min_max_expr":
        return "greatest" if value.min_max_expr.op == 1 else "least"
    if kind == "a_indirection":
        for item in reversed(value.a_indirection.indirection):
            if item.WhichOneof("node") == "string":
                return str(item.string.sval)
        return implied_name(value.a_indirection.arg)
    return {
        "coalesce_expr": "coalesce",
        "case_expr": "case",
        "a_array_expr": "array",
        "row_expr": "row",
        "grouping_func": "grouping",
    }.get(str(kind), "?column?")


def source(item: Node, context: Context, entries: list[Entry]) -> str:
    """One item of FROM; what it brings into scope is added to `entries`."""
    kind = item.WhichOneof("node")
    if kind == "range_var":
        return _relation(item.range_var, context, entries)
    if kind == "join_expr":
        return _join(item.join_expr, context, entries)
    if kind == "range_subselect":
        return _subselect(item.range_subselect, context, entries)
    if kind == "range_function":
        return _function(item.range_function, context, entries)
    raise context.unspelled(kind)


def _relation(node: Node, context: Context, entries: list[Entry]) -> str:
    alias = node.alias.aliasname if node.HasField("alias") else ""
    name = node.relname
    listed = [each.string.sval for each in node.alias.colnames] if alias else []
    if not node.schemaname:
        for level in reversed(context.ctes):
            if name in level:
                entries.append(Entry(alias or name, _renamed(level[name], listed) if listed else level[name]))
                return _aliased(quote_identifier(name), alias, name)
    found = context.lookup.relation(node.schemaname or None, name)
    if found is None:
        entries.append(Entry(alias or name, None))
        schema = node.schemaname
        text = f"{quote_identifier(schema)}." if schema and schema not in ("public", "pg_catalog") else ""
        return _aliased(text + quote_identifier(name), alias, name)
    relation = context.meet(found)
    printed = context.free_alias(alias or name)
    columns: Mapping[str, str | None] | None = found.columns
    shown = _renamed(dict(columns), listed) if listed and columns else columns
    entries.append(Entry(alias or name, shown, relation, printed=printed))
    schema, written = context.rename_relations.get(relation, relation)
    text = "" if schema in ("public", "pg_catalog") else f"{quote_identifier(schema)}."
    only = "" if node.inh else "ONLY "
    return only + _aliased(text + quote_identifier(written), printed or alias, written)


def _aliased(text: str, alias: str, name: str) -> str:
    return f"{text} {quote_identifier(alias)}" if alias and alias != name else text


def _join(node: Node, context: Context, entries: list[Entry]) -> str:
    if node.HasField("alias"):
        raise context.unspelled("the alias of a join")
    left = source(node.larg, context, entries)
    first = len(entries)
    right = source(node.rarg, context, entries)
    if node.rarg.WhichOneof("node") == "join_expr":
        right = f"({right})"
    if node.is_natural:
        return f"{left} NATURAL {_JOINS[node.jointype]} {right}"
    if node.using_clause:
        names = [name.string.sval for name in node.using_clause]
        for entry in entries[first:]:
            # Merged columns show once, as the left side's.
            entry.merged |= set(names)
        return f"{left} {_JOINS[node.jointype]} {right} USING ({', '.join(map(quote_identifier, names))})"
    if not node.HasField("quals"):
        return f"{left} CROSS JOIN {right}"
    return f"{left} {_JOINS[node.jointype]} {right} ON {context.spell(node.quals, context).text}"


def _subselect(node: Node, context: Context, entries: list[Entry]) -> str:
    # What stands left of it in FROM is visible to a LATERAL sub-select only.
    hidden = [] if getattr(node, "lateral", False) else entries[:]
    del entries[: len(hidden)]
    try:
        text, columns = spell_select(node.subquery.select_stmt, context)
    finally:
        entries[:0] = hidden
    alias = node.alias.aliasname
    names = [name.string.sval for name in node.alias.colnames]
    entries.append(Entry(alias, _renamed(columns, names)))
    listed = f"({', '.join(map(quote_identifier, names))})" if names else ""
    lateral = "LATERAL " if node.lateral else ""
    return f"{lateral}({text}) {quote_identifier(alias)}{listed}" if alias else f"{lateral}({text})"


def _function(node: Node, context: Context, entries: list[Entry]) -> str:
    if len(node.functions) != 1:
        raise context.unspelled("ROWS FROM")
    call = node.functions[0].list.items[0]
    piece = context.spell(call, context)
    alias = node.alias.aliasname if node.HasField("alias") else implied_name(call)
    names = [name.string.sval for name in node.alias.colnames]
    defined = [
        f"{quote_identifier(item.column_def.colname)} {spell_type(item.column_def.type_name, context.lookup)}"
        for item in node.coldeflist
    ]
    entries.append(Entry(alias, None if not names else {names[0]: piece.type} | dict.fromkeys(names[1:])))
    listed = f"({', '.join(defined or map(quote_identifier, names))})" if names or defined else ""
    text = ("LATERAL " if node.lateral else "") + piece.text
    text += " WITH ORDINALITY" if node.ordinality else ""
    return f"{text} {quote_identifier(alias)}{listed}" if node.HasField("alias") else text
