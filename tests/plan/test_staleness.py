"""What is missing, failed or stale, and what that makes of the tables downstream."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.plan.backfill import Question, plan_tables
from runner.plan.calendar import ordinal
from runner.plan.ledgers import make_ledger
from runner.plan.staleness import Span, Wish
from tests.plan.scenes import back, days, node, plan, shown

A, B = node("s.a"), node("m.b", "s.a")
ALL = ("01", "05")


def test_nothing_is_published() -> None:
    assert shown(plan([A, B], {}, ALL)) == {"s.a": ["01..05 missing"], "m.b": ["01..05 missing"]}


def test_everything_is_fresh() -> None:
    published = {"s.a": days(1, 5, "1"), "m.b": days(1, 5, "2")}
    assert shown(plan([A, B], published, ALL)) == {}


def test_a_hole_is_found_and_what_reads_it_is_written_again() -> None:
    published = {"s.a": days(1, 2, "1") | days(4, 5, "1"), "m.b": days(1, 5, "2")}
    assert shown(plan([A, B], published, ALL)) == {
        "s.a": ["03 missing"],
        "m.b": ["03 s.a is written by this backfill"],
    }


def test_gaps_leave_what_is_stale() -> None:
    published = {"s.a": days(1, 2, "1") | days(4, 5, "3"), "m.b": days(1, 5, "2")}
    answer = plan([A, B], published, ALL, wish=Wish(gaps=True))
    assert shown(answer) == {"s.a": ["03 missing"]}


def test_all_ignores_the_records() -> None:
    published = {"s.a": days(1, 5, "1"), "m.b": days(1, 5, "2")}
    answer = plan([A, B], published, ALL, wish=Wish(everything=True))
    assert shown(answer) == {
        "s.a": ["01..05 asked for"],
        "m.b": ["01..05 s.a is written by this backfill"],
    }


def test_changed_sql_makes_its_periods_stale_and_those_downstream() -> None:
    published = {"s.a": days(1, 5, "1"), "m.b": days(1, 5, "2")}
    answer = plan([A, B], published, ALL, old={"s.a": {"02", "03"}})
    assert shown(answer) == {
        "s.a": ["02..03 SQL changed"],
        "m.b": ["02..03 s.a is written by this backfill"],
    }


def test_a_later_publish_upstream_makes_stale() -> None:
    published = {"s.a": {**days(1, 5, "1"), "04": "3"}, "m.b": days(1, 5, "2")}
    assert shown(plan([A, B], published, ALL)) == {"m.b": ["04 s.a published later"]}


def test_staleness_widens_by_the_look_back() -> None:
    reader = node("m.b", back("s.a", 2))
    published = {"s.a": {**days(1, 9, "1"), "03": "3"}, "m.b": days(1, 9, "2")}
    assert shown(plan([A, reader], published, ("01", "09"))) == {
        "m.b": ["03..05 s.a published later"]
    }


def test_a_rewrite_reaches_published_readers_beyond_the_range() -> None:
    reader = node("m.b", back("s.a", 2))
    published = {"s.a": days(1, 9, "1"), "m.b": days(1, 6, "2")}
    answer = plan([A, reader], published, ("04", "05"), old={"s.a": {"05"}})
    assert shown(answer) == {
        "s.a": ["05 SQL changed"],
        "m.b": ["05..06 s.a is written by this backfill"],  # 07 is not published
    }


def test_staleness_is_transitive_and_needs_the_table_to_be_chosen() -> None:
    last = node("m.c", "m.b")
    published = {name: days(1, 5, at) for name, at in (("s.a", "1"), ("m.b", "2"), ("m.c", "3"))}
    old = {"s.a": {"02"}}
    assert shown(plan([A, B, last], published, ALL, old=old)) == {
        "s.a": ["02 SQL changed"],
        "m.b": ["02 s.a is written by this backfill"],
        "m.c": ["02 m.b is written by this backfill"],
    }
    assert shown(plan([A, B, last], published, ALL, old=old, chosen={"s.a", "m.c"})) == {
        "s.a": ["02 SQL changed"]
    }


def test_inputs_that_are_read_whole_make_nothing_stale_unless_watched() -> None:
    whole = node("m.b", "s.a*")
    published = {"s.a": {**days(1, 5, "1"), "03": "9"}, "m.b": days(1, 5, "2")}
    assert shown(plan([A, whole], published, ALL)) == {}
    watching = replace(whole, watch=frozenset({"s.a"}))
    assert shown(plan([A, watching], published, ALL)) == {"m.b": ["01..05 s.a published later"]}


def test_a_table_that_is_written_whole_follows_all_that_it_reads() -> None:
    whole = node("m.w", "s.a*", kind="ctas")
    fresh = {"s.a": days(1, 5, "1"), "m.w": {"all": "2"}}
    assert shown(plan([A, whole], fresh, ALL)) == {}
    later = {**fresh, "s.a": {**fresh["s.a"], "31": "3"}}  # also outside the range
    assert shown(plan([A, whole], later, ALL)) == {"m.w": ["all s.a published later"]}
    holes = {**fresh, "s.a": days(1, 4, "1")}
    assert shown(plan([A, whole], holes, ALL)) == {
        "s.a": ["05 missing"],
        "m.w": ["all s.a is written by this backfill"],
    }


def test_views_are_looked_through() -> None:
    view = node("s.v", "s.a*", kind="view")
    reader = node("m.w", "s.v*", kind="ctas")
    published = {"s.a": {**days(1, 5, "1"), "02": "5"}, "s.v": {"all": "1"}, "m.w": {"all": "3"}}
    assert shown(plan([A, view, reader], published, ALL)) == {"m.w": ["all s.a published later"]}
    daily = node("m.d", back("s.v", 1))  # the header says lookback: {s.v: 1}
    published |= {"m.d": days(1, 5, "3")}
    assert shown(plan([A, view, daily], published, ALL)) == {"m.d": ["02..03 s.a published later"]}


def test_a_view_is_made_when_its_text_changed_and_for_its_readers() -> None:
    view = node("s.v", "s.a*", kind="view")
    reader = node("m.d", "s.v*")
    published = {"s.a": days(1, 5, "1"), "s.v": {"all": "1"}, "m.d": days(1, 4, "2")}
    answer = plan([A, view, reader], published, ALL, old={"s.v": {"all"}}, chosen={"m.d"})
    assert shown(answer) == {"s.v": ["all SQL changed"], "m.d": ["05 missing"]}
    assert [table.wave for table in answer.tables] == [1, 2]


def test_a_ddl_that_was_made_anew_makes_no_history_stale() -> None:
    raw = node("raw.a", kind="ddl")
    reader = node("s.a", "raw.a")
    published = {"raw.a": {"all": "9"}, "s.a": days(1, 5, "2")}
    assert shown(plan([raw, reader], published, ALL)) == {}


def test_failed_attempts_count_until_a_publish() -> None:
    published = {"s.a": {"01": "1", "02": "5"}}
    failed = {"s.a": {"01-03": "3"}}
    assert shown(plan([A], published, ("01", "03"), failed=failed)) == {
        "s.a": ["01 failed", "03 failed"]
    }


def test_a_publish_that_was_begun_and_never_ended_is_missing() -> None:
    published = {"s.a": days(1, 3, "1")}
    assert shown(plan([A], published, ("01", "03"), begun={"s.a": {"02-03": "2"}})) == {
        "s.a": ["02..03 missing"]
    }


ITSELF = "its earlier periods are newer"


@pytest.mark.parametrize(
    ("published", "old", "expected"),
    [
        ({f"{day:02d}": str(day) for day in range(1, 6)}, set(), []),
        (
            {f"{day:02d}": str(day) for day in range(1, 6)},
            {"02"},
            ["02 SQL changed", f"03..05 {ITSELF}"],
        ),
        ({"01": "1", "02": "2", "04": "4"}, set(), ["03 missing", f"04 {ITSELF}", "05 missing"]),
        ({"01": "1", "02": "8", "03": "3", "04": "4"}, set(), [f"03..04 {ITSELF}", "05 missing"]),
    ],
)
def test_a_table_that_reads_itself_is_written_on_from_the_first_change(
    published: dict[str, str], old: set[str], expected: list[str]
) -> None:
    own = node("s.a", back("s.a", 1))
    answer = plan([own], {"s.a": published}, ALL, old={"s.a": old})
    assert shown(answer) == ({"s.a": expected} if expected else {})
    assert sum(table.chunks for table in answer.tables) == sum(t.periods for t in answer.tables)


def test_months_read_days_and_days_read_months() -> None:
    month = node("m.month", "s.a", grain="month")
    day = node("m.day", "m.month")
    published = {
        "s.a": {f"2024-01-{day:02d}": "1" for day in range(1, 32)} | {"2024-01-20": "4"},
        "m.month": {"2024-01": "2"},
        "m.day": {f"2024-01-{day:02d}": "3" for day in range(1, 32)},
    }
    nodes = {one.name: one for one in (A, month, day)}
    ledgers = {
        name: make_ledger(
            nodes[name].grain, [(at, p, p, "a" * 12, "r") for p, at in periods.items()]
        )
        for name, periods in published.items()
    }
    first, last = (ordinal(f"2024-01-{d:02d}", "day") for d in (1, 31))
    only = ordinal("2024-01", "month")
    spans = {"s.a": Span(first, last), "m.month": Span(only, only), "m.day": Span(first, last)}
    answer = plan_tables(Question(nodes, ledgers, spans, Wish()))
    assert [(table.name, table.windows) for table in answer.tables] == [
        ("m.month", (("2024-01", "2024-01"),)),
        ("m.day", (("2024-01-01", "2024-01-31"),)),
    ]


def test_gaps_upstream_that_nobody_writes_are_told() -> None:
    reader = node("m.b", back("s.a", 1))
    answer = plan([A, reader], {"s.a": days(1, 3, "1")}, ("03", "05"), chosen={"m.b"})
    (gap,) = answer.gaps
    assert (gap.table, gap.reader, gap.periods) == ("s.a", "m.b", 2)
    assert (gap.start, gap.end) == ("2024-01-04", "2024-01-05")
    assert plan([A, reader], {"s.a": days(1, 3, "1")}, ("03", "05")).gaps == ()


def test_chunks_count_combinations() -> None:
    wide = replace(A, combinations=30)  # 3 days a statement
    answer = plan([wide], {"s.a": {"04": "1"}}, ("01", "11"))
    (table,) = answer.tables
    assert table.windows == (("2024-01-01", "2024-01-03"), ("2024-01-05", "2024-01-11"))
    assert table.chunks == 1 + 3
