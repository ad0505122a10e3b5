"""The order in which Glue answers the entries of a map: that of Java's HashMap.

In: what a catalogue operation answers.  Out: the same, its maps in the order of their keys' hashes.
Clients show the entries as they come (awswrangler's `generate_create_query`), so that their order
is seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAPS = frozenset({"Parameters", "SkewedColumnValueLocationMaps"})
"""The members that are maps of texts; other objects are structures, whose order nobody sees."""
_FEWEST = 16
_HALF_WORD = 16
_WORD = 0xFFFFFFFF


def in_java_order(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Give an answer with its maps in order."""
    return {
        key: ordered(value) if key in _MAPS and isinstance(value, dict) else _within(value)
        for key, value in answer.items()
    }


def ordered(texts: Mapping[str, Any]) -> dict[str, Any]:
    """Give a map in the order of a HashMap that its entries were put into, one after the other.

    >>> list(ordered({"classification": "", "typeOfData": "", "compressionType": ""}))
    ['compressionType', 'classification', 'typeOfData']
    """
    size = _FEWEST
    while len(texts) * 4 > size * 3:
        size *= 2
    return dict(sorted(texts.items(), key=lambda entry: _spread(entry[0]) & (size - 1)))


def _within(value: object) -> object:
    if isinstance(value, dict):
        return in_java_order(value)
    if isinstance(value, list | tuple):
        return [_within(each) for each in value]
    return value


def _spread(text: str) -> int:
    """Hash a text as String.hashCode does, by UTF-16 units, its upper half mixed into the lower."""
    found = 0
    data = text.encode("utf-16-be", "surrogatepass")
    for place in range(0, len(data), 2):
        found = (found * 31 + (data[place] << 8 | data[place + 1])) & _WORD
    return found ^ (found >> _HALF_WORD)
