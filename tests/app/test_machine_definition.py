"""A definition from a file: its faults stand at their lines, whatever the states are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.app.machine_definition import read_machine
from runner.errors import ProjectError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["plain", "a/b~c", "pick[0]", "[1]"])
def test_faults_stand_at_their_lines(tmp_path: Path, name: str) -> None:
    path = tmp_path / "m.asl.json"
    path.write_text(
        f'{{"StartAt": "{name}",\n "States": {{\n  "{name}": {{\n   "Type": "Pass",\n'
        '   "End": true,\n   "ResultPath": "nowhere"}}}',
        "utf-8",
    )
    with pytest.raises(ProjectError) as caught:
        read_machine(path)
    (fault,) = caught.value.faults
    assert (fault.place.file, fault.place.line) == (str(path), 6)
    assert fault.found.endswith(f"at /States/{name}/ResultPath")
