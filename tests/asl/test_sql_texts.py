"""SQL too long for a definition is read from the lake, and reaches Athena as it would otherwise."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.asl import sql_texts
from runner.asl.build import render
from runner.asl.compile import compile_workflow
from runner.asl.expressions import names_of
from runner.asl.flow import every_state
from runner.asl.quotas import find_faults, usage_of
from runner.asl.tables.inference import FIRST
from runner.asl.target import target_of
from runner.asl.validate import check_machine
from runner.model.ports import ServiceError
from runner.model.sqltext import Mark, SqlText
from runner.plan.stack.iam.uses import uses_of
from tests.asl.test_cfn_lint import findings
from tests.asl.test_other_interpreter import HOPELESS, WINDOW, Both, statuses
from tests.machine.machines import Script, jsonata, play
from tests.support.definitions import ICEBERG, STEPS, TABLES
from tests.support.projects import SQLITE, project, select_all, table, workflow

if TYPE_CHECKING:
    from pathlib import Path

    from runner.asl.flow import Machine
    from runner.model.project import Table

LONG = "/* \"quoted\" 'quoted' \\ ü {% x %} */\n" * 1900
TARGET = target_of(project(environment={"engine": "local", "lake": "s3://lake/deep/"}))


def lengthened(one: Table, **more: Any) -> Table:  # noqa: ANN401
    first, *rest = one.sql.parts
    assert isinstance(first, str)
    text = first.replace("SELECT", f"SELECT {LONG}", 1) if "SELECT" in first else f"{first} {LONG}"
    return replace(one, sql=SqlText((text, *rest)), **more)


LARGE = tuple(lengthened(one) for one in TABLES)


def machine_of(*tables: Table, wait: str = "sync", **fields: Any) -> Machine:  # noqa: ANN401
    environment = {"engine": "local", "athena_wait": wait, "marts": {"main": SQLITE}}
    found = project(*tables, environment=environment)
    named = workflow(**{"steps": STEPS, **fields})
    return compile_workflow(found, named, select_all(named, found))


@pytest.fixture
def both(tmp_path: Path) -> Both:
    return Both(tmp_path)


@given(st.lists(st.one_of(st.text(), st.sampled_from([Mark("start"), Mark("end")])), min_size=1))
def test_a_text_that_was_stored_and_read_is_the_text(parts: list[str | Mark]) -> None:
    sql = SqlText(tuple(parts))
    names = names_of(sql)
    values = {name: f"2013-01-0{number}" for number, name in enumerate(names.values(), start=1)}
    reading = sql_texts.Reading("t", "insert", "$states.input.values")
    state = sql_texts.reading(TARGET, reading, [(sql, names)])
    (asset,) = state.assets
    assert state.fields["Arguments"] == {"Bucket": "lake", "Key": f"deep/{asset.key}"}
    fields = {**state.fields, "End": True}
    del fields["Next"]
    service = Script(**{state.name: {"Body": asset.text}})
    outcome = play(jsonata({state.name: fields}), {"values": values}, service=service)
    filled = sql.fill({mark: values[name] for mark, name in names.items()})
    assert outcome.output == {"given": {"values": values}, "sql": filled}


@pytest.mark.parametrize("wait", ["sync", "poll"])
def test_long_texts_reach_athena_as_short_ones_do(
    both: Both, wait: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = machine_of(*LARGE, wait=wait)
    ended, world = both(render(large), assets=large.assets)
    assert ended.status == "SUCCEEDED", ended.cause
    assert len(large.assets) == 5
    monkeypatch.setattr(sql_texts, "LARGE_BYTES", 1_000_000)
    whole = machine_of(*LARGE, wait=wait)
    assert whole.assets == {}
    other, inline = both(render(whole))
    assert statuses(other) == statuses(ended)
    for state in ("raw.flights create", "marts.names create", "marts.routes write"):
        assert world.statements(state) == inline.statements(state)
    for state in ("staging.flights infer", "staging.flights insert"):
        assert world.statements(state) == inline.statements(state)


def test_a_long_definition_is_short_and_sound() -> None:
    for wait in ("sync", "poll"):
        large = machine_of(*LARGE, lengthened(ICEBERG), wait=wait)
        text = render(large)
        check_machine(large, text, file="workflows/daily.yaml")
        assert len(text) < 200_000
        assert findings(objects=[text], texts=[]) == []
        named = set(large.assets)
        read = {
            state.fields["Arguments"]["Key"]
            for state in every_state(large.flow)
            if state.fields.get("Resource", "").endswith("s3:getObject")
        }
        assert read == named
        assert all(key.startswith("_runner/sql/") for key in named)


def test_the_same_text_has_the_same_key_and_another_one_another() -> None:
    first, second = machine_of(*LARGE).assets, machine_of(*LARGE).assets
    assert first == second
    changed = (*LARGE[:-1], lengthened(LARGE[-1]))
    assert len(set(first) - set(machine_of(*changed).assets)) == 1


def test_a_text_that_is_gone_fails_its_table_alone(both: Both) -> None:
    """Whoever deleted it hears of it; other tables are written."""
    large = machine_of(TABLES[0], TABLES[1], lengthened(TABLES[4]), steps={"t": STEPS["tables"]})
    gone = ServiceError("S3.NoSuchKeyException", "The specified key does not exist.")
    ended, world = both(render(large), failures={"marts.names create text": [gone]})
    assert ended.status == "FAILED"
    assert ended.cause is not None
    assert ended.cause.startswith("marts.names failed: S3.NoSuchKeyException: ")
    assert ("staging", "flights") in world.tables


def test_a_long_statement_that_fails_is_diagnosed(both: Both) -> None:
    large = machine_of(*LARGE[:2], steps={"t": STEPS["tables"]})
    failures = {"staging.flights insert": [HOPELESS]}
    ended, _ = both(render(large), WINDOW, assets=large.assets, failures=failures)
    assert ended.cause == (
        "staging.flights failed: COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved"
    )


def test_a_table_that_reads_itself_has_two_texts() -> None:
    """Before its first write it is typed by the one in which it stands for itself."""
    one = table("marts.daily", "marts.daily")
    columns = tuple(project(one).tables[0].columns)
    assert columns == ()
    from runner.model.project import Column

    named = (Column("n", "bigint"), Column("dt", "varchar"))
    alone = SqlText((f"SELECT 1 AS n, '' AS dt {LONG}",))
    itself = lengthened(one, alone=alone, columns=named)
    large = machine_of(itself, steps={"t": STEPS["tables"]})
    text = {s.name: s.fields for s in every_state(large.flow)}["marts.daily infer text"]
    assert text["Arguments"]["Key"].startswith("{% $target = null ? ")
    assert len(large.assets) == 2
    assert findings(objects=[render(large)], texts=[]) == []


def test_the_lint_knows_what_a_text_takes_when_it_is_read() -> None:
    """The object is JSON in JSON in the answer of S3: quotes and line feeds count there."""
    sizes = {}
    for count in (1, 2, 3):
        one = table("marts.a")
        text = "SELECT '\"\n' /* " + '"\n' * 20_000 * count + "*/ AS a"
        large = machine_of(replace(one, sql=SqlText((text,))), steps={"t": STEPS["tables"]})
        usage = usage_of(large, "daily")
        sizes[count] = (usage.payload_bytes, usage.statement_bytes)
        codes = [fault.code for fault in find_faults(usage, {"marts.a": "a.sql"}, file="w.yaml")]
        assert codes == ([] if count == 1 else ["payload-too-large"])
        answered = len(json.dumps({"Body": large.assets and next(iter(large.assets.values()))}))
        assert usage.payload_bytes >= answered
    assert sizes[1][1] < 60_000


def test_permissions_name_both_texts_that_a_state_chooses_between() -> None:
    """The file is known however it is chosen: the role reads these two, not the bucket."""
    reading = sql_texts.Reading("t", "insert", "$states.input.values")
    first, second = (SqlText((f"SELECT {number}",)) for number in (1, 2))
    both: list[tuple[SqlText, dict[Mark, str]]] = [(first, {}), (second, {})]
    state = sql_texts.reading(TARGET, reading, both, condition=FIRST)
    text = json.dumps({"StartAt": "a", "States": {"a": dict(state.fields)}})
    keys = {call.known("Key") for call in uses_of(text).calls}
    assert keys == {f"deep/{one.key}" for one in state.assets}
    assert len(keys) == 2
