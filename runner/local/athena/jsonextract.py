"""json_extract and its kin: Trino's small path language, read from text as far as needed.

In: JSON text and a path (`$.a[0]["b c"]`).  Out: values; an invalid path raises AthenaFailure,
text that turns out not to be JSON on the way raises `JsonError`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.jsontext import (
    MISSING,
    Json,
    JsonError,
    Members,
    Missing,
    char_at,
    elements,
    members,
    parse,
    scan,
    skip,
)

_STEP = re.compile(
    r"""\.(?P<name>[\w:]+)|\[(?P<bare>\w+)\]|\["(?P<quoted>(?:[^"\\]|\\["\\])*)"\]"""
)
_NATIVE = re.compile(r"[A-Za-z_][\w -]*|\d{1,9}", re.ASCII)
_INDEX = re.compile(r"\+?\d{1,10}")


@lru_cache(maxsize=256)
def steps_of(path: str) -> tuple[str, ...]:
    r"""Read a path; raises AthenaFailure.

    >>> steps_of('$.a[0]["b.\\"c"]')
    ('a', '0', 'b."c')
    """
    found: list[str] = []
    place = 1
    while place < len(path) or not path.startswith("$"):
        step = _STEP.match(path, place) if path.startswith("$") else None
        if step is None:
            raise AthenaFailure("INVALID_FUNCTION_ARGUMENT", f"Invalid JSON path: '{path}'")
        quoted = step["quoted"]
        name = step["name"] or step["bare"]
        found.append(name if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        place = step.end()
    return tuple(found)


def find(text: str, path: str) -> Json | Missing:
    """Give the value at a path, MISSING if there is none; raises JsonError."""
    steps = steps_of(path)
    try:
        value = parse(text)
    except JsonError:
        return _found_before_fault(text, steps)
    for step in steps:
        inner = _inside(value, step)
        if isinstance(inner, Missing):
            return inner
        value = inner
    return value


def _inside(value: Json, step: str) -> Json | Missing:
    if isinstance(value, Members):
        return next((each for name, each in value if name == step), MISSING)
    if isinstance(value, list) and _INDEX.fullmatch(step) and int(step) < len(value):
        return value[int(step)]
    return MISSING


def _found_before_fault(text: str, steps: tuple[str, ...]) -> Json | Missing:
    """Read no further than Trino does: what is wrong behind the value does not matter."""
    place = skip(text, 0)
    for step in steps:
        char = char_at(text, place)
        if char == "{":
            places = (start for name, start in members(text, place) if name == step)
            found = next(places, None)
        elif char == "[" and _INDEX.fullmatch(step):
            found = next(islice(elements(text, place), int(step), None), None)
        else:
            scan(text, place)
            found = None
        if found is None:
            return MISSING
        place = found
    return scan(text, place)[0]


def size(value: Json) -> int:
    """Give the number of members or elements; 0 for a scalar."""
    return len(value) if isinstance(value, Members | list) else 0


def native_path(path: str) -> tuple[str, bool] | None:
    """Write a path as DuckDB does, with whether it means the same whatever it meets.

    >>> native_path("$.a[0]")
    ('$."a"[0]', False)
    """
    steps = steps_of(path)
    if not all(_NATIVE.fullmatch(step) for step in steps):
        return None
    indexed = [step.isdigit() for step in steps]
    text = "".join(
        f"[{step}]" if is_index else f'."{step}"'
        for step, is_index in zip(steps, indexed, strict=True)
    )
    return f"${text}", not any(indexed)
