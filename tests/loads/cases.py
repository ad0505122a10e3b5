"""Loads as short values, for tests of the checks and of the generator."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from runner.loads.checks import LoadCase, judge
from runner.loads.shapes import (
    MartColumn,
    MartServer,
    MartTable,
    SourceFacts,
    UniqueKey,
)
from runner.loads.target import read_type
from runner.model.loads import LoadColumn, LoadFile, LoadKey, LoadManifest, LoadWindow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.loads.checks import Finding

WINDOW = LoadWindow(("dt",), (("2013-01-01",), ("2013-01-02",)))
TYPES = {"carrier": "varchar(2)", "flights": "bigint"}


def manifest(types: Mapping[str, str] | None = None, **changes: Any) -> LoadManifest:  # noqa: ANN401 - fields
    """Make the load of `carrier_day`; `asked` gives types of the header, `days=False` no window."""
    asked = changes.pop("asked", {})
    windowed = changes.pop("windowed", True)
    made = LoadManifest(
        key=LoadKey("carrier_day", "marts.carrier_day", "2013-01-01", "2013-01-02", "p1"),
        mode="replace_window" if windowed else "truncate_insert",
        keys=(),
        columns=tuple(LoadColumn(n, t, asked.get(n)) for n, t in (types or TYPES).items()),
        partition_columns=(LoadColumn("dt", "string", asked.get("dt")),) if windowed else (),
        window=WINDOW if windowed else None,
        files=(LoadFile("s3://lake/a", 10, (("dt", "2013-01-01"),)),),
        format="parquet",
        rows=4,
    )
    return replace(made, **changes)


def whole(types: Mapping[str, str], **changes: Any) -> LoadManifest:  # noqa: ANN401 - fields
    """Make the load of a whole table."""
    return manifest(types, windowed=False, **changes)


def column(name: str, text: str, **changes: Any) -> MartColumn:  # noqa: ANN401 - fields
    return replace(read_type(name, text), **changes)


def table(types: Mapping[str, str | MartColumn], *keys: UniqueKey, **changes: Any) -> MartTable:  # noqa: ANN401 - fields
    """Make a table of the mart from types as SQL writes them."""
    columns = tuple(
        column(name, text) if isinstance(text, str) else text for name, text in types.items()
    )
    return replace(MartTable("carrier_day", columns, keys, engine="InnoDB"), **changes)


def fitting_table(*keys: UniqueKey, **changes: Any) -> MartTable:  # noqa: ANN401 - fields
    """Make a table that takes the rows of `manifest()`."""
    types = {
        "carrier": "VARCHAR(2) NOT NULL",
        "flights": "BIGINT",
        "dt": "VARCHAR(10) NOT NULL",
    }
    return table(types, *keys, **changes)


def sqlite_table(types: Mapping[str, str], *keys: UniqueKey, **changes: Any) -> MartTable:  # noqa: ANN401 - fields
    columns = tuple(MartColumn(name, text.lower(), text) for name, text in types.items())
    return replace(MartTable("carrier_day", columns, keys), **changes)


KEY = UniqueKey("PRIMARY", ("dt", "carrier"))
MARIADB = MartServer("mariadb", "10.11", database="mart", tables=("carrier_day", "_runner_loads"))
SQLITE = MartServer("sqlite")


def facts(rows: int = 4, **more: Any) -> SourceFacts:  # noqa: ANN401 - fields
    return SourceFacts(rows=rows, **more)


def case(made: LoadManifest | None = None, **changes: Any) -> LoadCase:  # noqa: ANN401 - fields
    """Make a case in which nothing is wrong, with changes."""
    return replace(LoadCase(made or manifest(), fitting_table(), MARIADB), **changes)


def merge(**changes: Any) -> LoadManifest:  # noqa: ANN401 - fields
    return manifest(mode="merge", keys=("dt", "carrier"), **changes)


def found(given: LoadCase, *only: str) -> list[tuple[str, str, str]]:
    """Give check, severity and error name of every finding."""
    return [(one.check, one.severity, one.error) for one in judge(given, only=only or None)]


def one(given: LoadCase, *only: str) -> Finding:
    """Give the only finding."""
    (finding,) = judge(given, only=only or None)
    return finding
