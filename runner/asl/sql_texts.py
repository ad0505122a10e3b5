"""SQL that is too long for a definition: an object in the lake, read at run time.

In: a table's SQL.  Out: an `Asset`, which whoever deploys or runs the machine puts into the lake
before it starts, and the state that reads it.  The object is a JSON list of the pieces of the text:
literals at even places, names of run-time values at odd ones.  Its key is named by its content, so
that executions of an older definition still find theirs.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.asl import retries
from runner.asl.expressions import expression
from runner.asl.flow import Asset, State, state_name, task
from runner.model.sqltext import Mark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.asl.target import Target
    from runner.model.sqltext import SqlText

LARGE_BYTES = 60_000
"""A text up to here stays in the definition.  It stands there up to twice (to learn its types, to
write), escaped, so that a table takes 150 KB at most: several fit into a machine of 400 KB, and a
definition of 1 MB can be written by hand beside it.  Longer texts are rare, and reading one costs
a state transition, which a short one need not pay."""
FOLDER = "_runner/sql/"
READ = "$states.input.sql"
"""JSONata for the text, in the state after the one that reads it."""
GIVEN = "$states.input.given"
"""JSONata for what was that state's input otherwise."""
_TIMEOUT_S = 60
_HASH = 32


@dataclass(frozen=True, slots=True)
class Reading:
    """Which statement the text is for."""

    subject: str
    statement: str
    """Verb of the state that follows."""
    values: str
    """JSONata for the run-time values by name."""
    catch: tuple[Mapping[str, Any], ...] = ()


def is_large(sql: SqlText) -> bool:
    """Tell whether a text is too long for the definition."""
    return sum(len(part.encode()) for part in sql.parts if isinstance(part, str)) > LARGE_BYTES


def text_bytes(*texts: SqlText) -> int:
    """Give the bytes of the longest of some texts, as JSON."""
    return max(
        len(json.dumps([p for p in text.parts if isinstance(p, str)], ensure_ascii=False).encode())
        for text in texts
    )


def verb(statement: str) -> str:
    """Name what the state does that reads the text of a statement."""
    return f"{statement} text"


def asset(sql: SqlText, names: Mapping[Mark, str]) -> Asset:
    """Write a text as an object of the lake."""
    pieces = [""]
    for part in sql.parts:
        if isinstance(part, Mark):
            pieces += [names[part], ""]
        else:
            pieces[-1] += part
    text = json.dumps(pieces, ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Asset(f"{FOLDER}{digest[:_HASH]}.json", text)


def reading(
    target: Target,
    wanted: Reading,
    texts: Sequence[tuple[SqlText, Mapping[Mark, str]]],
    *,
    condition: str = "",
) -> State:
    """Give the state that reads a text and fills in its values.

    There may be two texts: the first where `condition` (JSONata) holds, else the second.
    """
    assets = tuple(asset(sql, names) for sql, names in texts)
    bucket, _, prefix = target.lake.removeprefix("s3://").partition("/")
    keys = [f"{prefix}{one.key}" for one in assets]
    chosen = f'{condition} ? "{keys[0]}" : "{keys[-1]}"'
    key = keys[0] if not condition else expression(chosen)
    filled = f"$i % 2 = 0 ? $p : $lookup({wanted.values}, $p)"
    joined = f"$join($map($parse($states.result.Body), function($p, $i) {{ {filled} }}))"
    fields: dict[str, Any] = {
        "Output": {"given": expression("$states.input"), "sql": expression(joined)},
        "Retry": retries.s3(),
        **({"Catch": list(wanted.catch)} if wanted.catch else {}),
        "Next": state_name(wanted.subject, wanted.statement),
    }
    arguments = {"Bucket": bucket, "Key": key}
    resource = "arn:aws:states:::aws-sdk:s3:getObject"
    made = task(resource, arguments, timeout_s=_TIMEOUT_S, **fields)
    name = state_name(wanted.subject, verb(wanted.statement))
    return State(name, made, assets=assets, subject=wanted.subject)
