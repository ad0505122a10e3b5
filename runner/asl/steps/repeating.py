"""A `map` step: one inner step for every item of a list.

A list of the file, or of JSONata, is an inline Map: every item is tried, and then it is counted
whether more failed than are tolerated.  Rows of a query and objects below a prefix are a
distributed Map: each item is an execution of its own, which fails where its step did, so that
Step Functions itself counts; what came of each is written below the place of query results.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from runner.asl.expressions import expression, quote
from runner.asl.flow import Flow, State, state_name
from runner.asl.steps.scope import ITEM, entry, explaining, gated, step_failing, step_retriers
from runner.asl.steps.values import jsonata_of as inside
from runner.asl.steps.values import mentions_values, seeing, with_values
from runner.model.steps_flow import ObjectsBelow, RowsOf, SqlStep
from runner.model.steps_sinks import RedshiftStep
from runner.model.steps_sources import CodeBuildStep, CrawlerStep, GlueJobStep

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.asl.steps.scope import Scope
    from runner.model.steps_flow import Tolerated
    from runner.model.workflow import AnyStep, MapStep

    Inner = Callable[[Scope, str, AnyStep], tuple[State, ...]]

_KEPT = '["status", "value", "error", "message"]'
"""What is told of each item."""
_FAILED = "Runner.ItemsFailed"
_WHOLE = 100


def states(scope: Scope, name: str, step: MapStep, *, inner: Inner) -> tuple[State, ...]:
    """Repeat the inner step; `inner` gives its states."""
    make = _distributed if step.is_distributed else _inline
    return (*gated(scope, name, step, "map"), *make(scope, name, step, inner))


# --- in this execution ----------------------------------------------------------------------------


def _inline(scope: Scope, name: str, step: MapStep, inner: Inner) -> tuple[State, ...]:
    caught = scope.catching(name, step, scope.following)
    following = caught[0].name if caught else scope.following
    outer = replace(scope, following=following)
    catchers, explained = step_failing(outer, name, "map", step)
    if not explained:
        failed = scope.collect(entry(name, name, "map", "failed", _why(scope)))
        explained = explaining(scope, name, failed, following=following)
    items, ended = f"{scope.depth}items", state_name(name, "ended?")
    fields: dict[str, Any] = {
        "Type": "Map",
        "Items": _items(scope, step),
        "MaxConcurrency": step.concurrency,
        "ItemProcessor": Flow(_item_states(_inner_scope(scope, name, step), name, step, inner)),
        "Assign": {items: expression("$append([], $states.result)")},
        "Output": {},
        "Catch": catchers,
        "Next": ended,
    }
    if step.retry:
        fields["Retry"] = step_retriers(step.retry, [])
    bad = f'${items}[status = "failed"]'
    first = f"$append([], {bad})[0].message"
    told = (
        f'$string($count({bad})) & " of " & $string($count(${items})) & " items failed: " & {first}'
    )
    problem = expression(f'{{"Error": {quote(_FAILED)}, "Cause": {told}}}')
    value = f'{{"count": $count(${items}), "failed": $count({bad}), "items": ${items}}}'
    succeeded = scope.collect(entry(name, name, "map", "succeeded", f', "value": {value}'))
    done = state_name(name, "done")
    count = len(step.over) if isinstance(step.over, tuple) else 0
    too_many = {
        "Condition": expression(_too_many(step.tolerated, f"$count({bad})", f"$count(${items})")),
        "Assign": {f"{scope.depth}problem": problem},
        "Next": state_name(name, "explain"),
    }
    return (
        State(state_name(name, "run"), fields, most_items=count),
        State(ended, {"Type": "Choice", "Choices": [too_many], "Default": done}),
        State(done, {"Type": "Pass", "Assign": succeeded, "Output": {}, "Next": following}),
        *explained,
        *caught,
    )


def _why(scope: Scope) -> str:
    problem, diagnosis = f"${scope.depth}problem", f"${scope.depth}diagnosis"
    return (
        f', "error": {problem}.Error, "message": {diagnosis}.message, "advice": {diagnosis}.advice'
    )


def _items(scope: Scope, step: MapStep) -> Any:  # noqa: ANN401 - JSON
    if isinstance(step.over, str):
        return expression(f"$append([], {seeing(scope, inside(step.over))})")
    return with_values(scope, step.over)


def _too_many(tolerated: Tolerated, failed: str, count: str) -> str:
    parts = []
    if tolerated.count is not None:
        parts.append(f"{failed} > {tolerated.count}")
    if tolerated.percentage is not None:
        parts.append(f"{failed} * {_WHOLE} > {tolerated.percentage:g} * {count}")
    return " or ".join(parts) or f"{failed} > 0"


def _inner_scope(scope: Scope, name: str, step: MapStep) -> Scope:
    asked = scope.queries.get(name)
    return replace(
        scope,
        following=_item(name, "end"),
        entries={},
        sink="made",
        depth=ITEM,
        known=scope.known,
        queries={_subject(name, step): asked} if asked is not None else {},
    )


def _subject(name: str, step: MapStep) -> str:
    """Name the inner step: one of many states has some called as those around it are."""
    many = isinstance(step.step, CrawlerStep | GlueJobStep | CodeBuildStep | RedshiftStep | SqlStep)
    return f"{name} each" if many else f"{name} item"


def _item(name: str, verb: str) -> str:
    return state_name(f"{name} item", verb)


def _item_states(scope: Scope, name: str, step: MapStep, inner: Inner) -> tuple[State, ...]:
    made = inner(scope, _subject(name, step), step.step)
    given = {"made": [], "item": expression("$states.input")}
    told = expression(f"$sift($append([], $made)[0], function($v, $k) {{ $k in {_KEPT} }})")
    return (
        State(_item(name, "begin"), {"Type": "Pass", "Assign": given, "Next": made[0].name}),
        *made,
        State(_item(name, "end"), {"Type": "Pass", "Output": told, "End": True}),
    )


# --- each in an execution of its own --------------------------------------------------------------


def _distributed(scope: Scope, name: str, step: MapStep, inner: Inner) -> tuple[State, ...]:
    catchers, explained = step_failing(scope, name, "map", step)
    details = "$states.result.ResultWriterDetails"
    value = f', "value": {{"bucket": {details}.Bucket, "key": {details}.Key}}'
    bucket, prefix = _place(scope.target.results)
    handed = {
        "item": expression("$states.context.Map.Item.Value"),
        "window": expression(scope.window),
    }
    if mentions_values(step.step.model_dump(mode="json")):
        handed["values"] = expression(scope.values)
    fields: dict[str, Any] = {
        "Type": "Map",
        "ItemReader": _reader(scope, step.over),
        "ItemSelector": handed,
        "MaxConcurrency": step.concurrency,
        "ItemProcessor": Flow(_apart_states(scope, name, step, inner), distributed=True),
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Arguments": {"Bucket": bucket, "Prefix": f"{prefix}maps/{scope.workflow_name}/{name}"},
        },
        **_tolerating(step.tolerated),
        "Assign": scope.collect(entry(name, name, "map", "succeeded", value)),
        "Output": {},
        "Catch": catchers,
        "Next": scope.following,
    }
    if step.retry:
        fields["Retry"] = step_retriers(step.retry, [])
    return (State(state_name(name, "run"), fields), *explained)


def _tolerating(tolerated: Tolerated) -> dict[str, Any]:
    said = {
        "ToleratedFailureCount": tolerated.count,
        "ToleratedFailurePercentage": tolerated.percentage,
    }
    return {key: value for key, value in said.items() if value}


def _reader(scope: Scope, over: object) -> dict[str, Any]:
    if isinstance(over, RowsOf):
        found = f"$append([], {scope.known}[step = {quote(over.rows)}].location)[0]"
        bucket, _ = _place(scope.target.results)
        key = expression(f'$substringAfter($substringAfter({found}, "s3://"), "/")')
        return {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
            "Arguments": {"Bucket": bucket, "Key": key},
        }
    if not isinstance(over, ObjectsBelow):
        raise TypeError(type(over).__name__)
    bucket, prefix = _place(over.objects)
    return {
        "Resource": "arn:aws:states:::s3:listObjectsV2",
        "Arguments": {"Bucket": bucket, "Prefix": prefix},
    }


def _place(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _apart_states(scope: Scope, name: str, step: MapStep, inner: Inner) -> tuple[State, ...]:
    """Give the states of an item that sees no variable around the Map."""
    own = replace(
        _inner_scope(scope, name, step),
        known="[]",
        window="$item_window",
        given_values="$item_values",
    )
    made = inner(own, _subject(name, step), step.step)
    given = {
        "made": [],
        "item": expression("$states.input.item"),
        "item_window": expression("$states.input.window"),
    }
    if mentions_values(step.step.model_dump(mode="json")):
        given["item_values"] = expression("$states.input.values")
    failed = {"Condition": expression('$exists($made[status = "failed"])')}
    told = expression(f"$sift($append([], $made)[0], function($v, $k) {{ $k in {_KEPT} }})")
    return (
        State(_item(name, "begin"), {"Type": "Pass", "Assign": given, "Next": made[0].name}),
        *made,
        State(
            _item(name, "end"),
            {
                "Type": "Choice",
                "Choices": [{**failed, "Next": _item(name, "failed")}],
                "Default": _item(name, "done"),
            },
        ),
        State(
            _item(name, "failed"),
            {
                "Type": "Fail",
                "Error": "Runner.ItemFailed",
                "Cause": expression("$append([], $made)[0].message"),
            },
        ),
        State(_item(name, "done"), {"Type": "Pass", "Output": told, "End": True}),
    )
