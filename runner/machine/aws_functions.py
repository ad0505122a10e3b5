"""The JSONata functions that Step Functions adds, and the ones it replaces.

In: the names that an expression mentions and its `Env`.  Out: bindings for the evaluator.
`$partition`, `$range`, `$hash`, `$random`, `$uuid`, `$parse` are AWS's; `$eval` is not there;
`$now` and `$millis` tell the time of the state's last event, and `$shuffle` and `$random` without
a seed take the state's chance, so that a replay says the same.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from runner.machine.chance import java_random, uuid_of
from runner.machine.hashes import ALGORITHMS, hexadecimal
from runner.machine.jsonata_errors import MEMORY, NULL, Complaint, LimitExceeded
from runner.machine.jsonata_meter import MOST_ITEMS
from runner.machine.jsonata_natives import Native, charge, sequence
from runner.machine.jsonata_numbers import from_millis

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.machine.jsonata_text import Value
    from runner.machine.templates import Env


def bind_aws_functions(bound: dict[str, object], names: frozenset[str], env: Env) -> None:
    """Add the functions that the expression mentions to its bindings."""
    for name in names & _SIGNATURES.keys() - bound.keys():
        signature, make, count = _SIGNATURES[name]
        bound[name] = Native(name, signature, make(env), count, count)


def _partition(items: Value, size: Value) -> Value:
    if items is None or size is None:
        return None
    length = int(size)
    if length < 1:
        raise Complaint("D3137", message="The chunk size of partition must be a positive number")
    charge(len(items))
    return [items[start : start + length] for start in range(0, len(items), length)]


def _range(first: Value, last: Value, step: Value) -> Value:
    if first is None or last is None or step is None:
        return None
    begin, end, by = int(first), int(last), int(step)
    if by == 0:
        return None
    made = range(begin, end + (1 if by > 0 else -1), by)
    if made and (made[-1] - begin) // by >= MOST_ITEMS:
        raise LimitExceeded(MEMORY)
    return sequence(made)


def _hash(text: Value, algorithm: Value) -> Value:
    if text is None:
        return None
    found = hexadecimal(text, algorithm)
    if found is None:
        told = f"{algorithm} is not one of the hash algorithms {', '.join(ALGORITHMS)}"
        raise Complaint("D3137", message=told)
    return found


def _random(env: Env) -> Callable[..., object]:
    def random(seed: Value) -> Value:
        return env.make_random().random() if seed is None else java_random(int(seed))

    return random


def _parse(text: Value) -> Value:
    if text is None:
        return None
    try:
        return _marked(json.loads(text, parse_constant=_refused))
    except (ValueError, RecursionError) as error:
        told = f"The text to parse is not JSON: {error}"
        raise Complaint("D3137", message=told) from error


def _refused(name: str) -> Value:
    raise ValueError(f"{name} is no JSON")


def _marked(value: Value) -> Value:
    from runner.machine.full_query import with_nulls  # noqa: PLC0415  (which binds these functions)

    return NULL if value is None else with_nulls(value)


def _shuffle(env: Env) -> Callable[..., object]:
    def shuffle(items: Value) -> Value:
        if items is None or len(items) <= 1:
            return items
        shuffled = list(items)
        env.make_random().shuffle(shuffled)
        return shuffled

    return shuffle


def _millis(env: Env) -> int:
    return math.floor(env.now.timestamp() * 1000)


_SIGNATURES: dict[str, tuple[str, Callable[[Env], Callable[..., object]], int]] = {
    "partition": ("<a-n:a>", lambda _env: _partition, 2),
    "range": ("<n-nn:a>", lambda _env: _range, 3),
    "hash": ("<s-s:s>", lambda _env: _hash, 2),
    "random": ("<n?:n>", _random, 1),
    "uuid": ("<:s>", lambda env: lambda: uuid_of(env.make_random()), 0),
    "parse": ("<s-:x>", lambda _env: _parse, 1),
    "now": (
        "<s?s?:s>",
        lambda env: lambda picture, zone: from_millis(_millis(env), picture, zone),
        2,
    ),
    "millis": ("<:n>", lambda env: lambda: _millis(env), 0),
    "shuffle": ("<a:a>", _shuffle, 1),
}
