"""Functions as they are deployed: the folder alone on the path, settings that hold."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from runner.model.function import FunctionSettings
from runner.project.files import BUNDLED
from runner.project.yamltext import read_yaml

NAMES = ("bigquery_transfer", "logs_alarm", "logs_to_bigquery", "logs_to_opensearch", "notify")
IMPORT = (
    "import sys; sys.path.insert(0, sys.argv[1]); import handler; print(handler.handler.__name__)"
)


@pytest.mark.parametrize("name", NAMES)
def test_it_needs_nothing_but_its_folder(name: str) -> None:
    command = [sys.executable, "-I", "-S", "-B", "-W", "error", "-c", IMPORT, str(BUNDLED / name)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "handler\n"


@pytest.mark.parametrize("name", NAMES)
def test_its_settings_hold(name: str) -> None:
    text = (BUNDLED / name / "function.yaml").read_text("utf-8")
    read = read_yaml(text, file=name)
    assert read.faults == ()
    settings = FunctionSettings.model_validate(read.data)
    assert settings.description.endswith(".")
    assert settings.permissions == ()  # what it may do is what its instance says


def test_the_schema_has_the_columns_of_a_row() -> None:
    text = (BUNDLED / "logs_to_bigquery" / "schema.json").read_text("utf-8")
    columns = {one["name"]: (one["type"], one["mode"]) for one in json.loads(text)}
    assert columns == {
        "timestamp": ("TIMESTAMP", "REQUIRED"),
        "session_id": ("STRING", "NULLABLE"),
        "action": ("STRING", "NULLABLE"),
        "params": ("STRING", "NULLABLE"),
    }
