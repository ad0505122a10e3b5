"""Retriers and catchers: what they may say, and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.definition import Language, Retrier
from runner.machine.failures import ALL
from runner.machine.fields import LONGEST_S, Range, Shape, other_of
from runner.machine.refusals import among, foreign, required, schema, unsupported
from runner.machine.shapes import check_number, check_payload, check_value, wrong_type
from runner.machine.variables import check_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.machine.refusals import Refusal
    from runner.model.ports import Json

_RETRIER = frozenset(
    {
        "ErrorEquals",
        "IntervalSeconds",
        "MaxAttempts",
        "BackoffRate",
        "MaxDelaySeconds",
        "JitterStrategy",
        "Comment",
    }
)
_CATCHER = frozenset({"ErrorEquals", "Next", "Comment", "Assign"})
_OWN = {Language.JSONATA: "Output", Language.JSONPATH: "ResultPath"}
_LIMITS = {
    "IntervalSeconds": Range(0, LONGEST_S),
    "MaxAttempts": Range(0, LONGEST_S),
    "MaxDelaySeconds": Range(1, 31_622_400),
    "BackoffRate": Range(1.0, whole=False),
}
_STRATEGIES = ("NONE", "FULL")


def check_retriers(retriers: Json, at: str) -> Iterator[Refusal]:
    """Find what is wrong with a Retry field."""
    for index, retrier in enumerate(retriers if isinstance(retriers, list) else ()):
        pointer = f"{at}[{index}]"
        if not isinstance(retrier, dict):
            yield wrong_type(pointer, "OBJECT")
            continue
        yield from _check_errors(retrier, pointer, last=index == len(retriers) - 1)
        for name, value in retrier.items():
            if name not in _RETRIER:
                yield unsupported(pointer, name, "a field of a retrier")
            elif name in _LIMITS:
                found = check_number(value, _LIMITS[name], f"{pointer}/{name}")
                if found:
                    yield found
        if retrier.get("JitterStrategy", "NONE") not in _STRATEGIES:
            yield among(f"{pointer}/JitterStrategy", _STRATEGIES)


def check_catchers(
    catchers: Json, at: str, language: Language, outer: frozenset[str]
) -> Iterator[Refusal]:
    """Find what is wrong with a Catch field; `outer` names variables of flows around."""
    for index, catcher in enumerate(catchers if isinstance(catchers, list) else ()):
        pointer = f"{at}[{index}]"
        if not isinstance(catcher, dict):
            yield wrong_type(pointer, "OBJECT")
            continue
        yield from _check_errors(catcher, pointer, last=index == len(catchers) - 1)
        yield from _check_catcher(catcher, pointer, language)
        if "Assign" in catcher:
            yield from check_names(catcher["Assign"], f"{pointer}/Assign", language, outer)


def _check_catcher(catcher: Mapping[str, Json], at: str, language: Language) -> Iterator[Refusal]:
    for name in catcher:
        if name == _OWN[other_of(language)]:
            yield foreign(at, name, language)
        elif name not in _CATCHER and name != _OWN[language]:
            yield unsupported(at, name, "a field of a catcher")
    if "Next" not in catcher:
        yield required(at, "Next")
    elif not isinstance(catcher["Next"], str):
        yield wrong_type(f"{at}/Next", "STRING")
    yield from _check_shaping(catcher, at, language)


def _check_shaping(catcher: Mapping[str, Json], at: str, language: Language) -> Iterator[Refusal]:
    """Check what a catcher makes of the error: its output and variables."""
    if not isinstance(catcher.get("Assign", {}), dict):
        yield wrong_type(f"{at}/Assign", "OBJECT")
    if language is Language.JSONATA:
        for name in ("Output", "Assign"):
            if name in catcher:
                yield from _expressions(catcher[name], f"{at}/{name}")
        return
    yield from check_payload(catcher.get("Assign"), f"{at}/Assign")
    found = check_value(catcher.get("ResultPath"), Shape.REFERENCE, f"{at}/ResultPath", language)
    if found:
        yield found


def _expressions(value: Json, at: str) -> Iterator[Refusal]:
    from runner.machine.expressions import FAILED, check_expressions  # noqa: PLC0415  (JSONata only)

    return check_expressions(value, at, FAILED)


def make_retrier(source: Mapping[str, Json]) -> Retrier:
    """Build a retrier that passed the checks."""
    return Retrier(
        errors=tuple(source["ErrorEquals"]),
        interval_s=source.get("IntervalSeconds", 1),
        max_attempts=source.get("MaxAttempts", 3),
        backoff_rate=source.get("BackoffRate", 2.0),
        max_delay_s=source.get("MaxDelaySeconds"),
        full_jitter=source.get("JitterStrategy") == "FULL",
    )


def _check_errors(part: Mapping[str, Json], at: str, *, last: bool) -> Iterator[Refusal]:
    at = f"{at}/ErrorEquals"
    if "ErrorEquals" not in part:
        yield required(at.removesuffix("/ErrorEquals"), "ErrorEquals")
        return
    names = part["ErrorEquals"]
    if not isinstance(names, list):
        yield wrong_type(at, "ARRAY")
        return
    if not names:
        yield schema(at, "Value cannot be empty", "names of errors")
    for index, name in enumerate(names):
        if not isinstance(name, str):
            yield wrong_type(f"{at}[{index}]", "STRING")
        elif name == ALL and (len(names) > 1 or not last):
            told = f"{ALL} must appear alone and at end of list"
            yield schema(f"{at}[{index}]", told, f"{ALL} alone, in the last place")
