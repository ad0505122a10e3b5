"""A catalogue for previews, in which everything that a table reads exists.

In: the local environment, a table and its window.  Out: the real catalogue when all its upstreams
are there; else a copy in a temporary folder, in which each missing one is a view of its own SQL
over the window (external tables are made as they are).  Nothing is published.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from runner.local.athena import LocalAthena
from runner.local.glue import GlueCatalog, GlueError
from runner.local.s3 import FolderS3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runner.app.bundle import Bundle, TableFacts
    from runner.app.local_places import Local
    from runner.app.preview_window import Window

_SCRATCH = "runner-preview"


@contextmanager
def rehearsal(
    local: Local,
    table: TableFacts,
    window: Window,
    *,
    statement: Callable[[TableFacts, Window], str],
) -> Iterator[LocalAthena]:
    """Give an Athena on which the table's query runs; `statement` writes a table's SQL."""
    with closing(local.catalog()) as real:
        missing = _missing(real, local.bundle, table, window)
        if not missing:
            with closing(local.athena(local.s3(), real)) as athena:
                yield athena
            return
    with TemporaryDirectory(prefix="runner-preview-") as name:
        folder = Path(name)
        _copy(local.state / "catalog.sqlite", folder / "catalog.sqlite")
        with closing(GlueCatalog(folder / "catalog.sqlite")) as scratch:
            _make_databases(scratch, local.bundle)
            with closing(_athena(local, scratch, folder)) as athena:
                for one, its_window in missing:
                    _stand_in(athena, one, statement(one, its_window))
                yield athena


def _missing(
    catalog: GlueCatalog, bundle: Bundle, table: TableFacts, window: Window
) -> list[tuple[TableFacts, Window]]:
    """Find what is read, directly or below, and does not exist; upstream first.

    An external table is itself what its preview reads.
    """
    wanted: dict[str, Window] = {table.name: window}
    result: list[tuple[TableFacts, Window]] = []
    for one in reversed(bundle.tables):
        its_window = wanted.get(one.name)
        if its_window is None:
            continue
        if one.name != table.name or table.kind == "ddl":
            if _exists(catalog, one):
                continue
            its_window = its_window.to(one.grain or its_window.grain)
            result.append((one, its_window))
        for read in one.reads:
            if read != one.name:
                read_window = its_window.before(one.lookbacks.get(read, 0)).to("day")
                wanted[read] = read_window.joined(wanted.get(read))
    return result[::-1]


def _exists(catalog: GlueCatalog, table: TableFacts) -> bool:
    try:
        catalog.get_table(DatabaseName=table.database, Name=table.name.partition(".")[2])
    except GlueError:
        return False
    return True


def _copy(path: Path, target: Path) -> None:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def _make_databases(catalog: GlueCatalog, bundle: Bundle) -> None:
    have = {found["Name"] for found in catalog.get_databases()["DatabaseList"]}
    for name in bundle.databases:
        if name not in have:
            catalog.create_database(DatabaseInput={"Name": name})


def _athena(local: Local, catalog: GlueCatalog, folder: Path) -> LocalAthena:
    buckets = {name: local.root / path for name, path in local.environment.buckets.items()}
    s3 = FolderS3(local.state / "s3", {**buckets, _SCRATCH: folder})
    return LocalAthena(
        s3, catalog, folder / "athena.sqlite", results=f"s3://{_SCRATCH}/results/", now=local.now
    )


def _stand_in(athena: LocalAthena, table: TableFacts, text: str) -> None:
    if table.kind != "ddl":
        name = table.name.partition(".")[2]
        text = f'CREATE OR REPLACE VIEW "{table.database}"."{name}" AS\n{text}'
    done = athena.run_query_execution(QueryString=text)
    status = done["Status"]
    if status["State"] != "SUCCEEDED":
        raise StandInFailed(table, str(status.get("StateChangeReason", status["State"])))


class StandInFailed(Exception):
    """An upstream that is not published cannot be stood in for; its SQL failed."""

    def __init__(self, table: TableFacts, reason: str) -> None:
        """Take the upstream and Athena's reason."""
        self.table = table
        self.reason = reason
        super().__init__(f"{table.name}: {reason}")
