"""Partition projection: faults, properties, counts.  SEMANTICS 22 and 24."""

from __future__ import annotations

import pytest

from runner.errors import Fault, Place
from runner.model.header import Header
from runner.query import (
    TimeKey,
    check_projection,
    combinations,
    partition_count,
    projection_parameters,
    time_key,
)

DT: dict[str, object] = {"type": "date", "format": "yyyy-MM-dd", "range": "2013-01-01,NOW+1DAYS"}
YEAR: dict[str, object] = {"type": "integer", "range": "2013,2030", "digits": 4}
MONTH: dict[str, object] = {"type": "integer", "range": "1,12", "digits": 2}
ENUM: dict[str, object] = {"type": "enum", "values": ["a", "b"]}


def header(**partition: object) -> Header:
    return Header.model_validate({"partition": partition})


def problems(partition: dict[str, object], *, timezone: str = "UTC") -> list[tuple[str, str]]:
    found = check_projection(header(**partition), timezone=timezone)
    return [(".".join(problem.path[1:]), problem.code) for problem in found]


@pytest.mark.parametrize(
    "partition",
    [
        {"dt": DT},
        {"dt": {**DT, "range": "2013-01-01,2013-12-31"}},
        {"dt": {**DT, "range": " 2013-01-01 , NOW - 3 DAYS "}},
        {"dt": {**DT, "range": "NOW-3YEARS,NOW"}},
        {"dt": {**DT, "interval": 1, "interval_unit": "DAYS"}},
        {"dt": {**DT, "format": "yyyyMMddHH", "range": "2013010100,NOW+1DAY"}},
        {"dt": {**DT, "format": "yyyy-DDD", "range": "2013-001,NOW"}},
        {"dt": {**DT, "format": "yyyy", "range": "2013,NOW"}},
        {"dt": DT, "carrier": ENUM, "hour": {"type": "integer", "range": "0,23", "digits": 2}},
        {"year": YEAR, "month": MONTH},
        {"k": {"type": "injected", "values": ["x"]}},
        {},
    ],
)
def test_what_is_right(partition: dict[str, object]) -> None:
    assert problems(partition) == []


@pytest.mark.parametrize(
    ("pattern", "advice"),
    [
        ("YYYY-MM-dd", "write yyyy-MM-dd"),
        ("yyyy-MM-DD", "write yyyy-MM-dd"),
        ("yyyy-mm-DD", "write yyyy-MM-dd"),
        ("yyyy-mm-dd", "write yyyy-MM-dd"),
        ("yyyy-MM-dd-hh", "write yyyy-MM-dd-HH"),
        ("yyyy/MM/dd", "write another separator: values become folders named column=value"),
        ("yyyyMMddHHmm", "write yyyy, MM, dd, HH and separators"),
        ("MM-dd", "write uuuu or yyyy for the year"),
        ("yyyy-dd", "write MM for the month"),
        ("yyyy-M-dd", "write MM for the month"),
        ("date", "write yyyy, MM, dd, HH and separators"),
        ("-", "write yyyy, MM, dd, HH and separators"),
    ],
)
def test_java_patterns(pattern: str, advice: str) -> None:
    (problem,) = check_projection(header(dt={**DT, "format": pattern}))
    assert (problem.path, problem.code) == (("partition", "dt", "format"), "projection-format")
    assert problem.advice == advice


@pytest.mark.parametrize(
    ("partition", "expected"),
    [
        ({"dt": {"type": "date"}}, [("dt", "projection-format")]),
        ({"dt": {**DT, "range": None}}, [("dt", "projection-range")]),
        ({"dt": {**DT, "range": "2013-01-01"}}, [("dt.range", "projection-range")]),
        ({"dt": {**DT, "range": "2013-1-1,NOW"}}, [("dt.range", "projection-range")]),
        ({"dt": {**DT, "range": "2013-02-30,NOW"}}, [("dt.range", "projection-range")]),
        (
            {"dt": {**DT, "range": "2013-01-01,NOW+1DAYS+2HOURS"}},
            [("dt.range", "projection-range")],
        ),
        ({"dt": {**DT, "range": "2013-01-01,now"}}, [("dt.range", "projection-range")]),
        ({"dt": {**DT, "range": "2013-02-01,2013-01-01"}}, [("dt.range", "projection-range")]),
        ({"dt": {**DT, "interval": 2}}, [("dt.interval", "projection-interval")]),
        (
            {"dt": {**DT, "interval": 1, "interval_unit": "HOURS"}},
            [("dt.interval_unit", "projection-interval")],
        ),
        ({"dt": {**DT, "digits": 2}}, [("dt.digits", "projection-setting")]),
        ({"dt": {**DT, "values": ["a"]}}, [("dt.values", "projection-setting")]),
        ({"k": {"type": "enum"}}, [("k", "projection-values")]),
        ({"k": {"type": "injected"}}, [("k", "projection-values")]),
        ({"k": {"type": "enum", "values": ["a "]}}, [("k.values", "projection-values")]),
        ({"k": {"type": "enum", "values": ["a,b"]}}, [("k.values", "projection-values")]),
        ({"k": {"type": "enum", "values": ["a/b"]}}, [("k.values", "projection-values")]),
        ({"k": {"type": "enum", "values": ["a", "a"]}}, [("k.values", "projection-values")]),
        ({"k": {"type": "enum", "values": [""]}}, [("k.values", "projection-values")]),
        ({"k": {"type": "integer"}}, [("k", "projection-range")]),
        ({"k": {"type": "integer", "range": "9,1"}}, [("k.range", "projection-range")]),
        ({"k": {"type": "integer", "range": "1-9"}}, [("k.range", "projection-range")]),
        ({"k": {"type": "integer", "range": "01,12"}}, [("k.range", "projection-digits")]),
        (
            {"k": {"type": "integer", "range": "0,100", "digits": 2}},
            [("k.digits", "projection-digits")],
        ),
        (
            {
                "a": {"type": "integer", "range": "0,9999"},
                "b": {"type": "integer", "range": "0,999"},
            },
            [("", "projection-size")],
        ),
    ],
)
def test_projection_faults(partition: dict[str, object], expected: list[tuple[str, str]]) -> None:
    assert problems(partition) == expected


@pytest.mark.parametrize(
    ("partition", "expected"),
    [
        ({"carrier": ENUM, "dt": DT}, [("dt", "projection-order")]),
        ({"dt": DT, "day": DT}, [("day", "projection-order")]),
        ({"month": MONTH}, [("month", "projection-order")]),
        ({"month": MONTH, "year": YEAR}, [("month", "projection-order")]),
        ({"year": YEAR, "day": {**MONTH, "range": "1,31"}}, [("day", "projection-order")]),
        ({"year": {**YEAR, "digits": None}}, [("year", "projection-digits")]),
        ({"year": YEAR, "month": {**MONTH, "digits": 3}}, [("month.digits", "projection-digits")]),
    ],
)
def test_semantics_22_time_comes_first(
    partition: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    assert problems(partition) == expected


@pytest.mark.parametrize(
    ("timezone", "pattern", "last", "refused"),
    [
        ("UTC", "yyyy-MM-dd", "NOW", False),
        ("UTC", "yyyy-MM-dd", "NOW-3DAYS", False),
        ("Asia/Tokyo", "yyyy-MM-dd", "NOW", True),
        ("Asia/Tokyo", "yyyy-MM-dd", "NOW-1DAYS", True),
        ("Asia/Tokyo", "yyyy-MM-dd", "NOW+23HOURS", True),
        ("Asia/Tokyo", "yyyy-MM-dd", "NOW+24HOURS", False),
        ("Asia/Tokyo", "yyyy-MM-dd", "NOW+1DAYS", False),
        ("Asia/Tokyo", "yyyy-MM-dd", "NOW+1MONTH", False),
        ("Asia/Tokyo", "yyyy-MM-dd", "2030-12-31", False),
        ("UTC", "yyyyMMddHH", "NOW", True),
        ("UTC", "yyyyMMddHH", "NOW+1DAYS", False),
    ],
)
def test_semantics_24_now_is_utc(timezone: str, pattern: str, last: str, *, refused: bool) -> None:
    first = {"yyyy-MM-dd": "2013-01-01", "yyyyMMddHH": "2013010100"}[pattern]
    column = {"type": "date", "format": pattern, "range": f"{first},{last}"}
    expected = [("dt.range", "projection-now")] if refused else []
    assert problems({"dt": column}, timezone=timezone) == expected


def test_a_problem_becomes_a_fault() -> None:
    (problem,) = check_projection(header(k={"type": "enum"}))
    assert problem.fault(Place("a.sql", 3, 5)) == Fault(
        Place("a.sql", 3, 5),
        "projection-values",
        "an enum column without values",
        "values: every value that the column has",
        "write values: [a, b]",
    )


def test_parameters() -> None:
    hours = {"type": "integer", "range": " 0, 23", "digits": 2}
    injected = {"type": "injected", "values": ["x"]}
    table = header(dt=DT, carrier=ENUM, hh=hours, k=injected)
    assert projection_parameters(table) == {
        "projection.enabled": "true",
        "projection.dt.type": "date",
        "projection.dt.format": "yyyy-MM-dd",
        "projection.dt.range": "2013-01-01,NOW+1DAYS",
        "projection.dt.interval": "1",
        "projection.dt.interval.unit": "DAYS",
        "projection.carrier.type": "enum",
        "projection.carrier.values": "a,b",
        "projection.hh.type": "integer",
        "projection.hh.range": "0,23",
        "projection.hh.digits": "2",
        "projection.k.type": "injected",
    }
    assert projection_parameters(header()) == {}


@pytest.mark.parametrize(
    ("partition", "key", "printed"),
    [
        ({"dt": DT}, TimeKey(("dt",), ("yyyy-MM-dd",), "day"), "yyyy-MM-dd"),
        (
            {"dt": {**DT, "format": "yyyyMMddHH"}, "carrier": ENUM},
            TimeKey(("dt",), ("yyyyMMddHH",), "hour"),
            "yyyyMMddHH",
        ),
        ({"dt": {**DT, "format": "yyyyMM"}}, TimeKey(("dt",), ("yyyyMM",), "month"), "yyyyMM"),
        (
            {"year": YEAR, "month": MONTH, "carrier": ENUM},
            TimeKey(("year", "month"), ("yyyy", "MM"), "month"),
            "yyyy-MM",
        ),
    ],
)
def test_semantics_22_time_key(partition: dict[str, object], key: TimeKey, printed: str) -> None:
    assert time_key(header(**partition)) == key
    assert key.format == printed


@pytest.mark.parametrize(
    "partition", [{}, {"carrier": ENUM}, {"dt": {**DT, "format": "YYYY"}}, {"month": MONTH}]
)
def test_no_time_key(partition: dict[str, object]) -> None:
    assert time_key(header(**partition)) is None


@pytest.mark.parametrize(
    ("partition", "beside", "total"),
    [
        ({}, 1, 1),
        ({"dt": DT}, 1, None),
        ({"dt": {**DT, "range": "2012-01-01,2012-12-31"}}, 1, 366),
        ({"dt": DT, "carrier": ENUM, "k": {"type": "integer", "range": "0,23"}}, 48, None),
        ({"carrier": ENUM, "k": {"type": "integer", "range": "0,9", "interval": 5}}, 4, 4),
        ({"year": YEAR, "month": MONTH, "carrier": ENUM}, 2, 432),
        (
            {"dt": {**DT, "format": "yyyyMMddHH", "range": "2013010100,2013010223"}, "c": ENUM},
            2,
            96,
        ),
    ],
)
def test_counts(partition: dict[str, object], beside: int, total: int | None) -> None:
    assert combinations(header(**partition)) == beside
    assert partition_count(header(**partition)) == total
