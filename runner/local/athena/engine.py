"""DuckDB, one instance per engine: cursors, macros, errors worded as Athena's.

In: DuckDB SQL.  Out: rows, or files.  The instance is made when the first statement needs it; no
extension is ever downloaded, and nothing it reads stays cached, so that bytes scanned are real.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.athena.castfailures import cast_failure
from runner.local.athena.errors import AthenaFailure, no_column
from runner.local.athena.foreign import Reading, foreign_scans, missing
from runner.local.athena.functions_maths import UDFS as MATH_UDFS
from runner.local.athena.functions_maths import udfs_called
from runner.local.athena.macros import MACROS, UDFS, calls_of, definition, macros_called
from runner.local.athena.natives import natives_called
from runner.local.athena.natives import register as register_native
from runner.local.athena.number_errors import number_failure
from runner.local.athena.query_errors import query_failure
from runner.local.athena.udfs import register

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import duckdb

_COLUMN = re.compile(
    r'Referenced column "([^"]+)"|does not have a column named "([^"]+)"'
    r'|[cC]olumn "([^"]+)" (?:not found|referenced that exists in the SELECT clause)'
)
_FUNCTION = re.compile(r"Function with name (\S+) does not exist")
_NO_DATE = re.compile(r'(date|timestamp|time) field (?:value out of range|format): "([^"]*)"')
_MAP_ERRORS = {
    "Map keys must be unique.": "Duplicate map keys are not allowed",
    "Map keys can not be NULL.": "map key cannot be null",
    "The map key list does not align with the map value list.": (
        "Key and value arrays must be the same length"
    ),
}
_TRIES = "TRY("
_ARGUMENTS = re.compile(r"argument types '__(\w+)\((.*?)\)'")
_BAD_JSON = "Malformed JSON"
_READ_ERRORS = (
    *("JSON transform error", _BAD_JSON, "read_csv", "CSV Error", "Parquet"),
    "No magic bytes",
)


class Rows(NamedTuple):
    """What a statement gave: columns as (name, DuckDB type), rows, and bytes read."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]
    bytes_read: int


class Stream(NamedTuple):
    """What a statement gives piece by piece; each piece but the last has the same size."""

    columns: tuple[tuple[str, str], ...]
    pieces: Iterator[tuple[tuple[Any, ...], ...]]
    bytes_read: Callable[[], int]
    """To be called when all pieces have come."""


class Handle:
    """A cursor that is opened when it is first needed, and may be interrupted before that."""

    def __init__(
        self, opener: Callable[[], duckdb.DuckDBPyConnection], spill: Path | None = None
    ) -> None:
        """Take what opens it, and the folder in which it may keep files."""
        self._opener = opener
        self._spill = spill
        self._scratch = ""
        self.reading = Reading()
        self.foreign: set[str] = set()
        """Foreign tables that the cursor knows."""
        self.unpacked: dict[str, str] = {}
        """Files of text, and what is read in their place."""
        self._cursor: duckdb.DuckDBPyConnection | None = None
        self._stopped = False
        self._translates = False
        self._lock = threading.Lock()
        self.scan_limit = 0
        """Bytes that a statement may read; 0 for any number."""

    def get(self) -> duckdb.DuckDBPyConnection:
        """Give the cursor; raises AthenaFailure once it was interrupted."""
        self.go_on()
        if self._cursor is None:
            self._cursor = self._opener()
        return self._cursor

    def go_on(self) -> None:
        """Raise AthenaFailure once it was interrupted."""
        if self._stopped:
            raise AthenaFailure("USER_CANCELED", "Query cancelled by user")

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Work without DuckDB: whoever interrupts it now is sure that nothing comes of it."""
        self._translates = True
        try:
            yield
        finally:
            # Whoever was told that it is given up must not hear that it runs again.
            self._translates = self._stopped
        self.go_on()

    def is_given_up(self) -> bool:
        """Tell whether it was interrupted before DuckDB had anything to do, and will end so."""
        return self._stopped and self._translates

    def checked(self, bytes_read: int) -> int:
        """Give the bytes; raises AthenaFailure if they are more than the work group allows."""
        if self.scan_limit and bytes_read > self.scan_limit:
            raise AthenaFailure("EXCEEDED_SCAN_LIMIT", "Bytes scanned limit was exceeded")
        return bytes_read

    def interrupt(self) -> None:
        """Stop what runs, and whatever would run next."""
        self._stopped = True
        with self._lock:
            if self._cursor is not None:
                self._cursor.interrupt()

    def scratch(self) -> str:
        """Give a folder that lasts as long as the statement."""
        if not self._scratch:
            if self._spill is not None:
                self._spill.mkdir(parents=True, exist_ok=True)
            self._scratch = tempfile.mkdtemp(prefix="statement-", dir=self._spill)
        return self._scratch

    def close(self) -> None:
        """Close the cursor if it was opened; what it kept in files goes."""
        with self._lock:
            if self._cursor is not None:
                self._cursor.close()
                self._cursor = None
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)


class Engine:
    """A DuckDB instance; each statement runs on a cursor of its own and may be interrupted."""

    def __init__(self, *, threads: int, spill: Path, memory: str = "") -> None:
        """Take the number of threads, the folder for what does not fit in memory, and its size.

        Without a size, such as `800MB`, it is DuckDB's: four fifths of what the process may have.
        """
        self._threads = threads
        self._memory = memory
        self._spill = spill
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._defined: set[str] = set()
        self._settled: frozenset[str] = frozenset()
        """Names of calls for which nothing is left to define."""

    @contextmanager
    def cursor(self) -> Iterator[Handle]:
        """Give a cursor of its own to one statement; DuckDB starts when it is first used."""
        handle = Handle(self._open, self._spill)
        try:
            yield handle
        finally:
            handle.close()

    def open_cursor(self) -> duckdb.DuckDBPyConnection:
        """Give a cursor that its taker closes; the first one starts DuckDB."""
        with self._lock:
            if self._connection is None:
                self._connection = _connect(self._threads, self._spill, self._memory)
            return self._connection.cursor()

    def _open(self) -> duckdb.DuckDBPyConnection:
        cursor = self.open_cursor()
        cursor.execute("PRAGMA enable_profiling='no_output'")
        return cursor

    def run(self, handle: Handle, sql: str, *, most: int | None = None) -> Rows:
        """Run a statement; `most` rows are fetched (all if None); raises AthenaFailure."""
        import duckdb  # noqa: PLC0415 - costs 0.1 s

        cursor = handle.get()
        self._define(cursor, sql)
        _attach(handle, cursor, sql)
        before = handle.reading.bytes_read
        try:
            cursor.execute(sql)
            columns = tuple((each[0], str(each[1])) for each in cursor.description or ())
            rows = cursor.fetchall() if most is None else cursor.fetchmany(most)
        except duckdb.Error as error:
            raise handle.reading.take_failure() or failure_of(error) from error
        foreign = handle.reading.bytes_read - before
        return Rows(columns, tuple(rows), handle.checked(_bytes_read(cursor) + foreign))

    def stream(self, handle: Handle, sql: str, *, size: int) -> Stream:
        """Run a query whose rows are fetched piece by piece; raises AthenaFailure."""
        import duckdb  # noqa: PLC0415 - costs 0.1 s

        cursor = handle.get()
        self._define(cursor, sql)
        _attach(handle, cursor, sql)
        before = handle.reading.bytes_read

        def bytes_read() -> int:
            return _bytes_read(cursor) + handle.reading.bytes_read - before

        def pieces() -> Iterator[tuple[tuple[Any, ...], ...]]:
            while True:
                try:
                    rows = handle.get().fetchmany(size)
                except duckdb.Error as error:
                    raise handle.reading.take_failure() or failure_of(error) from error
                if len(rows) < size:
                    handle.checked(bytes_read())
                if rows:
                    yield tuple(rows)
                if len(rows) < size:
                    return

        try:
            cursor.execute(sql)
        except duckdb.Error as error:
            raise handle.reading.take_failure() or failure_of(error) from error
        columns = tuple((each[0], str(each[1])) for each in cursor.description or ())
        return Stream(columns, pieces(), bytes_read)

    def describe(self, handle: Handle, sql: str) -> tuple[tuple[str, str], ...]:
        """Give a query's output columns without running it; raises AthenaFailure."""
        found = self.run(handle, f"DESCRIBE {sql}")
        return tuple((str(row[0]), str(row[1])) for row in found.rows)

    def close(self) -> None:
        """Close the instance; while a statement whose task timed out is at work, it stays open."""
        with self._lock:
            if self._connection is not None:
                import duckdb  # noqa: PLC0415 - loaded by then

                with suppress(duckdb.Error):  # busy: it goes with the process
                    self._connection.close()
                self._connection = None
                self._defined.clear()
                self._settled = frozenset()

    def _define(self, cursor: duckdb.DuckDBPyConnection, sql: str) -> None:
        names = frozenset(calls_of(sql))
        if names <= self._settled and (_TRIES in self._defined or "TRY(" not in sql):
            return
        called = macros_called(sql)
        macros = tuple(name for name in called if name in MACROS)
        with self._lock:
            if self._connection is not None:
                self._keep_tries(self._connection, sql, macros)
                self._define_functions(self._connection, sql, macros)
                self._define_dates(self._connection, called)
            for name in macros:
                if name not in self._defined:
                    cursor.execute(definition(name))
                    self._defined.add(name)
            if self._connection is not None:
                self._settled |= names

    def _keep_tries(
        self, connection: duckdb.DuckDBPyConnection, sql: str, macros: Sequence[str]
    ) -> None:
        """Let no part that two TRYs share be computed before them: its failure would be bare.

        DuckDB has this setting for a whole instance; it costs what is computed twice.
        """
        texts = (sql, *(MACROS[name] for name in macros))
        if _TRIES not in self._defined and any("TRY(" in text for text in texts):
            connection.execute("SET disabled_optimizers = 'common_subexpressions'")
            self._defined.add(_TRIES)

    def _define_functions(
        self, connection: duckdb.DuckDBPyConnection, sql: str, macros: Sequence[str]
    ) -> None:
        """Register Python functions; a cursor that closes would take its own along."""
        texts = " ".join((sql, *(MACROS[name] for name in macros)))
        register(connection, texts, self._defined)
        for name in natives_called(sql, macros):
            if name not in self._defined:
                register_native(connection, name)
                self._defined.add(name)
        for name in udfs_called(texts):
            if name not in self._defined:
                udf = MATH_UDFS[name]
                connection.create_function(name, udf.call, list(udf.takes), udf.gives)
                self._defined.add(name)

    def _define_dates(self, connection: duckdb.DuckDBPyConnection, called: Sequence[str]) -> None:
        for name in called:
            if name in UDFS and name not in self._defined:
                function, parameters, returns = UDFS[name]
                connection.create_function(name, function, list(parameters), returns)
                self._defined.add(name)


def _attach(handle: Handle, cursor: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Give DuckDB the foreign tables that a statement names; raises AthenaFailure."""
    for name, scan in foreign_scans(sql):
        if name not in handle.foreign:
            try:
                from runner.local.athena.foreign_dataset import (  # noqa: PLC0415 - few tables need it
                    ForeignDataset,
                )
            except ImportError as error:
                raise missing(f"Reading {scan.format.upper()}", error) from error
            cursor.register(name, ForeignDataset(scan, handle.reading))
            handle.foreign.add(name)


def _connect(threads: int, spill: Path, memory: str) -> duckdb.DuckDBPyConnection:
    import duckdb  # noqa: PLC0415 - costs 0.1 s

    connection = duckdb.connect(
        config={
            "threads": threads,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "enable_external_file_cache": "false",
            **({"memory_limit": memory} if memory else {}),
        }
    )
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    connection.execute("SET GLOBAL order_by_non_integer_literal = true")
    return connection


def _bytes_read(cursor: duckdb.DuckDBPyConnection) -> int:
    text = cursor.get_profiling_information()
    match = re.search(r'"total_bytes_read":\s*(\d+)', text)
    return int(match[1]) if match else int(json.loads(text or "{}").get("total_bytes_read", 0))


def failure_of(error: Exception) -> AthenaFailure:  # noqa: PLR0911 - one return a kind
    """Translate DuckDB's error; its own words stay where Athena has no fixed ones."""
    text = str(error).split("\n\nLINE ")[0]
    name = type(error).__name__
    custom = re.search(r"\b([A-Z]+(?:_[A-Z]+)+): (.*)", text, re.DOTALL)
    if custom:
        return AthenaFailure(custom[1], re.sub(r"' to INT32.*$", "", custom[2]))
    if text.removeprefix("Invalid Input Error: ") in _MAP_ERRORS:
        message = _MAP_ERRORS[text.removeprefix("Invalid Input Error: ")]
        return AthenaFailure("INVALID_FUNCTION_ARGUMENT", message)
    if worded := number_failure(text) or cast_failure(text) or query_failure(text):
        return worded
    if name == "InterruptException":
        return AthenaFailure("USER_CANCELED", "Query cancelled by user")
    if "Division by zero" in text:
        return AthenaFailure("DIVISION_BY_ZERO", "Division by zero")
    if any(word in text for word in _READ_ERRORS):
        return _unread(_plain(text))
    if name == "BinderException":
        return _unbound(text)
    if match := _NO_DATE.search(text):
        return AthenaFailure(
            "INVALID_CAST_ARGUMENT", f"Value cannot be cast to {match[1]}: {match[2]}"
        )
    if name == "CatalogException" and (match := _FUNCTION.search(text)):
        return AthenaFailure("FUNCTION_NOT_FOUND", f"Function '{match[1]}' not registered")
    code = {
        "ConversionException": "INVALID_CAST_ARGUMENT",
        "OutOfRangeException": "NUMERIC_VALUE_OUT_OF_RANGE",
        "ParserException": "SYNTAX_ERROR",
        "InvalidInputException": "INVALID_FUNCTION_ARGUMENT",
        "IOException": "HIVE_CANNOT_OPEN_SPLIT",
        "OutOfMemoryException": "EXCEEDED_LOCAL_MEMORY_LIMIT",
    }.get(name, "GENERIC_INTERNAL_ERROR")
    return AthenaFailure(code, _plain(text))


def _unread(text: str) -> AthenaFailure:
    if _BAD_JSON in text:
        reason = f"Row is not a valid JSON Object - JSONException: {text}"
        return AthenaFailure("HIVE_CURSOR_ERROR", reason)
    return AthenaFailure("HIVE_BAD_DATA", text)


def _unbound(text: str) -> AthenaFailure:
    if match := _COLUMN.search(text):
        column = next(group for group in match.groups() if group)
        return UnknownColumn(column.lower())
    if match := _ARGUMENTS.search(text):
        kinds = match[2].lower().replace("_literal", "")
        message = f"Unexpected parameters ({kinds}) for function {match[1].lower()}"
        return AthenaFailure("FUNCTION_NOT_FOUND", message)
    if "Ambiguous" in text:
        return AthenaFailure("AMBIGUOUS_NAME", _plain(text))
    if "must appear in the GROUP BY" in text:
        return AthenaFailure("EXPRESSION_NOT_AGGREGATE", _plain(text))
    return AthenaFailure("TYPE_MISMATCH", _plain(text))


class UnknownColumn(AthenaFailure):
    """A column that no source of the query has."""

    def __init__(self, column: str, *, line: int = 0, place: int = 0) -> None:
        """Take the name in lower case and where it stands, if that is known."""
        self.column = column
        super().__init__("COLUMN_NOT_FOUND", no_column(column), line=line, column=place)


def _plain(text: str) -> str:
    """Take the kind of error off the front, and all but the first paragraph off the end."""
    text = re.sub(r"^[A-Z][\w ]+ Error: ", "", text)
    return re.split(r"\n\s*Candidate", text, maxsplit=1)[0].strip()
