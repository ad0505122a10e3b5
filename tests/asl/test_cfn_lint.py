"""Compiled definitions inside a CloudFormation template, as cfn-lint sees them.

Two of its findings are false.  It calls a JSONata TimeoutSeconds wrong, though AWS takes it; we
write numbers, so that needs no exception.  And E1029 takes the `${day}` of an Athena
`storage.location.template`, in a definition given as text, for a reference that somebody forgot
to put into Fn::Sub: exactly that is left out here.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint

from runner.app.bundle import open_bundle
from tests.support.definitions import variety

HERE = Path(__file__).parents[2]
_DAY = '"${day}"'


def findings(*, objects: list[bytes], texts: list[bytes]) -> list[str]:
    """Lint state machines with their definition as an object, and as a string."""
    forms: list[dict[str, Any]] = [
        *({"Definition": json.loads(one)} for one in objects),
        *({"DefinitionString": one.decode()} for one in texts),
    ]
    resources = {
        f"Machine{number}": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {"RoleArn": "arn:aws:iam::123456789012:role/states", **form},
        }
        for number, form in enumerate(forms)
    }
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
    return [
        f"{one.rule.id} {'/'.join(map(str, one.path))}: {one.message}"
        for one in lint(json.dumps(template), regions=["us-east-1"])
        if not (
            one.rule.id == "E1029" and one.path[-1] == "DefinitionString" and _DAY in one.message
        )
    ]


def test_definitions_of_every_kind_pass() -> None:
    found = variety()
    names = ("steps", "iceberg", "no tables", "backfill", "backfill on aws")
    objects = [found[name] for name in names]
    assert findings(objects=objects, texts=[found["aws"]]) == []


def test_the_example_project_passes(tmp_path: Path) -> None:
    for name in ("sql", "workflows", "lambdas"):
        shutil.copytree(HERE / name, tmp_path / name)
    shutil.copy(HERE / "config.yaml", tmp_path)

    def definitions(environment: str) -> list[bytes]:
        bundle = open_bundle(tmp_path, environment)
        names = ("daily", "carrier_load")
        return [bundle.workflow(name).definition.encode() for name in names]

    assert findings(objects=definitions("local"), texts=definitions("prod")) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"Type": "Nap"}, "'Nap' is not one of"),
        ({"Catch": []}, "Catch"),
        ({"InputPath": "$.a"}, "InputPath"),
    ],
)
def test_a_broken_definition_does_not_pass(change: dict[str, Any], expected: str) -> None:
    definition = json.loads(variety()["no tables"])
    definition["States"]["pause run"] |= change
    found = findings(objects=[json.dumps(definition).encode()], texts=[])
    assert any(expected in one for one in found), found
