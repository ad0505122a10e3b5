"""The published files of a load, read by DuckDB.

In: a manifest and where its files lie.  Out: rows, in the form that a mart takes, or as lines of
text.  Partition values come from the manifest; nothing is guessed from paths.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.loads.types import (
    MOST_EXACT_DIGITS,
    AthenaType,
    Family,
    duckdb_family,
    duckdb_type,
    parse_type,
)
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from runner.model.loads import LoadFile, LoadManifest

    Connect = Callable[[], DuckDBPyConnection]
    Form = Callable[[str, AthenaType], str]

_PATH_COLUMN = "_runner_file"
_ROWS = "_runner_rows"
_BATCH_ROWS = 20_000
_MOST_BYTES_IN_MEMORY = 8 * 1024**2
_MOST_ROWS_IN_MEMORY = 200_000
_BATCH_LINES = 4096
_SMALL = {"memory_limit": "160MB", "threads": "1"}
"""What a DuckDB of its own may use; what needs more (telling keys apart) goes to disk.  One thread:
the server is what takes long, and threads that wait for it spin."""


def fresh_duckdb() -> DuckDBPyConnection:
    """Open a DuckDB of its own, in memory, that stays small however many rows there are."""
    import duckdb  # noqa: PLC0415 - heavy; only a load needs it

    return duckdb.connect(config={**_SMALL, "temp_directory": tempfile.gettempdir()})


def quoted(name: str) -> str:
    """Quote an identifier as SQL's standard says (DuckDB, SQLite)."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Write a string literal."""
    return "'" + text.replace("'", "''") + "'"


class Source(NamedTuple):
    """The rows of a load; valid inside `open_source`."""

    manifest: LoadManifest
    connection: DuckDBPyConnection
    relation: str
    """FROM clause that gives every manifest column by name, or nothing when there are no files."""
    file_types: dict[str, str]
    """DuckDB's types of the files' columns, by lower-cased name."""

    def check_keys(self) -> None:
        """Refuse rows that share a key or lack one: which of them would win is chance."""
        keys = self.manifest.keys
        if not keys or not self.relation:
            return
        names = ", ".join(quoted(key) for key in keys)
        missing = " OR ".join(f"{quoted(key)} IS NULL" for key in keys)
        nulls, extra = self._one(
            f"SELECT count(*) FILTER (WHERE {missing}), count(*) - count(DISTINCT ({names})) "
            f"{self.relation}"
        )
        if nulls or extra:
            raise ServiceError(
                "Load.KeysNotUnique",
                f"{self.manifest.key.table}: the keys ({', '.join(keys)}) do not name one row: "
                f"{nulls} rows have a NULL key, {extra} rows repeat another's key; "
                "add a `unique` test on the keys, or choose keys that are",
            )

    def rows(self, form: Form) -> Iterator[list[tuple[Any, ...]]]:
        """Give batches of rows, each column in the form that the mart takes."""
        return self._batches(self._select(form), _BATCH_ROWS)

    def lines(self, form: Form) -> Iterator[list[str]]:
        """Give batches of rows as lines for LOAD DATA: strings quoted, NULL bare.

        The text is made by DuckDB: one value per row is all that Python sees.
        """
        return self._texts([_csv_text(form(*one), one[1]) for one in self._kinds()])

    def literals(self, form: Form) -> Iterator[list[str]]:
        """Give batches of rows as `1,'text',NULL`, for a server in NO_BACKSLASH_ESCAPES."""
        return self._texts([_literal_text(form(*one), one[1]) for one in self._kinds()])

    def _kinds(self) -> list[tuple[str, AthenaType]]:
        return [
            (quoted(column.name), parse_type(column.athena_type))
            for column in self.manifest.all_columns
        ]

    def _texts(self, texts: list[str]) -> Iterator[list[str]]:
        joined = " || ',' || ".join(texts)
        for batch in self._batches(joined, _BATCH_LINES):
            yield [row[0] for row in batch]

    def _batches(self, selected: str, size: int) -> Iterator[list[tuple[Any, ...]]]:
        """Stream a query over the rows: no more than a batch is in memory."""
        if not self.relation:
            return
        with _translated(self.manifest):
            result = self.connection.execute(f"SELECT {selected} {self.relation}")
        while True:
            with _translated(self.manifest):
                batch = result.fetchmany(size)
            if not batch:
                return
            yield batch

    def _select(self, form: Form) -> str:
        return ", ".join(f"{form(name, kind)} AS {name}" for name, kind in self._kinds())

    def _one(self, sql: str) -> tuple[Any, ...]:
        with _translated(self.manifest):
            row = self.connection.execute(sql).fetchone()
        assert row is not None  # noqa: S101 - these statements give one row
        return tuple(row)


@contextmanager
def open_source(
    manifest: LoadManifest, *, path_of: Callable[[str], str | Path], connect: Connect = fresh_duckdb
) -> Iterator[Source]:
    """Check that every file lies where its record says, and make its rows readable."""
    if manifest.format != "parquet":
        raise ServiceError(
            "Load.UnknownFormat",
            f"{manifest.key.table}: the built-in loader reads parquet, not {manifest.format}",
        )
    paths = {file: _checked(file, path_of) for file in manifest.files}
    connection = connect()
    try:
        if not paths:
            yield Source(manifest, connection, "", {})
            return
        with _translated(manifest):
            files, types = _opened(connection, manifest, list(paths.values()))
        _check_types(manifest, types)
        yield Source(manifest, connection, _relation(manifest, paths, files, types), types)
    finally:
        connection.close()


def _checked(file: LoadFile, path_of: Callable[[str], str | Path]) -> str:
    path = str(path_of(file.uri))
    try:
        size = os.stat(path).st_size  # noqa: PTH116 - once a file, and Path is slow
    except FileNotFoundError:
        raise ServiceError(
            "Load.FileMissing",
            f"{file.uri} is in the record of the published table but not in the lake; "
            "run the table again",
        ) from None
    if size != file.size:
        raise ServiceError(
            "Load.FileChanged",
            f"{file.uri} has {size} bytes, its record says {file.size}; run the table again",
        )
    return path


def _file_list(paths: list[str]) -> str:
    return "[" + ", ".join(literal(path) for path in paths) + "]"


def _opened(
    connection: DuckDBPyConnection, manifest: LoadManifest, paths: list[str]
) -> tuple[str, dict[str, str]]:
    """Give what to read the files' rows from, with DuckDB's types by lower-cased name.

    Files that are small together are read once into memory: opening them is what takes long.
    """
    files = (
        f"read_parquet({_file_list(paths)}, union_by_name=true, hive_partitioning=false, "
        f"filename={literal(_PATH_COLUMN)})"
    )
    small = (
        manifest.rows is not None
        and manifest.rows <= _MOST_ROWS_IN_MEMORY
        and sum(file.size for file in manifest.files) <= _MOST_BYTES_IN_MEMORY
    )
    if small:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {_ROWS} AS SELECT * FROM {files}")
        files = _ROWS
    described = connection.execute(f"DESCRIBE SELECT * FROM {files}").fetchall()
    types = {str(row[0]).lower(): str(row[1]) for row in described}
    del types[_PATH_COLUMN]
    return files, types


def _check_types(manifest: LoadManifest, types: dict[str, str]) -> None:
    """Refuse files that do not hold what the catalogue says, as Athena would."""
    found = [column.name.lower() for column in manifest.columns if column.name.lower() in types]
    wrong = [
        f"{column.name} is {types[column.name.lower()]} in the files and "
        f"{column.athena_type} in the catalogue"
        for column in manifest.columns
        if column.name.lower() in types
        and not _fits(duckdb_family(types[column.name.lower()]), parse_type(column.athena_type))
    ]
    if manifest.columns and not found:
        wrong = ["the files hold none of the table's columns"]
    if wrong:
        raise ServiceError("Load.SchemaDrift", f"{manifest.key.table}: " + "; ".join(wrong))


def _fits(file: Family, declared: AthenaType) -> bool:
    return file is declared.family or (file, declared.family) == (Family.TEXT, Family.NESTED)


def _relation(
    manifest: LoadManifest, paths: dict[LoadFile, str], files: str, types: dict[str, str]
) -> str:
    """Write a FROM clause whose columns have the manifest's names and types.

    A column that no file holds reads NULL: it was added after these partitions were written,
    and Athena reads it so too.
    """
    columns = [
        f"{_cast(column.name, column.athena_type, types)} AS {quoted(column.name)}"
        for column in manifest.columns
    ]
    columns += [
        f"CAST(p.{quoted(column.name)} AS {duckdb_type(parse_type(column.athena_type))}) "
        f"AS {quoted(column.name)}"
        for column in manifest.partition_columns
    ]
    if not manifest.partition_columns:
        return f"FROM (SELECT {', '.join(columns)} FROM {files} AS f)"
    names = ", ".join(quoted(column.name) for column in manifest.partition_columns)
    values = ", ".join(
        f"({literal(path)}, {_partition_values(manifest, file)})" for file, path in paths.items()
    )
    return (
        f"FROM (SELECT {', '.join(columns)} FROM {files} AS f "
        f"JOIN (VALUES {values}) AS p({quoted(_PATH_COLUMN)}, {names}) "
        f"ON f.{quoted(_PATH_COLUMN)} = p.{quoted(_PATH_COLUMN)})"
    )


def _partition_values(manifest: LoadManifest, file: LoadFile) -> str:
    given = dict(file.partition)
    return ", ".join(literal(given[column.name]) for column in manifest.partition_columns)


def _cast(name: str, athena_type: str, types: dict[str, str]) -> str:
    kind = parse_type(athena_type)
    wanted = duckdb_type(kind)
    found = types.get(name.lower())
    column = f"f.{quoted(name)}"
    if found is None:
        return f"CAST(NULL AS {wanted})"
    if found == wanted:
        return column
    if kind.family is Family.NESTED and duckdb_family(found) is Family.NESTED:
        return f"CAST(to_json({column}) AS VARCHAR)"
    if found == "TIMESTAMP WITH TIME ZONE":
        return f"make_timestamp(epoch_us({column}))"
    return f"CAST({column} AS {wanted})"


def sqlite_form(column: str, kind: AthenaType) -> str:
    """Write a column as SQLite stores it; NaN and infinities become NULL, as MySQL has none."""
    match kind.family:
        case Family.BOOLEAN:
            return f"CAST({column} AS TINYINT)"
        case Family.FLOAT:
            return _finite(column)
        case Family.DECIMAL if kind.size <= MOST_EXACT_DIGITS:
            return f"CAST({column} AS DOUBLE)"
        case Family.DECIMAL | Family.DATE | Family.TIMESTAMP:
            return f"CAST({column} AS VARCHAR)"
        case Family.INTEGER | Family.TEXT | Family.BINARY | Family.NESTED:
            return column


def mysql_form(column: str, kind: AthenaType) -> str:
    """Write a column as the staging table takes it, in CSV and in INSERT alike."""
    match kind.family:
        case Family.BOOLEAN:
            return f"CAST({column} AS TINYINT)"
        case Family.FLOAT:
            return _finite(column)
        case Family.DECIMAL | Family.DATE | Family.TIMESTAMP:
            return f"CAST({column} AS VARCHAR)"
        case Family.BINARY:
            return f"hex({column})"
        case Family.INTEGER | Family.TEXT | Family.NESTED:
            return column


_TEXTS = (Family.TEXT, Family.NESTED)


def _csv_text(value: str, kind: AthenaType) -> str:
    """Write DuckDB SQL that gives a value of `mysql_form` as LOAD DATA reads it."""
    text = f"CAST({value} AS VARCHAR)"
    if kind.family in _TEXTS:
        text = _enclosed(value, '"')
    return f"coalesce({text}, 'NULL')"


def _literal_text(value: str, kind: AthenaType) -> str:
    """Write DuckDB SQL that gives a value of `mysql_form` as a literal of the staging's type."""
    text = f"CAST({value} AS VARCHAR)"
    match kind.family:
        case Family.BINARY:
            text = "'X' || " + _enclosed(text, "'")
        case Family.TEXT | Family.NESTED:
            text = _enclosed(text, "'")
        case Family.DATE:
            text = "'DATE' || " + _enclosed(text, "'")
        case Family.TIMESTAMP:  # always with microseconds, as a DATETIME(6) has them
            point = f"CASE WHEN contains({text}, '.') THEN '' ELSE '.' END"
            text = "'TIMESTAMP' || " + _enclosed(f"rpad({text} || {point}, 26, '0')", "'")
        case Family.FLOAT:  # without an exponent it would be a decimal, which is rounded otherwise
            text = f"{text} || CASE WHEN contains({text}, 'e') THEN '' ELSE 'e0' END"
        case Family.BOOLEAN | Family.INTEGER | Family.DECIMAL:
            pass
    return f"coalesce({text}, 'NULL')"


def _enclosed(value: str, mark: str) -> str:
    one, two = literal(mark), literal(mark * 2)
    return f"{one} || replace({value}, {one}, {two}) || {one}"


def _finite(column: str) -> str:
    return f"CASE WHEN isfinite({column}) THEN {column} END"


@contextmanager
def _translated(manifest: LoadManifest) -> Iterator[None]:
    """Turn DuckDB's errors into the load's."""
    import duckdb  # noqa: PLC0415 - heavy; only a load needs it

    try:
        yield
    except duckdb.Error as exc:
        raise ServiceError(
            "Load.Unreadable", f"{manifest.key.table}: the published files cannot be read: {exc}"
        ) from exc
