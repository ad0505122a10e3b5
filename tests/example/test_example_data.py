"""The sample input is what the package holds, byte for byte the same each time it is made."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import json
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from tests.example import expected

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

DATA = expected.ROOT / "data"
DAYS = [f"2013-01-{day:02}" for day in range(1, 32)]


@pytest.fixture(scope="module")
def make_data() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "make_data", expected.ROOT / "scripts" / "make_data.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def json_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def month(table: str) -> dict[str, list[dict[str, Any]]]:
    return {
        folder.name.removeprefix("dt="): json_rows(folder / "part-0.json.gz")
        for folder in sorted((DATA / table).iterdir())
    }


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "README.md"
    }


def unpacked(content: bytes) -> bytes:
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def test_january_has_its_27004_flights_by_day() -> None:
    rows = month("flights")
    assert list(rows) == DAYS
    assert sum(map(len, rows.values())) == 27_004
    assert [len(rows[dt]) for dt in DAYS] == expected.flights().groupby("dt").size().tolist()


@pytest.mark.parametrize(("table", "count"), [("flights", 27_004), ("weather", 2_226)])
def test_every_value_is_the_packages(table: str, count: int) -> None:
    source = {"flights": expected.flights, "weather": expected.weather}[table]().copy()
    found = pd.DataFrame([{**row, "dt": dt} for dt, rows in month(table).items() for row in rows])
    assert len(found) == count
    key = ["dt", "origin", "time_hour"] + (["carrier", "flight"] if table == "flights" else [])
    source, found = (rows.sort_values(key).reset_index(drop=True) for rows in (source, found))
    pd.testing.assert_frame_equal(
        found[source.columns], source, check_dtype=False, check_exact=True
    )


@pytest.mark.parametrize("table", ["flights", "weather"])
def test_integers_are_integers_and_missing_is_null(table: str) -> None:
    kinds: dict[str, set[str]] = {}
    for rows in month(table).values():
        for row in rows:
            for name, value in row.items():
                kinds.setdefault(name, set()).add(type(value).__name__)
    fractions = {"temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib"}
    texts = {"carrier", "tailnum", "origin", "dest", "time_hour"}
    for name, found in kinds.items():
        wanted = "float" if name in fractions else "str" if name in texts else "int"
        assert found - {"NoneType"} == {wanted}, name


def test_a_cancelled_flight_has_nulls() -> None:
    cancelled = [row for rows in month("flights").values() for row in rows if not row["dep_time"]]
    assert len(cancelled) == 521
    assert {(row["dep_delay"], row["arr_delay"], row["air_time"]) for row in cancelled} == {
        (None, None, None)
    }


@pytest.mark.parametrize(
    ("table", "count"), [("planes", 3_322), ("airports", 1_458), ("airlines", 16)]
)
def test_dimensions_are_the_packages(table: str, count: int) -> None:
    with (DATA / table / f"{table}.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    with expected.package_file(f"{table}.csv").open(newline="") as file:
        source = list(csv.DictReader(file))
    assert len(found) == count
    assert found == [
        {name: "" if value == "NA" else value for name, value in row.items()} for row in source
    ]


def test_no_dimension_needs_quotes() -> None:
    """The tables split lines at commas."""
    for table in ("planes", "airports", "airlines"):
        assert '"' not in (DATA / table / f"{table}.csv").read_text()


def test_a_day_of_the_log_is_small_and_varied() -> None:
    paths = expected.log_files()
    assert ["-".join(path.parts[-4:-1]) for path in paths] == DAYS
    sizes = [len(list(expected.log_lines(path))) for path in paths]
    assert min(sizes) > 100
    assert max(sizes) < 400
    lines = [line for path in paths for line in expected.log_lines(path)]
    statuses = Counter(line.split(" ")[8] for line in lines)
    assert {"200", "301", "304", "400", "403", "404", "460", "500", "502", "503", "504"} == set(
        statuses
    )
    assert any(" 2001:db8:" in line for line in lines)
    assert any(r"\x22" in line for line in lines)


def test_making_january_again_gives_the_same_bytes(make_data: ModuleType, tmp_path: Path) -> None:
    make_data.main(["--start", DAYS[0], "--end", DAYS[-1], "--out", str(tmp_path)])
    made, committed = files(tmp_path), files(DATA)
    assert list(made) == list(committed)
    for name, content in made.items():
        assert unpacked(content) == unpacked(committed[name]), name
    if "ng" not in zlib.ZLIB_RUNTIME_VERSION:  # zlib-ng packs the same text differently
        assert made == committed


def test_a_period_is_a_part_of_a_longer_one(make_data: ModuleType, tmp_path: Path) -> None:
    """A day's files do not depend on the period that they were made with; March has summer time."""
    make_data.main(["--start", "2013-03-09", "--end", "2013-03-11", "--out", str(tmp_path / "3")])
    make_data.main(["--start", "2013-03-10", "--end", "2013-03-10", "--out", str(tmp_path / "1")])
    three, one = files(tmp_path / "3"), files(tmp_path / "1")
    assert one.items() <= three.items()
    day = json_rows(tmp_path / "1" / "flights" / "dt=2013-03-10" / "part-0.json.gz")
    assert len(day) == len(expected.flights("2013-03-10", "2013-03-10"))


@pytest.mark.parametrize(
    ("start", "end"), [("2012-12-31", "2013-01-02"), ("2013-01-02", "2013-01-01")]
)
def test_a_period_outside_the_year_is_refused(
    make_data: ModuleType, tmp_path: Path, start: str, end: str
) -> None:
    with pytest.raises(SystemExit) as refused:
        make_data.main(["--start", start, "--end", end, "--out", str(tmp_path / "out")])
    assert refused.value.code == 2
    assert not (tmp_path / "out").exists()
