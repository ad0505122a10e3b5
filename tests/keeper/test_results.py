"""The test query's result (SEMANTICS 4 and 13)."""

from __future__ import annotations

import pytest

from runner.keeper import faults
from runner.keeper.results import PartitionRows, judge, parse_csv, rows_by_period
from runner.keeper.spec import Spec
from tests.support.lake import insert_spec

WINDOW = ("2013-01-05", "2013-01-07")


def test_athenas_csv_is_read_with_its_quotes_and_nulls() -> None:
    data = b'"dt","rows","t0"\n"2013-01-05","3","0"\n,"2",\n"a ""b"", c","1","7"\n\n'
    assert parse_csv(data, 1) == [
        PartitionRows(("2013-01-05",), 3, ("0",)),
        PartitionRows((None,), 2, ("",)),
        PartitionRows(('a "b", c',), 1, ("7",)),
    ]
    assert parse_csv(b'"dt","rows"\n', 1) == []


def test_every_period_of_the_window_is_counted() -> None:
    spec = Spec.read(insert_spec())
    found = [PartitionRows(("2013-01-06",), 3, ())]
    assert rows_by_period(spec, found, "2013-01-05", "2013-01-06") == {
        "2013-01-05": 0,
        "2013-01-06": 3,
    }


def test_each_counting_test_has_its_own_column() -> None:
    tests = [
        {"name": "a", "severity": "warn", "test": "count"},
        {"name": "rows", "severity": "warn", "test": "min_rows", "value": 2},
        {"name": "b", "severity": "warn", "test": "count"},
    ]
    spec = Spec.read(insert_spec(tests=tests))
    found = [
        PartitionRows(("2013-01-05",), 1, ("0", "5")),
        PartitionRows(("2013-01-06",), 9, ("2", "6")),
    ]
    counts = {"2013-01-05": 1, "2013-01-06": 9, "2013-01-07": 0}
    said = judge(spec, found, counts, window=WINDOW)
    assert [(r["test"], r["offending"], r["where"]) for r in said] == [
        ("a", 2, ["2013-01-06"]),
        ("rows", 2, ["2013-01-05", "2013-01-07"]),
        ("b", 11, ["2013-01-05", "2013-01-06"]),
    ]
    assert [(r["failing"], r["partitions"], r["rows"]) for r in said] == [
        (1, 2, 10),
        (2, 3, 10),
        (2, 2, 10),
    ]


def test_five_places_are_named_and_all_are_counted() -> None:
    tests = [{"name": "a", "severity": "error", "test": "count"}]
    spec = Spec.read(insert_spec(tests=tests))
    days = [f"2013-01-0{day}" for day in range(1, 8)]
    found = [PartitionRows((day,), 1, ("1",)) for day in days]
    with pytest.raises(faults.TestsFailed) as refused:
        judge(spec, found, dict.fromkeys(days, 1), window=(days[0], days[-1]))
    assert str(refused.value) == (
        "marts.daily: a: 7 offending in 2013-01-01, 2013-01-02, 2013-01-03, 2013-01-04, "
        "2013-01-05. Nothing was published"
    )


def test_a_partition_that_only_a_tests_query_names_is_no_row_outside_the_window() -> None:
    """It may name the day that it misses; rows themselves outside the window are refused."""
    tests = [{"name": "complete", "severity": "warn", "test": "count"}]
    spec = Spec.read(insert_spec(tests=tests))
    found = [PartitionRows(("2013-01-09",), 0, ("3",)), PartitionRows(("2013-01-05",), 4, ("0",))]
    counts = rows_by_period(spec, found, "2013-01-05", "2013-01-05")
    assert counts == {"2013-01-05": 4}
    (said,) = judge(spec, found, counts, window=("2013-01-05", "2013-01-05"))
    assert (said["offending"], said["where"], said["partitions"]) == (3, ["2013-01-09"], 1)
    outside = [PartitionRows(("2013-01-09",), 1, ("0",))]
    with pytest.raises(faults.RowsOutsideWindow):
        rows_by_period(spec, outside, "2013-01-05", "2013-01-05")


@pytest.mark.parametrize(
    ("newest", "fails"),
    [
        ("2013-01-05 23:59:59.000", False),
        ("2013-01-05 18:00:00.000", False),
        ("2013-01-05 17:59:59.999", True),
        ("2013-01-05T18:00", False),
        ("2013-01-06", False),
        ("2013-01-05", True),
        ("2030-01-01", False),
        ("", True),
        ("yesterday", True),
        ("2013-02-30", True),
        ("2013-01-05 23:00:00.000 UTC", True),
    ],
)
def test_freshness_counts_back_from_the_end_of_the_partition(newest: str, *, fails: bool) -> None:
    """Six hours before 2013-01-06 begins; text that tells no civil time is never fresh."""
    tests = [{"name": "fresh", "severity": "warn", "test": "freshness", "value": 6 * 3600}]
    spec = Spec.read(insert_spec(tests=tests))
    found = [PartitionRows(("2013-01-05",), 4, (newest,))]
    (said,) = judge(spec, found, {"2013-01-05": 4}, window=WINDOW)
    assert said["offending"] == int(fails)
    assert said["where"] == ([f"2013-01-05 (newest: {newest or 'NULL'})"] if fails else [])


def test_freshness_of_a_whole_table_counts_back_from_the_end_of_the_window() -> None:
    tests = [{"name": "fresh", "severity": "error", "test": "freshness", "value": 24 * 3600}]
    whole = {"kind": "ctas", "grain": None, "time": [], "partitions": [], "tests": tests}
    spec = Spec.read({**insert_spec(), **whole})
    found = [PartitionRows((), 4, ("2013-01-31 07:00:00.000",))]
    assert judge(spec, found, {"all": 4}, window=("2013-01", "2013-01"))[0]["offending"] == 0
    with pytest.raises(
        faults.TestsFailed, match=r"fresh: 1 offending in \(newest: 2013-01-31 07:00"
    ):
        judge(spec, found, {"all": 4}, window=("2013-02-01", "2013-02-01"))
