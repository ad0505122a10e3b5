"""Plans of backfills in the lake: what each table is to write, by the backfill's name.

`_runner/backfills/<name>.json` is written once, by whoever asks for the backfill:

    {"format": 1, "name", "created": <stamp>, "workflow", "grain", "start", "end",
     "tables": {<physical name>: {"name", "fingerprint", "refresh", "windows": [[start, end]]}}}

Windows are in the table's own grain, in order, apart from each other; `all` for a table without
time partitions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .faults import InvalidInput
from .storage import Conflict

if TYPE_CHECKING:
    from .storage import Storage

FORMAT = 1
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
"""What a backfill may be called: it becomes part of keys and of an execution's name."""


def key(storage: Storage, name: str) -> str:
    """Give the key of a backfill's plan; InvalidInput for a name that is none."""
    if NAME.match(name) is None:
        raise InvalidInput(f"backfill {name!r} is not a name of letters, digits, - and _")
    return f"{storage.prefix}_runner/backfills/{name}.json"


def create(storage: Storage, plan: dict[str, Any]) -> bool:
    """Write a plan where none of its name is; False when there is one."""
    try:
        storage.create_json(key(storage, plan["name"]), plan)
    except Conflict:
        return False
    return True


def find(storage: Storage, name: str) -> dict[str, Any] | None:
    """Read a plan; None when nobody made one of that name."""
    found = storage.read_json(key(storage, name))
    if found is None:
        return None
    plan: dict[str, Any] = found[0]
    return plan


def read(storage: Storage, name: str) -> dict[str, Any]:
    """Read a plan that must be there; InvalidInput when it is not."""
    plan = find(storage, name)
    if plan is None or plan.get("format") != FORMAT:
        raise InvalidInput(f"no backfill named {name!r} was planned; see `runner backfill`")
    return plan
