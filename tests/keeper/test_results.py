"""The test query's result (SEMANTICS 4 and 13)."""

from __future__ import annotations

from runner.keeper.results import PartitionRows, judge, parse_csv, rows_by_period
from runner.keeper.spec import Spec
from tests.support.lake import insert_spec


def test_athenas_csv_is_read_with_its_quotes_and_nulls() -> None:
    data = b'"dt","rows","t0"\n"2013-01-05","3","0"\n,"2",\n"a ""b"", c","1","7"\n\n'
    assert parse_csv(data, 1) == [
        PartitionRows(("2013-01-05",), 3, (0,)),
        PartitionRows((None,), 2, (0,)),
        PartitionRows(('a "b", c',), 1, (7,)),
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
    found = [PartitionRows(("2013-01-05",), 1, (0, 5)), PartitionRows(("2013-01-06",), 9, (2, 6))]
    counts = {"2013-01-05": 1, "2013-01-06": 9, "2013-01-07": 0}
    said = [(r["test"], r["offending"], r["where"]) for r in judge(spec, found, counts)]
    assert said == [
        ("a", 2, ["2013-01-06"]),
        ("rows", 2, ["2013-01-05", "2013-01-07"]),
        ("b", 11, ["2013-01-05", "2013-01-06"]),
    ]
