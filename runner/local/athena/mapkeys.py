"""Maps whose keys Python cannot hash, which DuckDB gives as {'key': [...], 'value': [...]}.

In: rows and their types.  Out: rows whose maps are dictionaries, whatever their keys are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.local.athena.sqltypes import SqlType

_NESTED = frozenset({"array", "map", "row"})


class MapKey(dict[Any, Any]):
    """A map or a row that is a key of another."""

    def __hash__(self) -> int:  # type: ignore[override]  # dictionaries have none
        """Hash by its texts; keys are never changed."""
        return hash(repr(self))


def open_maps(rows: tuple[tuple[Any, ...], ...], kinds: tuple[SqlType, ...]) -> tuple[Any, ...]:
    """Give the same rows with dictionaries for such maps."""
    if not any(_has_such(kind) for kind in kinds):
        return rows
    return tuple(
        tuple(_open(value, kind) for value, kind in zip(row, kinds, strict=True)) for row in rows
    )


def _has_such(kind: SqlType) -> bool:
    if kind.name == "map" and kind.parts[0].name in _NESTED:
        return True
    return any(_has_such(part) for part in kind.parts)


def _open(value: Any, kind: SqlType) -> Any:  # noqa: ANN401 - values of any type
    if value is None or not kind.parts:
        return value
    if kind.name == "array":
        return [_open(each, kind.parts[0]) for each in value]
    if kind.name == "row":
        parts = value.values() if isinstance(value, dict) else value
        opened = [_open(each, part) for each, part in zip(parts, kind.parts, strict=True)]
        return dict(zip(value, opened, strict=True)) if isinstance(value, dict) else tuple(opened)
    key, item = kind.parts
    pairs = value.items()
    if key.name in _NESTED:
        pairs = zip(value["key"], value["value"], strict=True)
    return {_hashable(_open(k, key)): _open(v, item) for k, v in pairs}


def _hashable(value: Any) -> Any:  # noqa: ANN401 - as above
    if isinstance(value, list | tuple):
        return tuple(_hashable(each) for each in value)
    return MapKey(value) if isinstance(value, dict) else value
