"""What definitions use is remembered between processes, and never instead of what they say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.bundle import open_bundle
from runner.app.desired import desired
from runner.app.known_uses import KnownUses
from runner.plan.stack.iam.uses import uses_of
from runner.plan.stack.limits import text_of
from runner.plan.stack.template import template_of
from tests.semantics.little import CONFIG, insert, project, rows_of
from tests.support.commands import copy_example
from tests.support.definitions import AWS, variety
from tests.support.stacks import everything, thousand

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runner.app.desired import Desired

WINDOW = " WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'"
PROD = f"{CONFIG}  prod: {json.dumps(AWS)}\n"


def example(folder: Path) -> Path:
    return copy_example(folder / "flights")


def synthetic(folder: Path, tables: int = 50) -> Path:
    """Write tables that read one another, every third of them loaded."""
    rows = rows_of((1, "2024-01-01"))
    files = {"marts/t00": insert(f"SELECT id, dt FROM {rows}{WINDOW}")}
    for number in range(1, tables):
        load = "load: {keys: [dt], mode: merge}" if number % 3 == 0 else ""
        query = f"SELECT id, dt FROM marts.t{(number - 1) // 2:02}{WINDOW}"
        files[f"marts/t{number:02}"] = insert(query, load)
    return project(folder, files, config=PROD)


def wanted(root: Path) -> Desired:
    return desired(root, open_bundle(root, "prod"))


def remembered(root: Path) -> Path:
    return root / ".runner" / "cache" / "uses-prod.json"


def definitions() -> list[str]:
    facts = (*everything().machines, *thousand(2, 3).machines)
    return [*(one.definition for one in facts), *(one.decode() for one in variety().values())]


def falsified(path: Path, **changes: Any) -> None:  # noqa: ANN401 - JSON
    """Let the file say of every definition that it uses nothing, so that an answer tells of it."""
    data = json.loads(path.read_text())
    data["uses"] = {key: [[], [], False, []] for key in data["uses"]}
    path.write_text(json.dumps(data | changes))


@pytest.mark.parametrize("make", [example, synthetic])
def test_the_template_is_the_same_byte_for_byte(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    root = make(tmp_path)
    first = wanted(root)
    path = remembered(root)
    known = json.loads(path.read_text())["uses"]
    texts = {machine.definition for machine in first.facts.machines}
    assert len(known) == len(texts)
    before = path.stat().st_mtime_ns
    second = wanted(root)
    assert path.stat().st_mtime_ns == before  # nothing new to remember
    plain = template_of(first.facts)
    assert text_of(plain) == text_of(first.template) == text_of(second.template)
    falsified(path)
    assert text_of(wanted(root).template) != text_of(plain)  # it does come from the file


def test_a_fact_of_the_environment_counts_though_definitions_are_known(tmp_path: Path) -> None:
    root = synthetic(tmp_path)
    wanted(root)
    key = "arn:aws:kms:us-east-1:123456789012:key/1"
    keys = {"keys": {"data": key}, "log_level": "OFF"}
    (root / "config.yaml").write_text(f"{CONFIG}  prod: {json.dumps(AWS | keys)}\n")
    made = wanted(root)
    assert key in text_of(made.template)
    assert text_of(made.template) == text_of(template_of(made.facts))


def test_answers_are_those_of_the_definition(tmp_path: Path) -> None:
    path = tmp_path / "uses.json"
    for _ in range(2):
        known = KnownUses(path)
        for text in definitions():
            assert known.uses(text) == uses_of(text)
        known.save()
    falsified(path)
    nothing = KnownUses(path).uses(definitions()[0])
    assert (nothing.calls, nothing.tables, nothing.distributed) == ((), (), False)


@pytest.mark.parametrize("text", definitions())
def test_a_definition_that_changed_is_read(text: str, tmp_path: Path) -> None:
    path = tmp_path / "uses.json"
    known = KnownUses(path)
    known.uses(text)
    known.save()
    falsified(path)
    other = text.replace("arn:aws:states:::", "arn:aws:states:::aws-sdk:", 1)
    for changed in {other, f"{text} "}:
        if changed != text:
            assert KnownUses(path).uses(changed) == uses_of(changed)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: falsified(path, version="another"),
        lambda path: path.write_text(path.read_text()[:-20]),
        lambda path: path.write_text("[]"),
        lambda path: path.write_text("null"),
        lambda path: path.write_text('{"version": 1}'),
        lambda path: falsified(path, uses={"x": [1]}),
        lambda path: path.unlink(),
    ],
)
def test_a_file_that_is_not_ours_is_as_good_as_none(
    damage: Callable[[Path], object], tmp_path: Path
) -> None:
    path = tmp_path / "uses.json"
    text = everything().machines[0].definition
    known = KnownUses(path)
    known.uses(text)
    known.save()
    damage(path)
    again = KnownUses(path)
    assert again.uses(text) == uses_of(text)
    again.save()
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_longer_asked_for_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "uses.json"
    first, second = definitions()[:2]
    for texts in ([first, second], [second]):
        known = KnownUses(path)
        for text in texts:
            known.uses(text)
        known.save()
    assert len(json.loads(path.read_text())["uses"]) == 1
