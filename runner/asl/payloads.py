"""How large inputs, results and variables of a machine get, estimated from above.

In: states.  Out: bytes, and what they are about.  What is written in the definition is measured;
of what the keeper and the services add at run time the usual size is taken.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.asl.flow import every_state

if TYPE_CHECKING:
    from runner.asl.flow import Flow, State

RESULT_BYTES = 330
"""What the result of one table or load takes beside its name: counts, a few warnings."""
BRIEF_BYTES = 75
"""The same without counts: step, kind, status."""
MUCH_RESULTS_BYTES = 130_000
"""Results of a whole run above which they are noted in brief: failures add their messages."""
_CHUNK_BYTES = 700
_ROUND = 150
"""Chunks that the keeper plans at once."""
_FACTS_BYTES = 3_000
"""Of a QueryExecution beside its text, of a function's answer beside its payload."""
_COLUMNS_BYTES = 2_000
"""Names of a table's columns, which stand in an INSERT and are known at run time."""
_VALUE_BYTES = 32
_URI_BYTES = 300
_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True, slots=True)
class Measured:
    """A size, and what it is about."""

    subject: str
    bytes: int


def results_bytes(names: int, most_name: int) -> int:
    """Estimate the results of so many tables and loads."""
    return names * (RESULT_BYTES + most_name)


def statement_of(state: State) -> Measured:
    """Measure a statement that a state submits; nothing for other states."""
    arguments = state.fields.get("Arguments")
    if not isinstance(arguments, dict) or "QueryString" not in arguments:
        return Measured(state.subject, 0)
    text = str(arguments["QueryString"])
    known = sum(len(json.loads(one).encode()) for one in _LITERAL.findall(text))
    values = text.count("&") + 1
    more = state.text_bytes + values * _VALUE_BYTES + _COLUMNS_BYTES
    return Measured(state.subject, known + more)


def overrides_of(state: State) -> int:
    """Measure the container overrides of a task; 0 for other states."""
    arguments = state.fields.get("Arguments")
    if not isinstance(arguments, dict) or "Overrides" not in arguments:
        return 0
    text = _json(arguments["Overrides"])
    return len(text.encode()) + text.count("{%") * _URI_BYTES


def largest_payload(flow: Flow) -> Measured:
    """Give the largest input, result or variable of a machine."""
    found = [_payload(state) for state in every_state(flow)]
    found.append(Measured("the results of all tables", _collected(flow)))
    return max(found, key=lambda one: one.bytes)


def _payload(state: State) -> Measured:
    fields = state.fields
    size = len(_json(fields.get("Arguments", {})).encode()) + state.text_bytes + _FACTS_BYTES
    for asset in state.assets:  # what was read is JSON in JSON
        size = max(size, len(_json(asset.text).encode()) + _FACTS_BYTES)
    if fields["Type"] == "Map" and state.most_items:
        size = max(size, min(state.most_items, _ROUND) * _CHUNK_BYTES)
    return Measured(state.subject or "a step", size)


def _collected(flow: Flow) -> int:
    """Add up what the variable at the top of a machine collects."""
    return sum(state.results_bytes for state in every_state(flow))


_json = json.JSONEncoder(ensure_ascii=False).encode
