"""What goes wrong in a JSONata expression, told as JSONata itself tells it.

In: an error of the evaluator.  Out: `T2001: The left side of the "+" operator must ...`.  AWS puts
these texts into causes, which users compare; so codes, words and quoting are those of JSONata.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from jsonata.jexception import JException
from jsonata.utils import Utils

from runner.machine.jsonata_text import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping

NULL = Utils.NULL_VALUE

_TRIPLE = re.compile(r"\{\{\{(\w+)\}\}\}")
_DOUBLE = re.compile(r"\{\{(\w+)\}\}")
_HOLE = re.compile(r"\{+\w+\}+|%s")
_HALF = re.compile("[\ud800-\udfff]")
_MISSPELT = {"function_name": "functionName"}


def _corrected(template: str) -> str:
    """Undo what translating JSONata's source by machine did to its messages."""
    return template.replace("Object", "function").replace('"', "'")


_TEMPLATES: dict[str, str] = {
    code: _corrected(text) for code, text in JException.error_codes.items()
}

STACK = (
    "Stack overflow error: Check for non-terminating recursive function. "
    "Consider rewriting as tail-recursive."
)
ENDLESS = "Expression evaluation timeout: Check for infinite loop"
MEMORY = "Expression evaluation memory limit exceeded: Check for excessive memory usage"


class Complaint(JException):  # type: ignore[misc]  # (the library is not typed)
    """An error with the fields that its message shows."""

    def __init__(self, code: str, **fields: object) -> None:
        """Take a code of JSONata's; `token` is filled in by the call that failed."""
        super().__init__("S0500")
        self.error = code
        self.fields = fields


class LimitExceeded(Complaint):
    """An expression that would run on and on; AWS gives these texts no code."""

    def __init__(self, text: str) -> None:
        """Take the whole text."""
        super().__init__("U1001")
        self.text = text


def told(error: JException) -> str:
    """Write the code and the message of an error."""
    if isinstance(error, LimitExceeded):
        return error.text
    code, fields = _read(error)
    template = _TEMPLATES.get(code)
    if template is None:
        return _recognised(str(error.error))
    return f"{code}: {filled(template, fields)}"


def filled(template: str, fields: Mapping[str, object]) -> str:
    """Put the fields into a message: in double braces as JSON, in triple braces as they are."""
    text = _TRIPLE.sub(lambda m: _bare(fields.get(_MISSPELT.get(m[1], m[1]))), template)
    return _DOUBLE.sub(lambda m: _quoted(fields.get(m[1])), text)


def _bare(value: object) -> str:
    return value if isinstance(value, str) else _quoted(value)


def _quoted(value: object) -> str:
    if value is None or callable(getattr(value, "call", None)):
        return "undefined"
    if isinstance(value, str):
        shown = json.dumps(value, ensure_ascii=False)
        return _HALF.sub(lambda found: f"\\u{ord(found[0]):04x}", shown)
    return json_text(value, exact=True)


def _read(error: JException) -> tuple[str, Mapping[str, object]]:
    """Find the code, and which field each of the library's arguments is."""
    if isinstance(error, Complaint):
        return error.error, error.fields
    code = str(error.error)
    if code == "S0301" and error.current is not None:
        return "S0103", {"token": error.current}
    names = [name.strip("{}") for name in _HOLE.findall(_TEMPLATES.get(code, ""))]
    return code, dict(zip(names, (error.current, error.expected, error.extra), strict=False))


def code_of(text: str) -> str | None:
    """Find the code of a message that the library raises as one of Python's errors."""
    for code, template in _TEMPLATES.items():
        start = _HOLE.split(template)[0]
        if start and text.replace('"', "'").startswith(start):
            return code
    return None


def _recognised(text: str) -> str:
    code = code_of(text)
    return f"{code}: {text}" if code else text
