"""SearchTables: words and properties over the tables of all databases."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any

from runner.local.glue.described import instant, page_of, table
from runner.local.glue.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from runner.local.glue.store import Store

_PAGE = 100
_TIMES = ("CreateTime", "UpdateTime", "LastAccessTime", "LastAnalyzedTime")
_COMPARATORS: dict[str, Callable[[Any, Any], bool]] = {
    "EQUALS": operator.eq,
    "GREATER_THAN": operator.gt,
    "LESS_THAN": operator.lt,
    "GREATER_THAN_EQUALS": operator.ge,
    "LESS_THAN_EQUALS": operator.le,
}
_BETWEEN_TOKENS = re.compile(r"[^A-Za-z0-9_]+")


def search_tables(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the tables that have the text and all properties, sorted and in pages."""
    if given.get("ResourceShareType") in {"FOREIGN", "FEDERATED"}:
        return {"TableList": []}
    rows = store.rows("SELECT * FROM tables ORDER BY database, name")
    found = [
        described
        for described in map(table, rows)
        if _has_text(described, given.get("SearchText") or "")
        and all(_has_property(described, each) for each in given.get("Filters") or ())
    ]
    for criterion in given.get("SortCriteria") or ():
        _sort(found, criterion)
    return page_of("TableList", found, given, size=_PAGE)


def _has_text(described: Mapping[str, Any], text: str) -> bool:
    """Look in every text of a table; in quotes, the whole of a text is meant."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        wanted = text[1:-1].lower()
        return any(each.lower() == wanted for each in _texts(described))
    return not text or any(text.lower() in each.lower() for each in _texts(described))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _has_property(described: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    key, value = wanted.get("Key"), wanted.get("Value")
    if key is None or value is None:
        raise invalid("A filter must have Key and Value")
    have = _property(described, key)
    if key in _TIMES:
        compare = _COMPARATORS[wanted.get("Comparator") or "EQUALS"]
        return have is not None and compare(have, _instant(value))
    texts = [str(have)] if isinstance(have, str | int) else list(_texts(have))
    return any(_fits(each.lower(), value.lower()) for each in texts)


def _property(described: Mapping[str, Any], key: str) -> object:
    """Find a member by its name, of the table, its storage, or its parameters."""
    parts = (described, described.get("StorageDescriptor") or {}, described.get("Parameters") or {})
    return next((part[key] for part in parts if key in part), None)


def _fits(have: str, wanted: str) -> bool:
    """Compare the whole, or one of the words that punctuation separates.

    >>> _fits("customer-link", "link"), _fits("xxlinkyy", "link")
    (True, False)
    """
    return have == wanted or wanted in _BETWEEN_TOKENS.split(have)


def _instant(text: str) -> object:
    try:
        return instant(text)
    except ValueError as error:
        raise invalid(f"{text} is not a time") from error


def _sort(found: list[dict[str, Any]], criterion: Mapping[str, Any]) -> None:
    """Sort in place; tables without the field come last."""
    field, down = criterion.get("FieldName") or "Name", criterion.get("Sort") == "DESC"
    have = [each for each in found if _property(each, field) is not None]
    rest = [each for each in found if _property(each, field) is None]
    try:
        have.sort(key=lambda each: _property(each, field), reverse=down)  # type: ignore[arg-type,return-value]  # whatever the member is
    except TypeError as error:
        raise invalid(f"Tables cannot be sorted by {field}") from error
    found[:] = [*have, *rest]
