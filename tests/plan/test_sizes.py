"""What a plan scans, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.plan.facts import Read
from runner.plan.sizes import LEAST, MEGABYTE, Sizes, charge, estimate, money
from tests.plan.scenes import back, days, node, plan

MEGABYTES_A_DAY = {f"2024-01-{day:02d}": 30 * MEGABYTE for day in range(1, 32)}
FULL = Sizes(MEGABYTES_A_DAY, 31 * 30 * MEGABYTE)
TEST = LEAST
"""The query over the stage."""


@pytest.mark.parametrize(
    ("scanned", "charged"),
    [(0, LEAST), (LEAST, LEAST), (LEAST + 1, 11 * MEGABYTE), (12_345_678, 13 * MEGABYTE)],
)
def test_the_price_list(scanned: int, charged: int) -> None:
    assert charge(scanned) == charged


def test_a_terabyte_costs_what_the_setting_says() -> None:
    assert money(2_000_000_000_000, 5.0) == 10.0


@pytest.mark.parametrize(
    ("read", "scanned"),
    [
        (back("s.a", 0), 2 * 30 * MEGABYTE),
        (back("s.a", 3), 5 * 30 * MEGABYTE),
        (Read("s.a", windowed=True, lookback=0, share=0.25), 15 * MEGABYTE),
        (Read("s.a", windowed=False, lookback=0), 31 * 30 * MEGABYTE),
    ],
)
def test_a_statement_scans_the_window_of_its_input(read: Read, scanned: int) -> None:
    nodes = {one.name: one for one in (node("s.a"), node("m.b", read))}
    answer = plan([*nodes.values()], {"s.a": days(1, 31, "1")}, ("10", "11"), chosen={"m.b"})
    (table,) = estimate(answer.tables, nodes, {"s.a": FULL})
    assert (table.bytes, table.estimated) == (scanned + TEST, False)


def test_every_chunk_is_two_statements() -> None:
    wide = replace(node("m.b", "s.a"), combinations=50)  # two days a statement
    nodes = {one.name: one for one in (node("s.a"), wide)}
    answer = plan([*nodes.values()], {"s.a": days(1, 31, "1")}, ("10", "14"), chosen={"m.b"})
    (table,) = estimate(answer.tables, nodes, {"s.a": FULL})
    assert table.bytes == (60 + 60 + 30) * MEGABYTE + 3 * TEST


def test_what_is_not_written_yet_is_as_large_as_what_is() -> None:
    nodes = {one.name: one for one in (node("s.a"), node("m.b", "s.a"))}
    answer = plan([*nodes.values()], {"s.a": days(1, 3, "1"), "m.b": days(1, 2, "2")}, ("01", "05"))
    half = Sizes({f"2024-01-0{day}": 40 * MEGABYTE for day in (1, 2, 3)}, 120 * MEGABYTE)
    first, second = estimate(answer.tables, nodes, {"s.a": half})
    assert (first.name, first.bytes) == ("s.a", LEAST + TEST)  # it reads nothing of ours
    assert (second.bytes, second.estimated) == (3 * 40 * MEGABYTE + TEST, True)  # days 3, 4, 5


def test_nothing_is_written_yet_so_that_it_is_as_large_as_what_it_is_made_of() -> None:
    nodes = {
        one.name: one
        for one in (node("raw.r", kind="ddl"), node("s.a", "raw.r"), node("m.b", "s.a"))
    }
    answer = plan([*nodes.values()], {}, ("01", "02"))
    tables = estimate(answer.tables, nodes, {"raw.r": Sizes({}, 100 * MEGABYTE)})
    assert [(table.name, table.bytes, table.estimated) for table in tables] == [
        ("raw.r", 0, False),
        ("s.a", 100 * MEGABYTE + TEST, False),
        ("m.b", 100 * MEGABYTE + TEST, True),
    ]


def test_a_view_is_scanned_as_what_it_reads() -> None:
    view = node("s.v", "s.a*", kind="view")
    nodes = {one.name: one for one in (node("s.a"), view, node("m.w", "s.v*", kind="ctas"))}
    published = {"s.a": days(1, 31, "1"), "s.v": {"all": "1"}}
    answer = plan([*nodes.values()], published, ("01", "31"))
    (table,) = estimate(answer.tables, nodes, {"s.a": FULL})
    assert table.bytes == 31 * 30 * MEGABYTE + TEST
