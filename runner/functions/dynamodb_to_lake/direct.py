"""Records that Lambda has read already: their attributes as plain JSON, without a text between."""

from __future__ import annotations

from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from .lines import Change
    from .skeleton import is_number
    from .typed import NotARecordError
else:
    from lines import Change
    from skeleton import is_number
    from typed import NotARecordError

EVENTS = ("INSERT", "MODIFY", "REMOVE")
END = 1e18
IMAGES = (("keys", "Keys"), ("new", "NewImage"), ("old", "OldImage"))
_SETS = {"SS": "S", "NS": "N", "BS": "B"}
_WORDS = {True: "true", False: "false"}


def change_of(record: dict[str, Any]) -> Change:
    """Read a record of a DynamoDB stream; NotARecordError if it is none."""
    event, change = record.get("eventName"), record["dynamodb"]
    time = change.get("ApproximateCreationDateTime")
    if event not in EVENTS or type(time) not in {int, float} or not 0 <= time < END:
        raise NotARecordError(f"{event} at {time} is no event of DynamoDB")
    images = [
        f'"{name}":{map_of(change[image]) if image in change else "null"}' for name, image in IMAGES
    ]
    return Change(f'"{event}"', shown(time), "null", f"{','.join(images)}}}\n")


def shown(time: float) -> str:
    """Write an epoch."""
    return str(int(time)) if time == int(time) else repr(time)


def map_of(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Write a map of attributes."""
    if type(value) is not dict:
        raise NotARecordError("a map is an object")
    quoted = encode_basestring_ascii
    return f"{{{','.join([f'{quoted(key)}:{json_of(each)}' for key, each in value.items()])}}}"


def json_of(attribute: Any) -> str:  # noqa: ANN401 - any JSON
    """Write a typed attribute."""
    if type(attribute) is not dict or len(attribute) != 1:
        raise NotARecordError("an attribute is an object of its type and its value")
    ((kind, value),) = attribute.items()
    if kind == "S" and type(value) is str:
        return encode_basestring_ascii(value)
    if kind == "N" and type(value) is str and is_number(value):
        return value
    if kind == "M":
        return map_of(value)
    return _seldom(kind, value)


def _seldom(kind: str, value: Any) -> str:  # noqa: ANN401 - any JSON
    if kind == "L" and type(value) is list:
        return f"[{','.join([json_of(item) for item in value])}]"
    if kind == "BOOL" and type(value) is bool:
        return _WORDS[value]
    if kind == "NULL":
        return "null"
    if kind == "B" and type(value) is str:
        return encode_basestring_ascii(value)
    if kind in _SETS and type(value) is list:
        return f"[{','.join([json_of({_SETS[kind]: item}) for item in value])}]"
    raise NotARecordError(f"{value} is no value of the type {kind}")
