"""Looking at rows without publishing: types, bytes, windows, and errors at the user's line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from runner.app.preview import preview
from runner.errors import RunFailed, UsageError
from tests.support.forks import left_behind

if TYPE_CHECKING:
    from pathlib import Path

DAY = "2013-01-05"


def test_rows_types_and_bytes_without_publishing(flights: Path) -> None:
    before = left_behind(flights, flights / ".runner" / "mart.sqlite")
    found = preview(flights, "marts.daily_carrier_delay", start=DAY, limit=5)
    assert found.columns == (
        ("carrier", "varchar"),
        ("flights", "bigint"),
        ("cancelled", "bigint"),
        ("late", "bigint"),
        ("dep_delay_minutes", "bigint"),
        ("mean_dep_delay", "double"),
        ("mean_arr_delay", "double"),
        ("dt", "varchar"),
    )
    assert len(found.rows) == 5
    assert found.more
    assert {row[-1] for row in found.rows} == {DAY}
    assert 1_000 < found.scanned_bytes < 100_000
    assert left_behind(flights, flights / ".runner" / "mart.sqlite") == before


def test_all_rows_of_a_day(flights: Path) -> None:
    found = preview(flights, "marts.daily_carrier_delay", start=DAY, limit=100)
    assert not found.more
    assert len(found.rows) == 14
    assert sum(row[1] for row in found.rows) == 720  # flights that left New York on 5 January 2013


@pytest.mark.parametrize(
    ("table", "columns", "windowed"),
    [
        ("raw.airlines", ["carrier", "name"], False),
        ("marts.carrier_names", ["carrier", "carrier_name"], False),
        ("marts.alb_status_hourly", None, True),
        ("marts.carrier_delay_7d", None, True),
        ("marts.route_summary", None, False),
    ],
)
def test_every_kind_of_table(
    flights: Path, table: str, columns: list[str] | None, *, windowed: bool
) -> None:
    """External tables, views, hourly windows, look-back, whole tables."""
    found = preview(flights, table, start=DAY, limit=3)
    assert len(found.rows) == 3
    assert found.windowed == windowed
    if columns is not None:
        assert [name for name, _ in found.columns] == columns


def test_yesterday_unless_told(flights: Path) -> None:
    """In the project's zone: 3:00 UTC on the 7th is still the 6th in New York."""
    found = preview(
        flights,
        "marts.daily_carrier_delay",
        now=lambda: datetime(2013, 1, 7, 3, 0, tzinfo=UTC),
    )
    assert (found.start, found.end) == (DAY, DAY)


@pytest.mark.parametrize(("start", "end"), [("2013-13-01", None), ("yesterday", None)])
def test_a_window_that_is_none(flights: Path, start: str, end: str | None) -> None:
    with pytest.raises(UsageError, match="bad-window"):
        preview(flights, "marts.daily_carrier_delay", start=start, end=end)


def test_a_column_that_is_not_there_is_shown_at_its_line(flights: Path) -> None:
    path = flights / "sql" / "marts" / "wrong.sql"
    path.write_text("SELECT\n    carrier,\n    upper(distination) AS dest\nFROM staging.flights\n")
    with pytest.raises(RunFailed) as refused:
        preview(flights, "marts.wrong")
    (fault,) = refused.value.faults
    assert str(fault.place) == "sql/marts/wrong.sql:3:11"
    assert fault.found == (
        "COLUMN_NOT_FOUND: Column 'distination' cannot be resolved or requester is not authorized "
        "to access requested resources"
    )
    assert fault.advice == "Correct the column's name, or add it upstream."


def test_the_line_is_the_files_behind_a_header_and_a_loop(flights: Path) -> None:
    path = flights / "sql" / "marts" / "wrong.sql"
    path.write_text(
        "/*---\ndescription: Wrong.\n---*/\n"
        "{% for airport in ['EWR', 'JFK'] %}\n"
        "SELECT\n"
        "    '{{ airport }}' AS airport,\n"
        "    distination\n"
        "FROM staging.flights\n"
        "{% if not loop.last %}UNION ALL{% endif %}\n"
        "{% endfor %}\n"
    )
    with pytest.raises(RunFailed) as refused:
        preview(flights, "marts.wrong")
    (fault,) = refused.value.faults
    assert str(fault.place) == "sql/marts/wrong.sql:7:5"


def test_types_that_do_not_fit_say_so(flights: Path) -> None:
    path = flights / "sql" / "marts" / "wrong.sql"
    path.write_text("SELECT sum(carrier) AS n FROM staging.flights\n")
    with pytest.raises(RunFailed, match="FUNCTION_NOT_FOUND: Unexpected parameters") as refused:
        preview(flights, "marts.wrong")
    assert refused.value.faults[0].place.file == "sql/marts/wrong.sql"
    assert "Candidate functions" not in str(refused.value)
