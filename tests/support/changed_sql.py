"""Changes in the SQL that computes a column, in whichever model that is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

# What replaces an aggregate or an operator.
OTHERS = {
    exp.Sum: exp.Max,
    exp.Max: exp.Min,
    exp.Min: exp.Max,
    exp.Add: exp.Sub,
    exp.Sub: exp.Add,
    exp.Mul: exp.Div,
    exp.Div: exp.Mul,
}
CONSTANTS = (exp.Literal, exp.Boolean, exp.Null)


@dataclass
class Models:
    """Models in DuckDB's SQL.

    Attributes:
        sql: by "schema.name", the models whose SQL may be changed.
        columns: the types of the columns of all tables, by schema, table and column.
    """

    sql: dict[str, str]
    columns: dict[str, dict[str, dict[str, str]]]

    def changed(self, model: str, column: str) -> Iterator[str]:
        """The SQL of a model with a change in what computes a column: one query per change.

        A condition is negated, an aggregate or an operator replaced by another, or 1 added, in each
        branch of a union. A column that is only passed on is followed to where it is computed,
        through CTEs and other models, which then become subqueries. Some changes may be invalid.
        """
        query = self._parsed(model)
        selected = next(each for each in query.selects if each.alias_or_name == column).unalias()
        computed = {id(each): each for each in self._computing(build_scope(query), column)}
        for changes in [*zip_longest(*map(_changes, computed.values())), (_plus_one(selected),)]:
            for original, change in filter(None, changes):
                original.replace(change)
            yield query.sql(dialect="duckdb")
            for original, change in filter(None, changes):
                change.replace(original)

    def _parsed(self, model: str) -> exp.Expression:
        query = sqlglot.parse_one(self.sql[model], dialect="duckdb")
        return qualify(query, dialect="duckdb", schema=self.columns, quote_identifiers=False)

    def _computing(self, scope: Scope, column: str) -> Iterator[exp.Expression]:
        """The expressions that compute a column: one, or one per branch of a union."""
        position = scope.expression.named_selects.index(column)
        if scope.set_operation_scopes:
            for branch in scope.set_operation_scopes:
                yield from self._computing(branch, branch.expression.named_selects[position])
            return
        expression = scope.expression.selects[position].unalias()
        passed_on = _without_casts(expression)
        is_column = isinstance(passed_on, exp.Column)
        source = scope.sources.get(passed_on.table) if is_column else None
        if isinstance(source, exp.Table) and (model := f"{source.db}.{source.name}") in self.sql:
            query = self._parsed(model)
            source.replace(query.subquery(source.alias_or_name, copy=False))
            source = build_scope(query)
        upstream = (
            list(self._computing(source, passed_on.name)) if isinstance(source, Scope) else []
        )
        if all(isinstance(_without_casts(each), CONSTANTS) for each in upstream):
            yield expression
        else:
            yield from upstream


def _without_casts(expression: exp.Expression) -> exp.Expression:
    while isinstance(expression, exp.Cast | exp.Paren | exp.Coalesce):
        expression = expression.this
    return expression


def _changes(computing: exp.Expression) -> Iterator[tuple[exp.Expression, exp.Expression]]:
    """Parts of an expression with what may replace them."""
    for part in computing.walk():
        if other := OTHERS.get(type(part)):
            yield (
                part,
                other(**{name: part.copy().args.get(name) for name in ("this", "expression")}),
            )
        elif isinstance(part, exp.If):
            yield part.this, exp.not_(part.this)
    yield _plus_one(computing)


def _plus_one(expression: exp.Expression) -> tuple[exp.Expression, exp.Expression]:
    return expression, exp.paren(expression) + 1
