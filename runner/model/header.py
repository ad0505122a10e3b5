"""The YAML header of a SQL file: what a user may write, and what each key means."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from runner.model.fields import Duration, KeyColumn


class Strict(BaseModel):
    """What users write: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)


class Kind(StrEnum):
    """How a table is written."""

    CTAS = "ctas"
    INSERT = "insert"
    VIEW = "view"
    DDL = "ddl"


class PartitionColumn(Strict):
    """One partition column: Athena's partition projection for it."""

    type: Literal["date", "integer", "enum", "injected"] = Field(
        description="Projection type, as Athena names it."
    )
    format: str | None = Field(
        None, description="Java date pattern of a `date` column, e.g. yyyy-MM-dd."
    )
    range: str | None = Field(
        None,
        description="`first,last` of a date or integer column; NOW arithmetic allowed in dates.",
    )
    values: tuple[str, ...] | None = Field(
        None, description="Every value of an `enum` column; the values to write of `injected`."
    )
    interval: int | None = Field(None, ge=1, description="Step between two values.")
    interval_unit: Literal["HOURS", "DAYS", "MONTHS", "YEARS"] | None = Field(
        None, description="Unit of `interval` in a date column."
    )
    digits: int | None = Field(None, ge=1, le=18, description="Zero padding of an integer column.")


class Bucket(Strict):
    """Hive buckets of a ctas table."""

    columns: tuple[str, ...] = Field(min_length=1, description="Columns to bucket by.")
    count: int = Field(ge=1, le=100, description="Number of buckets.")


class LoadMode(StrEnum):
    """How rows reach the mart: Embulk's modes, and `replace_window`."""

    INSERT = "insert"
    INSERT_DIRECT = "insert_direct"
    TRUNCATE_INSERT = "truncate_insert"
    REPLACE = "replace"
    MERGE = "merge"
    MERGE_DIRECT = "merge_direct"
    REPLACE_WINDOW = "replace_window"


class Load(Strict):
    """The load of this table into a relational mart."""

    table: str | None = Field(None, description="The mart's table; the table's own name if absent.")
    mart: str = Field("main", description="Which of the environment's `marts`.")
    mode: LoadMode | None = Field(
        None,
        description="Default: replace_window for a partitioned table, replace for any other.",
    )
    keys: tuple[str, ...] = Field((), description="Key columns, needed by merge.")
    columns: tuple[str, ...] = Field(
        (),
        description="Columns to load, in this order, partition columns behind the others; every "
        "column if absent.",
    )
    types: dict[str, str] = Field(
        default_factory=dict,
        description="Column and its type in the mart, where it differs from the default.",
    )
    before: str | None = Field(
        None,
        min_length=1,
        description="One SQL statement for the mart, run before rows move, in the same "
        "transaction where the mode allows it.",
    )
    after: str | None = Field(
        None, min_length=1, description="One SQL statement for the mart, run after rows moved."
    )
    create: bool = Field(
        default=True, description="Make the mart's table when it is missing; else refuse."
    )
    min_rows: int | None = Field(
        None,
        ge=0,
        description="Least rows of a load; fewer are refused and the mart stays as it is.",
    )
    engine: Literal["native", "embulk"] | None = Field(
        None, description="Loader; the environment's default if absent."
    )


class Freshness(Strict):
    """How old the newest row of a partition may be when the partition's period ends."""

    column: str = Field(
        description="Column of civil time, in the project's time zone as windows are: a date, a "
        "timestamp, or text such as 2013-01-05 or 2013-01-05 07:30."
    )
    max_age: Duration = Field(
        description="The newest value lies at most so long before the end of the partition's "
        "period (of the run's window in a table without time partitions), such as 6h or 2d. "
        "No clock is asked, so that a backfill of old days passes."
    )


class ColumnTest(Strict):
    """One test of the staged rows; exactly one of the test keys is set.

    Every test is made for each partition by itself, all of a table in one query.
    """

    unique: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="Columns that together are unique within a partition. NULL counts as a "
        "value: two rows alike in all of them are a duplicate.",
    )
    not_null: tuple[str, ...] | None = Field(
        None, min_length=1, description="Columns without NULL."
    )
    accepted_values: dict[str, tuple[str | int, ...]] | None = Field(
        None, description="Column and the values it may have (NULL passes)."
    )
    range: dict[str, tuple[float | None, float | None]] | None = Field(
        None,
        description="Column and [least, greatest]; null leaves an end open (NULL passes).",
    )
    min_rows: int | None = Field(None, ge=0, description="Least rows of each partition.")
    max_rows: int | None = Field(None, ge=0, description="Most rows of each partition.")
    relationships: dict[str, str] | None = Field(
        None,
        description="Column and the `database.table.column` that holds each of its values (NULL "
        "passes). That table is read whole as it is published; in a workflow that writes both it "
        "comes first. It makes nothing stale.",
    )
    freshness: Freshness | None = Field(
        None,
        description="How old the newest row of each partition may be (a partition without rows "
        "passes; min_rows refuses it).",
    )
    sql: str | None = Field(
        None,
        min_length=1,
        description="A condition that offending rows meet, such as `delay < -120`; or a query "
        "over `{{ this }}`, the staged rows, that gives the offending rows, partition columns "
        "included.",
    )
    name: str | None = Field(None, min_length=1, description="What results call this test.")
    severity: Literal["error", "warn"] = Field(
        "error", description="`error` stops the publish, `warn` is reported."
    )


class MaskWith(Strict):
    """A mask that needs a value; exactly one key."""

    hash: KeyColumn | None = Field(
        None,
        description="`database.table.column` that holds the key, in one row: HMAC-SHA256 of the "
        "value, 64 hex digits. Athena reads the key when it runs the statement; no file, no "
        "definition and no log holds it.",
    )
    truncate: int | None = Field(
        None, ge=1, description="Keep so many of the text's first characters."
    )
    constant: str | int | float | bool | None = Field(
        None, description="This value in every row, also where there was NULL."
    )
    age_decade: str | None = Field(
        None,
        description="Column with the date at which the age is taken, where the row's partition "
        "date (the window's last day in a table without one) is not meant.",
    )

    def given(self) -> tuple[str, ...]:
        """Name the keys that have a value."""
        names = ("hash", "truncate", "constant", "age_decade")
        return tuple(name for name in names if getattr(self, name) is not None)


Mask = Literal["drop", "null", "domain", "age_decade"] | MaskWith | None
"""How one column is masked; YAML's own null means `null`."""
MASK_MEANING = (
    "Column and how it is masked: `drop` (left out), `null`, `domain` (of an e-mail address), "
    "`age_decade` (of a birthday: 0, 10, ... 90 and older), `{hash: database.table.column}` (keyed "
    "with what that column holds), `{truncate: n}`, `{constant: value}`."
)


class Backfill(Strict):
    """What a backfill of this table covers."""

    from_: str = Field(alias="from", description="First civil value, e.g. 2013-01-01.")


class Header(Strict):
    """The header of a SQL file, between `/*---` and `---*/`."""

    description: str = Field("", description="What a row of this table is.")
    kind: Kind | None = Field(
        None, description="ctas (default), insert (default when `partition` is given), view, ddl."
    )
    partition: dict[str, PartitionColumn] = Field(
        default_factory=dict, description="Partition columns in order; time columns first."
    )
    format: Literal["parquet", "orc", "avro", "json", "textfile", "iceberg"] = Field(
        "parquet", description="File format, or iceberg: a table that is changed by MERGE."
    )
    compression: str | None = Field(None, description="Codec; zstd for parquet if absent.")
    bucket: Bucket | None = Field(None, description="Hive buckets (ctas only).")
    properties: dict[str, str] = Field(
        default_factory=dict, description="Further table properties."
    )
    keys: tuple[str, ...] = Field(
        (),
        description="Row keys of an Iceberg table; with the partition they are unique, never NULL.",
    )
    load: Load | None = Field(None, description="Load into the mart.")
    tests: tuple[ColumnTest, ...] = Field((), description="Tests on the staged rows.")
    mask: dict[str, Mask] = Field(
        default_factory=dict,
        description=f"{MASK_MEANING} The columns are those that the SQL gives.",
    )
    pii: tuple[str, ...] = Field(
        (),
        description="Columns of this table that hold personal data. They are followed through the "
        "SQL of what reads it: no load, and no database but `pii_databases`, may get them "
        "unmasked.",
    )
    lookback: dict[str, int] | None = Field(
        None, description="Upstream and how many periods before the window are read."
    )
    backfill: Backfill | None = Field(None, description="Start of the table's history.")
    watch: tuple[str, ...] = Field(
        (), description="Whole-table inputs whose change makes this table stale."
    )
    allow_empty: bool = Field(
        default=False, description="Let a ctas or a whole-table load publish zero rows."
    )
    timeout: Duration | None = Field(None, description="Longest write query, e.g. 30m.")
    tags: tuple[str, ...] = Field((), description="Words to select by, as tag:word.")

    def resolved_kind(self) -> Kind:
        """Apply the default: insert when the table has partitions, else ctas."""
        if self.kind is not None:
            return self.kind
        return Kind.INSERT if self.partition else Kind.CTAS
