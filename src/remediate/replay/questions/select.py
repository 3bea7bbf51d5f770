"""Compiles and runs a SELECT over the catalog: target list, grouping, set operations, ORDER BY, LIMIT."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from remediate.evaluate.values import Unknown
from remediate.replay.questions.calls import Aggregate
from remediate.replay.questions.casts import common_type
from remediate.replay.questions.errors import NotUnderstood, Refused
from remediate.replay.questions.expressions import Compiler
from remediate.replay.questions.from_clause import FromCompiler
from remediate.replay.questions.ordering import sort_rows
from remediate.replay.questions.scope import Column, Env, Expression, Query, Rows, Scope
from remediate.replay.questions.session import Session
from remediate.replay.questions.table_functions import compile_set
from remediate.replay.questions.values import Value, to_text


def compile_select(node: Any, session: Session, parent: Scope | None) -> Query:
    """A SelectStmt, in the scope of the query around it. Raises `NotUnderstood` and `Refused`."""
    scope = Scope(session, parent)
    if node.HasField("with_clause"):
        _compile_with(node.with_clause, scope)
    if node.locking_clause or node.window_clause or node.HasField("into_clause"):
        raise NotUnderstood("FOR UPDATE, WINDOW or INTO")
    if int(node.op) > 1:
        return _limited(node, scope, _compile_set_operation(node, scope))
    if node.values_lists:
        return _limited(node, scope, _compile_values(node, scope))
    return _PlainSelect(node, scope).query()


def _compile_with(clause: Any, scope: Scope) -> None:
    if clause.recursive:
        raise NotUnderstood("WITH RECURSIVE")
    for item in clause.ctes:
        expression = item.common_table_expr
        if expression.ctequery.WhichOneof("node") != "select_stmt":
            raise NotUnderstood("a data change in WITH")
        shadow = Scope(scope.session, scope.parent, queries=dict(scope.queries))
        made = compile_select(expression.ctequery.select_stmt, scope.session, shadow)
        names = [part.string.sval for part in expression.aliascolnames]
        columns = [(names[i] if i < len(names) else name, kind) for i, (name, kind) in enumerate(made.columns)]
        scope.queries[expression.ctename] = Query(columns, _below(made.run), made.outer)


def _below(run: Callable[[Env | None], Rows]) -> Callable[[Env | None], Rows]:
    # It was compiled one level further down, so that it sees the WITH queries before it.
    return lambda env: run(Env((), env))


def _compile_values(node: Any, scope: Scope) -> Query:
    compiler = Compiler(scope)
    lists = [compiler.compile_all(item.list.items) for item in node.values_lists]
    width = len(lists[0])
    if any(len(items) != width for items in lists):
        raise Refused("42601", "VALUES lists must all be the same length")
    types = [common_type([items[number].type for items in lists]) for number in range(width)]
    lists = [[compiler.coerce(item, kind) for item, kind in zip(items, types, strict=True)] for items in lists]
    columns = [(f"column{number}", kind) for number, kind in enumerate(types, 1)]

    def run(env: Env | None) -> Rows:
        at = Env((), env)
        return [(tuple(item.run(at) for item in items), None) for items in lists]

    return Query(columns, run, any(item.outer for items in lists for item in items))


def _compile_set_operation(node: Any, scope: Scope) -> Query:
    inner = Scope(scope.session, scope.parent, queries=scope.queries)
    left = compile_select(node.larg, scope.session, inner)
    right = compile_select(node.rarg, scope.session, inner)
    if len(left.columns) != len(right.columns):
        raise Refused("42601", "each UNION query must have the same number of columns")
    types = [common_type([a, b]) for (_, a), (_, b) in zip(left.columns, right.columns, strict=True)]
    columns = [(name, kind) for (name, _), kind in zip(left.columns, types, strict=True)]
    operation, everything = int(node.op), bool(node.all)  # 2 UNION, 3 INTERSECT, 4 EXCEPT

    def run(env: Env | None) -> Rows:
        at = Env((), env)
        first, second = left.run(at), right.run(at)
        if operation == 2:
            rows = first + second
            return rows if everything else distinct_rows(rows)
        doubt = _doubt(first) or _doubt(second)
        if everything:
            raise NotUnderstood("INTERSECT ALL and EXCEPT ALL")
        keys = {_key(row) for row, _ in second}
        kept = [(row, doubt) for row, _ in first if (_key(row) in keys) == (operation == 3)]
        return distinct_rows(kept)

    return Query(columns, run, left.outer or right.outer)


def _doubt(rows: Rows) -> Unknown | None:
    return next((reason for _, reason in rows if reason is not None), None)


def _key(row: Sequence[Value]) -> tuple[object, ...]:
    return tuple(str(to_text(value)) if isinstance(value, list) else value for value in row)


def distinct_rows(rows: Rows) -> Rows:
    """Each row once; of equal rows the certain one stays."""
    best: dict[tuple[object, ...], tuple[tuple[Value, ...], Unknown | None]] = {}
    for row, reason in rows:
        key = _key(row)
        if key not in best or (best[key][1] is not None and reason is None):
            best[key] = (row, reason)
    return list(best.values())


@dataclass(slots=True)
class _Target:
    expression: Expression
    name: str
    values: Callable[[Env], Value] | None = None


@dataclass(slots=True)
class _PlainSelect:
    """SELECT … FROM … WHERE … GROUP BY … HAVING."""

    node: Any
    scope: Scope
    targets: list[_Target] = field(default_factory=list)
    aggregates: list[Aggregate] = field(default_factory=list)

    def query(self) -> Query:
        node, scope = self.node, self.scope
        where = node.where_clause if node.HasField("where_clause") else None
        source = FromCompiler(scope, compile_select).compile(node.from_clause, where)
        compiler = Compiler(scope, self.aggregates)
        for item in node.target_list:
            self._target(compiler, item.res_target)
        groups = [self._by_name_or_position(compiler, item) for item in node.group_clause]
        having = compiler.condition(node.having_clause) if node.HasField("having_clause") else None
        hidden = [self._order_expression(compiler, item.sort_by) for item in node.sort_clause]
        plain = len(node.distinct_clause) == 1 and node.distinct_clause[0].WhichOneof("node") is None
        first_of = [] if plain else [self._by_name_or_position(compiler, item) for item in node.distinct_clause]
        grouped = bool(self.aggregates or groups or having)
        columns = [(target.name, _result_type(target.expression.type)) for target in self.targets]
        orders = [_direction(item.sort_by) for item in node.sort_clause]
        runs = [target.expression.run for target in self.targets]
        sets = [number for number, target in enumerate(self.targets) if target.values is not None]
        parts = [target.expression for target in self.targets] + groups + hidden + first_of
        outer = source.outer or any(part.outer for part in parts) or bool(scope.queries)

        def run(env: Env | None) -> Rows:
            rows = source.rows(env)
            envs = self._group(rows, groups, having, env) if grouped else [(Env(row, env), why) for row, why in rows]
            made = [(at, [item.run(at) for item in hidden], reason) for at, reason in envs]
            # Sorted before the targets are computed, as PostgreSQL does for functions with effects.
            if orders:
                ordered = sort_rows(made, [_hidden_key(number) for number in range(len(orders))], orders)
                made = [(at, keys, ordered) for at, keys, _ in made] if isinstance(ordered, Unknown) else ordered
            if first_of:
                made = _first_of_each(made, first_of)
            result: Rows = []
            for at, _, reason in made:
                if sets:
                    result += [(row, reason or doubt) for row, doubt in self._expand(at)]
                else:
                    result.append((tuple(each(at) for each in runs), reason))
            return self._finish(result, env)

        return Query(columns, run, outer)

    def _target(self, compiler: Compiler, target: Any) -> None:
        value = target.val
        kind = value.WhichOneof("node")
        if kind == "column_ref" and value.column_ref.fields[-1].WhichOneof("node") == "a_star":
            fields = [part.string.sval for part in value.column_ref.fields[:-1]]
            columns = [
                column for column in self.scope.columns if (column.alias == fields[-1] if fields else not column.hidden)
            ]
            if fields and not columns:
                raise Refused("42P01", f'missing FROM-clause entry for table "{fields[-1]}"')
            if not fields and not columns:
                raise Refused("42601", "SELECT * with no tables specified is not valid")
            self.targets += [_Target(_whole(column), column.name) for column in columns]
            return
        found = compile_set(compiler, value)
        if found is not None:
            self.targets.append(_Target(found[0], target.name or found[0].name or "?column?", found[1]))
            return
        expression = compiler.compile(value)
        self.targets.append(_Target(expression, target.name or expression.name or "?column?"))

    def _by_name_or_position(self, compiler: Compiler, node: Any) -> Expression:
        """GROUP BY and ORDER BY items may be a position or, before columns (ORDER BY) or after (GROUP BY), a name."""
        kind = node.WhichOneof("node")
        if kind == "a_const" and node.a_const.WhichOneof("val") == "ival":
            number = node.a_const.ival.ival
            if not 1 <= number <= len(self.targets):
                raise Refused("42P10", f"position {number} is not in select list")
            chosen: Expression = self.targets[number - 1].expression
            return chosen
        if kind == "column_ref" and len(node.column_ref.fields) == 1:
            name = node.column_ref.fields[0].string.sval
            if not any(column.name == name for column in self.scope.columns):
                for target in self.targets:
                    if target.name == name:
                        return target.expression
        if kind == "grouping_set":
            raise NotUnderstood("GROUPING SETS")
        return compiler.compile(node)

    def _order_expression(self, compiler: Compiler, item: Any) -> Expression:
        node = item.node
        if node.WhichOneof("node") == "column_ref" and len(node.column_ref.fields) == 1:
            name = node.column_ref.fields[0].string.sval
            for target in self.targets:
                if target.name == name:
                    return target.expression
        return self._by_name_or_position(compiler, node)

    def _group(
        self, rows: Rows, groups: list[Expression], having: Expression | None, env: Env | None
    ) -> list[tuple[Env, Unknown | None]]:
        doubt = _doubt(rows)
        gathered: dict[tuple[object, ...], list[Env]] = {}
        if not groups:
            gathered[()] = []
        for row, _ in rows:
            at = Env(row, env)
            gathered.setdefault(_key([item.run(at) for item in groups]), []).append(at)
        result: list[tuple[Env, Unknown | None]] = []
        for members in gathered.values():
            values: list[Value] = [doubt or each.compute(members) for each in self.aggregates]
            row = members[0].row if members else (None,) * len(self.scope.columns)
            at = Env(row, env, values)
            reason = doubt if groups else None
            if having is not None:
                passes = having.run(at)
                if isinstance(passes, Unknown):
                    reason = reason or passes
                elif passes is not True:
                    continue
            result.append((at, reason))
        return result

    def _expand(self, at: Env) -> Rows:
        """The rows that set-returning functions in the target list make of one row (in lockstep, padded with NULL)."""
        lists: list[Value] = [target.values(at) if target.values else None for target in self.targets]
        unknown = next((value for value in lists if isinstance(value, Unknown)), None)
        if unknown is not None:
            return [((unknown,) * len(self.targets), unknown)]
        length = max(len(value) for value in lists if value is not None)
        rows: Rows = []
        for number in range(length):
            row = tuple(
                target.expression.run(at) if values is None else (values[number] if number < len(values) else None)
                for target, values in zip(self.targets, lists, strict=True)
            )
            rows.append((row, None))
        return rows

    def _finish(self, rows: Rows, env: Env | None) -> Rows:
        if self.node.distinct_clause and self.node.distinct_clause[0].WhichOneof("node") is None:
            rows = distinct_rows(rows)
        return _cut(self.node, self.scope, rows, env)


_Made: TypeAlias = tuple[Env, list[Value], Unknown | None]


def _first_of_each(made: Sequence[_Made], keys: Sequence[Expression]) -> list[_Made]:
    """DISTINCT ON: the first row of each group, in the order that the rows have."""
    doubt = next((reason for _, _, reason in made if reason is not None), None)
    first: dict[tuple[object, ...], _Made] = {}
    for at, order, reason in made:
        values = [key.run(at) for key in keys]
        doubt = doubt or next((value for value in values if isinstance(value, Unknown)), None)
        first.setdefault(_key(values), (at, order, reason))
    return [(at, order, reason or doubt) for at, order, reason in first.values()]


def _whole(column: Column) -> Expression:
    slot = column.slot
    return Expression(column.type, lambda env: env.row[slot], frozenset({slot}), False, column.name)


def _hidden_key(number: int) -> Callable[[tuple[Env, list[Value], Unknown | None]], Value]:
    return lambda item: item[1][number]


def _row_key(position: int) -> Callable[[tuple[tuple[Value, ...], Unknown | None]], Value]:
    return lambda item: item[0][position]


def _result_type(name: str) -> str:
    return "text" if name == "unknown" else name


def _direction(item: Any) -> tuple[None, bool, bool]:
    descending, nulls = int(item.sortby_dir) == 3, int(item.sortby_nulls)
    return None, descending, nulls == 2 or (nulls in (0, 1) and descending)


def _limited(node: Any, scope: Scope, query: Query) -> Query:
    """ORDER BY and LIMIT over VALUES or a set operation, whose keys are result columns."""
    positions: list[int] = []
    names = [name for name, _ in query.columns]
    for item in node.sort_clause:
        key = item.sort_by.node
        if key.WhichOneof("node") == "a_const":
            positions.append(key.a_const.ival.ival - 1)
        elif key.WhichOneof("node") == "column_ref" and key.column_ref.fields[-1].string.sval in names:
            positions.append(names.index(key.column_ref.fields[-1].string.sval))
        else:
            raise NotUnderstood("ORDER BY an expression over a set operation")
    orders = [_direction(item.sort_by) for item in node.sort_clause]

    def run(env: Env | None) -> Rows:
        rows = query.run(env)
        if orders:
            ordered = sort_rows(rows, [_row_key(position) for position in positions], orders)
            rows = [(row, ordered) for row, _ in rows] if isinstance(ordered, Unknown) else ordered
        return _cut(node, scope, rows, env)

    return Query(query.columns, run, query.outer)


def _cut(node: Any, scope: Scope, rows: Rows, env: Env | None) -> Rows:
    """OFFSET and LIMIT."""
    start, count = 0, None
    outside = Scope(scope.session, scope.parent)
    if node.HasField("limit_offset"):
        start = Compiler(outside).compile(node.limit_offset).run(Env((), env)) or 0
    if node.HasField("limit_count"):
        count = Compiler(outside).compile(node.limit_count).run(Env((), env))
    if not isinstance(start, int) or (count is not None and not isinstance(count, int)):
        reason = Unknown("a LIMIT that is not known")
        return [(row, reason) for row, _ in rows]
    if start == 0 and (count is None or count >= len(rows)):
        return rows
    doubt = _doubt(rows[: start + count if count is not None else None])
    if doubt is not None:
        rows = [(row, reason or doubt) for row, reason in rows]
    return rows[start : start + count if count is not None else None]
