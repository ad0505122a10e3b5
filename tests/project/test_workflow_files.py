from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.project import inspect_project
from tests.project.projects import good_project, write_files

if TYPE_CHECKING:
    from pathlib import Path

TABLES = 'tables: {type: tables, select: ["marts.*"]}'


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("report: {type: lambda, function: report}", []),
        ("report: {type: lambda, function: report, needs: [report]}", ["3:44 step-cycle"]),
        ("report: {type: lambda, function: empty}", ["3:36 unknown-function"]),
        ("report: {type: lambda, function: builtin:none}", ["3:36 unknown-function"]),
        ("Report: {type: wait, duration: 5m}", ["3:3 bad-name"]),
        ("continue: {type: wait, duration: 5m}", ["3:3 bad-name"]),
        ("more: {type: tables, select: [marts.daily]}", ["3:3 selected-twice"]),
        ('more: {type: tables, exclude: ["marts.*"]}', []),
        ('more: {type: tables, select: ["tag:none"]}', ["3:33 empty-selection"]),
        ("more: {type: loads, select: [marts.dayly]}", ["3:32 empty-selection"]),
        ("w: {type: wait, duration: 5m, catch: [{errors: [X], next: tables}]}", []),
        ("w: {type: wait, duration: 5m, catch: [{errors: [X], next: continue}]}", []),
        ("w: {type: wait, duration: 5m, catch: [{errors: [X], next: w}]}", ["3:61 unknown-step"]),
        ("w: {type: wait, duration: 5m, catch: [{errors: [X], next: z}]}", ["3:61 unknown-step"]),
        ("w: {type: wait, duration: 5}", ["3:29 wrong-type"]),
    ],
)
def test_what_steps_name_must_exist(step: str, expected: list[str], tmp_path: Path) -> None:
    text = f"steps:\n  {TABLES}\n  {step}\n"
    files = {"workflows/daily.yaml": text, "lambdas/empty/other.py": ""}
    faults = inspect_project(write_files(good_project(tmp_path), files)).faults
    assert [f"{f.place} {f.code}".removeprefix("workflows/daily.yaml:") for f in faults] == expected


def test_a_schedule_may_have_a_zone_of_its_own(tmp_path: Path) -> None:
    """SEMANTICS 14."""
    text = f'schedule: {{cron: "0 3 * * ? *", timezone: %s}}\nsteps: {{{TABLES}}}\n'
    root = good_project(tmp_path)
    write_files(root, {"workflows/daily.yaml": text % "Asia/Tokyo"})
    assert inspect_project(root).faults == ()
    write_files(root, {"workflows/daily.yaml": text % "Asia/Kyoto"})
    (fault,) = inspect_project(root).faults
    assert (fault.code, str(fault.place)) == ("unknown-timezone", "workflows/daily.yaml:1:43")


def test_a_pattern_may_mean_a_table_whose_file_is_broken(tmp_path: Path) -> None:
    files = {
        "sql/marts/daily.sql": "SELEC 1\n",
        "workflows/daily.yaml": 'steps: {t: {type: tables, select: [marts.daily, "tag:web"]}}\n',
    }
    faults = inspect_project(write_files(good_project(tmp_path), files)).faults
    assert [fault.code for fault in faults] == ["sql-syntax"]


OBJECT = "type: object, bucket: inbox"
EVENT = "type: event"
BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/orders"


@pytest.mark.parametrize(
    ("grain", "trigger", "expected"),
    [
        ("day", f'{{{OBJECT}, period: "dt={{year}}-{{month}}-{{day}}/"}}', []),
        ("day", f'{{{OBJECT}, period: "{{year}}/{{month}}/"}}', []),
        ("day", f"{{{OBJECT}, window: previous_day}}", []),
        ("day", f"{{{OBJECT}}}", ["3:3 trigger-window"]),
        (
            "day",
            f'{{{OBJECT}, period: "{{year}}", window: previous_day}}',
            ["3:3 trigger-window"],
        ),
        ("day", f'{{{OBJECT}, period: "dt={{day}}/"}}', ["3:46 trigger-period"]),
        ("day", f'{{{OBJECT}, period: "dt={{date}}/"}}', ["3:46 trigger-period"]),
        ("day", f'{{{OBJECT}, period: "dt={{year"}}', ["3:46 trigger-period"]),
        ("day", f'{{{OBJECT}, period: "dt=/"}}', ["3:46 trigger-period"]),
        (
            "day",
            f'{{{OBJECT}, period: "{{year}}{{month}}{{day}}{{hour}}"}}',
            ["3:46 trigger-grain"],
        ),
        ("hour", f'{{{OBJECT}, period: "{{year}}{{month}}{{day}}{{hour}}"}}', []),
        ("hour", f'{{{OBJECT}, period: "{{year}}-{{month}}/"}}', ["3:46 trigger-grain"]),
        ("hour", f'{{{OBJECT}, period: "{{year}}{{month}}{{day}}"}}', []),
        ("day", "{type: object, bucket: lake, window: previous_day}", ["3:31 trigger-loop"]),
        (
            "day",
            "{type: object, bucket: lake, prefix: marts/daily/, window: previous_day}",
            ["3:45 trigger-loop"],
        ),
        ("day", "{type: object, bucket: lake, prefix: inbox/, window: previous_day}", []),
        (
            "day",
            "{type: object, bucket: lake, prefix: _runner, window: previous_day}",
            ["3:45 trigger-loop"],
        ),
        ("day", "{type: object, bucket: results, window: previous_day}", ["3:31 trigger-loop"]),
        ("day", "{type: object, bucket: In_Box, window: previous_day}", ["3:31 trigger-bucket"]),
        (
            "day",
            f"{{{OBJECT}, prefix: 's3://inbox/', window: previous_day}}",
            ["3:46 trigger-key"],
        ),
        ("day", f"{{{EVENT}, pattern: {{source: [my.app], detail: {{n: [1]}}}}}}", []),
        ("day", f"{{{EVENT}, pattern: {{source: my.app}}}}", ["3:32 trigger-pattern"]),
        ("day", f"{{{EVENT}, pattern: {{source: []}}}}", ["3:32 trigger-pattern"]),
        ("day", f"{{{EVENT}, pattern: {{detail: {{}}}}}}", ["3:32 trigger-pattern"]),
        ("day", f"{{{EVENT}, pattern: {{detail: {{n: 1}}}}}}", ["3:41 trigger-pattern"]),
        ("day", f"{{{EVENT}, pattern: {{$or: [{{a: [1]}}, {{b: [2]}}]}}}}", []),
        ("day", f"{{{EVENT}, pattern: {{$or: [{{a: [1]}}]}}}}", ["3:32 trigger-pattern"]),
        ("day", f"{{{EVENT}, pattern: {{a: [{'x' * 2048}]}}}}", ["3:22 trigger-pattern"]),
        ("day", f"{{{EVENT}, pattern: {{a: [1]}}, bus: 'a bus'}}", ["3:46 trigger-bus"]),
        (
            "day",
            f"{{{EVENT}, pattern: {{a: [1]}}, bus: '{BUS}'}}",
            [],
        ),
    ],
)
def test_triggers_are_looked_at_before_anything_is_deployed(
    grain: str, trigger: str, expected: list[str], tmp_path: Path
) -> None:
    text = f"grain: {grain}\ntriggers:\n  one: {trigger}\nsteps: {{{TABLES}}}\n"
    root = write_files(good_project(tmp_path), {"workflows/daily.yaml": text})
    faults = inspect_project(root).faults
    assert [f"{f.place} {f.code}".removeprefix("workflows/daily.yaml:") for f in faults] == expected


def test_triggers_have_names_and_each_one_once(tmp_path: Path) -> None:
    one = f"{{{OBJECT}, window: previous_day}}"
    text = f"triggers:\n  One: {one}\n  two: {one}\n  two: {one}\nsteps: {{{TABLES}}}\n"
    root = write_files(good_project(tmp_path), {"workflows/daily.yaml": text})
    faults = inspect_project(root).faults
    places = [f"{f.place} {f.code}".removeprefix("workflows/daily.yaml:") for f in faults]
    assert places == ["2:3 bad-name", "4:3 yaml-duplicate-key"]


@pytest.mark.parametrize(
    ("topic", "taken"),
    [
        ("data-alerts", True),
        ("arn:aws:sns:eu-west-1:123456789012:on_call", True),
        ("data alerts", False),
        ("alerts.fifo", False),
        ("arn:aws:sqs:eu-west-1:123456789012:queue", False),
        ("a" * 201, False),
    ],
)
def test_topics_are_called_as_sns_calls_them(topic: str, taken: bool, tmp_path: Path) -> None:  # noqa: FBT001
    step = f"tell: {{type: sns, topic: '{topic}', message: done}}"
    text = f"steps:\n  {TABLES}\n  {step}\non_failure: {{type: sns, topic: '{topic}'}}\n"
    root = write_files(good_project(tmp_path), {"workflows/daily.yaml": text})
    places = [str(fault.place) for fault in inspect_project(root).faults]
    wrong = ["workflows/daily.yaml:3:28", "workflows/daily.yaml:4:32"]
    assert places == ([] if taken else wrong)
