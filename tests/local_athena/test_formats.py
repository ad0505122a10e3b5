"""ORC, Avro and Ion: other people's files are read, and ours are read by other people."""

from __future__ import annotations

import bz2
import gzip
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("pyarrow", reason="the extra 'formats' is not installed")
pytest.importorskip("fastavro", reason="the extra 'formats' is not installed")
pytest.importorskip("amazon.ion", reason="the extra 'formats' is not installed")

import fastavro
import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet
from amazon.ion import simpleion

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.local_athena.conftest import World

COLUMNS = (
    "id bigint, n int, small smallint, flag boolean, r float, d double, price decimal(10,2), "
    "name string, code varchar(3), raw binary, day date, at timestamp, tags array<string>, "
    "counts map<string,int>, place struct<city:string,days:array<date>>"
)
FULL: dict[str, Any] = {
    "id": 2**40,
    "n": -7,
    "small": 300,
    "flag": True,
    "r": 1.5,
    "d": -0.25,
    "price": Decimal("12345678.90"),
    "name": "Zürich ✓",
    "code": "abc",
    "raw": b"\x00\xff",
    "day": date(1969, 12, 31),
    "at": datetime(2013, 1, 2, 3, 4, 5, 678000),
    "tags": ["a", None, ""],
    "counts": {"x": 1, "y": None},
    "place": {"city": "Bern", "days": [date(2020, 2, 29)]},
}
EMPTY = dict.fromkeys(FULL)
ROWS = [tuple(FULL.values()), tuple(EMPTY.values())]
VALUES = """
    CAST(1099511627776 AS bigint) AS id, -7 AS n, {small} AS small, true AS flag,
    CAST(1.5 AS real) AS r, -0.25e0 AS d, DECIMAL '12345678.90' AS price, 'Zürich ✓' AS name,
    CAST('abc' AS varchar(3)) AS code, from_hex('00ff') AS raw, DATE '1969-12-31' AS day,
    TIMESTAMP '2013-01-02 03:04:05.678' AS at, ARRAY['a', NULL, ''] AS tags,
    MAP(ARRAY['x', 'y'], ARRAY[1, NULL]) AS counts,
    CAST(ROW('Bern', ARRAY[DATE '2020-02-29']) AS ROW(city varchar, days array(date))) AS place
"""
NOTHING = f"SELECT {', '.join(['NULL'] * len(FULL))}"
ARROW = pa.schema(
    [
        ("id", pa.int64()),
        ("n", pa.int32()),
        ("small", pa.int16()),
        ("flag", pa.bool_()),
        ("r", pa.float32()),
        ("d", pa.float64()),
        ("price", pa.decimal128(10, 2)),
        ("name", pa.string()),
        ("code", pa.string()),
        ("raw", pa.binary()),
        ("day", pa.date32()),
        ("at", pa.timestamp("ns")),
        ("tags", pa.list_(pa.string())),
        ("counts", pa.map_(pa.string(), pa.int32())),
        ("place", pa.struct([("city", pa.string()), ("days", pa.list_(pa.date32()))])),
    ]
)


def orc(table: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pyarrow.orc.write_table(table, sink, **options)
    return sink.getvalue()


def avro(schema: dict[str, Any], rows: list[dict[str, Any]], codec: str = "null") -> bytes:
    sink = io.BytesIO()
    fastavro.writer(sink, fastavro.parse_schema(schema), rows, codec=codec)
    return sink.getvalue()


def record(**fields: object) -> dict[str, Any]:
    listed = [{"name": name, "type": kind} for name, kind in fields.items()]
    return {"type": "record", "name": "r", "fields": listed}


def make(world: World, stored: str, columns: str = COLUMNS, keys: str = "") -> None:
    partitioned = f"PARTITIONED BY ({keys})" if keys else ""
    world.run(
        f"CREATE EXTERNAL TABLE t ({columns}) {partitioned} STORED AS {stored} LOCATION 's3://b/t/'"
    )


def written(world: World, sql: str) -> list[bytes]:
    """Run a writing statement; gives the contents of its files."""
    url = world.run(sql)["Statistics"]["DataManifestLocation"]
    files = world.s3.path_of(url).read_text().split()
    return [world.s3.path_of(file).read_bytes() for file in files]


@pytest.mark.parametrize("codec", ["zlib", "snappy", "lz4", "zstd", "uncompressed"])
def test_orc_of_pyarrow_is_read(world: World, codec: str) -> None:
    make(world, "ORC")
    world.put("t/x.orc", orc(pa.Table.from_pylist([FULL, EMPTY], ARROW), compression=codec))
    assert world.rows("SELECT * FROM t") == ROWS


def test_orc_columns_are_found_by_place_or_by_name(world: World) -> None:
    table = pa.table({"_col0": [1, 2], "_col1": ["x", "y"]})
    world.put("t/x.orc", orc(table))
    make(world, "ORC", "a bigint, b string, later date")
    assert world.rows("SELECT * FROM t ORDER BY a") == [(1, "x", None), (2, "y", None)]
    world.run("DROP TABLE t")
    world.run(
        "CREATE EXTERNAL TABLE t (later date, _COL1 string, _col0 bigint) ROW FORMAT SERDE "
        "'org.apache.hadoop.hive.ql.io.orc.OrcSerde' WITH SERDEPROPERTIES "
        "('orc.column.index.access' = 'false') STORED AS ORC LOCATION 's3://b/t/'"
    )
    assert world.rows("SELECT * FROM t ORDER BY 3") == [(None, "x", 1), (None, "y", 2)]


def test_parquet_columns_are_found_by_place_when_the_table_says_so(world: World) -> None:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"first": [1], "second": ["x"]}), sink)
    world.put("t/x.parquet", sink.getvalue())
    world.run(
        "CREATE EXTERNAL TABLE t (a bigint, b string, c int) ROW FORMAT SERDE "
        "'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' WITH SERDEPROPERTIES "
        "('parquet.column.index.access' = 'true') STORED AS PARQUET LOCATION 's3://b/t/'"
    )
    assert world.rows("SELECT * FROM t") == [(1, "x", None)]


def test_orc_fields_of_rows_are_found_by_name(world: World) -> None:
    table = pa.Table.from_pylist([{"s": {"b": 1, "A": "x"}}, {"s": None}])
    world.put("t/x.orc", orc(table))
    make(world, "ORC", "s struct<a:string,b:bigint,c:int>")
    assert world.rows("SELECT s.a, s.b, s.c, s IS NULL FROM t ORDER BY 4") == [
        ("x", 1, None, False),
        (None, None, None, True),
    ]


def test_orc_integers_widen_and_other_types_do_not_fit(world: World) -> None:
    world.put("t/x.orc", orc(pa.table({"a": pa.array([5], pa.int16()), "b": ["x"]})))
    make(world, "ORC", "a bigint, b int")
    assert world.rows("SELECT a FROM t") == [(5,)]
    assert world.failure("SELECT b FROM t") == (
        "HIVE_BAD_DATA: Malformed ORC file. Can not read SQL type integer from ORC stream .b of "
        "type STRING"
    )


def test_orc_integers_too_large_for_the_declared_type_fail(world: World) -> None:
    world.put("t/x.orc", orc(pa.table({"a": [2**40]})))
    make(world, "ORC", "a int")
    assert world.failure("SELECT a FROM t").startswith("HIVE_BAD_DATA: Column a: ")


def test_orc_timestamps_are_rounded_to_milliseconds(world: World) -> None:
    at = pa.array([datetime(2020, 1, 1, 0, 0, 0, 123600)], pa.timestamp("us"))
    world.put("t/x.orc", orc(pa.table({"at": at})))
    make(world, "ORC", "at timestamp")
    assert world.rows("SELECT at FROM t") == [(datetime(2020, 1, 1, 0, 0, 0, 124000),)]


def test_orc_timestamps_that_the_library_cannot_read_are_refused(world: World) -> None:
    at = pa.array([datetime(9999, 12, 31)], pa.timestamp("us"))
    world.put("t/x.orc", orc(pa.table({"at": at, "n": [1]})))
    make(world, "ORC", "at timestamp, n bigint")
    assert "A timestamp before 1677 or after 2262" in world.failure("SELECT at FROM t")
    assert world.rows("SELECT n FROM t") == [(1,)]


def test_a_broken_file_fails(world: World) -> None:
    world.put("t/x.orc", b"not ORC at all, though long enough to have a footer")
    make(world, "ORC", "a int")
    assert world.failure("SELECT a FROM t").startswith("HIVE_BAD_DATA: Malformed ORC file.")


def test_only_the_columns_that_a_query_needs_are_scanned(world: World) -> None:
    rows = 50_000
    table = pa.table({"n": range(rows), "text": [f"{n * 7919:060}" for n in range(rows)]})
    body = orc(table, compression="uncompressed", dictionary_key_size_threshold=0.0)
    world.put("t/x.orc", body)
    make(world, "ORC", "n bigint, text string")
    one = world.run("SELECT sum(n) FROM t")["Statistics"]["DataScannedInBytes"]
    both = world.run("SELECT max(text), sum(n) FROM t")["Statistics"]["DataScannedInBytes"]
    assert one < len(body) / 5
    assert len(body) * 0.9 < both < len(body) * 1.1


@pytest.mark.parametrize("where", ["n > 2 AND d > 1", "d > 1 OR name = 'c'", "n IN (1, 4)"])
def test_filters_mean_the_same_as_on_parquet(world: World, where: str) -> None:
    rows = (
        "(VALUES (1, nan(), 'a'), (2, 5e0, 'b'), (3, 0e0, 'c'), (4, 9e0, NULL), (5, NULL, 'c')) "
        "AS v(n, d, name)"
    )
    for kind in ("ORC", "AVRO", "ION", "PARQUET"):
        world.run(f"CREATE TABLE {kind} WITH (format = '{kind}') AS SELECT * FROM {rows}")
    expected = world.rows(f"SELECT n FROM parquet WHERE {where} ORDER BY n")
    assert 0 < len(expected) < 5
    for kind in ("orc", "avro", "ion"):
        assert world.rows(f"SELECT n FROM {kind} WHERE {where} ORDER BY n") == expected
        assert world.rows(f"SELECT count(*) FROM {kind} WHERE {where}") == [(len(expected),)]


@pytest.mark.parametrize("kind", ["ORC", "AVRO", "ION"])
def test_a_table_is_read_twice_in_one_query(world: World, kind: str) -> None:
    world.run(f"CREATE TABLE t WITH (format = '{kind}') AS SELECT 1 AS n UNION ALL SELECT 2")
    assert world.rows("SELECT a.n, b.n FROM t a JOIN t b ON a.n < b.n") == [(1, 2)]


@pytest.mark.parametrize("kind", ["ORC", "AVRO", "ION"])
@pytest.mark.parametrize("days", [2, 6])
def test_partitions_are_written_registered_and_pruned(world: World, kind: str, days: int) -> None:
    values = ", ".join(f"({day}, '2013-01-{day:02}')" for day in range(1, days + 1))
    world.run(
        f"CREATE TABLE t WITH (format = '{kind}', partitioned_by = ARRAY['dt']) AS "
        f"SELECT * FROM (VALUES {values}) AS v(n, dt)"
    )
    assert world.rows("SELECT n, dt FROM t WHERE dt < '2013-01-03' ORDER BY n") == [
        (1, "2013-01-01"),
        (2, "2013-01-02"),
    ]
    assert world.rows("SELECT count(*), count(DISTINCT dt) FROM t") == [(days, days)]
    world.run("INSERT INTO t VALUES (9, '2013-01-01')")
    assert world.rows("SELECT sum(n) FROM t WHERE dt = '2013-01-01'") == [(10,)]
    part = world.run("SELECT n FROM t WHERE dt = '2013-01-02'")["Statistics"]
    assert 0 < part["DataScannedInBytes"] < 2000


@pytest.mark.parametrize("codec", ["ZLIB", "SNAPPY", "LZ4", "ZSTD", "NONE"])
def test_orc_of_ours_is_read_by_pyarrow(world: World, codec: str) -> None:
    select = f"SELECT {VALUES.format(small='CAST(300 AS smallint)')} UNION ALL {NOTHING}"
    sql = f"CREATE TABLE t WITH (format = 'ORC', write_compression = '{codec}') AS {select}"
    (body,) = written(world, sql)
    opened = pyarrow.orc.ORCFile(io.BytesIO(body))
    assert opened.compression == ("UNCOMPRESSED" if codec == "NONE" else codec)
    rows = opened.read().to_pylist(maps_as_pydicts="strict")
    assert sorted(rows, key=lambda row: row["id"] is None) == [FULL, EMPTY]


def test_orc_is_packed_with_zlib_by_default(world: World) -> None:
    (body,) = written(world, "CREATE TABLE t WITH (format = 'ORC') AS SELECT 1 AS n")
    assert pyarrow.orc.ORCFile(io.BytesIO(body)).compression == "ZLIB"


AVRO_CODECS = {
    "DEFLATE": "deflate",
    "SNAPPY": "snappy",
    "BZIP2": "bzip2",
    "ZSTD": "zstandard",
    "NONE": "null",
}


@pytest.mark.parametrize("codec", AVRO_CODECS)
def test_avro_of_ours_is_read_by_fastavro(world: World, codec: str) -> None:
    select = f"SELECT {VALUES.format(small='300')} UNION ALL {NOTHING}"
    sql = f"CREATE TABLE t WITH (format = 'AVRO', write_compression = '{codec}') AS {select}"
    (body,) = written(world, sql)
    reader = fastavro.reader(io.BytesIO(body))
    assert reader.codec == AVRO_CODECS[codec]
    rows: list[Any] = list(reader)
    found = sorted(rows, key=lambda row: row["id"] is None)
    assert found == [{**FULL, "at": FULL["at"].replace(tzinfo=UTC)}, EMPTY]
    assert world.rows("SELECT * FROM t ORDER BY id IS NULL") == ROWS


@pytest.mark.parametrize("codec", AVRO_CODECS.values())
def test_avro_of_fastavro_is_read(world: World, codec: str) -> None:
    schema = record(
        ID="long",
        name=["null", "string"],
        kind={"type": "enum", "name": "e", "symbols": ["A", "B"]},
        digest={"type": "fixed", "name": "f", "size": 2},
        price={"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2},
        day={"type": "int", "logicalType": "date"},
        at={"type": "long", "logicalType": "timestamp-millis"},
        raw_at={"type": "long", "logicalType": "timestamp-millis"},
        deep={"type": "array", "items": record(x="int") | {"name": "inner"}},
    )
    at = datetime(2013, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    row = {
        "ID": 7,
        "name": None,
        "kind": "B",
        "digest": b"xy",
        "price": Decimal("1.50"),
        "day": date(2020, 2, 29),
        "at": at,
        "raw_at": at,
        "deep": [{"x": 1}, {"x": 2}],
    }
    world.put("t/x.avro", avro(schema, [row], codec))
    make(
        world,
        "AVRO",
        "id bigint, name string, kind string, digest binary, price decimal(5,2), day date, "
        "at timestamp, raw_at bigint, deep array<struct<x:int>>, absent string",
    )
    assert world.rows("SELECT * FROM t") == [
        (
            7,
            None,
            "B",
            b"xy",
            Decimal("1.50"),
            date(2020, 2, 29),
            datetime(2013, 1, 2, 3, 4, 5, 678000),
            1357095845678,
            [{"x": 1}, {"x": 2}],
            None,
        )
    ]


def test_an_avro_schema_gives_columns_defaults_and_aliases(world: World) -> None:
    world.put("t/x.avro", avro(record(old="int", n="int"), [{"old": 3, "n": 4}]))
    literal = (
        '{"type":"record","name":"r","fields":['
        '{"name":"now","type":"int","aliases":["old"],"doc":"renamed"},'
        '{"name":"n","type":"long"},'
        '{"name":"later","type":"string","default":"none"}]}'
    )
    world.run(
        "CREATE EXTERNAL TABLE t ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.avro.AvroSerDe' "
        f"WITH SERDEPROPERTIES ('avro.schema.literal' = '{literal}') STORED AS AVRO "
        "LOCATION 's3://b/t/'"
    )
    assert world.rows("SELECT * FROM t") == [(3, 4, "none")]
    columns = world.catalog.get_table(DatabaseName="db", Name="t")["Table"]["StorageDescriptor"]
    assert [each["Type"] for each in columns["Columns"]] == ["int", "bigint", "string"]


def test_an_avro_value_of_another_type_fails(world: World) -> None:
    world.put("t/x.avro", avro(record(a="string"), [{"a": "x"}]))
    make(world, "AVRO", "a int")
    assert world.failure("SELECT a FROM t") == (
        "HIVE_BAD_DATA: Column a of type integer cannot be read from str x"
    )


@pytest.mark.parametrize(
    ("select", "reason"),
    [
        ("CAST(1 AS tinyint) AS n", "Column 'n' is tinyint, which is not supported by Avro."),
        ("MAP(ARRAY[1], ARRAY[2]) AS m", "Column 'm' has a non-varchar map key"),
    ],
)
def test_what_avro_cannot_hold_is_refused(world: World, select: str, reason: str) -> None:
    assert reason in world.failure(f"CREATE TABLE t WITH (format = 'AVRO') AS SELECT {select}")


UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "NONE": bytes,
    "GZIP": gzip.decompress,
    "BZIP2": bz2.decompress,
}


@pytest.mark.parametrize("encoding", ["BINARY", "TEXT"])
@pytest.mark.parametrize("codec", UNPACK)
def test_ion_of_ours_is_read_by_amazon_ion(world: World, encoding: str, codec: str) -> None:
    select = f"SELECT {VALUES.format(small='CAST(300 AS smallint)')} UNION ALL {NOTHING}"
    sql = (
        f"CREATE TABLE t WITH (format = 'ION', ion_encoding = '{encoding}', "
        f"write_compression = '{codec}') AS {select}"
    )
    (body,) = written(world, sql)
    plain = UNPACK[codec](body)
    assert plain.startswith(b"\xe0\x01\x00\xea") == (encoding == "BINARY")
    found = [value for value in simpleion.loads(plain, single_value=False) if value]
    assert len(found) == 1
    assert found[0]["name"] == "Zürich ✓"
    assert found[0]["price"] == Decimal("12345678.90")
    assert str(found[0]["day"])[:10] == "1969-12-31"
    assert found[0]["place"]["city"] == "Bern"
    assert world.rows("SELECT * FROM t ORDER BY id IS NULL") == ROWS
    world.run("INSERT INTO t (n) VALUES (5)")
    assert world.rows("SELECT count(*), max(n) FROM t") == [(3, 5)]


def test_ion_of_others_is_read(world: World) -> None:
    text = """
    { ID: 1, name: symbol_a, at: 2013-01-02T03:04:05.678+01:00, price: 1.5, raw: {{AP8=}},
      counts: { x: 1 }, pretty:
        [ 1, null ] }
    {"id": 2, "name": null.string, day: 2020-02-29T}
    """
    world.put("t/x.ion", text)
    columns = (
        "id int, name string, at timestamp, price decimal(4,2), raw binary, "
        "counts map<string,int>, pretty array<int>, day date"
    )
    world.run(
        f"CREATE EXTERNAL TABLE t ({columns}) ROW FORMAT SERDE "
        "'com.amazon.ionhiveserde.IonHiveSerDe' STORED AS ION LOCATION 's3://b/t/'"
    )
    assert world.rows("SELECT * FROM t ORDER BY id") == [
        (
            1,
            "symbol_a",
            datetime(2013, 1, 2, 2, 4, 5, 678000),
            Decimal("1.50"),
            b"\x00\xff",
            {"x": 1},
            [1, None],
            None,
        ),
        (2, None, None, None, None, None, None, date(2020, 2, 29)),
    ]


def test_ion_paths_lead_to_nested_values(world: World) -> None:
    world.put("t/x.ion.gz", gzip.compress(b'{identification:{Name:"Ann",id:7}} {other:1}'))
    world.run(
        "CREATE EXTERNAL TABLE t (username string, n int) ROW FORMAT SERDE "
        "'com.amazon.ionhiveserde.IonHiveSerDe' WITH SERDEPROPERTIES ("
        "'ion.username.path_extractor' = '(identification name)', "
        "'ion.n.path_extractor' = '(identification id)') STORED AS ION LOCATION 's3://b/t/'"
    )
    assert world.rows("SELECT * FROM t ORDER BY n") == [("Ann", 7), (None, None)]


def test_ion_that_is_no_row_fails_unless_it_may_be_left_out(world: World) -> None:
    world.put("t/x.ion", "{a: 1} 5 {a: 2}")
    make(world, "ION", "a int")
    assert world.failure("SELECT a FROM t").startswith("HIVE_CURSOR_ERROR: Ion value 5")
    world.run("DROP TABLE t")
    world.run(
        "CREATE EXTERNAL TABLE t (a int) ROW FORMAT SERDE 'com.amazon.ionhiveserde.IonHiveSerDe' "
        "WITH SERDEPROPERTIES ('ion.ignore_malformed' = 'true') STORED AS ION LOCATION 's3://b/t/'"
    )
    assert world.rows("SELECT a FROM t ORDER BY a") == [(1,), (2,)]


def test_ion_numbers_out_of_range_fail(world: World) -> None:
    world.put("t/x.ion", "{a: 300}")
    make(world, "ION", "a tinyint")
    assert world.failure("SELECT a FROM t") == (
        "HIVE_BAD_DATA: Value 300 of column a is out of range for tinyint"
    )


@pytest.mark.parametrize("kind", ["ORC", "AVRO"])
def test_unload_writes_files_of_the_format(world: World, kind: str) -> None:
    (body,) = written(
        world,
        f"UNLOAD (SELECT 1 AS n, 'x' AS s) TO 's3://b/u/' WITH (format = '{kind}', "
        "compression = 'SNAPPY')",
    )
    if kind == "ORC":
        assert pyarrow.orc.ORCFile(io.BytesIO(body)).read().to_pylist() == [{"n": 1, "s": "x"}]
    else:
        assert list(fastavro.reader(io.BytesIO(body))) == [{"n": 1, "s": "x"}]


@pytest.mark.parametrize("kind", ["ORC", "AVRO", "ION"])
def test_a_bucketed_table_has_a_file_for_each_bucket(world: World, kind: str) -> None:
    world.run(
        f"CREATE TABLE t WITH (format = '{kind}', bucketed_by = ARRAY['n'], bucket_count = 2) AS "
        "SELECT n, n * 2 AS twice FROM UNNEST(sequence(1, 50)) AS v(n)"
    )
    assert world.rows("SELECT count(*), sum(twice) FROM t") == [(50, 2550)]


@pytest.mark.parametrize("kind", ["ORC", "AVRO", "ION"])
def test_many_batches_keep_every_row(world: World, kind: str) -> None:
    world.run(
        f"CREATE TABLE t WITH (format = '{kind}') AS SELECT a * 1000 + b AS n, "
        "CASE WHEN b % 7 > 0 THEN ARRAY[a, b] END AS l, "
        "CASE WHEN b % 5 > 0 THEN MAP(ARRAY['k'], ARRAY[b]) END AS m, "
        "CASE WHEN b % 3 > 0 THEN CAST(ROW(b, ARRAY[b]) AS ROW(x integer, y array(integer))) "
        "END AS r FROM UNNEST(sequence(0, 69)) AS x(a), UNNEST(sequence(0, 999)) AS y(b)"
    )
    assert world.rows("SELECT count(*), count(DISTINCT n), max(n) FROM t") == [
        (70_000, 70_000, 69_999)
    ]
    right = (
        "coalesce(l[1] * 1000 + l[2] = n, n % 1000 % 7 = 0) AND "
        "coalesce(m['k'] = n % 1000, n % 1000 % 5 = 0) AND "
        "coalesce(r.x = n % 1000 AND r.y[1] = n % 1000, n % 1000 % 3 = 0)"
    )
    assert world.rows(f"SELECT count(*), count(l), count(m), count(r) FROM t WHERE {right}") == [
        (70_000, 70 * 857, 70 * 800, 70 * 666)
    ]


def test_records_of_avro_have_names_of_their_own(world: World) -> None:
    world.run(
        "CREATE TABLE t WITH (format = 'AVRO') AS SELECT "
        "CAST(ROW(ROW(1)) AS ROW(b ROW(c integer))) AS a, CAST(ROW(2) AS ROW(c integer)) AS a_b"
    )
    assert world.rows("SELECT a.b.c, a_b.c FROM t") == [(1, 2)]
