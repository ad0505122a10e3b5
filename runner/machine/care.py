"""Retriers and catchers: what they may say, and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.definition import Language, Retrier
from runner.machine.failures import ALL, definition_fault
from runner.machine.fields import Shape
from runner.machine.shapes import fits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.errors import Fault
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
_LARGEST = 99_999_999
_LONGEST_DELAY_S = 31_622_400


def check_retriers(retriers: Json, at: str, language: Language) -> Iterator[Fault]:
    """Find what is wrong with a Retry field."""
    del language  # the same in both
    for index, retrier in enumerate(retriers if isinstance(retriers, list) else ()):
        pointer = f"{at}[{index}]"
        if not isinstance(retrier, dict):
            yield _fault(pointer, "The retrier is not an object", "a retrier")
            continue
        last = index == len(retriers) - 1
        yield from _check_errors(retrier, pointer, last=last)
        yield from _check_known(retrier, pointer, _RETRIER)
        yield from _check_numbers(retrier, pointer)


def check_catchers(catchers: Json, at: str, language: Language) -> Iterator[Fault]:
    """Find what is wrong with a Catch field."""
    own = {"Output"} if language is Language.JSONATA else {"ResultPath"}
    for index, catcher in enumerate(catchers if isinstance(catchers, list) else ()):
        pointer = f"{at}[{index}]"
        if not isinstance(catcher, dict):
            yield _fault(pointer, "The catcher is not an object", "a catcher")
            continue
        yield from _check_errors(catcher, pointer, last=index == len(catchers) - 1)
        yield from _check_known(catcher, pointer, _CATCHER | own)
        if not isinstance(catcher.get("Next"), str):
            yield _fault(pointer, "The field 'Next' is required but was missing", "a state")
        if not fits(catcher.get("ResultPath"), Shape.REFERENCE, language):
            yield _fault(f"{pointer}/ResultPath", f"{catcher['ResultPath']!r}", "a reference path")


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


def _check_errors(part: Mapping[str, Json], at: str, *, last: bool) -> Iterator[Fault]:
    names = part.get("ErrorEquals")
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        yield _fault(f"{at}/ErrorEquals", f"{names!r}", "a list of error names")
    elif ALL in names and (len(names) > 1 or not last):
        yield _fault(f"{at}/ErrorEquals", f"{names!r}", f"{ALL} alone, and in the last place")


def _check_known(part: Mapping[str, Json], at: str, known: frozenset[str]) -> Iterator[Fault]:
    for name in part:
        if name not in known:
            yield _fault(f"{at}/{name}", f"The field '{name}' is not supported", "a known field")


def _check_numbers(retrier: Mapping[str, Json], at: str) -> Iterator[Fault]:
    interval = retrier.get("IntervalSeconds", 1)
    limits = (
        ("IntervalSeconds", interval, 1, _LARGEST),
        ("MaxAttempts", retrier.get("MaxAttempts", 3), 0, _LARGEST),
        ("MaxDelaySeconds", retrier.get("MaxDelaySeconds", interval), interval, _LONGEST_DELAY_S),
    )
    for name, value, least, most in limits:
        if type(value) is not int or not (isinstance(least, int) and least <= value <= most):
            yield _fault(f"{at}/{name}", f"{value!r}", f"a whole number from {least} to {most}")
    rate = retrier.get("BackoffRate", 2.0)
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or rate < 1:
        yield _fault(f"{at}/BackoffRate", f"{rate!r}", "a number of at least 1.0")
    if retrier.get("JitterStrategy", "NONE") not in {"NONE", "FULL"}:
        yield _fault(f"{at}/JitterStrategy", f"{retrier['JitterStrategy']!r}", "NONE or FULL")


def _fault(at: str, found: str, expected: str) -> Fault:
    return definition_fault(at, found, expected, "definition-schema")
