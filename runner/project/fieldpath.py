"""What a model accepts at a place: its keys, and what a key means.

In: a pydantic model and a location as pydantic's errors give it (keys, indexes, names of union
members).  Out: names and descriptions for faults.
"""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def keys_at(model: type[BaseModel], loc: Sequence[str | int]) -> tuple[str, ...]:
    """List the keys that a mapping may have at a location."""
    found = [name for at in _models_at(model, tuple(loc)) for name in _fields(at)]
    return tuple(dict.fromkeys(found))


def field_description(model: type[BaseModel], loc: Sequence[str | int]) -> str:
    """Give the description of the field at a location; empty when it has none."""
    for at in _models_at(model, tuple(loc[:-1])):
        known = _fields(at)
        if str(loc[-1]) in known:
            return at.model_fields[known[str(loc[-1])]].description or ""
    return ""


def _fields(model: type[BaseModel]) -> dict[str, str]:
    """Map the key that users write to the field's name."""
    return {info.alias or name: name for name, info in model.model_fields.items()}


def _models_at(annotation: Any, loc: tuple[str | int, ...]) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - any type's annotation
    if get_origin(annotation) is Annotated:
        yield from _models_at(get_args(annotation)[0], loc)
    elif _is_union(annotation):
        yield from _members_at(annotation, loc)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not loc:
            yield annotation
            return
        known = _fields(annotation)
        if str(loc[0]) in known:
            inner = annotation.model_fields[known[str(loc[0])]].annotation
            yield from _models_at(inner, loc[1:])
    elif get_origin(annotation) in (dict, tuple, list) and loc:
        items = [item for item in get_args(annotation) if item is not Ellipsis]
        yield from _models_at(items[-1], loc[1:])


def _is_union(annotation: Any) -> bool:  # noqa: ANN401 - any type's annotation
    return get_origin(annotation) in (Union, UnionType)


def _members_at(annotation: Any, loc: tuple[str | int, ...]) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - any type's annotation
    """Follow the member that the location names: by its tag, or by its class's name."""
    members = get_args(annotation)
    named = [member for member in members if loc and loc[0] in _member_names(member)]
    for member in named or members:
        yield from _models_at(member, loc[1:] if named else loc)


def _member_names(member: Any) -> set[str]:  # noqa: ANN401 - any type's annotation
    if not (isinstance(member, type) and issubclass(member, BaseModel)):
        return set()
    tags = [
        value
        for info in member.model_fields.values()
        if get_origin(info.annotation) is Literal
        for value in get_args(info.annotation)
        if isinstance(value, str)
    ]
    return {member.__name__, *tags}
