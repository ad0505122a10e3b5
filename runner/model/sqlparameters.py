"""Named parameters in SQL for Redshift's Data API: `:name`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WINDOW = ("start", "end")
"""Parameters that every statement may name: the ends of the window."""
_PARAMETER = re.compile(r"(?<![:\w]):([A-Za-z_][A-Za-z0-9_]*)")
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)


def parameters_of(statements: Sequence[str]) -> tuple[str, ...]:
    """Name the parameters of statements, `:name` outside of quotes and comments, each once.

    >>> parameters_of(["SELECT a::int, ':no' FROM t WHERE d = :start AND e < :start"])
    ('start',)
    """
    bare = (_QUOTED.sub(" ", one) for one in statements)
    return tuple(dict.fromkeys(name for one in bare for name in _PARAMETER.findall(one)))
