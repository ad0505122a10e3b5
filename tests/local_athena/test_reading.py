"""Tables as rows: SerDes, projected partitions, and that only surviving partitions are opened."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

JSON_TABLE = """
CREATE EXTERNAL TABLE {name} ({columns})
PARTITIONED BY ({keys})
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://b/{name}/'
TBLPROPERTIES ('projection.enabled' = 'true', {properties})
"""


def projected(
    world: World, keys: str, properties: str, *, name: str = "t", columns: str = "n int"
) -> None:
    world.run(JSON_TABLE.format(name=name, columns=columns, keys=keys, properties=properties))


DAYS = """'projection.dt.type'='date', 'projection.dt.format'='yyyy-MM-dd',
          'projection.dt.range'='2013-01-01,NOW'"""


def days(world: World) -> None:
    """Make days 1 to 12, of which 11 and 12 are in the future; the day is also the value."""
    projected(world, "dt string", DAYS)
    for day in range(1, 13):
        line = f'{{"n": {day}}}\n'.encode()
        world.put(f"t/dt=2013-01-{day:02}/x.json.gz", gzip.compress(line))


def test_a_projection_ends_where_it_says(world: World) -> None:
    days(world)
    assert world.rows("SELECT count(*), max(dt) FROM t") == [(10, "2013-01-10")]


@pytest.mark.parametrize(
    ("sql", "expected", "survivors"),
    [
        ("SELECT n FROM t WHERE dt = '2013-01-05'", [(5,)], {5}),
        ("SELECT n FROM t WHERE '2013-01-05' = dt AND n > 0", [(5,)], {5}),
        ("SELECT sum(n) FROM t WHERE dt IN ('2013-01-05', '2013-01-07', 'x')", [(12,)], {5, 7}),
        ("SELECT sum(n) FROM t WHERE dt BETWEEN '2013-01-02' AND '2013-01-03'", [(5,)], {2, 3}),
        ("SELECT sum(n) FROM t WHERE dt > '2013-01-08' AND dt <= '2013-01-30'", [(19,)], {9, 10}),
        ("SELECT sum(n) FROM t WHERE dt LIKE '2013-01-0%' AND dt < '2013-01-03'", [(3,)], {1, 2}),
        ("SELECT sum(n) FROM t WHERE substr(dt, 9, 2) = '04'", [(4,)], {4}),
        ("WITH a AS (SELECT dt d, n FROM t) SELECT n FROM a WHERE d = '2013-01-05'", [(5,)], {5}),
        (
            "SELECT x.n FROM (SELECT * FROM t) x JOIN t y ON x.dt = y.dt WHERE x.dt = '2013-01-05'",
            [(5,)],
            {5},
        ),
        (
            "SELECT dt, s FROM (SELECT dt, sum(n) s FROM t GROUP BY dt) WHERE dt = '2013-01-05'",
            [("2013-01-05", 5)],
            {5},
        ),
        (
            (
                "SELECT n FROM (SELECT dt, n FROM t UNION ALL SELECT dt, n FROM t) "
                "WHERE dt = '2013-01-05'"
            ),
            [(5,), (5,)],
            {5},
        ),
        ("SELECT n FROM t WHERE dt = '2099-01-01'", [], set()),
    ],
)
def test_only_surviving_partitions_are_opened(
    world: World, sql: str, expected: list[tuple[object, ...]], survivors: set[int]
) -> None:
    days(world)
    for day in range(1, 13):
        if day not in survivors:
            world.put(f"t/dt=2013-01-{day:02}/x.json.gz", b"no gzip, no JSON: opening it fails")
    assert world.rows(sql) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM t WHERE dt = '2013-01-05' OR n = 6",
        (
            "SELECT count(*) FROM (SELECT dt, row_number() OVER (ORDER BY dt) r FROM t) "
            "WHERE dt = '2013-01-05' OR r = 6"
        ),
        (
            "SELECT count(*) FROM (SELECT dt, n FROM t ORDER BY n DESC LIMIT 6) "
            "WHERE dt IN ('2013-01-05', '2013-01-06', '2013-01-01')"
        ),
    ],
)
def test_what_does_not_exclude_a_partition_does_not_prune(world: World, sql: str) -> None:
    days(world)
    assert world.rows(sql) == [(2,)]


@pytest.mark.parametrize(
    ("keys", "properties", "folder", "values"),
    [
        (
            "h string",
            (
                "'projection.h.type'='date','projection.h.format'='yyyy/MM/dd/HH',"
                "'projection.h.range'='2013/01/09/22,NOW-10HOURS','projection.h.interval'='1',"
                "'projection.h.interval.unit'='HOURS',"
                "'storage.location.template'='s3://b/t/${h}/'"
            ),
            "t/2013/01/10/01/",
            ("2013/01/10/01",),
        ),
        (
            "m string",
            (
                "'projection.m.type'='date','projection.m.format'='yyyyMM',"
                "'projection.m.range'='201211,201302'"
            ),
            "t/m=201302/",
            ("201302",),
        ),
        (
            "n2 int",
            (
                "'projection.n2.type'='integer','projection.n2.range'='1,20',"
                "'projection.n2.digits'='3'"
            ),
            "t/n2=007/",
            (7,),
        ),
        (
            "c string, e string",
            (
                "'projection.c.type'='enum','projection.c.values'='jp,us',"
                "'projection.e.type'='enum','projection.e.values'='a,b'"
            ),
            "t/c=us/e=b/",
            ("us", "b"),
        ),
    ],
)
def test_projection_types(
    world: World, keys: str, properties: str, folder: str, values: tuple[object, ...]
) -> None:
    projected(world, keys, properties)
    world.put(f"{folder}x.json", '{"n": 1}')
    assert world.rows("SELECT * FROM t") == [(1, *values)]


def test_an_injected_column_needs_its_values(world: World) -> None:
    projected(world, "id string", "'projection.id.type'='injected'")
    world.put("t/id=7/x.json", '{"n": 1}')
    assert world.rows("SELECT n FROM t WHERE id IN ('7', '8')") == [(1,)]
    assert world.failure("SELECT n FROM t").startswith("CONSTRAINT_VIOLATION: For the injected")


def test_a_key_without_projection_is_named(world: World) -> None:
    projected(world, "dt string, x string", DAYS)
    assert world.failure("SELECT * FROM t") == (
        "HIVE_METASTORE_ERROR: Table db.t is configured for partition projection, but the "
        "following partition columns are missing projection configuration: [x] (table db.t)"
    )


def test_hidden_files_are_not_seen(world: World) -> None:
    days(world)
    world.put("t/dt=2013-01-01/_x.json", '{"n": 100}')
    world.put("t/dt=2013-01-01/.y.json", '{"n": 100}')
    assert world.rows("SELECT sum(n) FROM t") == [(55,)]


def test_json_values_become_the_declared_types(world: World) -> None:
    columns = "a int, b string, c double, d array<int>, e struct<x:int,y:string>, f boolean"
    projected(world, "dt string", DAYS, columns=columns)
    world.put(
        "t/dt=2013-01-01/x.json",
        '{"a": "12", "b": 5, "c": 1, "d": [1, 2], "e": {"x": 1, "y": "z"}, "f": true, "g": 1}\n'
        '{"b": {"k":[1]}, "c": null}\n',
    )
    assert world.rows("SELECT * FROM t") == [
        (12, "5", 1.0, [1, 2], {"x": 1, "y": "z"}, True, "2013-01-01"),
        (None, '{"k":[1]}', None, None, None, None, "2013-01-01"),
    ]


def test_json_keys_are_matched_without_case(world: World) -> None:
    projected(world, "dt string", DAYS, columns="carrierCode string, n int")
    world.put("t/dt=2013-01-01/x.json", '{"CarrierCode": "UA", "N": 3}\n')
    assert world.rows("SELECT carriercode, n FROM t") == [("UA", 3)]


def test_a_word_in_an_int_column_is_bad_data(world: World) -> None:
    projected(world, "dt string", DAYS)
    world.put("t/dt=2013-01-01/x.json", '{"n": "many"}\n')
    assert world.failure("SELECT n FROM t").startswith("HIVE_BAD_DATA: ")


def test_text_tables_skip_headers_and_read_misfits_as_null(world: World) -> None:
    world.run(
        "CREATE EXTERNAL TABLE c (a int, b string, d double, e date) ROW FORMAT DELIMITED "
        "FIELDS TERMINATED BY ',' LOCATION 's3://b/c/' "
        "TBLPROPERTIES ('skip.header.line.count'='1')"
    )
    world.put("c/1.csv", 'a,b,d,e\n1,"x",2.5,2013-01-01\nNA,\\N,,soon\n1.5,y\n')
    rows = world.rows("SELECT a, b, d, cast(e as varchar) FROM c")
    assert rows == [
        (1, '"x"', 2.5, "2013-01-01"),
        (None, None, None, None),
        (None, "y", None, None),
    ]


def test_opencsv_unquotes(world: World) -> None:
    world.run(
        "CREATE EXTERNAL TABLE c (a string, b int) ROW FORMAT SERDE "
        "'org.apache.hadoop.hive.serde2.OpenCSVSerde' WITH SERDEPROPERTIES "
        "('separatorChar'=',', 'quoteChar'='\"', 'escapeChar'='\\\\') LOCATION 's3://b/c/'"
    )
    world.put("c/1.csv", '"x, y","7"\n')
    assert world.rows("SELECT * FROM c") == [("x, y", 7)]


def test_lines_that_a_regex_does_not_match_are_nulls(world: World) -> None:
    world.run(
        "CREATE EXTERNAL TABLE r (verb string, status int, extra string) ROW FORMAT SERDE "
        "'org.apache.hadoop.hive.serde2.RegexSerDe' WITH SERDEPROPERTIES "
        "('input.regex' = '([A-Z]*) \\\"?([-0-9]*)\\\"?( .*)?') LOCATION 's3://b/r/'"
    )
    world.put("r/1.log", 'GET "200" more\nPUT -\nnothing like it\n')
    assert world.rows("SELECT * FROM r") == [
        ("GET", 200, " more"),
        ("PUT", None, None),
        (None, None, None),
    ]


def test_parquet_is_read_by_name(world: World) -> None:
    world.run("CREATE TABLE w WITH (external_location='s3://b/p/') AS SELECT 1 AS b, 'x' AS a")
    world.run(
        "CREATE EXTERNAL TABLE p (a string, new_column date, b bigint) STORED AS PARQUET "
        "LOCATION 's3://b/p/'"
    )
    assert world.rows("SELECT * FROM p") == [("x", None, 1)]


def test_registered_partitions_are_found_and_repaired(world: World) -> None:
    world.run(
        "CREATE EXTERNAL TABLE p (n int) PARTITIONED BY (dt string) ROW FORMAT SERDE "
        "'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://b/p/'"
    )
    world.put("p/dt=2013-01-01/x.json", '{"n": 1}')
    world.put("elsewhere/x.json", '{"n": 2}')
    assert world.rows("SELECT * FROM p") == []
    world.run("MSCK REPAIR TABLE p")
    world.run("ALTER TABLE p ADD PARTITION (dt='2013-01-02') LOCATION 's3://b/elsewhere/'")
    assert world.rows("SELECT * FROM p ORDER BY 1") == [(1, "2013-01-01"), (2, "2013-01-02")]
    assert world.rows("SELECT n FROM p WHERE dt > '2013-01-01'") == [(2,)]


def test_bytes_scanned_are_those_of_the_partitions_that_were_read(world: World) -> None:
    days(world)
    size = world.s3.head_object(Bucket="b", Key="t/dt=2013-01-05/x.json.gz")["ContentLength"]
    execution = world.run("SELECT n FROM t WHERE dt = '2013-01-05'")
    assert execution["Statistics"]["DataScannedInBytes"] == size


def test_files_of_several_statements_and_of_others_are_united_by_name(world: World) -> None:
    make = "CREATE TABLE {} WITH (external_location = 's3://b/{}/', partitioned_by = ARRAY['k'])"
    rows = "(VALUES {}) AS v(n, k)"
    first = rows.format(", ".join(f"({n}, 'k{n}')" for n in range(1, 6)))
    world.run(f"{make.format('t', 't')} AS SELECT n, k FROM {first}")
    table = world.catalog.get_table(DatabaseName="db", Name="t")["Table"]
    table["StorageDescriptor"]["Columns"].append({"Name": "m", "Type": "string"})
    named = ("Name", "TableType", "Parameters", "PartitionKeys", "StorageDescriptor")
    world.catalog.update_table(DatabaseName="db", TableInput={name: table[name] for name in named})
    second = rows.format(", ".join(f"({n}, 'k{n}')" for n in range(5, 9)))
    world.run(f"INSERT INTO t (m, n, k) SELECT 'new', n, k FROM {second}")
    world.run(
        "CREATE TABLE o WITH (external_location = 's3://b/o/') AS SELECT 9 AS n, 'x' AS other"
    )
    (key,) = world.keys("o/")
    world.s3.copy_object(Bucket="b", Key="t/k=k9/theirs.parquet", CopySource=f"b/{key}")
    world.run("MSCK REPAIR TABLE t")
    assert world.rows("SELECT count(*), sum(n), count(m), count(DISTINCT k) FROM t") == [
        (10, 50, 4, 9)
    ]
    assert world.rows("SELECT n, m, k FROM t WHERE k >= 'k8' ORDER BY n") == [
        (8, "new", "k8"),
        (9, None, "k9"),
    ]


@pytest.mark.parametrize("value", ["null", "NULL", "a=b", "a b", "ü", "1e3", "a%20b", "2013"])
def test_partition_values_are_the_catalogues_text(world: World, value: str) -> None:
    values = ["p", "q", "r", value]
    rows = ", ".join(f"({n}, '{each}')" for n, each in enumerate(values))
    world.run(
        "CREATE TABLE t WITH (external_location = 's3://b/n=7/t/', partitioned_by = ARRAY['k']) "
        f"AS SELECT n, k FROM (VALUES {rows}) AS v(n, k)"
    )
    assert world.rows("SELECT n, k FROM t ORDER BY n") == list(enumerate(values))


def test_a_folder_above_may_be_named_like_a_column(world: World) -> None:
    world.run(
        JSON_TABLE.format(name="t", columns="n int", keys="dt string", properties=DAYS).replace(
            "s3://b/t/", "s3://b/dt=x/n=0/t/"
        )
    )
    for day in range(1, 6):
        world.put(f"dt=x/n=0/t/dt=2013-01-{day:02}/x.json", f'{{"n": {day}}}\n')
    assert world.rows("SELECT sum(n), min(dt), max(dt) FROM t") == [
        (15, "2013-01-01", "2013-01-05")
    ]


def test_fixed_leading_keys_find_their_partitions(world: World) -> None:
    """Registered partitions are looked up by their first keys where these are fixed texts."""
    world.run(
        "CREATE EXTERNAL TABLE two (x int) PARTITIONED BY (d string, n int, c varchar(9)) "
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://b/two/'"
    )
    places = [("a", 1, "q"), ("a", 1, 'q"'), ("a", 1, "ü"), ("a", 10, "q"), ("ab", 1, "q")]
    for x, (d, n, c) in enumerate(places):
        world.put(f"odd/{x}/x.csv", f"{x}\n")
        world.run(
            f"ALTER TABLE two ADD PARTITION (d='{d}', n={n}, c='{c}') LOCATION 's3://b/odd/{x}/'"
        )

    def found(where: str) -> list[int]:
        return sorted(row[0] for row in world.rows(f"SELECT x FROM two WHERE {where}"))

    assert found("d = 'a'") == [0, 1, 2, 3]
    assert found("d IN ('ab')") == [4]
    assert found("d = 'a' AND n = 1") == [0, 1, 2]
    assert found("d = 'a' AND n = 1 AND c = 'ü'") == [2]
    assert found("d = 'a' AND c = 'q\"'") == [1]
    assert found("d = 'a' AND d = 'ab'") == []
    assert found("d IN ('a', 'ab') AND n = 1 AND c = 'q'") == [0, 4]
    assert found("n = 10") == [3]
    assert found("d = ''") == []
