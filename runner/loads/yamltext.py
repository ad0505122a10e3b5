"""A configuration of Embulk as YAML text.

In: JSON.  Out: YAML in which every text is a JSON string: YAML takes `no`, `0123` and `12:30` for
other things than texts, and a quoted one never.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.model.ports import Json

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_BREAKS = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
"""JSON leaves these as they are; YAML takes some for line breaks, and folds them."""


def to_yaml(job: Mapping[str, Json], *, head: Iterable[str] = ()) -> str:
    """Write a configuration; `head` gives lines of comment.

    >>> print(to_yaml({"out": {"mode": "insert", "columns": [{"name": "no"}]}}), end="")
    out:
      mode: "insert"
      columns:
      - {name: "no"}
    """
    comments = [f"# {line}".rstrip() for line in head]
    return "\n".join([*comments, *_lines(job, "")]) + "\n"


def _lines(value: Mapping[str, Json], indent: str) -> Iterator[str]:
    for key, inner in value.items():
        name = f"{indent}{_key(str(key))}:"
        if isinstance(inner, Mapping) and inner:
            yield name
            yield from _lines(inner, f"{indent}  ")
        elif isinstance(inner, Sequence) and not isinstance(inner, str) and inner:
            yield name
            yield from (f"{indent}- {_flow(item)}" for item in inner)
        else:
            yield f"{name} {_flow(inner)}"


def _flow(value: Json) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(str(k))}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return scalar(value)


def scalar(value: Json) -> str:
    r"""Write a scalar as JSON that YAML reads as the same.

    >>> print(scalar("a\u2028b"), scalar(None), scalar(True))
    "a\u2028b" null true
    """
    text = json.dumps(value, ensure_ascii=False)
    return _BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _key(text: str) -> str:
    return text if _PLAIN.match(text) and text.lower() not in _RESERVED else scalar(text)
