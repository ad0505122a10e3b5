"""What each mode leaves in the mart, on SQLite and on MariaDB alike (SEMANTICS 37, 38)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from tests.loader.conftest import Lake, Mart

DAY1, DAY2 = "2013-01-01", "2013-01-02"
ALL = 'SELECT dt, carrier, flights FROM "carrier_day" ORDER BY dt, carrier, flights'
BOTH_DAYS = [
    (DAY1, "AA", 94),
    (DAY1, "UA", 165),
    (DAY2, "AA", 95),
    (DAY2, "UA", 170),
]


def rewrite_day2(lake: Lake, values: str) -> None:
    del lake.files["dt=2013-01-02/b"]
    lake.write("dt=2013-01-02/a", f"SELECT * FROM (VALUES {values}) t(carrier, flights)", dt=DAY2)


def test_semantics_37_replace_window_owns_exactly_its_days(mart: Mart, lake: Lake) -> None:
    first = lake.load(mart, days=[DAY1, DAY2])
    assert (first.rows, first.deleted, first.skipped, first.table) == (4, 0, False, "carrier_day")
    assert mart.query(ALL) == BOTH_DAYS
    rewrite_day2(lake, "('DL', 7::BIGINT)")
    second = lake.load(mart, days=[DAY2])
    assert (second.rows, second.deleted) == (1, 2)
    assert mart.query(ALL) == [*BOTH_DAYS[:2], (DAY2, "DL", 7)]


def test_a_window_without_files_empties_its_days(mart: Mart, lake: Lake) -> None:
    lake.load(mart, days=[DAY1, DAY2])
    gone = lake.load(mart, days=[DAY2], files=[])
    assert (gone.rows, gone.deleted) == (0, 2)
    assert mart.query(ALL) == BOTH_DAYS[:2]


def test_semantics_37_merge_upserts_and_leaves_vanished_keys(mart: Mart, lake: Lake) -> None:
    for mode in ("merge", "merge_direct"):
        assert lake.load(mart, days=[DAY1, DAY2], mode=mode, keys=["dt", "carrier"]).rows == 4
    assert mart.query(ALL) == BOTH_DAYS
    rewrite_day2(lake, "('AA', 96::BIGINT), ('DL', 7)")
    lake.load(mart, days=[DAY2], mode="merge", keys=["dt", "carrier"])
    assert mart.query(ALL) == [
        *BOTH_DAYS[:2],
        (DAY2, "AA", 96),
        (DAY2, "DL", 7),
        (DAY2, "UA", 170),
    ]


def test_merge_of_a_table_that_is_all_key(mart: Mart, lake: Lake) -> None:
    keys = ["dt", "carrier", "flights"]
    for _ in range(2):
        lake.load(mart, days=[DAY1, DAY2], mode="merge", keys=keys)
    assert mart.query(ALL) == BOTH_DAYS


@pytest.mark.parametrize("mode", ["replace", "truncate_insert"])
def test_semantics_37_whole_table_modes_leave_only_the_new_rows(
    mart: Mart, lake: Lake, mode: str
) -> None:
    assert lake.load(mart, mode=mode).deleted == 0
    assert mart.query(ALL) == BOTH_DAYS
    rewrite_day2(lake, "('DL', 7::BIGINT)")
    result = lake.load(mart, mode=mode)
    assert (result.rows, result.deleted) == (3, 4)
    assert mart.query(ALL) == [*BOTH_DAYS[:2], (DAY2, "DL", 7)]


@pytest.mark.parametrize("mode", ["insert", "insert_direct"])
def test_insert_of_a_whole_table_adds_once_per_publish(mart: Mart, lake: Lake, mode: str) -> None:
    lake.load(mart, mode=mode, publish_id="p1")
    lake.load(mart, mode=mode, publish_id="p1")
    assert mart.query(ALL) == BOTH_DAYS
    lake.load(mart, mode=mode, publish_id="p2")
    assert mart.query('SELECT count(*), sum(flights) FROM "carrier_day"') == [(8, 1048)]


def test_semantics_38_a_second_load_of_one_publish_is_skipped(mart: Mart, lake: Lake) -> None:
    lake.load(mart, days=[DAY1, DAY2], publish_id="p1")
    mart.query("DELETE FROM \"carrier_day\" WHERE carrier = 'AA'")
    again = lake.load(mart, days=[DAY1, DAY2], publish_id="p1")
    assert (again.rows, again.deleted, again.skipped) == (4, 0, True)
    assert mart.query(ALL) == [BOTH_DAYS[1], BOTH_DAYS[3]]
    assert not lake.load(mart, days=[DAY1, DAY2], publish_id="p2").skipped
    assert mart.query(ALL) == BOTH_DAYS
    ledger = 'SELECT mart_table, table_name, window_start, window_end, publish_id, "rows" FROM '
    assert mart.query(ledger + '"_runner_loads" ORDER BY publish_id') == [
        ("carrier_day", "marts.carrier_day", DAY1, DAY2, "p1", 4),
        ("carrier_day", "marts.carrier_day", DAY1, DAY2, "p2", 4),
    ]


def test_a_table_that_was_dropped_is_loaded_again(mart: Mart, lake: Lake) -> None:
    lake.load(mart, days=[DAY1, DAY2], publish_id="p1")
    mart.query('DROP TABLE "carrier_day"')
    assert not lake.load(mart, days=[DAY1, DAY2], publish_id="p1").skipped
    assert mart.query(ALL) == BOTH_DAYS


def test_a_window_of_several_columns(mart: Mart, lake: Lake) -> None:
    for number, file in enumerate(lake.files.values()):
        file["partition"] = {"year": "2013", "month": f"0{1 + number // 2}"}
    window = {"columns": ["year", "month"], "values": [["2013", "01"], ["2013", "02"]]}
    parts = [{"name": "year", "type": "string"}, {"name": "month", "type": "string"}]
    lake.load(
        mart, mode="replace_window", window=window, whole_table=False, partition_columns=parts
    )
    window["values"] = [["2013", "02"]]
    files = [file for file in lake.files.values() if file["partition"]["month"] == "02"]
    result = lake.load(
        mart,
        mode="replace_window",
        window=window,
        whole_table=False,
        partition_columns=parts,
        files=files,
    )
    assert (result.rows, result.deleted) == (1, 1)
    assert mart.query(
        'SELECT year, month, sum(flights) FROM "carrier_day" GROUP BY 1, 2 ORDER BY 2'
    ) == [("2013", "01", 354), ("2013", "02", 170)]


def test_keys_become_the_primary_key_of_a_new_table(mart: Mart, lake: Lake) -> None:
    lake.load(mart, days=[DAY1], mode="merge", keys=["dt", "carrier"])
    with pytest.raises(Exception, match=r"UNIQUE|Duplicate"):
        mart.query(f"INSERT INTO \"carrier_day\" (dt, carrier, flights) VALUES ('{DAY1}', 'AA', 1)")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"days": [DAY1], "mode": "insert"}, "would double rows"),
        ({"days": [DAY1], "mode": "insert_direct"}, "would double rows"),
        ({"days": [DAY1], "mode": "replace"}, "loads whole tables"),
        ({"days": [DAY1], "mode": "truncate_insert"}, "loads whole tables"),
        ({"mode": "replace_window"}, "needs a partitioned table"),
        ({"days": [DAY1], "mode": "merge"}, "merge needs keys"),
        ({"mode": "merge", "keys": ["nope"]}, "key nope is not a column"),
    ],
)
def test_semantics_37_unsafe_modes_are_refused(
    lake: Lake, changes: dict[str, Any], word: str
) -> None:
    with pytest.raises(ServiceError, match=word) as caught:
        lake.manifest(**changes)
    assert caught.value.error == "Load.Refused"


def test_a_window_over_other_columns_than_the_partitions_is_refused(lake: Lake) -> None:
    for window in ({"column": "carrier", "values": ["AA"]}, {"column": "dt", "values": []}):
        with pytest.raises(ServiceError, match="are not partition columns") as caught:
            lake.manifest(days=[DAY1], window=window)
        assert caught.value.error == "Load.Refused"


def test_a_file_without_its_partitions_value_is_refused(lake: Lake) -> None:
    lake.files["dt=2013-01-01/a"]["partition"] = None
    with pytest.raises(ServiceError, match="does not say its partition's dt"):
        lake.manifest()


def test_a_column_that_appears_twice_is_refused(lake: Lake) -> None:
    lake.columns["Carrier"] = "string"
    with pytest.raises(ServiceError, match="column carrier appears twice"):
        lake.manifest()


def test_a_file_outside_the_window_is_refused(lake: Lake) -> None:
    files = list(lake.files.values())
    with pytest.raises(ServiceError, match="dt=2013-01-02/a lies outside the window"):
        lake.manifest(days=[DAY1], files=files)
