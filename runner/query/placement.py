"""SEMANTICS 18: a mark may stand inside a string literal or as a number of digits.

In: rendered SQL.  Out: a fault for each mark in a name, a comment, or as a bare value that is not a
number (`2013-01-05` without quotes is a subtraction).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.keeper.windows import split_pattern
from runner.query.lexer import is_hive, lex
from runner.query.window_value import PLACEHOLDER

if TYPE_CHECKING:
    from runner.errors import Fault
    from runner.query.lexer import SqlToken
    from runner.query.rendered import Printed, Rendered

_NAMED_FIELDS = ("MMM", "MMMM", "EEE")
_NUMBER = re.compile("[0-9\U00100000-\U0010fffd]+\\Z")
_WHERE = "inside a string literal, or as a number of digits"


def check_placement(rendered: Rendered, time_format: str) -> list[Fault]:
    """Find the marks that stand where no run-time value may stand."""
    if not rendered.printed:
        return []
    by_offset = {printed.plain_offset: printed for printed in rendered.printed}
    faults: list[Fault] = []
    for token in lex(rendered.plain, hive=is_hive(rendered.plain)):
        if token.kind == "string" or token.text.isascii():
            continue
        for match in PLACEHOLDER.finditer(token.text):
            printed = by_offset[token.start + match.start()]
            fault = _judge(rendered, token, printed, time_format)
            if fault is not None:
                faults.append(fault)
    return faults


def _judge(rendered: Rendered, token: SqlToken, printed: Printed, time_format: str) -> Fault | None:
    base = printed.mark.base
    if token.kind == "comment":
        return rendered.fault(
            printed.sample_start,
            "mark-in-comment",
            found=f"`{base}` printed in an SQL comment",
            expected=_WHERE,
            advice=f"remove it, or hide it from Jinja: {{# {base} #}}",
        )
    if token.kind != "word" or _NUMBER.match(token.text) is None:
        return rendered.fault(
            printed.sample_start,
            "mark-in-name",
            found=f"`{base}` printed as part of a name",
            expected=f"{_WHERE}; names are fixed when the workflow is compiled",
            advice=f"filter by a partition column: WHERE dt = '{{{{ {base} }}}}'",
        )
    pattern = printed.mark.format or time_format
    if _prints_digits(pattern):
        return None
    sample = rendered.sample[printed.sample_start : printed.sample_end]
    return rendered.fault(
        printed.sample_start,
        "mark-without-quotes",
        found=f"`{base}` without quotes: it prints {sample}, which is no number",
        expected=_WHERE,
        advice=f"write '{{{{ {base} }}}}', or a number: {{{{ {base}.format('yyyyMMdd') }}}}",
    )


def _prints_digits(pattern: str) -> bool:
    try:
        pieces = split_pattern(pattern)
    except ValueError:
        return True  # the header's check tells about the pattern
    return all(
        text not in _NAMED_FIELDS if is_field else text.isdigit() for text, is_field in pieces
    )
