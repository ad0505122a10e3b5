"""AWS's answer to ValidateStateMachineDefinition.

In: a definition as text or JSON.  Out: `result` and `diagnostics` as the API gives them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from runner.machine.failures import InvalidDefinition
from runner.machine.parse import read_json
from runner.machine.validate import find_refusals

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import NotRequired

    from runner.machine.refusals import Refusal

MOST = 100
"""Diagnostics of one answer."""


class Diagnostic(TypedDict):
    """One thing that is wrong; without a location it is the whole definition."""

    severity: str
    code: str
    message: str
    location: NotRequired[str]


class Diagnosis(TypedDict):
    """What ValidateStateMachineDefinition answers."""

    result: str
    diagnostics: list[Diagnostic]
    truncated: bool


def diagnose(
    source: bytes | str | Mapping[str, Any], *, express: bool, most: int = MOST
) -> Diagnosis:
    """Answer as ValidateStateMachineDefinition does.

    >>> diagnose({"StartAt": "A", "States": {"A": {"Type": "Pass"}}}, express=False)["result"]
    'FAIL'
    """
    return as_diagnosis(refusals_of(source, express=express), most=most)


def refusals_of(source: bytes | str | Mapping[str, Any], *, express: bool) -> tuple[Refusal, ...]:
    """Find what AWS refuses in a text or a JSON value, in its order."""
    try:
        value = read_json(source) if isinstance(source, (bytes, str)) else source
    except InvalidDefinition as refused:
        return refused.refusals
    return tuple(find_refusals(value, express=express))


def as_diagnosis(refusals: Iterable[Refusal], *, most: int = MOST) -> Diagnosis:
    """Write refusals as the API's answer."""
    found = [_diagnostic(refusal) for refusal in refusals]
    return {
        "result": "FAIL" if found else "OK",
        "diagnostics": found[:most],
        "truncated": len(found) > most,
    }


def _diagnostic(refusal: Refusal) -> Diagnostic:
    told: Diagnostic = {
        "severity": "ERROR",
        "code": refusal.code,
        "message": refusal.message,
    }
    if refusal.location is not None:
        told["location"] = refusal.location
    return told
