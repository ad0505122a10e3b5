"""Plans of little projects that ran, changed, failed and lost records."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.backfill_plan import BackfillRequest, plan_backfill
from runner.app.backfill_store import keep_plan
from runner.app.bundle import open_bundle
from runner.app.local_places import open_places
from runner.errors import UsageError
from runner.plan.document import document
from tests.semantics.little import NOW, go, insert, project, rows_of, sql

if TYPE_CHECKING:
    from runner.plan.document import BackfillPlan

WINDOW = "WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'"
ROWS = rows_of(*((day, f"2024-01-{day:02d}") for day in range(1, 11)))
FILES = {
    "staging/a": insert(f"SELECT id, dt FROM {ROWS} {WINDOW}"),
    "marts/b": insert(f"SELECT id, dt FROM staging.a {WINDOW}", "tags: [daily]"),
    "marts/c": sql("SELECT count(*) AS n FROM marts.b WHERE dt > ''", "load: {}"),
}
DAYS: dict[str, Any] = {"start": "2024-01-01", "end": "2024-01-05"}
TODAY = datetime(2024, 2, 1, 3, 0, tzinfo=UTC)


def plan(root: Path, *targets: str, now: datetime | None = None, **more: Any) -> BackfillPlan:  # noqa: ANN401
    request = BackfillRequest(root, targets=targets or ("daily",), **{**DAYS, **more})
    return plan_backfill(request, now=now or datetime.now(UTC))


def shown(found: BackfillPlan) -> dict[str, list[str]]:
    return {
        table.name: [
            f"{one.start[8:]}..{one.end[8:]} {one.why}" if table.grain else one.why
            for one in table.stretches
        ]
        for table in found.tables
    }


def record_files(root: Path, table: str, window: str) -> list[Path]:
    folder = root / ".runner/s3/lake/_runner/records" / table.replace(".", "/") / window
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose five days are published, one run a day."""
    found = project(tmp_path_factory.mktemp("ran"), FILES)
    for day in range(1, 6):
        assert go(found, f"2024-01-{day:02d}").status == "SUCCEEDED"
    return found


@pytest.fixture
def root(ran: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(ran, tmp_path / "project"))


def test_nothing_ran_yet(tmp_path: Path) -> None:
    found = plan(project(tmp_path, FILES))
    missing = ["01..05 missing"]
    assert shown(found) == {"staging.a": missing, "marts.b": missing, "marts.c": ["missing"]}
    assert found.loads == ("main:c",)
    assert [table.wave for table in found.tables] == [1, 2, 3]


def test_what_ran_is_fresh_and_what_is_gone_is_found(root: Path) -> None:
    assert plan(root).tables == ()
    for path in record_files(root, "marts.b", "2024-01-03_2024-01-03"):
        path.unlink()
    assert shown(plan(root)) == {
        "marts.b": ["03..03 missing"],
        "marts.c": ["marts.b is written by this backfill"],
    }
    assert shown(plan(root, "staging.*", end="2024-01-07")) == {"staging.a": ["06..07 missing"]}


def test_changed_sql_and_later_publishes_upstream_are_stale(root: Path) -> None:
    assert go(root, "2024-01-02", only=("staging.a",)).status == "SUCCEEDED"
    assert shown(plan(root, "marts.b")) == {"marts.b": ["02..02 staging.a published later"]}
    path = root / "sql/marts/b.sql"
    path.write_text(path.read_text().replace("SELECT id", "SELECT id + 1 AS id"))
    assert shown(plan(root)) == {
        "marts.b": ["01..05 SQL changed"],
        "marts.c": ["marts.b is written by this backfill"],
    }
    path.write_text(path.read_text().replace("SELECT", "-- a comment\nSELECT"))
    assert shown(plan(root, "marts.b", start="2024-01-04")) == {"marts.b": ["04..05 SQL changed"]}


def test_a_failed_run_is_told(root: Path) -> None:
    storage = open_places(root, open_bundle(root), now=lambda: TODAY).storage()
    (path,) = record_files(root, "staging.a", "2024-01-04_2024-01-04")
    later = path.name.replace(path.name[:8], "20991231").replace(".json", ".failed")
    folder = "_runner/records/staging/a/2024-01-04_2024-01-04"
    storage.write_json(f"{storage.prefix}{folder}/{later}", {})
    assert shown(plan(root, "staging.a")) == {"staging.a": ["04..04 failed"]}
    assert shown(plan(root, "staging.a", gaps=True)) == {"staging.a": ["04..04 failed"]}


@pytest.mark.parametrize(
    ("targets", "more", "names"),
    [
        (("daily",), {}, ["staging.a", "marts.b", "marts.c"]),
        ((), {}, ["staging.a", "marts.b", "marts.c"]),
        (("marts.*",), {}, ["marts.b", "marts.c"]),
        (("+marts.b",), {}, ["staging.a", "marts.b"]),
        (("marts.b+",), {}, ["marts.b", "marts.c"]),
        (("tag:daily",), {}, ["marts.b"]),
        (("daily",), {"only": ("marts.*",), "exclude": ("marts.c",)}, ["marts.b"]),
    ],
)
def test_targets_are_workflows_and_patterns(
    targets: tuple[str, ...], more: dict[str, Any], names: list[str], tmp_path: Path
) -> None:
    root = project(tmp_path, FILES)
    request = BackfillRequest(root, targets=targets, **DAYS, **more)
    assert [table.name for table in plan_backfill(request, now=TODAY).tables] == names


def test_without_a_target_every_workflow_is_meant(tmp_path: Path) -> None:
    step = "steps:\n  t: {type: tables, select: [%s]}\n"
    files = {
        **FILES,
        "marts/d": insert(f"SELECT id, dt FROM staging.a {WINDOW}"),
        "workflows/daily.yaml": step % "marts.b",
        "workflows/other.yaml": step % "marts.c",
    }
    found = plan_backfill(BackfillRequest(project(tmp_path, files), **DAYS), now=TODAY)
    assert [table.name for table in found.tables] == ["marts.b", "marts.c"]
    assert found.name.startswith("tables-2024-01-01-2024-01-05-")
    assert found.loads == ("main:c",)


@pytest.mark.parametrize(
    ("more", "code", "place"),
    [
        ({"targets": ("marts.x",)}, "unknown-table", "TARGET"),
        ({"only": ("marts.x",)}, "unknown-table", "--only"),
        ({"exclude": ("tag:x",)}, "unknown-table", "--exclude"),
        ({"start": "2024-1-1"}, "bad-window", "--start"),
        ({"start": "2024-01-06"}, "bad-window", "--start"),
        ({"end": "never"}, "bad-window", "--end"),
        ({"end": "9999-12-31"}, "bad-window", "--end"),
        ({"full_refresh": ("marts.c",)}, "full-refresh", "--full-refresh"),
        ({"name": "../x"}, "bad-name", "--name"),
    ],
)
def test_wrong_words_are_refused(
    more: dict[str, Any], code: str, place: str, tmp_path: Path
) -> None:
    root = project(tmp_path, FILES)
    request = replace(BackfillRequest(root, targets=("daily",), **DAYS), **more)
    with pytest.raises(UsageError) as refused:
        plan_backfill(request, now=TODAY)
    assert [(fault.code, fault.place.file) for fault in refused.value.faults] == [(code, place)]


def test_every_wrong_word_is_told_at_once(tmp_path: Path) -> None:
    wrong = BackfillRequest(
        project(tmp_path, FILES), targets=("marts.x",), start="2024-13-01", end="never"
    )
    with pytest.raises(UsageError) as refused:
        plan_backfill(wrong, now=TODAY)
    places = [fault.place.file for fault in refused.value.faults]
    assert places == ["--end", "--start", "TARGET"]


def test_a_table_that_reads_itself_has_no_full_refresh(tmp_path: Path) -> None:
    own = "dt >= '{{ start.add(days=-1) }}' AND dt < '{{ start }}'"
    query = f"SELECT id, dt FROM {ROWS} {WINDOW} UNION ALL SELECT id, dt FROM marts.s WHERE {own}"
    root = project(tmp_path, {"marts/s": insert(query)})
    with pytest.raises(UsageError) as refused:
        plan(root, full_refresh=("marts.s",))
    (fault,) = refused.value.faults
    assert fault.advice == "write it in order: runner backfill marts.s --all"


def test_without_a_range_the_history_up_to_yesterday_is_looked_at(tmp_path: Path) -> None:
    root = project(tmp_path, FILES)  # its projection begins on 2024-01-01
    found = plan(root, "staging.a", start=None, end=None, now=TODAY)
    assert found.tables[0].windows == (("2024-01-01", "2024-01-31"),)
    assert (found.start, found.end, found.grain) == ("2024-01-01", "2024-01-31", "day")
    clamped = plan(root, "staging.a", start="2023-06-01", end="2024-01-02", now=TODAY)
    assert clamped.tables[0].windows == (("2024-01-01", "2024-01-02"),)


def test_a_range_is_widened_to_each_tables_grain(tmp_path: Path) -> None:
    monthly = 'month: {type: date, format: yyyy-MM, range: "2023-01,NOW+1MONTHS"}'
    query = (
        "SELECT count(*) AS n, substr(dt, 1, 7) AS month FROM staging.a WHERE dt BETWEEN "
        "'{{ start.format('yyyy-MM-dd') }}' AND '{{ end.format('yyyy-MM-dd') }}' GROUP BY 2"
    )
    root = project(tmp_path, {**FILES, "marts/m": insert(query, partition=monthly)})
    found = plan(root, "marts.m", start="2024-01-30", end="2024-02-01")
    assert found.tables[0].windows == (("2024-01", "2024-02"),)
    by_month = plan(root, "staging.a", start="2024-01", end="2024-02-03")
    assert by_month.tables[0].windows == (("2024-01-01", "2024-02-03"),)


def test_a_full_refresh_is_the_whole_history(root: Path) -> None:
    found = plan(root, "staging.a", start="2024-01-03", full_refresh=("staging.a",))
    (table,) = found.tables
    assert (table.refresh, table.windows) == (True, (("2024-01-01", "2024-01-05"),))


# --- names ----------------------------------------------------------------------------------------


def request_of(root: Path, **more: Any) -> BackfillRequest:  # noqa: ANN401 - fields
    return BackfillRequest(root, targets=("staging.a",), **{**DAYS, **more})


def test_the_same_words_have_the_same_name_and_others_another(tmp_path: Path) -> None:
    root = project(tmp_path, FILES)
    names = {
        plan(root, *words, **more).name
        for words, more in (
            (("daily",), {}),
            (("staging.a",), {}),
            (("staging.a",), {"gaps": True}),
            (("staging.a",), {"end": "2024-01-04"}),
        )
    }
    assert len(names) == 4
    name = plan(root).name
    assert plan(root).name == name
    assert name.startswith("daily-2024-01-01-2024-01-05-")


@pytest.mark.parametrize("name", [None, "january"])
def test_a_stored_plan_is_continued_until_it_is_done(name: str | None, tmp_path: Path) -> None:
    root = project(tmp_path, FILES)
    request = request_of(root, name=name)
    first = plan_backfill(request, now=TODAY)  # runs of these tests are on March 5
    keep_plan(request, first, now=TODAY)
    with pytest.raises(UsageError) as refused:  # another process planned at the same time
        keep_plan(request, first, now=TODAY)
    assert [fault.code for fault in refused.value.faults] == ["backfill-exists"]
    assert go(root, "2024-01-02", "2024-01-03", only=("staging.a",)).status == "SUCCEEDED"
    left = plan_backfill(request, now=NOW)
    assert (left.name, left.continued, left.created) == (first.name, True, first.created)
    assert left.tables[0].windows == (("2024-01-01", "2024-01-01"), ("2024-01-04", "2024-01-05"))
    keep_plan(request, left, now=TODAY)  # there already: nothing happens
    assert go(root, "2024-01-01", "2024-01-05", only=("staging.a",)).status == "SUCCEEDED"
    done = plan_backfill(request, now=NOW)
    assert done.tables == ()
    assert (done.name, done.continued) == (
        (first.name, True) if name else (f"{first.name}-2", False)
    )


def test_a_stored_plan_is_not_continued_with_other_sql(tmp_path: Path) -> None:
    root = project(tmp_path, FILES)
    request = request_of(root, name="january")
    keep_plan(request, plan_backfill(request, now=TODAY), now=TODAY)
    path = root / "sql/staging/a.sql"
    path.write_text(path.read_text().replace("SELECT id", "SELECT id * 2 AS id"))
    with pytest.raises(UsageError) as refused:
        plan_backfill(request, now=TODAY)
    assert [fault.code for fault in refused.value.faults] == ["backfill-changed"]


def test_a_view_below_that_changed_has_a_new_plan(tmp_path: Path) -> None:
    files = {
        "staging/v": sql("SELECT 1 AS id", "kind: view"),
        "marts/d": insert("SELECT id, '{{ start }}' AS dt FROM staging.v"),
    }
    root = project(tmp_path, files)
    request = BackfillRequest(root, targets=("marts.d",), **DAYS)
    first = plan_backfill(request, now=TODAY)
    assert [table.name for table in first.tables] == ["staging.v", "marts.d"]
    keep_plan(request, first, now=TODAY)
    (root / "sql/staging/v.sql").write_text(sql("SELECT 2 AS id", "kind: view"))
    second = plan_backfill(request, now=TODAY)
    assert (second.name, second.continued) == (f"{first.name}-2", False)


def test_the_stored_plan_is_what_was_agreed(tmp_path: Path) -> None:
    root = project(tmp_path, FILES)
    found = plan(root, name="january", now=TODAY)
    fingerprints = {table.name: table.fingerprint for table in open_bundle(root).tables}
    days = [["2024-01-01", "2024-01-05"]]
    assert document(found) == {
        "format": 1,
        "name": "january",
        "created": "20240201T030000.000000Z",
        "workflow": "daily",
        "grain": "day",
        "start": "2024-01-01",
        "end": "2024-01-05",
        "tables": {
            name: {
                "name": name,
                "fingerprint": fingerprints[name],
                "refresh": False,
                "windows": days if name != "marts.c" else [["all", "all"]],
            }
            for name in ("staging.a", "marts.b", "marts.c")
        },
    }


# --- sizes ----------------------------------------------------------------------------------------

RAW = """/*---
kind: ddl
---*/
CREATE EXTERNAL TABLE raw.r (id int, name string) PARTITIONED BY (dt string)
STORED AS PARQUET LOCATION 's3://raw/r/'
TBLPROPERTIES ('projection.enabled' = 'true', 'projection.dt.type' = 'date',
    'projection.dt.format' = 'yyyy-MM-dd', 'projection.dt.range' = '2024-01-01,NOW+1DAYS')
"""
MEGABYTE = 1_000_000


def test_bytes_are_those_of_the_windows_files_and_columns(tmp_path: Path) -> None:
    files = {
        "raw/r": RAW,
        "staging/every": insert(f"SELECT * FROM raw.r {WINDOW}"),
        "staging/ids": insert(f"SELECT id, dt FROM raw.r {WINDOW}"),
        "marts/n": sql("SELECT count(*) AS n, max(id) AS top FROM staging.ids WHERE dt > ''"),
    }
    root = project(tmp_path, files)
    for day, size in ((1, 100), (2, 30), (3, 7), (9, 500)):
        path = root / f"data/r/dt=2024-01-{day:02d}/part.parquet"
        path.parent.mkdir(parents=True)
        with path.open("wb") as file:
            file.truncate(size * MEGABYTE)
    found = {table.name: table for table in plan(root, start="2024-01-02").tables}
    test = 10 * MEGABYTE  # what the query over the stage costs at least
    assert found["staging.every"].bytes == 37 * MEGABYTE + test
    assert found["staging.ids"].bytes == 10 * MEGABYTE + test  # 4 of 20 bytes: 7.4 MB
    assert found["marts.n"].bytes == 10 * MEGABYTE + test
    assert found["raw.r"].bytes == 0
    assert {name for name, table in found.items() if table.estimated} == {"marts.n"}


def test_what_is_rewritten_is_measured_not_guessed(root: Path) -> None:
    found = plan(root, start="2024-01-03", everything=True)
    assert {table.name: table.estimated for table in found.tables} == {
        "staging.a": False,
        "marts.b": False,
        "marts.c": False,
    }


def test_planning_an_unchanged_project_reads_renders_and_parses_nothing(root: Path) -> None:
    plan(root)
    code = (
        "import sys, datetime as dt; from pathlib import Path;"
        "from runner.app.backfill_plan import BackfillRequest, plan_backfill;"
        "plan_backfill(BackfillRequest(Path(sys.argv[1]), targets=('daily',), end='2024-01-09'),"
        " now=dt.datetime.now(dt.UTC));"
        "heavy = {'jinja2', 'sqlglot', 'pydantic', 'yaml', 'duckdb', 'runner.query'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.replace("'", '"')) == []
