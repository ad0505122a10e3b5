"""A load: which files go to which table of the mart, and how.

The keeper writes the manifest as JSON when a load's turn comes; its URI is all that the loader is
told.  Reading it here refuses what would load the wrong rows (SEMANTICS 37).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, get_args

from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.model.ports import Json

Mode = Literal[
    "insert",
    "insert_direct",
    "truncate_insert",
    "replace",
    "merge",
    "merge_direct",
    "replace_window",
]
"""The values of `runner.model.header.LoadMode`, without the price of importing pydantic."""

Engine = Literal["native", "embulk"]


@dataclass(frozen=True, slots=True)
class LoadKey:
    """What makes a load the same load: a second one with this key is skipped (SEMANTICS 38)."""

    mart_table: str
    table: str
    window_start: str
    window_end: str
    publish_id: str


@dataclass(frozen=True, slots=True)
class LoadColumn:
    """A column to load."""

    name: str
    athena_type: str
    mart_type: str | None = None
    """The type that the header asks for in the mart; None leaves it to the loader."""


@dataclass(frozen=True, slots=True)
class LoadWindow:
    """The partitions that the load owns in the mart: one tuple of values per period."""

    columns: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class LoadFile:
    """A published file: its size in bytes is checked, its partition values are taken from here."""

    uri: str
    size: int
    partition: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LoadManifest:
    """One load, complete."""

    key: LoadKey
    mode: Mode
    keys: tuple[str, ...]
    columns: tuple[LoadColumn, ...]
    """Columns inside the files."""
    partition_columns: tuple[LoadColumn, ...]
    """Columns whose values stand in the manifest."""
    window: LoadWindow | None
    """None for a load of the whole table."""
    files: tuple[LoadFile, ...]
    format: str
    rows: int | None
    """Rows that the records promise; None when they do not say."""
    engine: Engine = "native"
    create: bool = True
    """Whether a missing table of the mart is made."""
    before: str | None = None
    """A statement of the user's, run before the rows move, in the same transaction."""
    after: str | None = None
    """A statement of the user's, run after the rows moved, in the same transaction."""

    @property
    def all_columns(self) -> tuple[LoadColumn, ...]:
        """Give the mart's columns in order: the files', then the partitions'."""
        return self.columns + self.partition_columns

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> LoadManifest:
        """Read what the keeper wrote; ServiceError when it would load the wrong rows."""
        try:
            manifest = _read(value)
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            what = f"{type(exc).__name__}: {exc}"
            raise ServiceError(
                "Load.InvalidManifest", f"the load's manifest cannot be read: {what}"
            ) from exc
        _check(manifest)
        return manifest

    def to_json(self) -> dict[str, Json]:
        """Write the manifest the way `from_json` reads it."""
        return {
            "load_key": {
                "mart_table": self.key.mart_table,
                "table": self.key.table,
                "window_start": self.key.window_start,
                "window_end": self.key.window_end,
                "publish_id": self.key.publish_id,
            },
            "mode": self.mode,
            "keys": list(self.keys),
            "columns": [
                {"name": c.name, "athena_type": c.athena_type, "mart_type": c.mart_type}
                for c in self.columns
            ],
            "partition_columns": [
                {"name": c.name, "type": c.athena_type, "mart_type": c.mart_type}
                for c in self.partition_columns
            ],
            "window": None
            if self.window is None
            else {
                "columns": list(self.window.columns),
                "values": [list(values) for values in self.window.values],
            },
            "whole_table": self.window is None,
            "format": self.format,
            "files": [
                {"uri": f.uri, "size": f.size, "partition": dict(f.partition)} for f in self.files
            ],
            "rows": self.rows,
            "engine": self.engine,
            "create": self.create,
            "before": self.before,
            "after": self.after,
        }


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """How a load ended; whoever loads writes it beside the manifest (`outcome_uri`)."""

    status: Literal["loaded", "skipped", "failed"]
    """`skipped`: this very load had been done before."""
    engine: str
    rows: int = 0
    deleted: int = 0
    """Rows that went to make room."""
    counted: int | None = None
    """Rows of the window (of the table, without one) in the mart afterwards."""
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    error: str = ""
    cause: str = ""
    table: str = ""
    """The mart's table."""

    def to_json(self) -> dict[str, Json]:
        """Write the outcome as a JSON object."""
        return {**asdict(self), "warnings": list(self.warnings)}

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> LoadOutcome:
        """Read what `to_json` wrote."""
        return cls(**{**value, "warnings": tuple(value["warnings"])})


def outcome_uri(manifest_uri: str) -> str:
    """Tell where the outcome of a load is written.

    >>> outcome_uri("s3://lake/_runner/loads/run/marts.t.json")
    's3://lake/_runner/loads/run/marts.t.outcome.json'
    """
    return f"{manifest_uri.removesuffix('.json')}.outcome.json"


def _read(value: Mapping[str, Json]) -> LoadManifest:
    if value["mode"] not in get_args(Mode):
        raise ValueError(f"{value['mode']!r} is not a mode of loading")
    if value.get("engine", "native") not in get_args(Engine):
        raise ValueError(f"{value['engine']!r} is not an engine of loading")
    if bool(value["whole_table"]) != (value["window"] is None):
        raise ValueError("a load has a window or is of the whole table")
    partitions = tuple(
        LoadColumn(c["name"], c["type"], c.get("mart_type")) for c in value["partition_columns"]
    )
    names = {column.name for column in partitions}
    declared = [
        LoadColumn(c["name"], c["athena_type"], c.get("mart_type")) for c in value["columns"]
    ]
    override = {c.name: c for c in declared if c.mart_type is not None}
    return LoadManifest(
        key=LoadKey(**value["load_key"]),
        mode=value["mode"],
        keys=tuple(value["keys"]),
        columns=tuple(column for column in declared if column.name not in names),
        partition_columns=tuple(
            LoadColumn(c.name, c.athena_type, c.mart_type or override[c.name].mart_type)
            if c.name in override
            else c
            for c in partitions
        ),
        window=_read_window(value["window"]),
        files=tuple(
            LoadFile(f["uri"], int(f["size"]), tuple((f["partition"] or {}).items()))
            for f in value["files"]
        ),
        format=value["format"],
        rows=value.get("rows"),
        engine=value.get("engine", "native"),
        create=value.get("create", True),
        before=value.get("before"),
        after=value.get("after"),
    )


def _read_window(value: Mapping[str, Json] | None) -> LoadWindow | None:
    """Take several columns, or the short form for one: {column, values: [...]}."""
    if value is None:
        return None
    if "column" in value:
        return LoadWindow((value["column"],), tuple((item,) for item in value["values"]))
    return LoadWindow(tuple(value["columns"]), tuple(tuple(item) for item in value["values"]))


def _check(manifest: LoadManifest) -> None:
    """Refuse a manifest whose parts contradict one another, or whose mode is unsafe."""
    found = [
        *_contradictions(manifest),
        *_unsafe_mode(manifest),
    ]
    if found:
        raise ServiceError(
            "Load.Refused",
            f"load of {manifest.key.table} into {manifest.key.mart_table}: " + "; ".join(found),
        )


def _contradictions(manifest: LoadManifest) -> list[str]:
    names = [column.name for column in manifest.all_columns]
    folded = [name.lower() for name in names]
    partitions = {column.name for column in manifest.partition_columns}
    found = [
        f"column {name} appears twice"
        for name in sorted({n for n in folded if folded.count(n) > 1})
    ]
    found += [f"key {key} is not a column" for key in manifest.keys if key not in names]
    found += [
        f"{file.uri} does not say its partition's {', '.join(sorted(missing))}"
        for file in manifest.files
        if (missing := partitions - dict(file.partition).keys())
    ]
    if manifest.window is not None and not found:
        found += _outside(manifest, manifest.window)
    return found


def _outside(manifest: LoadManifest, window: LoadWindow) -> list[str]:
    """Find files outside the window: every load of a neighbour would add them again."""
    missing = set(window.columns) - {column.name for column in manifest.partition_columns}
    if missing or not window.values:
        return [f"the window's columns {', '.join(window.columns)} are not partition columns"]
    owned = set(window.values)
    return [
        f"{file.uri} lies outside the window"
        for file in manifest.files
        if tuple(dict(file.partition)[column] for column in window.columns) not in owned
    ]


def _unsafe_mode(manifest: LoadManifest) -> list[str]:
    match manifest.mode:
        case "merge" | "merge_direct" if not manifest.keys:
            return ["merge needs keys: without them a repeat would append every row again"]
        case "insert" | "insert_direct" if manifest.window is not None:
            return [
                (
                    f"{manifest.mode} would double rows when the window runs again; "
                    "use replace_window or merge"
                )
            ]
        case "replace" | "truncate_insert" if manifest.window is not None:
            return [f"{manifest.mode} loads whole tables; use replace_window for a window"]
        case "replace_window" if manifest.window is None:
            return ["replace_window needs a partitioned table; use replace"]
        case _:
            return []
