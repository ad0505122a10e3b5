"""The metadata document of an Iceberg table: schemas, partitioning, snapshots, properties.

In: the JSON of `metadata/<n>-<uuid>.metadata.json`.  Out: a `Document`, which gives its parts and,
for every change, a new document; keys of other writers that we do not know are kept.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.athena.icebergs.partitioning import FIRST_NUMBER, term_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from runner.local.athena.icebergs.partitioning import Term
    from runner.local.athena.icebergs.types import IcebergField

_MAIN = "main"
_MOST_LOGGED = 100


class Snapshot(NamedTuple):
    """One state of the table's files."""

    id: int
    parent: int | None
    sequence: int
    made_ms: int
    summary: dict[str, str]
    manifest_list: str
    schema: int

    @property
    def operation(self) -> str:
        """Give what made it: append, overwrite, delete or replace."""
        return self.summary.get("operation", "append")


@dataclass(frozen=True, slots=True)
class Document:
    """A metadata document; its content is never changed, only replaced."""

    content: dict[str, Any]

    def dump(self) -> bytes:
        """Write it."""
        return json.dumps(self.content, indent=1).encode()

    @property
    def location(self) -> str:
        """Give the table's place."""
        return str(self.content["location"])

    @property
    def properties(self) -> dict[str, str]:
        """Give the table's properties."""
        return dict(self.content.get("properties") or {})

    @property
    def last_number(self) -> int:
        """Give the highest number of a column that there ever was."""
        return int(self.content["last-column-id"])

    @property
    def schema_id(self) -> int:
        """Give the number of the current schema."""
        return int(self.content["current-schema-id"])

    @property
    def spec_id(self) -> int:
        """Give the number of the current partitioning."""
        return int(self.content["default-spec-id"])

    @property
    def last_sequence(self) -> int:
        """Give the last snapshot's sequence number."""
        return int(self.content.get("last-sequence-number", 0))

    def schema(self, number: int | None = None) -> list[IcebergField]:
        """Give the fields of a schema: the current one unless a number is given."""
        wanted = self.schema_id if number is None else number
        found: list[IcebergField] = next(
            each["fields"] for each in self.content["schemas"] if each["schema-id"] == wanted
        )
        return found

    def schema_document(self) -> dict[str, Any]:
        """Give the current schema as JSON."""
        return {"type": "struct", "schema-id": self.schema_id, "fields": self.schema()}

    def terms(self, spec: int | None = None) -> tuple[Term, ...]:
        """Give what tells partitions: now, or in the spec of that number."""
        wanted = self.spec_id if spec is None else spec
        found = next(
            each["fields"] for each in self.content["partition-specs"] if each["spec-id"] == wanted
        )
        fields = [*self.schema(), *self._former()]
        return tuple(term_of(each, fields) for each in found)

    def _former(self) -> list[IcebergField]:
        return [field for each in self.content["schemas"] for field in each["fields"]]

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Give the snapshots, the oldest first."""
        found = (_snapshot(each, self.schema_id) for each in self.content.get("snapshots") or ())
        return tuple(sorted(found, key=lambda each: each.made_ms))

    def snapshot(self, number: int) -> Snapshot | None:
        """Find a snapshot by its id."""
        return next((each for each in self.snapshots() if each.id == number), None)

    def current(self) -> Snapshot | None:
        """Give the current snapshot; None before the first."""
        number = self.content.get("current-snapshot-id")
        return None if number in {None, -1} else self.snapshot(int(number))

    def log(self) -> tuple[tuple[int, int], ...]:
        """Give (milliseconds, snapshot id) of every snapshot that became current."""
        found = self.content.get("snapshot-log") or ()
        return tuple((each["timestamp-ms"], each["snapshot-id"]) for each in found)

    def previous_urls(self) -> tuple[str, ...]:
        """Give the documents before this one, the oldest first."""
        return tuple(each["metadata-file"] for each in self.content.get("metadata-log") or ())

    def ancestors(self) -> tuple[int, ...]:
        """Give the current snapshot's id and those of the snapshots it came from."""
        by_id = {each.id: each for each in self.snapshots()}
        found: list[int] = []
        current = self.current()
        while current is not None:
            found.append(current.id)
            current = by_id.get(current.parent) if current.parent is not None else None
        return tuple(found)

    def after(self, url: str, now_ms: int) -> Document:
        """Give the document that follows this one, which lies at `url`."""
        log = [
            *(self.content.get("metadata-log") or ()),
            {"timestamp-ms": self.content["last-updated-ms"], "metadata-file": url},
        ]
        now_ms = max(now_ms, self.content["last-updated-ms"] + 1)
        most = self.properties.get("write.metadata.previous-versions-max", str(_MOST_LOGGED))
        kept = log[-int(most) :]
        return Document({**self.content, "metadata-log": kept, "last-updated-ms": now_ms})

    def with_snapshot(self, snapshot: Snapshot) -> Document:
        """Give a document whose current snapshot is this one."""
        made = {
            "snapshot-id": snapshot.id,
            "sequence-number": snapshot.sequence,
            "timestamp-ms": snapshot.made_ms,
            "summary": snapshot.summary,
            "manifest-list": snapshot.manifest_list,
            "schema-id": snapshot.schema,
        }
        if snapshot.parent is not None:
            made["parent-snapshot-id"] = snapshot.parent
        refs = {
            **(self.content.get("refs") or {}),
            _MAIN: {"snapshot-id": snapshot.id, "type": "branch"},
        }
        log = {"timestamp-ms": snapshot.made_ms, "snapshot-id": snapshot.id}
        return Document(
            {
                **self.content,
                "last-sequence-number": snapshot.sequence,
                "current-snapshot-id": snapshot.id,
                "refs": refs,
                "snapshots": [*(self.content.get("snapshots") or ()), made],
                "snapshot-log": [*(self.content.get("snapshot-log") or ()), log],
            }
        )

    def with_schema(self, fields: Sequence[IcebergField], last_number: int) -> Document:
        """Give a document with new columns: another schema, which becomes the current one."""
        schemas = self.content["schemas"]
        number = max(each["schema-id"] for each in schemas) + 1
        made = {"type": "struct", "schema-id": number, "fields": list(fields)}
        return Document(
            {
                **self.content,
                "schemas": [*schemas, made],
                "current-schema-id": number,
                "last-column-id": max(last_number, self.last_number),
            }
        )

    def with_properties(self, properties: Mapping[str, str]) -> Document:
        """Give a document with these properties and no others."""
        return Document({**self.content, "properties": dict(properties)})

    def without(self, snapshots: Collection[int]) -> Document:
        """Give a document that has forgotten these snapshots."""
        keep = [s for s in self.content.get("snapshots") or () if s["snapshot-id"] not in snapshots]
        log = [
            each
            for each in self.content.get("snapshot-log") or ()
            if each["snapshot-id"] not in snapshots
        ]
        return Document({**self.content, "snapshots": keep, "snapshot-log": log})


def _snapshot(found: dict[str, Any], schema: int) -> Snapshot:
    return Snapshot(
        found["snapshot-id"],
        found.get("parent-snapshot-id"),
        found.get("sequence-number", 0),
        found["timestamp-ms"],
        dict(found.get("summary") or {}),
        found.get("manifest-list", ""),
        found.get("schema-id", schema),
    )


def load_document(text: bytes) -> Document:
    """Read a document; raises ValueError for what is none."""
    found = json.loads(text)
    if not isinstance(found, dict) or "format-version" not in found:
        raise ValueError("not an Iceberg metadata document")
    return Document(found)


def new_document(
    uuid: str,
    location: str,
    *,
    fields: Sequence[IcebergField],
    last_number: int,
    terms: Sequence[Term],
    properties: Mapping[str, str],
    now_ms: int,
) -> Document:
    """Make the first document of a table without rows."""
    return Document(
        {
            "format-version": 2,
            "table-uuid": uuid,
            "location": location,
            "last-sequence-number": 0,
            "last-updated-ms": now_ms,
            "last-column-id": last_number,
            "current-schema-id": 0,
            "schemas": [{"type": "struct", "schema-id": 0, "fields": list(fields)}],
            "default-spec-id": 0,
            "partition-specs": [{"spec-id": 0, "fields": [each.document() for each in terms]}],
            "last-partition-id": FIRST_NUMBER - 1 + len(terms),
            "default-sort-order-id": 0,
            "sort-orders": [{"order-id": 0, "fields": []}],
            "properties": dict(properties),
            "current-snapshot-id": -1,
            "refs": {},
            "snapshots": [],
            "snapshot-log": [],
            "metadata-log": [],
        }
    )
