"""The checks of a load without the load: files and mart are opened, nothing is changed.

In: a manifest and a mart.  Out: every finding.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from runner.loads.checks import LoadCase, judge
from runner.loads.embulk import FileRows, MartAt, job
from runner.loads.shapes import MartServer
from runner.local.loader.facts import look
from runner.local.loader.source import fresh_duckdb, open_source
from runner.local.loader.targets import SqliteTarget
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runner.loads.checks import Finding
    from runner.loads.shapes import Engine, MartTable, SourceFacts
    from runner.local.loader.source import Connect
    from runner.local.loader.targets import MysqlTarget, Target
    from runner.model.loads import LoadManifest


def check(
    manifest: LoadManifest,
    target: Target,
    *,
    path_of: Callable[[str], str | Path],
    connect: Connect = fresh_duckdb,
    engine: Engine | None = None,
) -> tuple[Finding, ...]:
    """Give every finding about a load; ServiceError when files or mart cannot be read.

    `engine` asks as if that one loaded; the manifest's if None.  A SQLite mart has one engine.
    """
    with open_source(manifest, path_of=path_of, connect=connect) as source:
        facts = look(source)
    if isinstance(target, SqliteTarget):
        table, server = _look_at_file(target, manifest.key.mart_table)
        return judge(LoadCase(manifest, table, server, facts))
    return _judge_mysql(manifest, target, facts, engine or manifest.engine)


def _judge_mysql(
    manifest: LoadManifest, target: MysqlTarget, facts: SourceFacts, engine: Engine
) -> tuple[Finding, ...]:
    from runner.local.loader.mysql_session import open_session  # noqa: PLC0415 - needs PyMySQL
    from runner.local.loader.mysql_shape import describe_mysql, describe_server  # noqa: PLC0415

    with open_session(target, manifest.key.mart_table) as session:
        table = describe_mysql(session, manifest.key.mart_table)
        server = describe_server(session)
    made = None
    if engine == "embulk":
        made = job(manifest, table, rows=FileRows("rows.csv"), mart=MartAt(), count=facts.rows)
    return judge(LoadCase(manifest, table, server, facts, engine, job=made))


def _look_at_file(target: SqliteTarget, name: str) -> tuple[MartTable | None, MartServer]:
    """Describe a SQLite mart without making the file."""
    from runner.local.loader.sqlite_shape import (  # noqa: PLC0415 - only for SQLite
        describe_sqlite,
        describe_sqlite_file,
    )

    if not target.path.exists():
        return None, MartServer("sqlite", sqlite3.sqlite_version, database="main")
    try:
        with closing(
            sqlite3.connect(f"{target.path.absolute().as_uri()}?mode=ro", uri=True)
        ) as mart:
            return describe_sqlite(mart, name), describe_sqlite_file(mart)
    except sqlite3.Error as exc:
        raise ServiceError("Load.MartFailed", f"SQLite mart {target.path}: {exc}") from exc
