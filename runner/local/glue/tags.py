"""Tags of databases and tables, by the resource part of their ARN (`table/marts/t`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.glue.described import need_database
from runner.local.glue.errors import not_found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.local.glue.store import Store


def get_tags(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give a resource's tags."""
    resource = _resource(store, given["ResourceArn"])
    rows = store.rows("SELECT tag, value FROM tags WHERE resource = ? ORDER BY tag", resource)
    return {"Tags": {row[0]: row[1] for row in rows}}


def tag_resource(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Add tags, or change their values."""
    with store.writing():
        put(store, _resource(store, given["ResourceArn"]), given["TagsToAdd"])
    return {}


def untag_resource(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """Take tags away."""
    with store.writing():
        resource = _resource(store, given["ResourceArn"])
        for tag in given["TagsToRemove"]:
            store.execute("DELETE FROM tags WHERE resource = ? AND tag = ?", resource, tag)
    return {}


def put(store: Store, resource: str, tags: Mapping[str, str]) -> None:
    """Write tags, within a transaction."""
    for tag, value in tags.items():
        store.execute("INSERT OR REPLACE INTO tags VALUES (?, ?, ?)", resource, tag, value)


def forget(store: Store, resource: str, *, below: bool = False) -> None:
    """Delete the tags of a resource, or of all below it, within a transaction."""
    end = resource + "\U0010ffff" if below else resource
    store.execute("DELETE FROM tags WHERE resource BETWEEN ? AND ?", resource, end)


def _resource(store: Store, arn: str) -> str:
    resource = arn.split(":", 5)[-1].lower()
    kind, _, name = resource.partition("/")
    if kind == "database":
        need_database(store, name)
    elif kind == "table":
        rows = store.rows(
            "SELECT 1 FROM tables WHERE database = ? AND name = ?", *name.partition("/")[::2]
        )
        if not rows:
            raise not_found(f"Entity Not Found: Table {name} not found.")
    else:
        raise not_found(f"Resource {arn} not found.")
    return resource
