"""Text tables: delimiters, nesting, escapes, quotes, codecs, JSON's properties; and what fails."""

from __future__ import annotations

import bz2
import gzip
import json
import sys
import zlib
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from runner.local.athena.functions_textfiles import FUNCTIONS
from runner.local.athena.macros import MACROS, UDFS
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.local_athena.conftest import World

NESTED = (
    "id int, tags array<string>, counts map<string,int>, place struct<city:string,zip:int>, "
    "deep array<struct<k:string,v:array<int>>>"
)
OPENX = "org.openx.data.jsonserde.JsonSerDe"
HIVE_JSON = "org.apache.hive.hcatalog.data.JsonSerDe"
OPENCSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"


def make(world: World, columns: str, clauses: str = "", properties: str = "") -> None:
    world.run("DROP TABLE IF EXISTS t")
    tail = f"TBLPROPERTIES ({properties})" if properties else ""
    world.run(f"CREATE EXTERNAL TABLE t ({columns}) {clauses} LOCATION 's3://b/t/' {tail}")


def serde(name: str, properties: str = "") -> str:
    with_ = f"WITH SERDEPROPERTIES ({properties})" if properties else ""
    return f"ROW FORMAT SERDE '{name}' {with_}"


def test_nested_values_have_delimiters_by_level(world: World) -> None:
    line = "7\x01a\x02\\N\x02\x01x\x031\x02y\x03\\N\x02x\x039\x01Bern\x023000\x01k\x031\x042\x02l\n"
    world.put("t/x", line + "8\x01\x01\x01\x01\n\\N\x01\\N\x01\\N\x01\\N\x01\\N\n9\n")
    make(world, NESTED)
    assert world.rows("SELECT * FROM t ORDER BY id") == [
        (
            7,
            ["a", None, ""],
            {"x": 1, "y": None},
            {"city": "Bern", "zip": 3000},
            [{"k": "k", "v": [1, 2]}, {"k": "l", "v": None}],
        ),
        (8, [], {}, {"city": "", "zip": None}, []),
        (9, None, None, None, None),
        (None, None, None, None, None),
    ]


def test_delimiters_may_be_chosen(world: World) -> None:
    world.put("t/x", "1|a;b|x=1;y=2\n")
    make(
        world,
        "id int, tags array<string>, counts map<string,int>",
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' COLLECTION ITEMS TERMINATED BY ';' "
        "MAP KEYS TERMINATED BY '=' LINES TERMINATED BY '\\n'",
    )
    assert world.rows("SELECT * FROM t") == [(1, ["a", "b"], {"x": 1, "y": 2})]


def test_escaped_delimiters_are_text(world: World) -> None:
    world.put("t/x", "a\\,b,c\\\\,1\\nd\n\\N,\\\\N,x\n")
    make(
        world,
        "a string, b string, c string",
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' ESCAPED BY '\\\\'",
    )
    assert world.rows("SELECT * FROM t ORDER BY a") == [
        ("a,b", "c\\", "1\nd"),
        (None, "\\N", "x"),
    ]


@pytest.mark.parametrize("delimiter", ["9", "\\t", "\\011"])
def test_a_delimiter_may_be_a_number(world: World, delimiter: str) -> None:
    world.put("t/x", "1\tx\n")
    make(
        world,
        "a int, b string",
        serde(
            "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe", f"'field.delim' = '{delimiter}'"
        ),
    )
    assert world.rows("SELECT * FROM t") == [(1, "x")]


def test_null_is_written_as_the_table_says(world: World) -> None:
    world.put("t/x", "NA,1,NA\nb,NA,\\N\n")
    make(
        world,
        "a string, b int, c string",
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' NULL DEFINED AS 'NA'",
    )
    assert world.rows("SELECT * FROM t ORDER BY b") == [(None, 1, None), ("b", None, "\\N")]


def test_lines_have_too_few_or_too_many_fields(world: World) -> None:
    world.put("t/x", 'a,1,extra,more\nb\n"c",3\n')
    make(world, "a string, b int", "ROW FORMAT DELIMITED FIELDS TERMINATED BY ','")
    assert world.rows("SELECT * FROM t ORDER BY a") == [('"c"', 3), ("a", 1), ("b", None)]


EMPTY_LINES = "\na,1\r\n\r\nb,2\n\n"
EMPTY_ROWS = [("", None), ("", None), ("", None), ("a", 1), ("b", 2)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_empty_lines_are_rows(world: World, pack: Callable[[bytes], bytes]) -> None:
    name = "t/x.csv.gz" if pack is gzip.compress else "t/x.csv"
    world.put(name, pack(EMPTY_LINES.encode()))
    make(world, "a string, b int", "ROW FORMAT DELIMITED FIELDS TERMINATED BY ','")
    assert world.rows("SELECT * FROM t ORDER BY a, b") == EMPTY_ROWS
    make(world, "a string, b string", serde(OPENCSV))
    assert world.rows("SELECT count(*), count(a), count(b) FROM t") == [(5, 5, 2)]
    pattern = "'input.regex' = '([a-z]),(.*)'"
    make(world, "a string, b int", serde("org.apache.hadoop.hive.serde2.RegexSerDe", pattern))
    assert world.rows("SELECT * FROM t ORDER BY a") == [
        ("a", 1),
        ("b", 2),
        *[(None, None)] * 3,
    ]


def test_header_lines_are_left_out_of_each_file(world: World) -> None:
    for name in ("x", "y"):
        world.put(f"t/{name}", f"title\n\n{name},1\n")
    make(
        world,
        "a string, b int",
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY ','",
        "'skip.header.line.count' = '2'",
    )
    assert world.rows("SELECT * FROM t ORDER BY a") == [("x", 1), ("y", 1)]


def hadoop_blocks(packed: list[tuple[int, list[bytes]]]) -> bytes:
    """Write blocks, each with the size of its text and its chunks."""
    blocks = []
    for size, chunks in packed:
        inner = b"".join(len(chunk).to_bytes(4, "big") + chunk for chunk in chunks)
        blocks.append(size.to_bytes(4, "big") + inner)
    return b"".join(blocks)


def snappy_literal(text: bytes) -> bytes:
    """Pack at most 60 bytes as SNAPPY's literal: its length, a tag, the text."""
    return bytes([len(text), (len(text) - 1) << 2]) + text


def lz4_literal(text: bytes) -> bytes:
    """Pack at most 14 bytes as LZ4's last literals: a token, the text."""
    return bytes([len(text) << 4]) + text


TEXT = b"a,1\nb,2\nc,3\n"


@pytest.mark.parametrize(
    ("suffix", "body"),
    [
        (".bz2", bz2.compress(TEXT[:8]) + bz2.compress(TEXT[8:])),
        (".gz", gzip.compress(TEXT[:6], mtime=0) + gzip.compress(TEXT[6:], mtime=0)),
        (".deflate", zlib.compress(TEXT)),
        (
            ".snappy",
            hadoop_blocks(
                [
                    (8, [snappy_literal(TEXT[:3]), snappy_literal(TEXT[3:8])]),
                    (4, [snappy_literal(TEXT[8:])]),
                ]
            ),
        ),
        (".lz4", hadoop_blocks([(12, [lz4_literal(TEXT)])])),
    ],
    ids=["bz2", "gz", "deflate", "snappy", "lz4"],
)
@pytest.mark.parametrize("keys", ["", "PARTITIONED BY (k string)"])
def test_packed_text_is_told_by_its_extension(
    world: World, suffix: str, body: bytes, keys: str
) -> None:
    if suffix in {".snappy", ".lz4"}:
        pytest.importorskip("cramjam", reason="the extra 'formats' is not installed")
    clauses = f"{keys} ROW FORMAT DELIMITED FIELDS TERMINATED BY ','"
    make(world, "a string, b int", clauses)
    names = [f"t/k={n}/" for n in range(5)] if keys else ["t/"]
    for name in names:
        world.put(f"{name}x{suffix}", body)
    if keys:
        world.run("MSCK REPAIR TABLE t")
    assert world.rows("SELECT count(*), sum(b), max(a) FROM t") == [
        (3 * len(names), 6 * len(names), "c")
    ]
    scanned = world.run("SELECT a FROM t")["Statistics"]["DataScannedInBytes"]
    assert scanned == len(body) * len(names)


def test_long_chunks_of_lz4_are_unpacked(world: World) -> None:
    pa = pytest.importorskip("pyarrow", reason="the extra 'formats' is not installed")
    lines = [f"{number},{number * 7919 % 1000}" for number in range(60_000)]
    texts = ["".join(f"{line}\n" for line in part) for part in (lines[:50_000], lines[50_000:])]
    codec = pa.Codec("lz4_raw")
    chunks = [codec.compress(text.encode()).to_pybytes() for text in texts]
    size = sum(map(len, texts))
    assert size > 2 * 256 * 1024
    world.put("t/x.lz4", hadoop_blocks([(size, chunks)]))
    make(world, "a int, b int", "ROW FORMAT DELIMITED FIELDS TERMINATED BY ','")
    total = sum(number * 7919 % 1000 for number in range(60_000))
    assert world.rows("SELECT count(*), max(a), sum(b) FROM t") == [(60_000, 59_999, total)]


@pytest.mark.parametrize(
    ("suffix", "body"),
    [(".bz2", bz2.compress(TEXT)[:-9]), (".snappy", b"\x00\x00"), (".deflate", b"no zlib")],
)
def test_a_broken_packed_file_fails(world: World, suffix: str, body: bytes) -> None:
    if suffix == ".snappy":
        pytest.importorskip("cramjam", reason="the extra 'formats' is not installed")
    world.put(f"t/x{suffix}", body)
    make(world, "a string")
    assert world.failure("SELECT * FROM t").startswith("HIVE_CURSOR_ERROR: Failed to read file")


@pytest.mark.parametrize(
    ("package", "stored", "sql"),
    [
        ("pyarrow", "ORC", "SELECT a FROM t"),
        ("pyarrow", "ORC", "INSERT INTO t VALUES ('x')"),
        ("fastavro", "AVRO", "SELECT a FROM t"),
        ("amazon.ion", "ION", "INSERT INTO t VALUES ('x')"),
        ("cramjam", "TEXTFILE", "SELECT a FROM t"),
    ],
)
def test_what_to_install_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch, package: str, stored: str, sql: str
) -> None:
    for module in ("foreign_dataset", "arrowtypes", "orcfiles", "avrofiles", "ionfiles"):
        monkeypatch.delitem(sys.modules, f"runner.local.athena.{module}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    world.put("t/x.snappy", b"\x00\x00\x00\x01\x00\x00\x00\x01x")
    make(world, "a string", f"STORED AS {stored}")
    assert "install it with pip install 'athena-runner[formats]'" in world.failure(sql)


def test_lzo_is_refused_by_name(world: World) -> None:
    world.put("t/x.lzo", b"x")
    make(world, "a string")
    assert "Compression LZO of text is not supported" in world.failure("SELECT * FROM t")


CSV_LINES = (
    'plain,"with, comma","say ""hi""",end\na,"back\\"slash",\\\\,"tail\nx,a"b"c,  "spaced" ,\n'
)


def test_opencsv_splits_as_its_library_does(world: World) -> None:
    world.put("t/x.csv", CSV_LINES)
    make(world, "a string, b string, c string, d string", serde(OPENCSV))
    assert world.rows("SELECT * FROM t ORDER BY a DESC") == [
        # Blanks before a quote go, and quotes inside of a field stay.
        ("x", 'a"b"c', 'spaced" ', ""),
        ("plain", "with, comma", 'say "hi"', "end"),
        # An escape outside of quotes is dropped; a field that is never closed is missing.
        ("a", 'back"slash', "", None),
    ]


def test_opencsv_has_other_marks(world: World) -> None:
    world.put("t/x.csv", "'a;b';c\n")
    properties = "'separatorChar' = ';', 'quoteChar' = '\\'', 'escapeChar' = '\\\\'"
    make(world, "a string, b string", serde(OPENCSV, properties))
    assert world.rows("SELECT * FROM t") == [("a;b", "c")]


def test_opencsv_reads_days_and_milliseconds(world: World) -> None:
    world.put("t/x.csv", "18276,1579059880000,TRUE,-5,1e3,1.50\n")
    columns = "d date, at timestamp, yes boolean, n bigint, x double, p decimal(4,2)"
    make(world, columns, serde(OPENCSV))
    assert world.rows("SELECT * FROM t") == [
        (date(2020, 1, 15), datetime(2020, 1, 15, 3, 44, 40), True, -5, 1000.0, Decimal("1.50"))
    ]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("int", ""),
        ("int", "1.5"),
        ("int", "3000000000"),
        ("date", "2020-01-15"),
        ("timestamp", "2020-01-15 00:00:00"),
        ("double", "x"),
        ("boolean", "yes"),
    ],
)
def test_opencsv_refuses_what_does_not_fit(world: World, kind: str, text: str) -> None:
    world.put("t/x.csv", f"a,{text}\n")
    make(world, f"a string, b {kind}", serde(OPENCSV))
    assert world.failure("SELECT b FROM t") == (
        f"HIVE_BAD_DATA: Error parsing field value '{text}' for field 1: "
        f'For input string: "{text}"'
    )
    assert world.rows("SELECT a FROM t") == [("a",)]
    make(world, f"a string, b {kind}", serde(OPENCSV), "'use.null.for.invalid.data' = 'TRUE'")
    assert world.rows("SELECT a, b FROM t") == [("a", None)]


REGEX = "org.apache.hadoop.hive.serde2.RegexSerDe"


@pytest.mark.parametrize(
    ("pattern", "rows"),
    [
        ("(?:(a)|(b))(\\\\d*)", [("a", None, "1"), (None, "b", ""), (None, None, None)]),
        ("(?!c)(.)(x)?(.*)", [("a", None, "1"), ("b", None, ""), (None, None, None)]),
        ("(.)(x*)?(.*?)", [("a", "", "1"), ("b", "", ""), ("c", "", "")]),
    ],
)
def test_groups_that_take_no_part_are_null(
    world: World, pattern: str, rows: list[tuple[str | None, ...]]
) -> None:
    world.put("t/x", "a1\nb\nc\n")
    make(world, "x string, y string, z string", serde(REGEX, f"'input.regex' = '{pattern}'"))
    assert world.rows("SELECT * FROM t") == rows


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("date", "infinity", None),
        ("date", "2020-2-3", date(2020, 2, 3)),
        ("timestamp", "epoch", None),
        ("timestamp", "2020-01-01T00:00:00", None),
        ("timestamp", "2020-01-01 00:00:00+02", None),
        ("timestamp", "2020-01-01 00:00:00.1236", datetime(2020, 1, 1, 0, 0, 0, 124000)),
        ("double", "inf", None),
        ("double", "1_000", None),
        ("double", "-1.5e3", -1500.0),
        ("decimal(5,2)", "1.005", Decimal("1.01")),
        ("decimal(5,2)", "1000", None),
        ("int", "1.5", None),
        ("int", "+7", 7),
        ("tinyint", "128", None),
        ("boolean", "TRUE", True),
        ("boolean", "1", None),
        ("varchar(2)", "abc", "ab"),
    ],
)
def test_text_that_does_not_fit_its_type_is_null(
    world: World, kind: str, text: str, value: object
) -> None:
    world.put("t/x", f"{text}\n")
    make(world, f"a {kind}")
    assert world.rows("SELECT a FROM t") == [(value,)]


def test_json_keys_in_capitals_are_found_at_every_depth(world: World) -> None:
    row = {"UserId": 1, "Deep": {"InnerKey": [{"X": 1.10}]}, "Tags": {"Some Key": "V"}}
    world.put("t/x.json", json.dumps(row) + "\n")
    columns = "userid int, deep struct<innerkey:array<struct<x:decimal(5,2)>>>"
    make(world, f"{columns}, tags map<string,string>", serde(OPENX))
    assert world.rows("SELECT userid, deep.innerkey[1].x, tags FROM t") == [
        (1, Decimal("1.10"), {"some key": "V"})
    ]
    make(world, "userid int, tags map<string,string>", serde(HIVE_JSON))
    assert world.rows("SELECT userid, tags FROM t") == [(1, {"Some Key": "V"})]


def test_json_columns_have_other_keys(world: World) -> None:
    world.put("t/x.json", '{"ts": 5, "A.b": "x", "c": {"d.e": 1}}\n')
    properties = "'mapping.time_stamp' = 'ts', 'dots.in.keys' = 'true'"
    make(world, "time_stamp int, a_b string, c struct<d_e:int>", serde(OPENX, properties))
    assert world.rows("SELECT time_stamp, a_b, c.d_e FROM t") == [(5, "x", 1)]


def test_json_keys_may_differ_by_case_alone(world: World) -> None:
    world.put("t/x.json", '{"URL": "1", "Url": "2", "n": 1.50}\n')
    properties = "'case.insensitive' = 'false', 'mapping.url1' = 'URL', 'mapping.url2' = 'Url'"
    make(world, "url1 string, url2 string, n decimal(3,2)", serde(OPENX, properties))
    assert world.rows("SELECT * FROM t") == [("1", "2", Decimal("1.50"))]


def test_malformed_json_fails_or_becomes_nulls(world: World) -> None:
    world.put("t/x.json", '{"a": 1}\n{"a": \n{"a": 3}\n')
    make(world, "a int", serde(OPENX))
    assert world.failure("SELECT a FROM t").startswith(
        "HIVE_CURSOR_ERROR: Row is not a valid JSON Object - JSONException: "
    )
    make(world, "a int", serde(OPENX, "'ignore.malformed.json' = 'true'"))
    assert world.rows("SELECT a FROM t ORDER BY a") == [(1,), (3,), (None,)]


def test_json_values_that_do_not_fit_fail_or_become_null(world: World) -> None:
    world.put("t/x.json", '{"a": "x", "b": "kept"}\n{"a": 2, "b": "k"}\n')
    for properties in ("", "'ignore.malformed.json' = 'true'"):
        make(world, "a int, b string", serde(OPENX, properties))
        assert world.failure("SELECT a FROM t").startswith("HIVE_BAD_DATA: ")
    make(world, "a int, b string", serde(OPENX, "'use.null.for.invalid.data' = 'TRUE'"))
    assert world.rows("SELECT a, b FROM t ORDER BY a") == [(2, "k"), (None, "kept")]
    world.put("t/y.json", "{\n")
    assert world.failure("SELECT a FROM t").startswith("HIVE_CURSOR_ERROR: Row is not a valid")


def test_a_fraction_is_no_whole_number_for_openx(world: World) -> None:
    world.put("t/x.json", '{"a": 1.5, "d": {"n": [7]}}\n{"a": -2, "d": {"n": [8, null]}}\n')
    make(world, "a int, d struct<n:array<bigint>>", serde(OPENX))
    message = 'HIVE_BAD_DATA: Error parsing field value for field 0: For input string: "1.5"'
    assert world.failure("SELECT a FROM t") == message
    assert world.rows("SELECT d.n FROM t ORDER BY 1") == [([7],), ([8, None],)]
    make(world, "a int", serde(OPENX, "'use.null.for.invalid.data' = 'true'"))
    assert world.rows("SELECT a FROM t ORDER BY 1") == [(-2,), (None,)]


def test_hive_json_drops_the_fraction_of_whole_numbers(world: World) -> None:
    line = '{"a": 1.9, "b": -2.5, "c": 1e3, "m": {"1": 4.7}, "s": null, "r": [{"n": 3.99}]}\n'
    world.put("t/x.json", line)
    columns = "a int, b bigint, c smallint, m map<int,tinyint>, s struct<n:int>"
    make(world, f"{columns}, r array<struct<n:int>>", serde(HIVE_JSON))
    assert world.rows("SELECT * FROM t") == [(1, -2, 1000, {1: 4}, None, [{"n": 3}])]
    make(world, "c tinyint", serde(HIVE_JSON))
    assert world.failure("SELECT c FROM t").startswith("HIVE_BAD_DATA: ")


def test_json_keys_in_capitals_are_found_far_from_the_beginning(world: World) -> None:
    world.put("t/x.json", '{"id": 1}\n' * 4000 + '{"Id": 2}\n')
    world.put("t/y.json.gz", gzip.compress(b'{"id": 1}\n' * 4000 + b'{"Id": 2}\n'))
    make(world, "id int", serde(OPENX))
    assert world.rows("SELECT sum(id) FROM t") == [(8004,)]


def test_lines_end_with_a_newline_alone(world: World) -> None:
    with pytest.raises(ServiceError, match="LINES TERMINATED BY only supports newline"):
        make(world, "a string", "ROW FORMAT DELIMITED LINES TERMINATED BY '|'")


def test_hive_json_reads_timestamps_by_patterns(world: World) -> None:
    lines = ["2013-01-02T03:04:05.678Z", "2013/01/02", "2013-01-02 03:04:05"]
    world.put("t/x.json", "".join(f'{{"at": "{line}", "n": 1}}\n' for line in lines))
    patterns = "yyyy-MM-dd\\'T\\'HH:mm:ss.SSS\\'Z\\',yyyy/MM/dd"
    make(world, "at timestamp, n int", serde(HIVE_JSON, f"'timestamp.formats' = '{patterns}'"))
    assert world.rows("SELECT at, n FROM t ORDER BY at") == [
        (datetime(2013, 1, 2), 1),
        (datetime(2013, 1, 2, 3, 4, 5), 1),
        (datetime(2013, 1, 2, 3, 4, 5, 678000), 1),
    ]


def test_cloudtrail_logs_have_a_row_for_each_record(world: World) -> None:
    log = {"Records": [{"eventName": "A", "requestParameters": {"k": [1]}}, {"eventName": "B"}]}
    world.put("t/x.json.gz", gzip.compress(json.dumps(log).encode()))
    make(
        world,
        "eventname string, requestparameters string",
        f"{serde(HIVE_JSON)} STORED AS INPUTFORMAT "
        "'com.amazon.emr.cloudtrail.CloudTrailInputFormat' OUTPUTFORMAT "
        "'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'",
    )
    assert world.rows("SELECT * FROM t ORDER BY 1") == [("A", '{"k":[1]}'), ("B", None)]


def test_symlinks_name_the_files(world: World) -> None:
    world.put("data/x", "1\n")
    world.put("data/y", "2\n")
    world.put("t/manifest", "s3://b/data/x\ns3://b/data/y\n")
    text = "org.apache.hadoop.hive.ql.io."
    make(
        world,
        "a int",
        "ROW FORMAT DELIMITED STORED AS INPUTFORMAT "
        f"'{text}SymlinkTextInputFormat' OUTPUTFORMAT '{text}HiveIgnoreKeyTextOutputFormat'",
    )
    assert world.rows("SELECT sum(a) FROM t") == [(3,)]
    world.put("t/manifest", "s3://b/data/gone\n")
    assert world.failure("SELECT a FROM t").startswith("HIVE_CANNOT_OPEN_SPLIT: ")


@pytest.mark.parametrize("stored", ["SEQUENCEFILE", "RCFILE"])
def test_files_of_other_kinds_are_refused(world: World, stored: str) -> None:
    world.put("t/x", "SEQ\x06")
    make(world, "a string", f"STORED AS {stored}")
    assert "is not supported by the local engine" in world.failure("SELECT * FROM t")


def test_nested_values_are_written_as_they_are_read(world: World) -> None:
    values = (
        "SELECT 7 AS id, ARRAY['a', NULL] AS tags, MAP(ARRAY['x'], ARRAY[1]) AS counts, "
        "CAST(ROW('Bern', NULL) AS ROW(city varchar, zip integer)) AS place, "
        "TIMESTAMP '2013-01-02 03:04:05.120' AS at, from_hex('00ff') AS raw, true AS yes, "
        "CAST(NULL AS varchar) AS nothing, '' AS empty"
    )
    execution = world.run(
        "CREATE TABLE w WITH (format = 'TEXTFILE', field_delimiter = '|', "
        f"write_compression = 'NONE', external_location = 's3://b/w/') AS {values}"
    )
    assert execution["Status"]["State"] == "SUCCEEDED"
    (key,) = world.keys("w/")
    assert world.s3.get_object(Bucket="b", Key=key)["Body"].read() == (
        b"7|a\x02\\N|x\x031|Bern\x02\\N|2013-01-02 03:04:05.12|AP8=|true|\\N|\n"
    )
    assert world.rows("SELECT * FROM w") == [
        (
            7,
            ["a", None],
            {"x": 1},
            {"city": "Bern", "zip": None},
            datetime(2013, 1, 2, 3, 4, 5, 120000),
            b"\x00\xff",
            True,
            None,
            "",
        )
    ]


def test_insert_keeps_the_tables_delimiters(world: World) -> None:
    make(
        world,
        "a string, b array<string>",
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' ESCAPED BY '\\\\' "
        "COLLECTION ITEMS TERMINATED BY ';' NULL DEFINED AS '-'",
        "'write.compression' = 'NONE'",
    )
    world.run("INSERT INTO t VALUES ('x,y', ARRAY['1;2', NULL]), (NULL, NULL)")
    (key,) = world.keys("t/")
    body = world.s3.get_object(Bucket="b", Key=key)["Body"].read()
    assert sorted(body.splitlines()) == [b"-,-", b"x\\,y,1\\;2;-"]
    assert world.rows("SELECT * FROM t ORDER BY a") == [("x,y", ["1;2", None]), (None, None)]


@pytest.mark.parametrize("codec", ["BZIP2", "GZIP", "LZ4", "SNAPPY", "ZSTD", "NONE"])
@pytest.mark.parametrize("kind", ["TEXTFILE", "JSON"])
def test_text_is_packed_by_the_codec(world: World, codec: str, kind: str) -> None:
    if codec in {"SNAPPY", "LZ4"}:
        pytest.importorskip("cramjam", reason="the extra 'formats' is not installed")
    world.run(
        f"CREATE TABLE w WITH (format = '{kind}', write_compression = '{codec}', "
        "external_location = 's3://b/w/') AS SELECT n, 'x' AS s FROM UNNEST(sequence(1, 9)) AS v(n)"
    )
    (key,) = world.keys("w/")
    suffix = {"BZIP2": "bz2", "GZIP": "gz", "LZ4": "lz4", "SNAPPY": "snappy", "ZSTD": "zst"}
    assert key.rpartition(".")[2] == suffix.get(codec, {"TEXTFILE": "csv", "JSON": "json"}[kind])
    body = world.s3.get_object(Bucket="b", Key=key)["Body"].read()
    if codec in {"BZIP2", "GZIP"}:
        text = {"BZIP2": bz2.decompress, "GZIP": gzip.decompress}[codec](body)
        assert text.count(b"\n") == 9
    if codec in {"SNAPPY", "LZ4"}:
        import pyarrow as pa

        size, packed = (int.from_bytes(body[at : at + 4], "big") for at in (0, 4))
        assert packed == len(body) - 8
        text = pa.Codec(codec.lower().replace("lz4", "lz4_raw")).decompress(body[8:], size)
        assert text.to_pybytes().count(b"\n") == 9
    assert world.rows("SELECT count(*), sum(n) FROM w") == [(9, 45)]


def test_functions_over_lines_have_names_of_their_own() -> None:
    assert not set(FUNCTIONS) & {*MACROS, *UDFS}
