"""Texts of steps in which {{ start }} and {{ end }} stand for the run's window.

In: a text as the user wrote it.  Out: the text, or JSONata that puts the window's values in; a
text that is JSONata as a whole sees what users' JSONata sees.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.asl.expressions import expression, quote
from runner.asl.steps.values import is_jsonata, jsonata_of, seeing

if TYPE_CHECKING:
    from runner.asl.steps.scope import Scope

_MARK = re.compile(r"\{\{\s*(start|end)\s*\}\}")


def marked(scope: Scope, text: str) -> str:
    """Put the window's values where the marks are; JSONata sees `$values` and gives a text."""
    if is_jsonata(text):
        return expression(f"$string({seeing(scope, jsonata_of(text))})")
    return windowed(text, scope.window)


def windowed(text: str, window: str = "$window") -> str:
    """Put the window's values where the marks are; `window` is JSONata.

    >>> windowed("plain")
    'plain'
    >>> windowed("dt={{ start }}/")
    '{% "dt=" & $window.start & "/" %}'
    """
    parts = _MARK.split(text)
    if len(parts) == 1 and not text.startswith("{%"):
        return text
    terms = [
        f"{window}.{part}" if number % 2 else quote(part)
        for number, part in enumerate(parts)
        if part
    ]
    return expression(" & ".join(terms))
