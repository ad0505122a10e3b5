"""Faults of steps that decide, repeat and call, each where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.project import inspect_project
from tests.project.projects import good_project, write_files

if TYPE_CHECKING:
    from pathlib import Path

WAIT = "type: wait, duration: 5m"
CHOICE = "type: choice, needs: [q]"
Q = 'q: {type: sql, sql: "SELECT count(*) AS n FROM staging.events"}'
HTTP = "type: http, endpoint: 'https://a.b/c'"


def faults_of(root: Path) -> list[str]:
    found = inspect_project(root).faults
    return [f"{f.place} {f.code}".removeprefix("workflows/daily.yaml:") for f in found]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (f"c: {{{CHOICE}, rules: [{{if: $values.q.n > 1, then: w}}], default: skip}}", []),
        (
            f"c: {{{CHOICE}, rules: [{{if: $values.q.m > 1, then: w}}], default: skip}}",
            ["4:46 unknown-column"],
        ),
        (f"c: {{{CHOICE}, rules: [{{if: $values.q.N > 1, then: w}}], default: skip}}", []),
        (
            (
                "m: {type: map, over: {rows: q}, needs: [q], step: "
                "{type: lambda, function: report, "
                "payload: {a: '{% $item.n %}', b: '{% $item.m %}'}}}"
            ),
            ["4:119 unknown-column"],
        ),
        (
            f"c: {{{CHOICE}, rules: [{{if: 'true', then: [w, continue]}}], default: skip}}",
            ["4:60 choice-mixed"],
        ),
        (
            f"c: {{{CHOICE}, rules: [{{if: 'true', then: v}}], default: skip}}",
            ["4:60 unknown-step"],
        ),
        (f"c: {{{CHOICE}, rules: [{{if: 'true', then: w}}], default: c}}", ["4:74 unknown-step"]),
        (
            f"c: {{{CHOICE}, rules: [{{if: '(1', then: w}}], default: skip}}",
            ["4:46 step-expression"],
        ),
        (
            f"c: {{{CHOICE}, rules: [{{if: $values.p.n, then: w}}], default: skip}}",
            ["4:46 unknown-step"],
        ),
        (
            "c: {type: choice, rules: [{if: $values.q.n, then: w}], default: skip}",
            ["4:34 step-too-early"],
        ),
        (f"c: {{{CHOICE}, rules: [{{if: 'true', then: w}}]}}", ["4:3 missing-key"]),
        ("skip: {type: wait, duration: 5m}", ["4:3 bad-name"]),
        (f"m: {{type: map, over: [1, 2], step: {{{WAIT}}}}}", []),
        (f"m: {{type: map, over: {{rows: q}}, needs: [q], step: {{{WAIT}}}}}", []),
        (f"m: {{type: map, over: {{rows: q}}, step: {{{WAIT}}}}}", ["4:31 step-too-early"]),
        (f"m: {{type: map, over: {{rows: w}}, step: {{{WAIT}}}}}", ["4:31 unknown-step"]),
        (f"m: {{type: map, over: '{{% [1 %}}', step: {{{WAIT}}}}}", ["4:24 step-expression"]),
        (f"m: {{type: map, over: [1], step: {{{WAIT}, needs: [q]}}}}", ["4:62 map-step"]),
        (
            "m: {type: map, over: [1], step: {type: lambda, function: none}}",
            ["4:60 unknown-function"],
        ),
        ("f: {type: workflow, workflow: other}", []),
        ("f: {type: workflow, workflow: othr}", ["4:33 unknown-workflow"]),
        ("f: {type: workflow, workflow: hourly}", ["4:33 workflow-grain"]),
        ("f: {type: workflow, workflow: hourly, window: {start: a, end: b}}", []),
        ("f: {type: workflow, workflow: daily}", ["1:1 workflow-cycle"]),
        (f"h: {{{HTTP}, connection: crm}}", []),
        (f"h: {{{HTTP}, connection: crn}}", []),
        (f"h: {{{HTTP}, connection: crm, headers: {{Authorization: x}}}}", ["4:73 http-header"]),
        ("h: {type: http, endpoint: 'http://a.b', connection: crm}", ["4:29 wrong-value"]),
        (
            's: {type: sql, sql: "SELECT max(shop) AS s FROM staging.events WHERE shop = ?"}',
            ["4:3 sql-parameters"],
        ),
        ("s: {type: sql, sql: \"SELECT 1 AS s WHERE '?' = ? -- ?\", parameters: [1]}", []),
        ('s: {type: sql, sql: "SELECT 1 AS s", parameters: [1]}', ["4:40 sql-parameters"]),
        (
            (
                'm: {type: map, over: [1], step: {type: sql, sql: "SELECT 1 AS n WHERE 1 = ?", '
                "parameters: ['{% $item %}']}}"
            ),
            [],
        ),
        (
            'm: {type: map, over: [1], step: {type: sql, sql: "SELECT shp FROM staging.events"}}',
            ["4:60 unknown-column"],
        ),
        (
            (
                "m: {type: map, over: [1], step: {type: redshift, workgroup: wg-1, database: d, "
                "sql: 'SELECT :x'}}"
            ),
            ["4:82 redshift-parameter"],
        ),
        ('s: {type: sql, sql: "SELECT 1 AS a FROM staging.event"}', ["4:43 unknown-table"]),
        ('s: {type: sql, sql: "SELEC 1"}', ["4:24 sql-syntax"]),
        ('s: {type: sql, sql: "INSERT INTO staging.events SELECT 1"}', ["4:24 sql-kind"]),
        ('s: {type: sql, sql: "SELECT {{ nothing }} AS a"}', ["4:34 jinja-unknown-name"]),
        ('s: {type: sql, sql: "SELECT shop, shp FROM staging.events"}', ["4:37 unknown-column"]),
        ('s: {type: sql, sql: "SELECT e.shp FROM staging.events e"}', ["4:33 unknown-column"]),
        ("s: {type: sql, sql: SELECT max(shp) AS n FROM staging.events}", ["4:34 unknown-column"]),
        ('s: {type: sql, sql: "SELECT a FROM (SELECT shop AS a FROM staging.events)"}', []),
    ],
)
def test_what_is_wrong_is_found_where_it_stands(
    step: str, expected: list[str], tmp_path: Path
) -> None:
    root = good_project(tmp_path)
    files = {
        "workflows/daily.yaml": f"steps:\n  w: {{{WAIT}}}\n  {Q}\n  {step}\n",
        "workflows/other.yaml": f"steps: {{w: {{{WAIT}}}}}\n",
        "workflows/hourly.yaml": f"grain: hour\nsteps: {{w: {{{WAIT}}}}}\n",
    }
    write_files(root, files)
    config = root / "config.yaml"
    text = config.read_text()
    config.write_text(
        text.replace("    engine: local\n", "    engine: local\n    connections: {crm: {}}\n", 1)
    )
    assert config.read_text() != text
    assert faults_of(root) == expected


BLOCK = """\
steps:
  s:
    type: sql
    sql: {style}
      -- a comment
      SELECT shop,

             'a''b' AS c,
             shp AS b
      FROM staging.events
"""


@pytest.mark.parametrize("style", ["|", "|-", ">", ">-  # folded", "|2"])
def test_a_column_of_a_block_of_sql_is_found_on_its_line(style: str, tmp_path: Path) -> None:
    text = BLOCK.replace("{style}", style)
    if style.startswith(">"):
        text = text.replace("-- a comment", "/* a comment */")
    root = write_files(good_project(tmp_path), {"workflows/daily.yaml": text})
    assert faults_of(root) == ["9:14 unknown-column"]


@pytest.mark.parametrize(
    "quoted",
    [
        "'SELECT ''a'' AS b,\n    shp FROM staging.events'",
        "\"SELECT 'a' AS b,\n    shp FROM staging.events\"",
        '"SELECT \\"shop\\", \\\n    shp FROM staging.events"',
        '"SELECT 1 AS a,\\n 2 AS b,\n    shp FROM staging.events"',
        "SELECT 1 AS a,\n     shp FROM staging.events",
    ],
)
def test_a_column_of_quoted_sql_is_found_on_its_line(quoted: str, tmp_path: Path) -> None:
    text = f"steps:\n  s:\n    type: sql\n    sql: {quoted}\n"
    root = write_files(good_project(tmp_path), {"workflows/daily.yaml": text})
    wanted = "4:10" if "\\\n" in quoted else f"5:{quoted.index('shp') - quoted.index(chr(10))}"
    assert faults_of(root) == [f"{wanted} unknown-column"]


def test_a_column_that_a_macro_prints_is_found_in_the_macro(tmp_path: Path) -> None:
    files = {
        "sql/macros/a.sql": "{% macro shops() %}\n  shp\n{% endmacro %}\n",
        "workflows/daily.yaml": 'steps:\n  s: {type: sql, sql: "SELECT {{ shops() }} FROM '
        'staging.events"}\n',
    }
    (fault,) = inspect_project(write_files(good_project(tmp_path), files)).faults
    assert (str(fault.place), fault.code) == ("sql/macros/a.sql:2:3", "unknown-column")
    assert "printed by the call at workflows/daily.yaml:2:31" in fault.found


def test_columns_of_a_query_follow_those_of_its_tables(tmp_path: Path) -> None:
    root = good_project(tmp_path)
    step = 'steps:\n  s: {type: sql, sql: "SELECT shop, day FROM staging.events"}\n'
    write_files(root, {"workflows/daily.yaml": step})
    cache = tmp_path / "cache"
    places = [str(one.place) for one in inspect_project(root, cache_dir=cache).faults]
    assert places == ["workflows/daily.yaml:2:37"]
    text = (root / "sql/staging/events.sql").read_text()
    write_files(root, {"sql/staging/events.sql": text.replace("SELECT", "SELECT 1 AS day,", 1)})
    assert inspect_project(root, cache_dir=cache).faults == ()


def test_workflows_that_run_each_other_are_refused(tmp_path: Path) -> None:
    run = "steps: {f: {type: workflow, workflow: %s}}\n"
    files = {"workflows/daily.yaml": run % "b", "workflows/b.yaml": run % "daily"}
    found = inspect_project(write_files(good_project(tmp_path), files)).faults
    assert [(one.code, one.found) for one in found] == [
        ("workflow-cycle", "workflows that run each other: b runs daily runs b")
    ]


CLOUD = """
  prod:
    engine: aws
    region: us-east-1
    account: "123456789012"
    lake: s3://lake/
    results: s3://results/
    connections: {crm: "arn:aws:events:us-east-1:123456789012:connection/crm/0a1b"}
"""


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (f"{{{HTTP}, connection: crm}}", []),
        (f"{{{HTTP}, connection: crn}}", ["unknown-connection"]),
        ("{type: ecs_task, task_definition: t, container: c}", ["ecs-cluster", "ecs-network"]),
        (
            "{type: ecs_task, task_definition: t, container: c, cluster: k, launch_type: EC2}",
            [],
        ),
        (
            f"{{type: map, over: [1], step: {{{HTTP}, connection: crn}}}}",
            ["unknown-connection"],
        ),
    ],
)
def test_what_an_environment_on_aws_lacks_is_found(
    step: str, expected: list[str], tmp_path: Path
) -> None:
    root = write_files(good_project(tmp_path), {"workflows/daily.yaml": f"steps:\n  s: {step}\n"})
    with (root / "config.yaml").open("a") as config:
        config.write(CLOUD)
    found = inspect_project(root, environment="prod").faults
    codes = sorted(fault.code for fault in found)
    assert [code for code in codes if code != "unknown-mart"] == expected
