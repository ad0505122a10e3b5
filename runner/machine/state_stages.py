"""What a state's data looks like after each of its fields: seen while the interpreter works.

In: a state.  Out: the same state, whose fields note their values when they are evaluated.  So a
test of one state evaluates what a run evaluates, once, and sees it; the interpreter knows nothing
of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.machine import shaping
from runner.machine.definition import JsonPathIo, Map, Parallel, Pass, Task
from runner.machine.templates import Template

if TYPE_CHECKING:
    from runner.machine.definition import Io, State
    from runner.machine.templates import Env
    from runner.model.ports import Json

    Seen = dict[str, list[Json]]

_IO_FIELDS = ("parameters", "result_selector")
_MAP_FIELDS = ("items", "selector", "max_concurrency", "tolerated_count", "tolerated_percentage")


class _Watched(Template):
    """A template that notes its values."""

    __slots__ = ("_inner", "_values")

    def __init__(self, inner: Template, values: list[Json]) -> None:
        super().__init__(inner.source, inner.field, inner.notation)
        self._inner = inner
        self._values = values

    def evaluate(self, env: Env) -> Json:
        value = self._inner.evaluate(env)
        self._values.append(value)
        return value


def watch(state: State, seen: Seen) -> State:
    """Give the state with fields that note their values in `seen`, by the fields' names."""
    made: Any = state  # the fields depend on the type of state
    if isinstance(state, Pass | Task | Parallel | Map):
        made = made._replace(io=_watch_fields(state.io, _IO_FIELDS, seen))
    if isinstance(state, Map):
        made = _watch_fields(made, _MAP_FIELDS, seen)
    watched: State = made
    return watched


def _watch_fields(value: Any, fields: tuple[str, ...], seen: Seen) -> Any:  # noqa: ANN401  (an io or a Map)
    changed = {}
    for field in fields:
        template = getattr(value, field, None)
        if template is not None:
            changed[field] = _Watched(template, seen.setdefault(field, []))
    return value._replace(**changed)


def after_result(io: Io, raw: Json, result: Json, seen: Seen) -> dict[str, Json]:
    """Give the stages between a result and the output; only JSONPath states have them."""
    if not isinstance(io, JsonPathIo):
        return {}
    chosen = seen.get("result_selector")
    selected = chosen[-1] if chosen else result
    combined = shaping.put_result(io, raw, selected)
    return {"afterResultSelector": selected, "afterResultPath": combined}
