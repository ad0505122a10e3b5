"""Attributes of many records at once, as plain JSON: a column after the other.

In: maps of typed attributes, as Lambda has read them.  Out: compact JSON texts, to the letter what
`direct` writes for each alone.

A column is one attribute of maps with the same keys: its values are of one type, mostly, so they
are checked and encoded together, by one call of what C does.  What is not as expected raises one of
`ODD`, and `direct`, which looks at each record alone, says what is wrong with which.
"""

from __future__ import annotations

import re
from itertools import chain, islice
from json.encoder import encode_basestring_ascii
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from .direct import END, EVENTS, IMAGES, json_of, map_of, shown
    from .skeleton import number_pattern
    from .typed import NotARecordError
else:
    from direct import END, EVENTS, IMAGES, json_of, map_of, shown
    from skeleton import number_pattern
    from typed import NotARecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ODD = (NotARecordError, TypeError, KeyError, RecursionError)
"""What records raise that are none, or that are not read here."""
_NUL = "\0"
_ARE_NUMBERS = re.compile(rf"(?:{number_pattern}\x00)*+").fullmatch
_SETS = {"SS": "S", "NS": "N", "BS": "B"}
_WORDS = {True: "true", False: "false"}
_FEW = 4
"""So few of a kind are written one by one."""


def read(records: Sequence[dict[str, Any]]) -> tuple[list[str], list[str], list[str]]:
    """Read records: the beginnings of their lines, their times, and the ends from `keys` on."""
    events = [record["eventName"] for record in records]
    heads = {event: f'{{"event":"{event}","sequence":"' for event in EVENTS}
    changes = [record["dynamodb"] for record in records]
    times = [change["ApproximateCreationDateTime"] for change in changes]
    known = {time: shown(time) for time in {*times} if 0 <= time < END}
    if {*map(type, times)} - {int, float} or any(record.get("kinesis") for record in records):
        raise NotARecordError("a time is none, or the records are of Kinesis")
    columns = [_images(changes, image) for _, image in IMAGES]
    template = ",".join([f'"{name}":%s' for name, _ in IMAGES]) + "}\n"
    ends = [template % row for row in zip(*columns, strict=True)]
    return [heads[event] for event in events], [known[time] for time in times], ends


def _images(changes: Sequence[dict[str, Any]], image: str) -> list[str]:
    """Write an image of changes; null for those that lack it."""
    there = [image in change for change in changes]
    if all(there):
        return maps_of([change[image] for change in changes])
    if not any(there):
        return ["null"] * len(changes)
    texts = iter(maps_of([change[image] for change in changes if image in change]))
    return [next(texts) if each else "null" for each in there]


def maps_of(maps: Sequence[Any]) -> list[str]:
    """Write maps of attributes."""
    if {*map(type, maps)} != {dict}:
        raise NotARecordError("a map is an object")
    kinds = [*map(_NUL.join, maps)]  # texts, which garbage collection need not look at
    if kinds.count(kinds[0]) == len(kinds):
        return _same_keys(maps)
    return _apart(kinds, maps, _same_keys, map_of)


def _same_keys(maps: Sequence[Any]) -> list[str]:
    keys = [*maps[0]]
    if not keys:
        return ["{}"] * len(maps)
    columns = [_attributes([*map(itemgetter(key), maps)]) for key in keys]
    names = [encode_basestring_ascii(key).replace("%", "%%") for key in keys]
    template = f"{{{','.join([f'{name}:%s' for name in names])}}}"
    return [template % row for row in zip(*columns, strict=True)]


def _attributes(attributes: Sequence[Any]) -> list[str]:
    """Write typed attributes; mostly all are of one type."""
    if sum(map(len, attributes)) != len(attributes):
        raise NotARecordError("an attribute is an object of its type and its value")
    (kind,) = attributes[0]
    try:
        values = [*map(itemgetter(kind), attributes)]
    except KeyError:
        return _apart(["".join(each) for each in attributes], attributes, _attributes, json_of)
    if kind == "M":
        return maps_of(values)
    if kind == "L":
        return _lists(values, _attributes)
    if kind in _SETS:
        return _lists(values, _texts if kind != "NS" else _numbers)
    return _scalars(kind, values)


def _scalars(kind: str, values: Sequence[Any]) -> list[str]:
    if kind in {"S", "B"}:
        return _texts(values)
    if kind == "N":
        return _numbers(values)
    if kind == "NULL":
        return ["null"] * len(values)
    if kind != "BOOL" or {*map(type, values)} != {bool}:
        raise NotARecordError(f"a value is not of the type {kind}")
    return [_WORDS[value] for value in values]


def _texts(values: Sequence[Any]) -> list[str]:
    """Write texts: joined with NUL, which is written as an escape and found again."""
    escaped = encode_basestring_ascii(_NUL.join(values))
    found = escaped.replace("\\u0000", '"\0"').split(_NUL)
    if len(found) != len(values):  # a text has NUL, or what looks like its escape
        return [encode_basestring_ascii(value) for value in values]
    return found


def _numbers(values: Sequence[Any]) -> list[str]:
    joined = f"{_NUL.join(values)}{_NUL}"
    if not _ARE_NUMBERS(joined) or joined.count(_NUL) != len(values):
        raise NotARecordError("a number is none")
    return list(values)


def _lists(lists: Sequence[Any], write: Callable[[Sequence[Any]], list[str]]) -> list[str]:
    """Write lists: all items as one column, then as many of them as each has."""
    if {*map(type, lists)} != {list}:
        raise NotARecordError("a list or set is an array")
    items = list(chain.from_iterable(lists))
    texts = iter(write(items) if items else ())
    return [f"[{','.join(islice(texts, len(each)))}]" for each in lists]


def _apart(
    kinds: Sequence[str],
    values: Sequence[Any],
    write: Callable[[Sequence[Any]], list[str]],
    write_one: Callable[[Any], str],
) -> list[str]:
    """Write values of several kinds: those of a kind together."""
    places: dict[str, list[int]] = {}
    for at, kind in enumerate(kinds):
        places.setdefault(kind, []).append(at)
    found = [""] * len(values)
    for those in places.values():
        own = [values[at] for at in those]
        texts = write(own) if len(own) > _FEW else [write_one(value) for value in own]
        for at, text in zip(those, texts, strict=True):
            found[at] = text
    return found
