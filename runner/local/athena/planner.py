"""From a query's text to DuckDB SQL over files, through the cache of translations.

In: SQL and its database.  Out: a `Plan`.  A statement whose shape and tables were translated
before needs no sqlglot and no binding to know its columns.
"""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.athena.engine import UnknownColumn
from runner.local.athena.errors import AthenaFailure
from runner.local.athena.familiar import Families
from runner.local.athena.footers import FooterCache
from runner.local.athena.hidden import hidden_sql
from runner.local.athena.lexer import position, tokenize
from runner.local.athena.readers import scan_sql
from runner.local.athena.shape import Shape, shape_of
from runner.local.athena.sqltypes import coerces, parse_type
from runner.local.athena.tables import TableInfo, load_table
from runner.local.athena.template import Template, load_template, scan_name
from runner.local.athena.travel import as_of, period_of, snapshot_of
from runner.local.athena.unpacking import unpacked
from runner.local.athena.virtual import VIRTUAL, find_virtual, is_virtual, virtual_sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.local.athena.engine import Engine, Handle
    from runner.local.athena.partitions import Evaluate, Locator, Part, Values
    from runner.local.athena.tables import Field
    from runner.local.athena.template import DecimalLiterals
    from runner.local.athena.travel import Period


class Learning(NamedTuple):
    """A new translation whose columns are not known yet."""

    template: Template
    shape: Shape
    database: str


class Plan(NamedTuple):
    """A query that DuckDB can run."""

    sql: str
    columns: tuple[tuple[str, str], ...]
    """Output names and DuckDB types."""
    text_bytes: int
    """Size of the files that are read whole (JSON and text)."""
    columnar: bool
    """Whether Parquet files are read, whose bytes only DuckDB can count."""
    shows: tuple[str, ...] = ()
    """How to show each output column; see Template."""
    shown: str = ""
    """The SQL whose rows are shown; see Template."""
    declared: tuple[str, ...] = ()
    """Types with a length, for showing; see Template."""
    names: tuple[str, ...] = ()
    """Names for showing; see Template."""
    learning: Learning | None = None
    """A translation that is kept when running the query has told its columns."""
    of_family: bool = False
    """Whether it was made for other numbers; its columns are not known."""

    def declared_columns(self) -> tuple[tuple[str, str], ...]:
        """Give output names and types as a new table keeps them: declared lengths stay."""
        if len(self.declared) != len(self.columns):
            return self.columns
        return tuple(
            (name, declared if declared and kind == "VARCHAR" else kind)
            for (name, kind), declared in zip(self.columns, self.declared, strict=True)
        )

    def scanned(self, bytes_read: int) -> int:
        """Give the bytes that Athena would bill: text files whole, columns as they were read."""
        return max(self.text_bytes, bytes_read) if self.columnar else self.text_bytes


class Given(NamedTuple):
    """A table that only one statement knows: its description, and the query that reads it."""

    table: TableInfo
    scan: str


class Planner:
    """Plans queries over the catalogue's tables."""

    def __init__(
        self,
        engine: Engine,
        locator: Locator,
        cache: Path | None,
        *,
        decimals: DecimalLiterals = "double",
    ) -> None:
        """Take the engine, where files are found, and the folder of translations, if any."""
        self._decimals = decimals
        self._engine = engine
        self._locator = locator
        self._cache = cache
        self._footers = FooterCache(engine)
        self._code = _code_digest() if cache is not None else ""
        self._families = Families()

    def plan(
        self,
        cursor: Handle,
        sql: str,
        *,
        database: str,
        given: Mapping[tuple[str, str], Given] | None = None,
    ) -> Plan:
        """Plan one query over the catalogue's tables and those given; raises AthenaFailure."""
        if given:
            plain = Shape(sql, ())
            template = self._translated(cursor, sql, plain, database, given)
            return self._fill(cursor, template, given)
        return self._fill(cursor, self._template(cursor, sql, database))

    def plan_to_run(self, cursor: Handle, sql: str, *, database: str) -> Plan:
        """Plan a query that runs at once, so that its columns need not be asked for before.

        Who runs it tells `learn` the columns, or asks `plan` for the reason when it fails.
        """
        shape = shape_of(sql, tokenize(sql))
        known = self._known(shape, database)
        if known is not None:
            return self._fill(cursor, known.fill(shape))
        family = self._families.of(sql, database) if self._cache is not None else None
        found = family.find(sql) if family is not None else None
        if found is not None and self._is_valid(*found):
            template, shape = found
            return self._fill(cursor, template.fill(shape))._replace(of_family=True)
        try:
            template = self._translate(cursor, shape.text, shape, database)
            if not template.shown:  # which has other columns than the query
                plain = template.fill(shape)
                if family is not None:
                    family.learn(sql, plain, partial(self._translate_free, cursor, database))
                plan = self._fill(cursor, plain)
                return plan._replace(learning=Learning(template, shape, database))
        except AthenaFailure:
            pass  # planning says the same with the places and words of the text itself
        return self.plan(cursor, sql, database=database)

    def learn(self, plan: Plan, columns: tuple[tuple[str, str], ...]) -> None:
        """Keep a new translation with the columns that running it gave."""
        if plan.learning is not None:
            template, shape, database = plan.learning
            self._remember(template._replace(columns=columns), shape, database)

    def scans(
        self, cursor: Handle, sql: str, *, database: str
    ) -> tuple[tuple[TableInfo, tuple[Part, ...]], ...]:
        """Give the tables that a query reads, each with the parts that pruning leaves."""
        template = self._template(cursor, sql, database)
        tables = [self._table(scan.database, scan.table) for scan in template.scans]
        return tuple(
            (
                table,
                ()
                if table.format == VIRTUAL
                else tuple(self._locator.parts(table, scan.conditions)),
            )
            for table, scan in zip(tables, template.scans, strict=True)
        )

    def reads(self, cursor: Handle, sql: str, *, database: str) -> frozenset[tuple[str, str]]:
        """Give the tables and views that a query reads, those inside of views, too."""
        found = self._template(cursor, sql, database).reads
        shape = shape_of(sql, tokenize(sql))
        return frozenset((shape.fill(schema), shape.fill(name)) for schema, name, _ in found)

    def _template(self, cursor: Handle, sql: str, database: str) -> Template:
        """Translate a query, or find its translation."""
        shape = shape_of(sql, tokenize(sql))
        known = self._known(shape, database)
        if known is not None:
            return known.fill(shape)
        try:
            template = self._translated(cursor, shape.text, shape, database)
        except AthenaFailure:
            if not shape.values:
                raise
            # Positions, names and messages must be those of the text itself.
            plain = Shape(sql, ())
            return self._translated(cursor, sql, plain, database)
        self._remember(template, shape, database)
        return template.fill(shape)

    def lookup(self, database: str, name: str) -> TableInfo | None:
        """Find a table or view of the catalogue."""
        return load_table(self._locator.catalog, database, name)

    def source(self, database: str, name: str) -> TableInfo | None:
        """Find what a query may read: also a table of the past, or one that tells of others."""
        if (period := period_of(name)) is not None:
            return self._as_of(database, period)
        if is_virtual(database, name):
            return find_virtual(self._locator, database, name)
        return self.lookup(database, name)

    def _as_of(self, database: str, period: Period) -> TableInfo | None:
        from runner.local.athena.iceberg import METADATA, read_document  # noqa: PLC0415 - rare

        table = self.lookup(database, period.name)
        if table is None or table.view is not None:
            return table
        if not table.is_iceberg:
            raise AthenaFailure("NOT_SUPPORTED", "This connector does not support versioned tables")
        document = read_document(self._locator.s3, dict(table.parameters)[METADATA])
        return as_of(table, document, snapshot_of(document, period, self._value, str(table)))

    def _value(self, sql: str) -> tuple[str, Any]:
        """Give the type and the value of an expression."""
        with self._engine.cursor() as cursor:
            plan = self.plan(cursor, f"SELECT {sql}", database="")
            return parse_type(plan.columns[0][1]).name, self._engine.run(cursor, plan.sql).rows[0][
                0
            ]

    def _translated(
        self,
        cursor: Handle,
        text: str,
        shape: Shape,
        database: str,
        given: Mapping[tuple[str, str], Given] | None = None,
    ) -> Template:
        template = self._translate(cursor, text, shape, database, given)
        try:
            empty = self._empty(template.fill(shape), given or {})
            columns = self._engine.describe(cursor, empty)
        except UnknownColumn as error:
            raise _placed(error, text) from error
        return template._replace(columns=columns)

    def _translate(
        self,
        cursor: Handle,
        text: str,
        shape: Shape,
        database: str,
        given: Mapping[tuple[str, str], Given] | None = None,
        *,
        free: bool = False,
    ) -> Template:
        from runner.local.athena.translate import (  # noqa: PLC0415 - brings sqlglot, 0.2 s
            translate_query,
        )

        def look_up(schema: str, name: str) -> TableInfo | None:
            if given and (schema, name) in given:
                return given[schema, name].table
            return self.source(shape.fill(schema), shape.fill(name))

        with cursor.translating():
            template = translate_query(
                text,
                database=database,
                lookup=look_up,
                decimals=self._decimals,
                free=free,
                check=cursor.go_on,
            )
        for view, line, column in template.views:
            self._check_view(cursor, view, place=(line, column))
        return template._replace(views=())

    def _translate_free(self, cursor: Handle, database: str, shape: Shape) -> Template:
        """Translate a shape whose numbers must not be read; raises Looked, AthenaFailure."""
        return self._translate(cursor, shape.text, shape, database, free=True)

    def _check_view(self, cursor: Handle, table: TableInfo, *, place: tuple[int, int]) -> None:
        """Refuse a view whose query does not give the columns any more that it was made with."""
        if table.view is None:
            return
        found = self._template(cursor, table.view.sql, table.view.database).columns
        told = [(each.name, parse_type(each.type)) for each in table.columns]
        why = ""
        if len(found) != len(told):
            why = (
                f"stored view column count ({len(told)}) does not match column count derived from "
                f"the view query analysis ({len(found)})"
            )
        for number, ((name, kind), (column, stored)) in enumerate(zip(found, told, strict=False)):
            given = parse_type(kind)
            if not why and not coerces(given, stored):
                why = (
                    f"column [{name}] of type {given.trino()} projected from query view at "
                    f"position {number} cannot be coerced to column [{column}] of type "
                    f"{stored.trino()} stored in view definition"
                )
        if why:
            raise AthenaFailure(
                "VIEW_IS_STALE",
                f"View 'awsdatacatalog.{table}' is stale or in invalid state: {why}",
                line=place[0],
                column=place[1],
            )

    def _empty(self, template: Template, given: Mapping[tuple[str, str], Given]) -> str:
        """Write the query over no files at all, to learn its columns."""
        names = ((scan.database, scan.table) for scan in template.scans)
        tables = (given[key].table if key in given else self._table(*key) for key in names)
        scans = (
            hidden_sql(self._locator.s3, table, ((), ()), scan.hidden)
            if scan.hidden
            else scan_sql(table, ())
            for table, scan in zip(tables, template.scans, strict=True)
        )
        return _insert(template.sql, tuple(scans))

    def _scan(
        self, cursor: Handle, table: TableInfo, parts: Sequence[Part], hidden: Sequence[str]
    ) -> str:
        ready = unpacked(table, parts, cursor)
        if hidden:
            return hidden_sql(self._locator.s3, table, (parts, ready), hidden)
        return scan_sql(table, ready, partial(self._footers.columns, cursor))

    def _fill(
        self,
        cursor: Handle,
        template: Template,
        given: Mapping[tuple[str, str], Given] | None = None,
    ) -> Plan:
        found: list[str] = []
        text_bytes, columnar = 0, False
        tables: dict[tuple[str, str], TableInfo] = {}
        """Each is looked up once: a statement reads one snapshot of an Iceberg table."""
        for scan in template.scans:
            key = (scan.database, scan.table)
            if given and key in given:
                found.append(given[key].scan)
                columnar = True
                continue
            table = tables[key] = tables.get(key) or self._table(*key)
            if table.format == VIRTUAL:
                found.append(virtual_sql(self._locator, table))
                continue
            parts = self._locator.parts(table, scan.conditions)
            found.append(self._scan(cursor, table, parts, scan.hidden))
            if table.format in {"parquet", "orc"}:
                columnar = columnar or bool(parts)
            else:
                text_bytes += _size(parts)
        sql = _insert(template.sql, tuple(found))
        shown = _insert(template.shown, tuple(found)) or sql
        return Plan(
            sql,
            template.columns,
            text_bytes,
            columnar,
            template.shows,
            shown,
            template.declared,
            template.names,
        )

    def _table(self, database: str, name: str) -> TableInfo:
        table = self.source(database, name)
        if table is None:
            raise AthenaFailure(
                "TABLE_NOT_FOUND", f"Table 'awsdatacatalog.{database}.{name}' does not exist"
            )
        return table

    def _path(self, shape: Shape, database: str) -> Path | None:
        if self._cache is None:
            return None
        key = f"{self._code} {self._decimals} {database}\n{shape.text}"
        return self._cache / f"{sha256(key.encode()).hexdigest()[:40]}.json"

    def _known(self, shape: Shape, database: str) -> Template | None:
        """Give the cached translation if the tables it was made with are still the same."""
        path = self._path(shape, database)
        if path is None:
            return None
        try:
            template = load_template(path.read_text())
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return template if self._is_valid(template, shape) else None

    def _is_valid(self, template: Template, shape: Shape) -> bool:
        for schema, name, fingerprint in template.reads:
            table = self.source(shape.fill(schema), shape.fill(name))
            if table is None or table.fingerprint() != fingerprint:
                return False
        return True

    def _remember(self, template: Template, shape: Shape, database: str) -> None:
        path = self._path(shape, database)
        if path is None:
            return
        # Scans name tables by the text's own words, placeholders and all.
        temporary = path.with_suffix(f".{uuid.uuid4().hex}")
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(template.dump())
            os.replace(temporary, path)  # noqa: PTH105 - the same thing


def _code_digest() -> str:
    """Digest the translator's own files: a translation is only as good as what made it."""
    found = [
        (path.name, path.stat().st_size, path.stat().st_mtime_ns)
        for folder in ("", "passes")
        for path in sorted((Path(__file__).parent / folder).glob("*.py"))
    ]
    return sha256(repr(found).encode()).hexdigest()[:16]


def evaluate_with(engine: Engine) -> Evaluate:
    """Give the function with which a Locator keeps partitions: DuckDB over their values."""

    def keep(
        keys: Sequence[Field], candidates: Sequence[Values], expressions: Sequence[str]
    ) -> Sequence[Values]:
        rows = ", ".join(f"({', '.join(_literal(v) for v in values)})" for values in candidates)
        names = ", ".join(f"v{number}" for number in range(len(keys)))
        cast = ", ".join(
            f'TRY_CAST(v{number} AS {parse_type(key.type).duck()}) AS "{key.name}"'
            for number, key in enumerate(keys)
        )
        where = " AND ".join(expressions)
        sql = (
            f"SELECT {names} FROM (SELECT {names}, {cast} FROM (VALUES {rows}) AS v({names})) "
            f"WHERE {where}"
        )
        with engine.cursor() as cursor:
            return engine.run(cursor, sql).rows

    return keep


def _literal(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def _insert(sql: str, scans: tuple[str, ...]) -> str:
    for number, scan in enumerate(scans):
        sql = sql.replace(f'"{scan_name(number)}"', scan)
    return sql


def _size(parts: Sequence[Part]) -> int:
    return sum(file.size for part in parts for file in part.files)


def _placed(error: UnknownColumn, sql: str) -> UnknownColumn:
    for token in tokenize(sql):
        if token.name() == error.column:
            line, column = position(sql, token.start)
            return UnknownColumn(error.column, line=line, place=column)
    return error
