"""A table's facts: chunks (SEMANTICS 22, 23), paths, values that projection would find."""

from __future__ import annotations

from typing import Any

import pytest

from runner.keeper.faults import WindowTooLarge
from runner.keeper.spec import Spec, hive_escape, is_allowed, run_name, tag
from runner.keeper.work import Work, cut, refuse_large
from tests.support.lake import ctas_spec, insert_spec

HOURLY = {"grain": "hour", "time": [["dt", "yyyy-MM-dd"], ["hh", "HH"]], "partitions": ["dt", "hh"]}


def spec(**more: Any) -> Spec:  # noqa: ANN401 - JSON
    return Spec.read(insert_spec(**more))


@pytest.mark.parametrize(
    ("more", "window", "chunks"),
    [
        ({}, ("2013-01-01", "2013-01-31"), [("2013-01-01", "2013-01-31")]),
        (
            {"combinations": 10},
            ("2013-01-01", "2013-01-25"),
            [
                ("2013-01-01", "2013-01-10"),
                ("2013-01-11", "2013-01-20"),
                ("2013-01-21", "2013-01-25"),
            ],
        ),
        (
            {"combinations": 51},
            ("2013-01-01", "2013-01-02"),
            [("2013-01-01", "2013-01-01"), ("2013-01-02", "2013-01-02")],
        ),
        ({"combinations": 400}, ("2013-01-01", "2013-01-01"), [("2013-01-01", "2013-01-01")]),
        (
            {"ordered": True},  # SEMANTICS 21: each period reads the one before it
            ("2013-01-01", "2013-01-02"),
            [("2013-01-01", "2013-01-01"), ("2013-01-02", "2013-01-02")],
        ),
        (
            {"grain": None, "time": [], "partitions": []},
            ("2013-01-01", "2013-12-31"),
            [("2013-01-01", "2013-12-31")],
        ),
    ],
)
def test_semantics_22_a_chunk_opens_at_most_100_writers(
    more: dict[str, Any], window: tuple[str, str], chunks: list[tuple[str, str]]
) -> None:
    assert cut(spec(**more), [window]) == chunks


def test_pains_5_to_7_a_year_becomes_chunks_without_gap() -> None:
    found = cut(spec(), [("2013-01-01", "2013-12-31")])
    assert found == [
        ("2013-01-01", "2013-04-10"),
        ("2013-04-11", "2013-07-19"),
        ("2013-07-20", "2013-10-27"),
        ("2013-10-28", "2013-12-31"),
    ]


def test_semantics_23_more_partitions_than_a_run_may_write_name_backfill() -> None:
    with pytest.raises(WindowTooLarge, match=r"744 partitions, more than the 400 .*backfill"):
        refuse_large(spec(**HOURLY), Work((("2013-01-01T00", "2013-01-31T23"),)))


@pytest.mark.parametrize(
    ("more", "window", "widened"),
    [
        ({"grain": "month"}, ("2013-01-15", "2013-02-02"), ("2013-01", "2013-02")),
        (HOURLY, ("2013-01-15", "2013-01-15"), ("2013-01-15T00", "2013-01-15T23")),
        ({"grain": None}, ("2013-01-15", "2013-01-16"), ("2013-01-15", "2013-01-16")),
    ],
)
def test_semantics_15_a_tables_window_is_widened_to_its_grain(
    more: dict[str, Any], window: tuple[str, str], widened: tuple[str, str]
) -> None:
    assert spec(**more).window(*window, "day") == widened


@pytest.mark.parametrize(
    ("more", "window", "paths"),
    [
        ({}, ("2013-01-05", "2013-01-05"), {"2013-01-05": "dt=2013-01-05/"}),
        (
            HOURLY,
            ("2013-01-05T07", "2013-01-05T08"),
            {
                "2013-01-05T07": "dt=2013-01-05/hh=07/",
                "2013-01-05T08": "dt=2013-01-05/hh=08/",
            },
        ),
        (
            {"grain": "hour", "time": [["ts", "yyyy-MM-dd HH:'00'"]], "partitions": ["ts"]},
            ("2013-01-05T07", "2013-01-05T07"),
            {"2013-01-05T07": "ts=2013-01-05 07%3A00/"},
        ),
        ({"grain": None, "time": []}, ("2013-01-05", "2013-01-09"), {"all": ""}),
    ],
)
def test_paths_are_computed_and_escaped_as_hive_does(
    more: dict[str, Any], window: tuple[str, str], paths: dict[str, str]
) -> None:
    assert spec(**more).prefixes(*window) == paths


@pytest.mark.parametrize(
    ("value", "folder"),
    [
        ("a/b", "a%2Fb"),
        ("50%", "50%25"),
        ("a=b", "a%3Db"),
        ("it's", "it%27s"),
        ("tab\t", "tab%09"),
        ("Zürich 1", "Zürich 1"),
        ("[x]{y}^\\", "%5Bx%5D%7By}%5E%5C"),
        ("\x7f", "%7F"),
    ],
)
def test_hive_escapes(value: str, folder: str) -> None:
    assert hive_escape(value) == folder


@pytest.mark.parametrize(
    ("value", "rule", "allowed"),
    [
        (None, None, False),
        ("anything", None, True),
        ("AA", ["AA", "UA"], True),
        ("aa", ["AA", "UA"], False),
        (None, ["AA"], False),
        ("7", {"min": 0, "max": 9, "digits": 0}, True),
        ("07", {"min": 0, "max": 9, "digits": 0}, False),
        ("07", {"min": 0, "max": 9, "digits": 2}, True),
        ("7", {"min": 0, "max": 9, "digits": 2}, False),
        ("10", {"min": 0, "max": 9, "digits": 0}, False),
        ("-1", {"min": 0, "max": 9, "digits": 0}, False),
        ("-1", {"min": -2, "max": 9, "digits": 0}, True),
        ("--1", {"min": -2, "max": 9, "digits": 0}, False),
        ("²", {"min": 0, "max": 9, "digits": 0}, False),
        ("٣", {"min": 0, "max": 9, "digits": 0}, False),
        ("1.0", {"min": 0, "max": 9, "digits": 0}, False),
        ("+1", {"min": 0, "max": 9, "digits": 0}, False),
        ("10", {"min": 0, "max": 90, "digits": 0, "interval": 10}, True),
        ("15", {"min": 0, "max": 90, "digits": 0, "interval": 10}, False),
        ("15", {"min": 5, "max": 90, "digits": 0, "interval": 10}, True),
    ],
)
def test_only_values_that_projection_looks_for_are_allowed(
    value: str | None,
    rule: object,
    allowed: bool,  # noqa: FBT001 - a table's column
) -> None:
    assert is_allowed(value, rule) is allowed


def test_runs_of_two_workflows_with_one_name_are_told_apart() -> None:
    head = "arn:aws:states:eu-west-1:1:execution:"
    assert run_name(f"{head}daily:r1") == "daily.r1"
    assert run_name(f"{head}monthly:r1") == "monthly.r1"
    assert run_name(f"{head}daily/Chunks:0a1b") == "daily-Chunks.0a1b"


def test_stage_tables_are_named_by_table_execution_redrive_and_attempt() -> None:
    one = spec()
    names = {
        tag(one, "arn:a", 0, 1),
        tag(one, "arn:a", 0, 2),
        tag(one, "arn:a", 1, 1),
        tag(one, "arn:b", 0, 1),
    }
    assert len(names) == 4
    assert all(name.startswith("daily__") and name == name.lower() for name in names)


def test_a_view_needs_few_facts() -> None:
    found = Spec.read(ctas_spec("marts.names", kind="view"))
    assert (found.database, found.table, found.grain) == ("marts", "names", None)
    assert found.other_columns() == ()
    assert found.time_values("2013-01-05", "2013-01-05") == {(): "all"}
