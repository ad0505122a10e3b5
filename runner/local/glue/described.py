"""Between what is stored and what Glue answers: JSON texts, instants, names, pages."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.local.glue.errors import not_found

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.local.glue.store import Store

ACCOUNT = "000000000000"
IN_TABLE = "WHERE database = ? AND name = ?"
_INSTANTS = ("LastAccessTime", "LastAnalyzedTime")
_EVERYBODY = {
    "Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"},
    "Permissions": ["ALL"],
}

Key = tuple[str, str]
"""A table: its database and its name, in lower case as Glue stores them."""


def now() -> float:
    """Give the time that the catalogue writes down."""
    return time.time()


def dumps(given: Mapping[str, Any]) -> str:
    """Write a description; instants become seconds."""
    return _ENCODER.encode(given if isinstance(given, dict) else dict(given))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} is not JSON")


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_plain)


def instant(stored: object) -> datetime:
    """Read a stored instant: seconds, or ISO 8601 text; Glue answers whole seconds.

    >>> instant("2013-01-02T03:04:05Z")
    datetime.datetime(2013, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    """
    try:
        return datetime.fromtimestamp(int(float(str(stored))), tz=UTC)
    except ValueError:
        read = datetime.fromisoformat(str(stored))
        return read if read.tzinfo else read.replace(tzinfo=UTC)


def _read(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {k: v for k, v in json.loads(text).items() if v is not None}
    for name in _INSTANTS:
        if name in found:
            found[name] = instant(found[name])
    return found


def database(row: Sequence[str]) -> dict[str, Any]:
    """Describe a database by its row."""
    return {
        "CreateTableDefaultPermissions": [_EVERYBODY],
        **_read(row[1]),
        "CreateTime": instant(row[2]),
        "CatalogId": ACCOUNT,
    }


def table(row: Sequence[str]) -> dict[str, Any]:
    """Describe a table, or a version of it, by its row."""
    named, _, version, given, created, updated = row
    return {
        **_read(given),
        "DatabaseName": named,
        "CreateTime": instant(created),
        "UpdateTime": instant(updated),
        "IsRegisteredWithLakeFormation": False,
        "CatalogId": ACCOUNT,
        "VersionId": str(version),
    }


def partition(key: Key, row: Sequence[str]) -> dict[str, Any]:
    """Describe a partition by its definition and the instant of its creation."""
    given, created = row
    return {
        **_read(given),
        "DatabaseName": key[0],
        "TableName": key[1],
        "CreationTime": instant(created),
        "CatalogId": ACCOUNT,
    }


def key_of(given: Mapping[str, Any], name: str = "TableName") -> Key:
    """Take the table that a request names."""
    return given["DatabaseName"].lower(), given[name].lower()


def need_database(store: Store, name: str) -> None:
    """Refuse a database that is not there."""
    if not store.rows("SELECT 1 FROM databases WHERE name = ?", name.lower()):
        raise not_found(f"Database {name} not found.")


def find_table(store: Store, key: Key) -> tuple[str, ...]:
    """Give a table's row, or refuse."""
    rows = store.rows(f"SELECT * FROM tables {IN_TABLE}", *key)
    if not rows:
        need_database(store, key[0])
        raise not_found(f"Entity Not Found: Table {key[1]} not found.")
    return rows[0]


def page_of(
    name: str, found: Sequence[dict[str, Any]], given: Mapping[str, Any], *, size: int
) -> dict[str, Any]:
    """Give the part of a list that the token, a number of entries, and MaxResults ask for.

    >>> page_of("L", [{"a": 1}, {"a": 2}], {"MaxResults": 1}, size=9)
    {'L': [{'a': 1}], 'NextToken': '1'}
    """
    start = start_of(given)
    end = start + (given.get("MaxResults") or size)
    page: dict[str, Any] = {name: list(found[start:end])}
    if end < len(found):
        page["NextToken"] = str(end)
    return page


def start_of(given: Mapping[str, Any]) -> int:
    """Read a token that is a number of entries."""
    token = given.get("NextToken") or "0"
    return int(token) if token.isdecimal() else 0
