"""Which columns Parquet files have, so that files alike are read as one and not united by name.

In: paths.  Out: each file's columns as (name, DuckDB type, whether it has parts), as far as they
can be read.  A file is looked into once; one that changes in place is looked into again.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, NamedTuple

from runner.local.athena.errors import AthenaFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from runner.local.athena.engine import Engine, Handle

    Footers = Callable[[Sequence[str]], Mapping[str, "Columns"]]
    """Gives the columns of the files that can be read."""

_MOST_KEPT = 20_000
_SQL = "SELECT file_name, name, duckdb_type, coalesce(num_children, 0) FROM parquet_schema([{}])"


class Columns(NamedTuple):
    """A file's columns, and its whole schema as DuckDB lists it."""

    names: frozenset[str]
    """In lower case."""
    schema: tuple[tuple[str, str, int], ...]


class FooterCache:
    """The columns of files that were looked into."""

    def __init__(self, engine: Engine) -> None:
        """Take what reads the files."""
        self._engine = engine
        self._lock = threading.Lock()
        self._known: dict[str, tuple[tuple[int, int], Columns]] = {}

    def columns(self, cursor: Handle, paths: Iterable[str]) -> Mapping[str, Columns]:
        """Give the columns of the files that can be read."""
        found: dict[str, Columns] = {}
        states: dict[str, tuple[int, int]] = {}
        for path in paths:
            state = _state(path)
            known = self._known.get(path)
            if known is not None and known[0] == state:
                found[path] = known[1]
            elif state is not None:
                states[path] = state
        if states:
            read = self._read(cursor, list(states))
            self._keep({path: (states[path], each) for path, each in read.items()})
            found |= read
        return found

    def _read(self, cursor: Handle, paths: Sequence[str]) -> dict[str, Columns]:
        texts = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
        try:
            rows = self._engine.run(cursor, _SQL.format(texts)).rows
        except AthenaFailure:
            return {}  # whoever reads the files will say what is wrong with them
        schemas: dict[str, list[tuple[str, str, int]]] = {}
        for path, name, kind, children in rows:
            schemas.setdefault(path, []).append((name, kind or "", children))
        return {path: _columns(schema) for path, schema in schemas.items()}

    def _keep(self, fresh: Mapping[str, tuple[tuple[int, int], Columns]]) -> None:
        with self._lock:
            if len(self._known) + len(fresh) > _MOST_KEPT:
                self._known = {}
            self._known = {**self._known, **fresh}


def _state(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - many files: Path costs more
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _columns(schema: Sequence[tuple[str, str, int]]) -> Columns:
    """Tell the columns from their parts: each element is followed by its children."""
    names: list[str] = []
    place = 1
    while place < len(schema):
        names.append(schema[place][0].lower())
        place = _after(schema, place)
    return Columns(frozenset(names), tuple(schema[1:]))


def _after(schema: Sequence[tuple[str, str, int]], place: int) -> int:
    """Give the place behind an element and all that it holds."""
    left = 1
    while left and place < len(schema):
        left += schema[place][2] - 1
        place += 1
    return place
