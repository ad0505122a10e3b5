"""Steps that bring tables elsewhere: what they say that cannot be done is told at its line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runner.model.project import Column
from runner.model.workflow import Workflow
from runner.project.sinks import exported_columns, exported_tables, sink_faults
from runner.project.workflows import read_workflow
from tests.support.projects import table

TABLES = (table("marts.a"), table("marts.b", kind="ctas"), table("marts.v", kind="view"))
ROLE = "arn:aws:iam::123456789012:role/r"
FIFO = "arn:aws:sns:eu-west-1:123456789012:t.fifo"
REDSHIFT = "{type: redshift, workgroup: wg-1, database: d, "


def faults(step: str, more: str = "") -> list[tuple[str, int]]:
    """Give codes and lines of what is wrong with a step, which stands on line 2."""
    text = f"steps:\n  out: {step}\n{more}"
    found = read_workflow(text, file="workflows/w.yaml", name="w")
    assert found.faults == ()
    assert found.named is not None
    workflow = found.named.workflow
    return [(one.code, one.place.line) for one in sink_faults(workflow, found.places, TABLES)]


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ("{type: bigquery_transfer}", "export-nothing"),
        ('{type: bigquery_transfer, tables: ["marts.*"]}', "export-kind"),
        ("{type: bigquery_transfer, tables: [marts.a], columns: {marts.b: [x]}}", "export-columns"),
        ("{type: bigquery_transfer, tables: [marts.a], folder: marts/out}", "export-folder"),
        ("{type: redshift, database: d, sql: x}", "redshift-place"),
        ("{type: redshift, database: d, sql: x, cluster: c, workgroup: wg-1}", "redshift-place"),
        (f"{REDSHIFT}sql: x, user: u}}", "redshift-place"),
        (f'{REDSHIFT}sql: ""}}', "redshift-nothing"),
        (f"{REDSHIFT}sql: 'SELECT :x'}}", "redshift-parameter"),
        (f"{REDSHIFT}sql: x, parameters: {{y: 1}}}}", "redshift-parameter"),
        (f"{REDSHIFT}sql: [{', '.join('x' * 41)}]}}", "redshift-many"),
        (
            f"{REDSHIFT}external_schema: {{name: lake, database: nope, role: '{ROLE}'}}}}",
            "redshift-schema",
        ),
        (f"{{type: sns, topic: '{FIFO}', message: m}}", "sns-fifo"),
        ("{type: sns, topic: t, message: m, group: g}", "sns-fifo"),
    ],
)
def test_faults(step: str, code: str) -> None:
    assert faults(step) == [(code, 2)]


@pytest.mark.parametrize(
    "step",
    [
        "{type: bigquery_transfer, transfer: projects/p/locations/eu/transferConfigs/x}",
        "{type: bigquery_transfer, tables: [marts.a], columns: {marts.a: [dt]}, folder: out/x/}",
        f"{REDSHIFT}sql: 'SELECT :start, :end, :y', parameters: {{y: 1}}}}",
        f"{REDSHIFT}external_schema: {{name: lake, database: marts, role: '{ROLE}'}}}}",
        f"{REDSHIFT}sql: [{', '.join('x' * 41)}], transaction: false}}",
        f"{{type: sns, topic: '{FIFO}', message: m, group: g}}",
    ],
)
def test_what_can_be_done(step: str) -> None:
    assert faults(step) == []


def test_columns_are_those_of_the_table() -> None:
    known = replace(TABLES[0], columns=(Column("id"), Column("name")))
    step = "{type: bigquery_transfer, tables: [marts.a], columns: {marts.a: [id, dt, nmae]}}"
    found = read_workflow(f"steps:\n  out: {step}\n", file="workflows/w.yaml", name="w")
    assert found.named is not None
    (fault,) = sink_faults(found.named.workflow, found.places, (known,))
    assert (fault.code, fault.found) == (
        "export-columns",
        "the column `nmae`, which marts.a does not have",
    )
    assert "name" in fault.advice


def test_two_steps_do_not_export_into_one_folder() -> None:
    step = "{type: bigquery_transfer, tables: [marts.a], folder: out}"
    assert faults(step, f"  two: {step}\n") == [("export-twice", 3)]
    own = "{type: bigquery_transfer, tables: [marts.a]}"
    assert faults(own, f"  two: {own}\n") == []


def test_failures_are_not_told_to_a_fifo_topic() -> None:
    told = f"on_failure: {{type: sns, topic: '{FIFO}'}}\n"
    assert faults(f"{REDSHIFT}sql: x}}", told) == [("sns-fifo", 3)]


def test_the_tables_that_leave_the_lake_are_told() -> None:
    def step(**fields: Any) -> Any:  # noqa: ANN401 - JSON
        return Workflow.model_validate({"steps": {"s": fields}}).steps["s"]

    export = step(
        type="bigquery_transfer", tables=["marts.*"], exclude=["*.v"], columns={"marts.a": ["dt"]}
    )
    found = exported_tables(export, TABLES)
    assert [str(one.name) for one in found] == ["marts.a", "marts.b"]
    assert exported_columns(export, found[0].name) == ("dt",)
    assert exported_columns(export, found[1].name) == ()
    assert exported_tables(step(type="tables"), TABLES) == ()
