"""Definitions are kept as files, shared by content, and rendered again only when they change."""

from __future__ import annotations

import json
import shutil
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.bundle import WorkflowFacts, open_bundle
from runner.app.definitions import FOLDER, Definitions
from runner.app.machines import all_machines
from runner.asl.flow import Asset, Child, Flow, Machine, State, content_of
from runner.project.keys import Choice
from tests.app.test_known_uses import synthetic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def machines(root: Path) -> tuple[WorkflowFacts, ...]:
    return all_machines(root, Choice("prod", {}), open_bundle(root, "prod"))


def texts_of(machine: WorkflowFacts) -> list[str]:
    return [machine.definition, *(child.definition for child in machine.children)]


def test_what_was_kept_changes_no_machine(tmp_path: Path) -> None:
    root = synthetic(tmp_path)
    first = machines(root)
    assert machines(root) == first  # from the files
    path = root / "sql" / "marts" / "t07.sql"
    path.write_text(path.read_text().replace("SELECT id, dt", "SELECT id + 1 AS id, dt"))
    changed = machines(root)
    assert changed != first
    assert any("id + 1 AS id" in text for text in texts_of(changed[0]))
    shutil.rmtree(root / ".runner")
    assert machines(root) == changed


def test_a_machine_is_rendered_once(tmp_path: Path) -> None:
    root = synthetic(tmp_path, tables=4)
    first = machines(root)
    for path in (root / FOLDER).glob("*.json"):  # that it is served, shows a usage that is wrong
        told = json.loads(path.read_text())
        path.write_text(json.dumps({**told, "usage": {**told["usage"], "states": 7}}))
    path = root / "sql" / "marts" / "t02.sql"
    path.write_text(f"{path.read_text()}-- only the file's hash is another\n")
    again = machines(root)
    assert {one["states"] for machine in again[2:] for one in machine.usage} == {7}  # of loads
    assert [one.definition for one in again[2:]] == [one.definition for one in first[2:]]


@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        ("asl", lambda path: path.unlink()),
        ("asl", lambda path: path.write_bytes(path.read_bytes()[:-1])),
        ("json", lambda path: path.write_text("[]")),
        ("json", lambda path: path.write_text('{"definition": "no such text", "usage": {}}')),
        ("json", lambda path: path.write_text(path.read_text().replace('"states"', '"others"'))),
    ],
)
def test_a_file_that_is_not_as_it_was_is_made_again(
    kind: str, damage: Callable[[Path], object], tmp_path: Path
) -> None:
    root = synthetic(tmp_path, tables=4)
    first = machines(root)
    for path in (root / FOLDER).glob(f"*.{kind}"):
        damage(path)
    if kind == "json":
        shutil.rmtree(root / ".runner" / "cache" / "backfills")
        shutil.rmtree(root / ".runner" / "cache" / "bundles")
    assert machines(root) == first


def test_what_another_version_noted_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Definitions(tmp_path)
    known.note("key", "{}", {"states": 1})
    assert Definitions(tmp_path).noted("key") == ("{}", {"states": 1})
    assert Definitions(tmp_path).noted("other") is None
    monkeypatch.setattr("runner.app.definitions.versions", lambda: "another")
    assert Definitions(tmp_path).noted("key") is None


def test_only_the_last_files_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.app.definitions._KEPT", 3)
    known = Definitions(tmp_path)
    names = [known.put(f"{number}") for number in range(5)]
    known.put("0")  # used again
    known.trim()
    assert known.get(names[0]) == "0"
    assert len(list((tmp_path / FOLDER).iterdir())) == 3


def test_everything_of_a_machine_counts() -> None:
    inner = Flow((State("inner", {"Type": "Pass", "End": True}),))
    state = State("a", {"Type": "Map", "ItemProcessor": inner, "End": True})
    machine = Machine("what", Flow((state,)), 60)
    other: dict[str, Any] = {
        "name": "b",
        "fields": {"Type": "Map", "ItemProcessor": replace(inner, distributed=True), "End": True},
        "assets": (Asset("_runner/sql/1.json", "x"),),
        "subject": "marts.a",
        "text_bytes": 1,
        "results_bytes": 1,
        "most_items": 1,
        "looks": 1,
    }
    child = Child("c", "p-c", "part", (), machine, 0)
    assert {one.name for one in fields(State)} == {*other, "child"}
    made = [replace(state, **{key: value}) for key, value in other.items()]
    others = [
        *(replace(machine, flow=Flow((one,))) for one in made),
        replace(machine, comment="other"),
        replace(machine, timeout_s=61),
        replace(machine, flow=Flow((state,), distributed=True)),
        replace(machine, flow=Flow((state, state))),
    ]
    texts = {content_of(one) for one in (machine, *others)}
    assert len(texts) == len(others) + 1
    assert content_of(replace(machine, flow=Flow((replace(state, child=child),)))) in texts
