"""The JSONata functions that Step Functions adds, and the ones it replaces.

In: the names that an expression mentions and its `Env`.  Out: bindings for the evaluator.
`$partition`, `$range`, `$hash`, `$random`, `$uuid`, `$parse` are AWS's; `$eval` is refused there;
`$now` and `$millis` tell the time of the state's last event, so that a replay says the same.
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING

from runner.machine.chance import seeded_random, uuid_of
from runner.machine.failures import QUERY, StateError
from runner.machine.hashes import hexadecimal

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from runner.machine.templates import Env
    from runner.model.ports import Json

_MOST_ITEMS = 1000
"""`$range` makes at most 1,000 items (intrinsic functions in the Step Functions guide)."""


def bind_aws_functions(
    bound: dict[str, object],
    names: frozenset[str],
    env: Env,
    *,
    as_function: Callable[[Any], object],
    null: object,
    as_sequence: Callable[[Any], object],
) -> None:
    """Add the functions that the expression mentions to its bindings."""
    made: dict[str, Callable[..., Json]] = {
        "partition": _partition,
        "range": lambda *ends: as_sequence(_range(*ends)),
        "hash": _hash,
        "random": lambda seed=None: _random(env, seed),
        "uuid": lambda: uuid_of(env.make_random()),
        "parse": lambda text=None: _mark(_parse(text), null),
        "now": lambda *_picture: _iso(env),
        "millis": lambda: int(env.now.timestamp() * 1000),
        "eval": _no_eval,
    }
    for name in names:
        if name in made and name not in bound:
            bound[name] = as_function(made[name])


def _mark(value: Json, null: object) -> object:
    return null if value is None else value


def _no_eval(*_arguments: object) -> Json:
    raise StateError(QUERY, "T1006: Attempted to invoke a non-function")


def _iso(env: Env) -> str:
    return env.now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _whole(value: object, function: str, position: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise StateError(
            QUERY,
            f"T0410: Argument {position} of function {function} does not match function signature",
        )
    return int(value)


def _partition(items: object = None, size: object = None) -> Json:
    if items is None:
        return None
    length = _whole(size, "partition", 2)
    if length < 1:
        raise StateError(QUERY, "D3137: The chunk size of partition must be a positive number")
    whole = list(items) if isinstance(items, list) else [items]
    return [whole[start : start + length] for start in range(0, len(whole), length)]


def _range(first: object = None, last: object = None, step: object = None) -> Json:
    if first is None or last is None or step is None:
        return None
    begin, end = _whole(first, "range", 1), _whole(last, "range", 2)
    by = _whole(step, "range", 3)
    if by == 0:
        raise StateError(QUERY, "D3137: The step of range must not be 0")
    made = range(begin, end + (1 if by > 0 else -1), by)
    if len(made) > _MOST_ITEMS:
        raise StateError(QUERY, f"D3137: range makes at most {_MOST_ITEMS} items")
    return list(made)


def _hash(text: object = None, algorithm: object = None) -> Json:
    if text is None:
        return None
    if not isinstance(text, str):
        raise StateError(
            QUERY, "T0410: Argument 1 of function hash does not match function signature"
        )
    found = hexadecimal(text, algorithm)
    if found is None:
        raise StateError(QUERY, f"D3137: {algorithm} is not a hash algorithm")
    return found


def _random(env: Env, seed: object) -> float:
    if seed is None:
        return env.make_random().random()
    return seeded_random(_whole(seed, "random", 1)).random()


def _parse(text: object) -> Json:
    if not isinstance(text, str):
        raise StateError(
            QUERY, "T0410: Argument 1 of function parse does not match function signature"
        )
    try:
        return json.loads(text)
    except ValueError as error:
        raise StateError(QUERY, f"D3137: the text to parse is not JSON: {error}") from error
