"""A `sql` step: one query of Athena, whose first row is the step's value.

    [values ->] run -> rows

The keeper computes marks that have operations or a format of their own; plain ones are the window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.asl import retries
from runner.asl.expressions import concatenation, expression, names_of, quote, sql_terms
from runner.asl.flow import State, state_name, task
from runner.asl.statements import CALL_TIMEOUT_S, LOCATION, Statement, running
from runner.asl.steps.scope import entry, gated, step_failing, step_retriers
from runner.asl.steps.values import is_jsonata, jsonata_of, seeing
from runner.asl.tables.common import athena_arguments, keeper_task
from runner.asl.tablespec import DEFAULT_PATTERNS
from runner.model.durations import seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.asl.steps.scope import Scope
    from runner.model.sqltext import Mark
    from runner.model.steps_flow import Scalar, SqlStep

_NUMBERS = '["tinyint", "smallint", "integer", "bigint", "float", "double", "decimal"]'
_NO_NUMBERS = '["NaN", "Infinity", "-Infinity"]'
_FIRST_ROW = (
    "$set := $states.result.ResultSet; $row := $set.Rows[1].Data; "
    "$column := function($c, $i) { ( $t := $row[$i].VarCharValue; {$c.Name: "
    "$not($exists($t)) ? null : "
    f"$c.Type in {_NUMBERS} and $not($t in {_NO_NUMBERS}) ? $number($t) : "
    '$c.Type = "boolean" ? $t = "true" : $t} ) }; '
    "$first := $exists($row) ? "
    "$merge($append([], $map($set.ResultSetMetadata.ColumnInfo, $column))) : null; "
)
"""JSONata that gives the first row as an object by column; null where there is none.

The row before it is Athena's header.
"""
_LITERAL = (
    '( $given := %s; $type($given) in ["number", "boolean"] ? $string($given) : '
    '$type($given) = "string" ? "\'" & $replace($given, "\'", "\'\'") & "\'" : '
    '$type($given) = "null" ? "NULL" : '
    '$error("a parameter that is no text, number, true, false or null") )'
)
"""JSONata that writes a value as a literal of SQL."""
_EXECUTION = "$states.context.Execution"
_TOKEN = (
    f'{_EXECUTION}.Id & "|" & $string({_EXECUTION}.RedriveCount) & "|" & $states.context.State.Name'
)


def states(scope: Scope, name: str, step: SqlStep) -> tuple[State, ...]:
    """Ask, read the first row, note it."""
    query, wait = scope.queries[name].sql, scope.project.environment.athena_wait
    names = names_of(query)
    computed = any(mark.steps or mark.format for mark in names)
    catchers, explained = step_failing(scope, name, "sql", step)
    start, run, rows = (state_name(name, verb) for verb in ("values", "run", "rows"))
    asked = f"{scope.depth}asked"
    text = concatenation(sql_terms(query, names, f"${asked}")) if computed else _plain(scope, name)
    token = expression(f'$hash({_TOKEN}{scope.item_tag}, "SHA-256")')
    timeout = step.timeout or scope.project.config.defaults.query_timeout
    ran = running(
        wait,
        Statement(
            name,
            "run",
            {
                **athena_arguments(scope.target, expression(text), token=token),
                **_parameters(scope, step),
            },
            seconds(timeout),
            keep={f"{scope.depth}query": "QueryExecutionId", f"{scope.depth}location": LOCATION},
            catch=tuple(catchers),
            following=rows,
        ),
    )
    return (
        *gated(scope, name, step, "sql", start=start if computed else run),
        *((_values(scope, start, names, catchers, run),) if computed else ()),
        *_retried(ran, step_retriers(step.retry, [])),
        _rows(scope, name, catchers),
        *explained,
    )


def _parameters(scope: Scope, step: SqlStep) -> dict[str, Any]:
    """Give the values of the question marks, as SQL writes them."""
    if not step.parameters:
        return {}
    return {"ExecutionParameters": [_literal(scope, value) for value in step.parameters]}


def _literal(scope: Scope, value: Scalar) -> str:
    if is_jsonata(value):
        return expression(_LITERAL % seeing(scope, jsonata_of(str(value))))
    if isinstance(value, str):
        escaped = value.replace("'", "''")
        return f"'{escaped}'"
    return str(value).lower()


def _plain(scope: Scope, name: str) -> str:
    """Write a query whose marks are the ends of the window as they are."""
    terms = [
        quote(part) if isinstance(part, str) else f"{scope.window}.{part.base}"
        for part in scope.queries[name].sql.parts
    ]
    return concatenation(terms)


def _retried(ran: tuple[State, ...], retriers: list[dict[str, Any]]) -> tuple[State, ...]:
    """Add the user's own retriers to the submission."""
    if not retriers:
        return ran
    first = ran[0]
    fields = {**first.fields, "Retry": [*first.fields["Retry"], *retriers]}
    return (State(first.name, fields, subject=first.subject), *ran[1:])


def _values(
    scope: Scope,
    title: str,
    names: Mapping[Mark, str],
    catchers: list[dict[str, Any]],
    following: str,
) -> State:
    own = DEFAULT_PATTERNS[scope.workflow.grain]
    marks = {
        name: {
            "base": mark.base,
            "steps": [list(one) for one in mark.steps],
            "format": mark.format or own,
        }
        for mark, name in names.items()
    }
    return State(
        title,
        keeper_task(
            scope.target,
            "values",
            {"window": expression(scope.window), "marks": marks},
            Assign={f"{scope.depth}asked": expression("$states.result.Payload")},
            Output={},
            Retry=retries.keeper(),
            Catch=catchers,
            Next=following,
        ),
    )


def _rows(scope: Scope, name: str, catchers: list[dict[str, Any]]) -> State:
    more = f', "value": $first, "location": ${scope.depth}location'
    fields = entry(name, name, "sql", "succeeded", more)
    collected = f"( {_FIRST_ROW}$append(${scope.sink}, [{{{fields}}}]) )"
    return State(
        state_name(name, "rows"),
        task(
            "arn:aws:states:::athena:getQueryResults",
            {"QueryExecutionId": expression(f"${scope.depth}query"), "MaxResults": 2},
            timeout_s=CALL_TIMEOUT_S,
            Assign={scope.sink: expression(collected)},
            Output={},
            Retry=retries.athena_call(),
            Catch=catchers,
            Next=scope.following,
        ),
    )
