"""SEMANTICS 16: a scheduled window counts back from the period that holds the scheduled time."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.bundle import open_bundle
from runner.app.run import RunRequest, choose_window, run
from runner.keeper.begin import begin
from tests.semantics.little import CONFIG, codes, insert, project, read, records, rows_of, sql

if TYPE_CHECKING:
    from pathlib import Path

STEPS = "steps: {tables: {type: tables}}\n"


def scheduled(folder: Path, window: str, *, grain: str = "day", zone: str = "UTC") -> Path:
    said = f", window: {window}" if window else ""
    files = {
        "workflows/daily.yaml": (
            f'grain: {grain}\nschedule: {{cron: "0 3 * * ? *"{said}}}\n{STEPS}'
        ),
        "marts/x": sql("SELECT 1 AS a"),
    }
    return project(folder, files, config=CONFIG.replace("UTC", zone))


CASES: list[tuple[str, str, str, str, tuple[str, str]]] = [
    ("", "day", "UTC", "2024-03-01T03:00:00Z", ("2024-02-29", "2024-02-29")),
    ("previous_day", "day", "UTC", "2024-01-01T00:00:00Z", ("2023-12-31", "2023-12-31")),
    ("{last: 1, lag: 1}", "day", "UTC", "2024-01-01T00:00:00Z", ("2023-12-31", "2023-12-31")),
    ("{last: 3}", "day", "UTC", "2024-03-05T03:00:00Z", ("2024-03-02", "2024-03-04")),
    ("{last: 3, lag: 0}", "day", "UTC", "2024-03-05T03:00:00Z", ("2024-03-03", "2024-03-05")),
    ("{last: 1, lag: 2}", "day", "UTC", "2024-03-05T03:00:00Z", ("2024-03-03", "2024-03-03")),
    ("previous_day", "day", "Asia/Tokyo", "2024-03-04T18:00:00Z", ("2024-03-04", "2024-03-04")),
    ("previous_day", "day", "America/New_York", "2024-03-05T03:00:00Z", ("2024-03-03",) * 2),
    ("previous_hour", "hour", "UTC", "2024-03-05T00:10:00Z", ("2024-03-04T23",) * 2),
    ("{last: 6, unit: hour, lag: 1}", "hour", "UTC", "2024-03-05T03:59:00Z",
     ("2024-03-04T21", "2024-03-05T02")),
    ("previous_month", "month", "UTC", "2024-01-02T03:00:00Z", ("2023-12", "2023-12")),
    ("previous_month", "day", "UTC", "2024-03-02T03:00:00Z", ("2024-02-01", "2024-02-29")),
]  # fmt: skip


@pytest.mark.parametrize(("window", "grain", "zone", "at", "expected"), CASES)
def test_semantics_16_the_keeper_and_run_count_alike(
    window: str, grain: str, zone: str, at: str, expected: tuple[str, str], tmp_path: Path
) -> None:
    bundle = open_bundle(scheduled(tmp_path, window, grain=grain, zone=zone))
    workflow = bundle.workflow("daily")
    payload: dict[str, Any] = json.loads(workflow.definition)["States"]["begin"]["Arguments"]
    found = begin({**payload["Payload"], "input": {"scheduled_time": at}})["window"]
    assert (found["start"], found["end"]) == expected
    moment = datetime.fromisoformat(at)
    chosen = choose_window(workflow, bundle.timezone, start=None, end=None, date=None, now=moment)
    assert (chosen.start, chosen.end) == expected


@pytest.mark.parametrize(
    ("window", "fault"),
    [
        ("{last: 0}", "wrong-value"),
        ("{last: 1, lag: -1}", "wrong-value"),
        ("{last: 1, unit: week}", "wrong-value"),
        ("{last: 1, from: monday}", "unknown-key"),
        ("yesterday", "wrong-value"),
    ],
)
def test_semantics_16_other_windows_are_refused(window: str, fault: str, tmp_path: Path) -> None:
    assert codes(scheduled(tmp_path, window)) == [fault]


def test_semantics_16_late_rows_are_found_because_every_run_rewrites_its_whole_window(
    tmp_path: Path,
) -> None:
    def lay(*rows: tuple[object, ...]) -> Path:
        query = f"SELECT id, dt FROM {rows_of(*rows)} WHERE dt BETWEEN '{{{{ start }}}}' AND "
        workflow = f'schedule: {{cron: "0 3 * * ? *", window: {{last: 3}}}}\n{STEPS}'
        files = {"t/x": insert(query + "'{{ end }}'"), "workflows/daily.yaml": workflow}
        return project(tmp_path, files)

    def at(root: Path, moment: str) -> tuple[str, str]:
        result = run(RunRequest(root=root), now=lambda: datetime.fromisoformat(moment))
        assert result.status == "SUCCEEDED"
        return result.start, result.end

    on_time = [(1, "2024-03-01"), (2, "2024-03-02"), (3, "2024-03-03")]
    root = lay(*on_time)
    assert at(root, "2024-03-04T03:00:00Z") == ("2024-03-01", "2024-03-03")
    lay(*on_time, (4, "2024-03-01"), (5, "2024-03-02"), (6, "2024-03-04"))  # 4 and 5 are late
    assert at(root, "2024-03-05T03:00:00Z") == ("2024-03-02", "2024-03-04")
    assert read(root, "SELECT id FROM t.x WHERE dt > '' ORDER BY id") == [
        (1,), (2,), (3,), (5,), (6,),
    ]  # fmt: skip
    assert records(root, "t.x") == {
        "2024-03-01": 1,
        "2024-03-02": 2,
        "2024-03-03": 1,
        "2024-03-04": 1,
    }


@pytest.mark.parametrize(
    ("policy", "first"),
    [
        ("", "2024-01-09"),
        ("all", "2024-01-05"),
        ("latest", "2024-01-08"),
        ("{last: 2}", "2024-01-07"),
    ],
)
def test_semantics_16_a_scheduled_run_catches_up_with_what_was_missed(
    policy: str, first: str, tmp_path: Path
) -> None:
    said = f", catch_up: {policy}" if policy else ""
    rows = rows_of(*((day, f"2024-01-{day:02d}") for day in range(1, 11)))
    files = {
        "workflows/daily.yaml": f'schedule: {{cron: "0 3 * * ? *"{said}}}\n{STEPS}',
        "marts/x": insert(
            f"SELECT id, dt FROM {rows} WHERE dt BETWEEN '{{{{ start }}}}' AND '{{{{ end }}}}'"
        ),
    }
    root = project(tmp_path, files)
    request = RunRequest(root, start="2024-01-04", end="2024-01-04")
    assert run(request).status == "SUCCEEDED"
    told: list[str] = []
    now = datetime.fromisoformat("2024-01-10T03:00:00Z")
    result = run(RunRequest(root), now=lambda: now, started=lambda *words: told.append(words[2]))
    assert (result.start, result.end) == (first, "2024-01-09")
    assert told == [f"{first}..2024-01-09"]
    days = [f"2024-01-{day:02d}" for day in (4, *range(int(first[8:]), 10))]
    assert sorted(records(root, "marts.x")) == days
    payload: dict[str, Any] = json.loads(open_bundle(root).workflow("daily").definition)["States"][
        "begin"
    ]["Arguments"]["Payload"]
    assert payload.get("windowed") == ({"marts.x": "day"} if policy else None)
