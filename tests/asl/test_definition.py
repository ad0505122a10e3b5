"""What every compiled definition promises: limits, timeouts, defaults, catches, determinism."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonata.jsonata import Jsonata

from runner.asl.build import render
from runner.asl.compile import compile_backfill, compile_workflow, levels
from runner.asl.expressions import concatenation, names_of, quote, sql_terms
from runner.asl.flow import state_name
from runner.asl.steps.scope import Backfill
from runner.asl.steps.tables import lanes, waves
from runner.asl.validate import check_machine
from runner.errors import ProjectError
from runner.model.sqltext import Mark, SqlText
from tests.machine.machines import play
from tests.support.projects import project, select_all, table, workflow

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = (
    table("raw.flights", kind="ddl"),
    table("staging.flights", "raw.flights"),
    table("marts.daily", "staging.flights", load={"mode": "merge", "keys": ["dt"]}),
    table("marts.routes", "staging.flights", kind="ctas"),
    table("marts.names", "raw.flights", kind="view"),
    table("marts.changes", "staging.flights", format="iceberg", keys=["id"]),
)
STEPS = {
    "tables": {"type": "tables"},
    "validate": {"type": "lambda", "function": "validate", "needs": ["tables"]},
    "loads": {"type": "loads", "needs": ["validate"]},
}


def definition(*tables: Any, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    found = project(*(tables or TABLES))
    named = workflow(**{"steps": STEPS, **fields})
    machine = compile_workflow(found, named, select_all(named, found))
    text = render(machine)
    check_machine(machine, text, file=named.file)
    whole: dict[str, Any] = json.loads(text)
    return whole


def every_state(states: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in states.items():
        yield name, state
        inner = [*state.get("Branches", ()), *filter(None, [state.get("ItemProcessor")])]
        for one in inner:
            yield from every_state(one["States"])


STATES = tuple(every_state(definition()["States"]))


def test_the_same_project_gives_the_same_bytes() -> None:
    found, named = project(*TABLES), workflow(steps=STEPS)
    first = render(compile_workflow(found, named, select_all(named, found)))
    assert first == render(compile_workflow(found, named, select_all(named, found)))


def test_every_name_is_unique_and_at_most_80_characters() -> None:
    names = [name for name, _ in STATES]
    assert len(names) == len(set(names))
    assert max(map(len, names)) <= 80


@pytest.mark.parametrize(("name", "state"), STATES, ids=[name for name, _ in STATES])
def test_every_state_is_safe(name: str, state: dict[str, Any]) -> None:  # noqa: ARG001 - the id
    if state["Type"] == "Task":
        assert 0 < state["TimeoutSeconds"] <= 12 * 3600
        errors = [error for one in state.get("Retry", ()) for error in one["ErrorEquals"]]
        assert "States.ALL" not in errors
        if "athena" in state["Resource"]:
            # Only a submission is retried in place: SEMANTICS 6, aws-facts 11.1
            assert all(error.startswith("Athena.") for error in errors)
            assert "ClientRequestToken" in state["Arguments"]
    if state["Type"] == "Choice":
        assert state["Default"]
    if state["Type"] == "Map":
        assert state["MaxConcurrency"] >= 1


def test_every_insert_and_ctas_writes_below_an_attempts_own_prefix() -> None:
    writes = [
        state["Arguments"]["QueryString"]
        for name, state in STATES
        if name.endswith((" insert", " infer", " write")) and state["Type"] == "Task"
    ]
    assert len(writes) == 7
    for text in writes:
        assert "$plan.tag" in text or "$chunk.tag" in text
        assert "external_location" not in text or "$plan.stage" in text


def test_semantics_6_tokens_tell_execution_redrive_state_chunk_and_attempt() -> None:
    by_name = dict(STATES)
    token = by_name["staging.flights insert"]["Arguments"]["ClientRequestToken"]
    for part in ("Execution.Id", "RedriveCount", "State.Name", "$chunk.start", "$attempt"):
        assert part in token


def test_semantics_11_an_iceberg_chunk_is_merged_between_two_calls_of_the_keeper() -> None:
    by_name = dict(STATES)
    order = ["stage", "insert", "test", "judge", "merge", "publish", "unstage"]
    for verb, following in itertools.pairwise(order):
        assert by_name[f"marts.changes {verb}"]["Next"] == f"marts.changes {following}"
    merge = by_name["marts.changes merge"]
    query = "$spec.redrive = $states.context.Execution.RedriveCount ? $merging.statement"
    assert merge["Arguments"]["QueryString"] == f"{{% {query} %}}"
    assert by_name["marts.changes write"]["MaxConcurrency"] == 1
    payload = by_name["marts.changes start"]["Assign"]["spec"]
    assert payload["iceberg"] == {"keys": ["id"], "properties": {}}
    assert [test["name"] for test in payload["tests"]] == ["unique: id, dt", "not_null: id"]
    infer = by_name["marts.changes infer"]["Arguments"]["QueryString"]
    assert "format = 'PARQUET', write_compression = 'ZSTD'" in infer


def test_semantics_37_an_iceberg_table_is_loaded_from_parquet_files() -> None:
    one = table("marts.x", format="iceberg", load={"mode": "truncate_insert"})
    found = definition(one, steps={"tables": {"type": "tables"}, "loads": {"type": "loads"}})
    plan = dict(every_state(found["States"]))["marts.x load plan"]
    assert plan["Arguments"]["Payload"]["load"]["format"] == "parquet"


def test_semantics_25_athena_gets_the_analysts_text_from_the_second_line_on() -> None:
    text = dict(STATES)["staging.flights insert"]["Arguments"]["QueryString"]
    assert '" FROM (\\nSELECT * FROM raw.flights WHERE dt BETWEEN \'" & $chunk.values.m0' in text


def test_semantics_34_every_table_goes_on_to_the_next_whatever_happens() -> None:
    for name, state in STATES:
        if state["Type"] == "Task" and name.startswith(("staging", "marts", "raw")):
            inside_map = name.endswith(
                (" stage", " insert", " test", " publish", " judge", " merge")
            )
            assert state.get("Catch") or inside_map, name


def test_semantics_36_tables_are_dealt_to_waves_and_lanes() -> None:
    found = project(*TABLES)
    names = [one.name for one in found.tables]
    grouped = [[str(name) for name in wave] for wave in waves(found, names)]
    assert grouped == [
        ["raw.flights"],
        ["staging.flights", "marts.names"],
        ["marts.daily", "marts.routes", "marts.changes"],
    ]
    assert [len(lane) for lane in lanes(names, 2)] == [3, 3]
    assert len(lanes(names, 40)) == 6


def test_steps_run_in_the_order_of_their_needs() -> None:
    steps = workflow(
        steps={
            "b": {"type": "wait", "duration": "1s", "needs": ["a"]},
            "a": {"type": "wait", "duration": "1s"},
            "c": {"type": "wait", "duration": "1s", "needs": ["a"]},
            "d": {"type": "wait", "duration": "1s", "needs": ["b", "c"]},
        }
    ).workflow.steps
    assert levels(steps) == (("a",), ("b", "c"), ("d",))


def test_a_step_that_only_catchers_name_waits_to_be_caught() -> None:
    steps = {
        "check": {
            "type": "lambda",
            "function": "validate",
            "catch": [{"errors": ["TooFew"], "next": "alert"}],
        },
        "alert": {"type": "sns", "topic": "t", "message": "m"},
    }
    found = definition(steps=steps)
    assert found["States"]["begin"]["Next"] == "check call"
    assert found["States"]["check call"]["Catch"][0]["Next"] == "alert run"
    assert found["States"]["check call"]["Next"] == "outcome"
    assert found["States"]["alert run"]["Next"] == "outcome"


def test_a_catch_that_cannot_jump_is_refused() -> None:
    steps = {
        "a": {"type": "lambda", "function": "validate", "catch": [{"errors": ["E"], "next": "b"}]},
        "b": {"type": "wait", "duration": "1s", "needs": ["c"]},
        "c": {"type": "wait", "duration": "1s"},
    }
    with pytest.raises(ProjectError, match="catch-unreachable"):
        definition(steps=steps)


def test_two_steps_with_one_table_are_refused() -> None:
    steps = {"a": {"type": "tables"}, "b": {"type": "tables", "needs": ["a"]}}
    with pytest.raises(ProjectError, match="state-name-twice"):
        definition(steps=steps)


def test_a_definition_over_a_megabyte_is_refused() -> None:
    call = {"type": "lambda", "function": "validate", "payload": {"text": "x" * 1_048_576}}
    with pytest.raises(ProjectError, match="definition-too-large"):
        definition(steps={"call": call})


def test_semantics_27_long_names_are_cut_and_end_in_a_hash() -> None:
    name = state_name("marts." + "x" * 90, "read types")
    assert len(name) == 80
    assert name[-9] == "~"
    assert name != state_name("marts." + "x" * 90, "read stage")


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(_texts)
def test_semantics_18_any_text_survives_as_a_jsonata_literal(text: str) -> None:
    assert Jsonata(quote(text)).evaluate(None) == text


@given(st.lists(st.one_of(_texts, st.just(Mark("start")), st.just(Mark("end"))), max_size=6))
def test_semantics_18_a_statement_is_the_concatenation_of_its_parts(
    parts: list[str | Mark],
) -> None:
    sql = SqlText(("SELECT ", *parts))
    names = names_of(sql)
    values = {name: f"2013-01-{number:02d}" for number, name in enumerate(names.values(), 1)}
    expression = concatenation(sql_terms(sql, names, "v"))
    filled = sql.fill({mark: values[name] for mark, name in names.items()})
    assert Jsonata(expression).evaluate({"v": values}) == filled


@pytest.mark.parametrize("marks", [1, 14, 15, 16, 100, 1000, 20_000])
def test_a_statement_of_many_marks_stays_within_the_depth_that_aws_evaluates(marks: int) -> None:
    sql = SqlText(("SELECT '", *[part for _ in range(marks) for part in (Mark("start"), "', '")]))
    expression = concatenation(sql_terms(sql, {Mark("start"): "m0"}, "$states.input"))
    states = {"Pass": {"Type": "Pass", "Output": f"{{% {expression} %}}", "End": True}}
    definition = {"QueryLanguage": "JSONata", "StartAt": "Pass", "States": states}
    outcome = play(definition, {"m0": "2013"})
    assert (outcome.error, outcome.cause) == (None, None)
    assert outcome.output == sql.fill({Mark("start"): "2013"})


def test_the_sdk_is_loaded_without_sagemaker_and_left_as_it_was() -> None:
    script = (
        "import sys\n"
        "from runner.asl.build import _load_states\n"
        "states = _load_states()\n"
        "assert states.Chain and states.Parallel and states.Graph\n"
        "left = [n for n in sys.modules if n.startswith(('stepfunctions', 'sagemaker', 'boto3'))]\n"
        "assert left == [], left\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    ("dml", "shares"),
    [
        (1, {"marts.a": 1, "marts.b": 1}),
        (3, {"marts.a": 1, "marts.b": 1}),
        (4, {"marts.a": 2, "marts.b": 1}),
        (5, {"marts.a": 2, "marts.b": 2}),
        (8, {"marts.a": 4, "marts.b": 3}),
    ],
)
def test_a_backfill_spends_its_dml_budget_on_chunks(dml: int, shares: dict[str, int]) -> None:
    """Three tables of a wave: one is written whole, two in chunks."""
    tables = (table("marts.a"), table("marts.b"), table("marts.c", kind="ctas"))
    found = project(*tables, defaults={"concurrency": {"dml": dml}})
    names = tuple(one.name for one in found.tables)
    machine = compile_backfill(found, Backfill(tables=names, loads=(), grain="day"))
    states = dict(every_state(json.loads(render(machine))["States"]))
    at_once = {
        name.removesuffix(" write"): state["MaxConcurrency"]
        for name, state in states.items()
        if name.endswith(" write") and state["Type"] == "Map"
    }
    assert at_once == shares
    lanes_of = sum(name.endswith(" start") and " lane " in name for name in states)
    assert lanes_of == min(dml, 3)
