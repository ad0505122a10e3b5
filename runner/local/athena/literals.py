"""DATE, TIME and TIMESTAMP literals are read when a statement is analysed, wherever they stand.

In: a statement's text.  Out: nothing, or Athena's failure for a literal that it cannot read.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from runner.local.athena.datetexts import is_skipped, read_time, read_timestamp
from runner.local.athena.errors import AthenaFailure
from runner.local.athena.lexer import position, tokenize

if TYPE_CHECKING:
    from collections.abc import Callable

_PLACEHOLDER = "zq"


def _is_timestamp(text: str) -> bool:
    stamp = read_timestamp(text)
    return stamp is not None and not is_skipped(stamp)


def _is_date(text: str) -> bool:
    stamp = read_timestamp(text)
    return stamp is not None and not stamp.has_time and not stamp.zone


_READERS: dict[str, Callable[[str], bool]] = {
    "DATE": _is_date,
    "TIME": lambda text: read_time(text) is not None,
    "TIMESTAMP": _is_timestamp,
}


def check_literals(sql: str) -> None:
    """Refuse `DATE '2020-02-30'`, even where it would never be evaluated; raises AthenaFailure."""
    tokens = tokenize(sql)
    before = ""
    for token, following in pairwise(tokens):
        word = token.word()
        reader = _READERS.get(word) if following.kind == "string" and before != "." else None
        before = token.text
        if reader is None or following.literal().startswith(_PLACEHOLDER):
            continue
        if not reader(following.literal()):
            line, column = position(sql, token.start)
            raise AthenaFailure(
                "INVALID_LITERAL",
                f"'{following.literal()}' is not a valid {word.lower()} literal",
                line=line,
                column=column,
            )
