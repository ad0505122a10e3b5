"""What is wrong with the JSONata expressions of a definition.

In: a value that may hold `{% ... %}` texts, and which fields `$states` has there.  Out: refusals at
the places of the expressions.  What the quick subset takes is an expression; the reader knows the
rest of the language; JSONata's own parser, which takes long to import, is asked for its message
when both decline.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from runner.machine.expression_reader import References, read_references
from runner.machine.query import compile_quickly
from runner.machine.refusals import BAD_EXPRESSION, FOREIGN_REFERENCE, Refusal, escape, refuse
from runner.machine.shapes import is_unclosed, unclosed
from runner.machine.templates import CLOSE, OPEN, expression_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.model.ports import Json

BEFORE = frozenset({"input", "context"})
"""Fields of `$states` before a state has done its work."""
AFTER = BEFORE | {"result"}
FAILED = BEFORE | {"errorOutput"}
_STATES = re.compile(r"\$states\s*\.\s*`?(\w+)")
_KEPT = 1000


def check_expressions(value: Json, at: str, states: frozenset[str]) -> Iterator[Refusal]:
    """Find what is wrong with the expressions in a value, at any depth."""
    if isinstance(value, str):
        if value.startswith(OPEN) or value.endswith(CLOSE):
            yield from _check_text(value, at, states)
    elif isinstance(value, dict):
        for key, member in value.items():
            if isinstance(member, (str, dict, list)):
                yield from check_expressions(member, f"{at}/{escape(key)}", states)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, (str, dict, list)):
                yield from check_expressions(item, f"{at}[{index}]", states)


def _check_text(value: str, at: str, states: frozenset[str]) -> Iterator[Refusal]:
    if is_unclosed(value):
        yield unclosed(at)
        return
    text = expression_text(value)
    if compile_quickly(text) is not None and states.issuperset(_STATES.findall(text)):
        return
    found = _read(text)
    if not isinstance(found, References):
        told, position = found
        expected = f"a JSONata expression; this one breaks at its character {position}"
        yield refuse(BAD_EXPRESSION, at, told, expected)
        return
    for name in found.outside:
        where = "" if name == "$$" else " at the top level"
        told = f"Reference to '{name}'{where} is not supported."
        yield refuse(FOREIGN_REFERENCE, at, told, "$states.input or a variable such as $x")
    for name in found.states:
        if name not in states:
            told = f"Field '$states.{name}' does not exist."
            expected = ", ".join(sorted(f"$states.{one}" for one in states))
            yield refuse(FOREIGN_REFERENCE, at, told, expected)


@lru_cache(maxsize=_KEPT)
def _read(text: str) -> References | tuple[str, int]:
    """Give what an expression refers to, or JSONata's message and where it stops."""
    found = read_references(text)
    if found is not None:
        return found
    from runner.machine.full_query import syntax_error  # noqa: PLC0415  (80 ms)

    return syntax_error(text) or References((), ())
