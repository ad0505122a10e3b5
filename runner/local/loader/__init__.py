"""The built-in loader: published files into a table of the mart, once.

In: a manifest (which files, which mode) and a mart.  Out: how many rows went in.  A load is one
transaction with a row in the mart's `_runner_loads`; repeating it is a no-op (SEMANTICS 37, 38).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.local.loader.result import LoadResult, untold
from runner.local.loader.source import fresh_duckdb, open_source
from runner.local.loader.targets import MysqlTarget, SqliteTarget, Target, target_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runner.local.loader.result import Tell
    from runner.local.loader.source import Connect
    from runner.model.loads import LoadManifest

__all__ = [
    "LoadResult",
    "MysqlTarget",
    "SqliteTarget",
    "Target",
    "load",
    "open_source",
    "target_of",
]


def load(
    manifest: LoadManifest,
    mart: Target,
    *,
    path_of: Callable[[str], str | Path],
    connect: Connect = fresh_duckdb,
    tell: Tell = untold,
) -> LoadResult:
    """Load the manifest's files into the mart; ServiceError leaves the mart unchanged.

    `path_of` turns a file's URI into a path; `connect` gives a DuckDB connection, which is closed
    at the end (a cursor of a running DuckDB saves the start of a new one); `tell` hears how many
    rows have gone so far.
    """
    with open_source(manifest, path_of=path_of, connect=connect) as source:
        if isinstance(mart, SqliteTarget):
            from runner.local.loader.sqlite import load_sqlite  # noqa: PLC0415 - only if needed

            return load_sqlite(source, mart, tell)
        from runner.local.loader.mysql import load_mysql  # noqa: PLC0415 - needs PyMySQL

        return load_mysql(source, mart, tell)
