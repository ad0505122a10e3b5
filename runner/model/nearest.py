"""The names that a misspelt one may have meant."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_CUTOFF = 0.6
"""How like a name must be to be worth a question."""
_SPREAD = 0.1
"""How much less like than the best a further one may be."""


def nearest(name: str, candidates: Iterable[str], *, most: int = 3) -> tuple[str, ...]:
    """Give the closest candidates, the best first.

    >>> nearest("formt", ["format", "bucket"])
    ('format',)
    """
    close = difflib.get_close_matches(name, sorted(set(candidates)), n=most, cutoff=_CUTOFF)
    if not close:
        return ()
    likeness = {other: difflib.SequenceMatcher(None, other, name).ratio() for other in close}
    enough = max(likeness.values()) - _SPREAD
    return tuple(other for other in close if likeness[other] > enough)


def suggestion(name: str, candidates: Iterable[str], *, otherwise: str) -> str:
    """Ask `did you mean a or b?`, or give other advice when nothing is close.

    >>> suggestion("formt", ["format", "bucket"], otherwise="remove it")
    'did you mean format?'
    """
    close = nearest(name, candidates)
    return f"did you mean {' or '.join(close)}?" if close else otherwise


def listed(names: Iterable[str], *, empty: str = "none") -> str:
    """Write names in a row, sorted.

    >>> listed(["b", "a"])
    'a, b'
    """
    return ", ".join(sorted(set(names))) or empty
