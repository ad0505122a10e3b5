"""An Iceberg table's turn: SEMANTICS 3, 5, 7, 8, 9, 11, 12; the statements word for word."""

from __future__ import annotations

from typing import Any

import pytest

from runner.keeper import records
from runner.keeper.faults import (
    EmptyTable,
    LeaseLost,
    NotOurs,
    PromotionFailed,
    RowsOutsideWindow,
    SchemaChanged,
)
from runner.keeper.merging import iceberg_type, merge_statement
from tests.support.lake import ARN, LAKE, Lake, Turn, ctas_spec, insert_spec, target

PARAMETERS = {"parquet.compression": "ZSTD", "projection.enabled": "true"}
SPEC = insert_spec(iceberg={"keys": [], "properties": {}}, parameters=PARAMETERS)
KEYED = {**SPEC, "iceberg": {"keys": ["carrier"], "properties": {}}}
WHOLE = {
    **ctas_spec(iceberg={"keys": ["carrier"], "properties": {}}),
    "kind": "insert",
    "parameters": PARAMETERS,
}
CLAIM = "_runner/iceberg/marts/daily.json"
INFERRED = [
    {"Name": "dt", "Type": "varchar(10)"},
    {"Name": "carrier", "Type": "char(2)"},
    {"Name": "flights", "Type": "smallint"},
]
MERGE_WINDOW = """\
MERGE INTO "marts"."daily" AS t USING (
SELECT "carrier", "flights", "dt", false AS "runner__gone" FROM "marts__stage"."x"
UNION ALL
SELECT NULL, NULL, v."dt", true FROM (VALUES ('2013-01-05'), ('2013-01-06')) AS v ("dt")
) AS s ON s."runner__gone" AND t."dt" = s."dt" AND t."dt" IN ('2013-01-05', '2013-01-06')
WHEN MATCHED AND s."runner__gone" THEN DELETE
WHEN NOT MATCHED AND NOT s."runner__gone" THEN INSERT ("carrier", "flights", "dt") \
VALUES (s."carrier", s."flights", s."dt")"""
MERGE_KEYS = """\
MERGE INTO "marts"."daily" AS t USING (
SELECT "carrier", "flights", "dt", false AS "runner__gone" FROM "marts__stage"."x"
UNION ALL
SELECT DISTINCT o."carrier", NULL, o."dt", true FROM "marts"."daily" AS o \
LEFT JOIN "marts__stage"."x" AS n ON n."carrier" = o."carrier" AND n."dt" = o."dt"
WHERE o."dt" IN ('2013-01-05') AND n."carrier" IS NULL
) AS s ON t."carrier" = s."carrier" AND t."dt" = s."dt" AND t."dt" IN ('2013-01-05')
WHEN MATCHED AND s."runner__gone" THEN DELETE
WHEN MATCHED AND (t."flights" IS DISTINCT FROM s."flights") THEN UPDATE SET \
"flights" = s."flights"
WHEN NOT MATCHED AND NOT s."runner__gone" THEN INSERT ("carrier", "flights", "dt") \
VALUES (s."carrier", s."flights", s."dt")"""
MERGE_WHOLE = """\
MERGE INTO "marts"."routes" AS t USING (
SELECT "carrier", false AS "runner__gone", CAST(NULL AS boolean) AS "runner__null" \
FROM "marts__stage"."x"
UNION ALL
SELECT NULL, true, v.is_null FROM (VALUES (true), (false)) AS v (is_null)
) AS s ON s."runner__gone" AND (t."carrier" IS NULL) = s."runner__null"
WHEN MATCHED AND s."runner__gone" THEN DELETE
WHEN NOT MATCHED AND NOT s."runner__gone" THEN INSERT ("carrier") VALUES (s."carrier")"""


def statement(spec: dict[str, Any], columns: list[str], end: str, *, by_keys: bool) -> str:
    return merge_statement(
        Turn(Lake(None), spec).identity.spec,
        stage='"marts__stage"."x"',
        columns=columns,
        window=("2013-01-05", end),
        by_keys=by_keys,
    )


def test_the_merge_by_window() -> None:
    found = statement(SPEC, ["carrier", "flights"], "2013-01-06", by_keys=False)
    assert found == MERGE_WINDOW


def test_the_merge_by_keys() -> None:
    found = statement(KEYED, ["carrier", "flights"], "2013-01-05", by_keys=True)
    assert found == MERGE_KEYS


def test_the_merge_of_a_whole_table_whose_keys_are_new() -> None:
    assert statement(WHOLE, ["carrier"], "2013-01-05", by_keys=False) == MERGE_WHOLE


def test_a_merge_by_keys_of_a_table_of_keys_updates_nothing() -> None:
    assert "UPDATE" not in statement(WHOLE, ["carrier"], "2013-01-05", by_keys=True)


def test_values_of_patterns_with_quotes_stay_literals() -> None:
    spec = {**SPEC, "time": [["dt", "yyyy''MM-dd"]]}
    assert "('2013''01-05')" in statement(spec, ["a"], "2013-01-05", by_keys=False)


@pytest.mark.parametrize(
    ("hive", "iceberg"),
    [
        ("smallint", "int"),
        ("bigint", "bigint"),
        ("varchar(10)", "string"),
        ("char(2)", "string"),
        ("decimal(10,2)", "decimal(10,2)"),
        ("struct<char:int,tinyint:tinyint>", "struct<char:int,tinyint:int>"),
        ("map<varchar(3),array<smallint>>", "map<string,array<int>>"),
        ("timestamp", "timestamp"),
    ],
)
def test_types_that_iceberg_does_not_have(hive: str, iceberg: str) -> None:
    assert iceberg_type(hive) == iceberg


def glue(spec: dict[str, Any], columns: dict[str, str], location: str = "") -> dict[str, Any]:
    """Describe an Iceberg table as Athena leaves it in Glue: no keys, no parameters of ours."""
    found = target(spec, columns)
    base = spec["name"].replace(".", "/")
    return {
        **found,
        "Parameters": {"table_type": "ICEBERG", "metadata_location": "s3://x"},
        "PartitionKeys": [],
        "StorageDescriptor": {
            **found["StorageDescriptor"],
            "Location": location or f"{LAKE}{base}/g=1",
        },
    }


def made(turn: Turn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make the table of a first run; gives the plan and what the catalogue holds."""
    plan = turn.call("iceberg_prepare", window=turn.window, target=None)
    plan = turn.call("iceberg_reconcile", plan=plan, target=None, inferred=INFERRED)
    there = glue(turn.spec, {"carrier": "string", "flights": "int", "dt": "string"})
    turn.call("iceberg_settle", plan=plan, target=there)
    return plan, there


def test_semantics_8_the_first_write_makes_the_table_by_ddl(any_lake: Lake) -> None:
    turn = Turn(any_lake, {**SPEC, "iceberg": {"keys": [], "properties": {"vacuum_x": "3"}}})
    plan = turn.call("iceberg_prepare", window=turn.window, target=None)
    assert (plan["types"], plan["fence"]) == (True, [])
    plan = turn.call("iceberg_reconcile", plan=plan, target=None, inferred=INFERRED)
    assert plan["ddl"] == (
        "CREATE TABLE IF NOT EXISTS `marts`.`daily` (`carrier` string, `flights` int, `dt` string) "
        f"PARTITIONED BY (`dt`) LOCATION '{LAKE}marts/daily/g=1/' TBLPROPERTIES ("
        "'table_type'='ICEBERG', 'format'='parquet', 'write_compression'='zstd', 'vacuum_x'='3')"
    )
    assert any_lake.body(CLAIM)["fingerprint"] == ""
    there = glue(SPEC, {"carrier": "string", "flights": "int", "dt": "string"})
    turn.call("iceberg_settle", plan=plan, target=there)
    plan = turn.call("iceberg_prepare", window=turn.window, target=there)
    assert plan["types"] is False
    assert plan["columns"] == '"carrier", "flights", "dt"'


def test_semantics_8_foreign_tables_are_refused(lake: Lake) -> None:
    turn = Turn(lake, SPEC)
    there = glue(SPEC, {"carrier": "string", "dt": "string"})
    with pytest.raises(NotOurs, match="runner adopt"):
        turn.call("iceberg_prepare", window=turn.window, target=there)
    made(turn)
    elsewhere = glue(SPEC, {"carrier": "string", "dt": "string"}, f"{LAKE}marts/daily/g=2")
    with pytest.raises(NotOurs):
        turn.call("iceberg_prepare", window=turn.window, target=elsewhere)
    other = Turn(lake, {**SPEC, "project": "other"})
    with pytest.raises(NotOurs):
        other.call("iceberg_prepare", window=turn.window, target=there)
    with pytest.raises(SchemaChanged, match="is a Hive table"):
        turn.call("iceberg_prepare", window=turn.window, target=target(SPEC))


def test_a_table_that_somebody_dropped_is_made_in_a_new_place(lake: Lake) -> None:
    turn = Turn(lake, SPEC)
    made(turn)
    plan = turn.call("iceberg_prepare", window=turn.window, target=None)
    plan = turn.call("iceberg_reconcile", plan=plan, target=None, inferred=INFERRED)
    assert plan["location"] == f"{LAKE}marts/daily/g=2/"
    assert lake.body(CLAIM)["locations"] == [f"{LAKE}marts/daily/g={n}/" for n in (1, 2)]


def test_semantics_9_columns_are_added_and_never_removed(lake: Lake) -> None:
    turn = Turn(lake, {**SPEC, "fingerprint": "e" * 64})
    plan, there = made(turn)
    turn = Turn(lake, SPEC)
    more = [*INFERRED, {"Name": "delay", "Type": "double"}]
    changed = turn.call("iceberg_reconcile", plan=plan, target=there, inferred=more)
    assert changed["ddl"] == "ALTER TABLE `marts`.`daily` ADD COLUMNS (`delay` double)"
    with pytest.raises(PromotionFailed, match="has the columns"):
        turn.call("iceberg_settle", plan=changed, target=there)
    same = turn.call("iceberg_reconcile", plan=plan, target=there, inferred=INFERRED)
    assert same["ddl"] == ""
    assert lake.body(CLAIM)["fingerprint"] == SPEC["fingerprint"]
    with pytest.raises(SchemaChanged, match="column flights int is gone"):
        turn.call("iceberg_reconcile", plan=plan, target=there, inferred=INFERRED[:2])
    by_month = {**SPEC, "time": [["m", "yyyy-MM"]], "partitions": ["m"], "grain": "month"}
    month = [{"Name": "m", "Type": "varchar"}, *INFERRED[1:]]
    with pytest.raises(SchemaChanged, match="partition columns are"):
        Turn(lake, by_month).call("iceberg_reconcile", plan=plan, target=there, inferred=month)


def staged(turn: Turn, days: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any], str]:
    plan, there = made(turn)
    plan = {**plan, **turn.call("iceberg_prepare", window=turn.window, target=there)}
    (chunk,) = plan["chunks"]
    return plan, chunk, turn.stage_days(chunk, days)


def judge(turn: Turn, plan: dict[str, Any], chunk: dict[str, Any], result: str) -> dict[str, Any]:
    return turn.call(
        "merge", plan=plan, chunk=chunk, result=result, scanned=5, stage_database="marts__stage"
    )


def test_a_record_is_begun_before_the_merge_and_lists_the_staged_files(any_lake: Lake) -> None:
    turn = Turn(any_lake, SPEC, end="2013-01-06")
    plan, chunk, result = staged(turn, {"2013-01-05": "aa", "2013-01-06": ""})
    merge = judge(turn, plan, chunk, result)
    assert merge == judge(turn, plan, chunk, result)
    assert f'FROM "marts__stage"."{chunk["tag"]}"' in merge["statement"]
    (entry,) = records.entries(any_lake.storage, "marts.daily")
    assert not entry.published
    part = turn.call("merged", chunk=chunk, scanned=7)
    assert part == turn.call("merged", chunk=chunk, scanned=7)
    assert (part["complete"], part["rows"], part["files"], part["partitions"]) == (True, 2, 1, 2)
    (entry,) = records.entries(any_lake.storage, "marts.daily")
    body = records.read(any_lake.storage, entry)
    assert entry.published
    assert [file["key"] for file in body["files"]] == [
        any_lake.storage.key(chunk["stage"]) + "dt=2013-01-05/part-0"
    ]
    assert any_lake.keys(f"_runner/stage/marts/daily/{entry.run.rsplit('.', 2)[0]}") != []
    assert turn.call("finish", written=[part])["rows"] == 2
    assert any_lake.keys("_runner/leases/") == []


@pytest.mark.parametrize("before", ["same keys", "other keys", "unfinished", "nothing"])
def test_rows_are_merged_by_keys_only_where_the_last_record_had_them(
    before: str, lake: Lake
) -> None:
    first = Turn(lake, KEYED if before != "other keys" else SPEC, execution=ARN + "r0")
    if before != "nothing":
        plan, chunk, result = staged(first, {"2013-01-05": "aa"})
        judge(first, plan, chunk, result)
        if before != "unfinished":
            first.call("merged", chunk=chunk, scanned=7)
            first.call("finish", written=[])
    lake.now = lake.now.replace(hour=23)
    turn = Turn(lake, KEYED)
    plan, chunk, result = staged(turn, {"2013-01-05": "aa"})
    assert plan["fence"] == ([first.identity.tag + "_20130105"] if before == "unfinished" else [])
    by_keys = before in ("same keys", "nothing")
    assert ("LEFT JOIN" in judge(turn, plan, chunk, result)["statement"]) is by_keys


def test_semantics_4_rows_outside_the_window_begin_no_record(lake: Lake) -> None:
    turn = Turn(lake, SPEC)
    plan, chunk, _ = staged(turn, {})
    result = turn.stage(chunk["stage"], {"dt=2013-01-07/f": "x"}, [["2013-01-07", 1]])
    with pytest.raises(RowsOutsideWindow):
        judge(turn, plan, chunk, result)
    assert lake.keys("_runner/records/") == []


def test_rows_without_files_are_not_merged(lake: Lake) -> None:
    turn = Turn(lake, SPEC)
    plan, chunk, _ = staged(turn, {})
    result = turn.stage(chunk["stage"], {}, [["2013-01-05", 1]])
    with pytest.raises(PromotionFailed, match="holds no files"):
        judge(turn, plan, chunk, result)


def test_semantics_12_a_whole_table_is_not_merged_with_nothing(lake: Lake) -> None:
    turn = Turn(lake, WHOLE)
    plan = turn.call("iceberg_prepare", window=turn.window, target=None)
    columns = [{"Name": "carrier", "Type": "string"}]
    plan = turn.call("iceberg_reconcile", plan=plan, target=None, inferred=columns)
    (chunk,) = plan["chunks"]
    with pytest.raises(EmptyTable):
        judge(turn, plan, chunk, turn.stage(chunk["stage"], {}, [[0]]))
    result = turn.stage(chunk["stage"], {"f": "x"}, [[1]])
    assert "LEFT JOIN" in judge(turn, plan, chunk, result)["statement"]
    assert turn.call("merged", chunk=chunk, scanned=1)["start"] == "all"


def test_semantics_7_nothing_is_merged_or_recorded_without_the_lease(lake: Lake) -> None:
    turn = Turn(lake, SPEC)
    plan, chunk, result = staged(turn, {"2013-01-05": "aa"})
    judge(turn, plan, chunk, result)
    lake.now = lake.now.replace(hour=23)
    staged(Turn(lake, SPEC, execution=ARN + "r2"), {"2013-01-05": "b"})
    with pytest.raises(LeaseLost):
        judge(turn, plan, chunk, result)
    with pytest.raises(LeaseLost):
        turn.call("merged", chunk=chunk, scanned=1)


def test_a_lost_record_is_told(lake: Lake) -> None:
    turn = Turn(lake, SPEC)
    _, chunk, _ = staged(turn, {"2013-01-05": "aa"})
    with pytest.raises(PromotionFailed, match="the record that this attempt began is gone"):
        turn.call("merged", chunk=chunk, scanned=1)


def test_what_a_dead_run_began_outside_of_the_window_stays_missing(lake: Lake) -> None:
    """Its MERGE took place or did not; the files are never copied into the table's folder."""
    dead = Turn(lake, SPEC, execution=ARN + "dead")
    plan, chunk, result = staged(dead, {"2013-01-05": "aa"})
    judge(dead, plan, chunk, result)
    lake.now = lake.now.replace(hour=23)
    turn = Turn(lake, SPEC, start="2013-01-09", end="2013-01-09")
    staged(turn, {"2013-01-09": "b"})
    (entry,) = records.entries(lake.storage, "marts.daily")
    assert not entry.published
    assert lake.keys("marts/") == []
