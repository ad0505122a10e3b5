"""Texts of steps in which {{ start }} and {{ end }} stand for the run's window.

In: a text as the user wrote it.  Out: the text, or JSONata that puts the window's values in.
"""

from __future__ import annotations

import re

from runner.asl.expressions import expression, quote

_MARK = re.compile(r"\{\{\s*(start|end)\s*\}\}")


def windowed(text: str) -> str:
    """Put the window's values where the marks are.

    >>> windowed("plain")
    'plain'
    >>> windowed("dt={{ start }}/")
    '{% "dt=" & $window.start & "/" %}'
    """
    parts = _MARK.split(text)
    if len(parts) == 1 and not text.startswith("{%"):
        return text
    terms = [
        f"$window.{part}" if number % 2 else quote(part)
        for number, part in enumerate(parts)
        if part
    ]
    return expression(" & ".join(terms))
