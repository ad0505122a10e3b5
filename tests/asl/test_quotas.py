"""What machines take of AWS's quotas, and what is done before it is too much."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from runner.asl.build import render
from runner.asl.compile import compile_backfill, compile_loads, compile_workflow
from runner.asl.events import MOST_EVENTS, events_of
from runner.asl.flow import Flow, State, every_state
from runner.asl.quotas import Usage, find_faults, find_warnings, usage_of
from runner.asl.steps.scope import Backfill
from runner.asl.validate import check_machine
from runner.machine import parse_definition
from runner.model.sqltext import SqlText
from tests.asl.test_nesting import tree
from tests.machine.machines import Script, jsonata, play
from tests.support.definitions import AWS, EVERY_STEP
from tests.support.projects import DAILY, project, select_all, table, workflow

if TYPE_CHECKING:
    from runner.asl.flow import Machine
    from runner.model.project import Table

LOAD = {"mode": "merge", "keys": ["dt"]}
STEPS = {"tables": {"type": "tables"}, "loads": {"type": "loads", "needs": ["tables"]}}
POLL = {**AWS, "athena_wait": "poll"}


def machine_of(
    *tables: Table,
    environment: dict[str, Any] | None = None,
    defaults: dict[str, Any] | None = None,
    **fields: Any,  # noqa: ANN401
) -> Machine:
    found = project(*tables, environment=environment or AWS, defaults=defaults or {})
    named = workflow(**{"steps": STEPS, **fields})
    return compile_workflow(found, named, select_all(named, found))


def usages(machine: Machine) -> list[Usage]:
    children = [usage_of(child.machine, child.name) for child in machine.children]
    return [usage_of(machine, "daily"), *children]


def codes(usage: Usage) -> list[str]:
    found = (*find_faults(usage, {}, file="w"), *find_warnings(usage, {}, file="w"))
    return [fault.code for fault in found]


# --- events -------------------------------------------------------------------------------------


def task(resource: str, **rest: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", **rest}


END = State("end", {"Type": "Succeed"})


@pytest.mark.parametrize(
    ("state", "events"),
    [
        # Recorded executions: docs.aws.amazon.com, "Execution history" (HistoryEvent types).
        (State("a", {"Type": "Pass", "Next": "end"}), 2),
        (State("a", {"Type": "Wait", "Next": "end"}), 2),
        (State("a", task("lambda:invoke", Next="end")), 5),
        (State("a", task("aws-sdk:glue:getTable", Next="end")), 5),
        (State("a", task("athena:startQueryExecution.sync", Next="end")), 6),
        (State("a", task("states:startExecution.sync:2", Next="end")), 6),
        (State("a", {"Type": "Choice", "Default": "end", "Choices": []}), 2),
        (State("a", {"Type": "Parallel", "Branches": [Flow((END,)), Flow((END,))]}), 8),
        (
            State("a", {"Type": "Map", "ItemProcessor": Flow((END,)), "Next": "end"}, most_items=3),
            4 + 3 * (2 + 2),
        ),
        (
            State("a", {"Type": "Map", "ItemProcessor": Flow((END,), distributed=True)}),
            6,
        ),
    ],
)
def test_events_are_counted_as_step_functions_writes_them(state: State, events: int) -> None:
    after = 2 if "Next" in state.fields or "Default" in state.fields else 0
    assert events_of(Flow((state, END))) == 2 + events + after


def test_the_longest_way_counts_and_ways_back_do_not() -> None:
    flow = Flow(
        (
            State("a", {"Type": "Choice", "Choices": [{"Next": "end"}], "Default": "b"}),
            State("b", task("lambda:invoke", Next="c", Catch=[{"Next": "d"}])),
            State("c", {"Type": "Choice", "Choices": [{"Next": "a"}], "Default": "end"}),
            State("d", {"Type": "Pass", "Next": "end"}),
            END,
        )
    )
    assert events_of(flow) == 2 + 2 + 5 + 2 + 2


def test_looks_at_a_statement_count_as_often_as_an_ordinary_one_needs() -> None:
    """A start, then 14 times: wait, look, ended?; six events where Step Functions waits."""
    one = table("marts.a", kind="view")
    waited, polled = (
        events_of(machine_of(one, steps={"t": STEPS["tables"]}, environment=chosen).flow)
        for chosen in (AWS, POLL)
    )
    assert polled - waited == 5 + 14 * (2 + 5 + 2) - 6


# --- remedies -----------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", [AWS, POLL], ids=["sync", "poll"])
def test_a_thousand_tables_fit(environment: dict[str, Any]) -> None:
    """Definitions, histories, payloads: of the workflow, the backfill and the loads."""
    found = project(*tree(1000, load=LOAD), environment=environment)
    named = workflow(steps=STEPS)
    names = tuple(one.name for one in found.tables)
    inserts = frozenset(str(one.name) for one in found.tables if one.kind == "insert")
    made = [
        compile_workflow(found, named, select_all(named, found)),
        compile_loads(found),
        compile_backfill(found, Backfill(names, names[1:], "day", inserts, inserts)),
    ]
    for machine in made:
        assert [code for usage in usages(machine) for code in codes(usage)] == []
        largest = max(
            (machine, *(c.machine for c in machine.children)), key=lambda m: len(m.flow.states)
        )
        check_machine(largest, render(largest), file="w")
    assert sorted({name for child in made[0].children for name in child.tables}) == sorted(
        map(str, names)
    )
    loads = [n for c in made[0].children if c.kind == "load" for n in c.tables]
    assert sorted(loads) == sorted(map(str, names[1:]))


def test_loads_of_a_large_workflow_are_executions_of_their_own() -> None:
    machine = machine_of(*tree(150, load=LOAD))
    children = {child.name: child for child in machine.children if child.kind == "load"}
    assert list(children) == ["loads-1-1", "loads-1-2", "loads-1-3", "loads-1-4"]
    states = {one.name: one.fields for one in every_state(children["loads-1-1"].machine.flow)}
    (chosen,) = [f for n, f in states.items() if n == "marts.t000 load choose"]
    assert chosen["Choices"][1]["Condition"] == '{% "marts.t000" in $down %}'
    outer = {one.name: one.fields for one in every_state(machine.flow)}
    assert '"kind": "load", "status": "failed"' in json.dumps(
        outer["loads part 1 fail"]["Assign"]
    ).replace('\\"', '"')
    for one in (machine, *(child.machine for child in machine.children)):
        parse_definition(render(one))


def test_tables_are_cut_by_events_where_these_are_more_than_their_bytes() -> None:
    """A hundred bytes of a polled statement may pass by a dozen times."""
    waited = machine_of(*tree(40), steps={"tables": STEPS["tables"]})
    polled = machine_of(*tree(40), steps={"tables": STEPS["tables"]}, environment=POLL)
    assert waited.children == ()
    assert len(polled.children) > 1
    assert all(usage.events <= MOST_EVENTS for usage in usages(polled))


def ordered(name: str) -> Table:
    return table(name, name)


def test_many_chunks_are_executions_of_their_own_where_nothing_else_helps() -> None:
    """A table that reads itself has a chunk for each of the 400 days of the largest window."""
    one = machine_of(ordered("marts.a"), steps={"tables": STEPS["tables"]})
    (chunks,) = [s for s in every_state(one.flow) if s.name == "marts.a write"]
    assert chunks.most_items == 400
    assert not chunks.fields["ItemProcessor"].distributed
    polled = machine_of(ordered("marts.a"), steps={"tables": STEPS["tables"]}, environment=POLL)
    machines = [polled, *(child.machine for child in polled.children)]
    (chunks,) = [s for m in machines for s in every_state(m.flow) if s.name == "marts.a write"]
    assert chunks.fields["ItemProcessor"].distributed
    assert all(usage.events <= MOST_EVENTS for usage in usages(polled))


def test_results_of_very_many_tables_are_brief() -> None:
    def told(count: int) -> str:
        machine = machine_of(*tree(count), steps={"tables": STEPS["tables"]})
        states = {one.name: one.fields for one in every_state(machine.flow)}
        return str(states["tables wave 1 part 1 execute"]["Assign"]["done"])

    assert told(100) == "{% $append($done, $states.result.Output.results) %}"
    brief = told(500)
    results = [
        {"step": "t", "name": "a", "kind": "table", "status": "published", "result": {"rows": 3}},
        {"step": "t", "name": "b", "kind": "table", "status": "failed", "message": "x" * 300},
    ]
    definition = jsonata(
        {
            "start": {"Type": "Pass", "Assign": {"done": []}, "Next": "call"},
            "call": {
                "Type": "Task",
                "Resource": "arn:aws:states:::states:startExecution.sync:2",
                "Assign": {"done": brief},
                "Next": "end",
            },
            "end": {"Type": "Pass", "Output": "{% $done %}", "End": True},
        }
    )
    service = Script(call={"Output": {"results": results}})
    assert play(definition, service=service).output == [
        {"step": "t", "name": "a", "kind": "table", "status": "published"},
        {"step": "t", "name": "b", "kind": "table", "status": "failed", "message": "x" * 100},
    ]
    one = Script(call={"Output": {"results": results[:1]}})
    assert len(play(definition, service=one).output) == 1
    assert play(definition, service=Script(call={"Output": {"results": []}})).output == []


# --- what nothing helps -------------------------------------------------------------------------


def steps_of(count: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    call = {"type": "lambda", "function": "validate", **more}
    return {f"s{n}": {**call, **({"needs": [f"s{n - 1}"]} if n else {})} for n in range(count)}


def raw(items: int) -> dict[str, Any]:
    inner: dict[str, Any] = {f"p{n}": {"Type": "Pass", "Next": f"p{n + 1}"} for n in range(items)}
    inner[f"p{items}"] = {"Type": "Pass", "End": True}
    state = {"Type": "Map", "ItemProcessor": {"StartAt": "p0", "States": inner}}
    return {"raw": {"type": "asl", "state": state}}


def test_too_many_events_are_refused() -> None:
    """Of a Map that is not ours a hundred items are counted: 100 x (2 + 2 x states)."""
    few, many = (usage_of(machine_of(steps=raw(n)), "daily") for n in (90, 130))
    begin, explained, end = 5, 5 + 2, 2 + 2
    assert few.events == 2 + begin + 4 + 100 * (2 + 2 * 91) + explained + end
    assert codes(few) == []
    assert codes(many) == ["history-too-long"]


def test_a_long_window_of_an_iceberg_table_is_warned_of() -> None:
    """Its chunks cannot be executions of their own: they run one after the other."""
    columns = {**DAILY, "kind": {"type": "enum", "values": [f"k{n}" for n in range(80)]}}
    one = table("marts.a", format="iceberg", keys=["id"], partition=columns)
    wide = replace(one, partitioning=replace(one.partitioning, combinations=80))
    machine = machine_of(wide, steps={"tables": STEPS["tables"]}, environment=POLL)
    found = [code for usage in usages(machine) for code in codes(usage)]
    assert found == ["history-long"]
    (usage,) = [one for one in usages(machine) if one.events > MOST_EVENTS]
    (fault,) = find_warnings(usage, {}, file="workflows/daily.yaml")
    assert str(fault.place) == "workflows/daily.yaml"
    assert "max_window" in fault.advice
    few = machine_of(wide, steps={"tables": STEPS["tables"]}, defaults={"max_window": 40})
    assert [code for one in usages(few) for code in codes(one)] == []


def test_a_step_with_a_large_payload_is_refused() -> None:
    made = {
        n: machine_of(steps=steps_of(1, payload={"x": "y" * n})) for n in (100, 210_000, 270_000)
    }
    found = [codes(usage_of(machine, "daily")) for machine in made.values()]
    assert found == [[], ["payload-large"], ["payload-too-large"]]


def test_a_statement_that_is_too_large_is_told_with_its_file() -> None:
    """The file's text alone is checked before; the words around it count as well."""
    text = "SELECT " + "é" * 129_500 + " AS dt"
    one = replace(table("marts.a", kind="view"), sql=SqlText((text,)))
    machine = machine_of(one, steps={"tables": STEPS["tables"]})
    usage = usage_of(machine, "daily")
    assert 259_000 < usage.statement_bytes < 262_144
    larger = replace(one, sql=SqlText((text + " " * 4_000,)))
    usage = usage_of(machine_of(larger, steps={"tables": STEPS["tables"]}), "daily")
    files = {"marts.a": "sql/marts/a.sql"}
    found = {f.code: str(f.place) for f in find_faults(usage, files, file="w")}
    assert found["statement-too-large"] == "sql/marts/a.sql"


def test_overrides_of_a_load_are_measured() -> None:
    machine = machine_of(table("marts.a", load=LOAD), steps={"l": {"type": "loads"}})
    usage = usage_of(machine, "daily")
    assert 300 < usage.override_bytes < 8_192
    long = replace(usage, override_bytes=8_193)
    assert codes(long) == ["overrides-too-large"]


def test_every_step_type_is_counted() -> None:
    usage = usage_of(machine_of(table("marts.a", load=LOAD), steps=EVERY_STEP), "daily")
    assert codes(usage) == []
    assert usage.least_events < usage.events < MOST_EVENTS
