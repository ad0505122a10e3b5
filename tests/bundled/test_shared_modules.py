"""What several bundled functions need lies in `_shared` and is linked into their folders.

A package has the module itself: a function is deployed as it stands.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from runner.app.packages import package_function
from runner.model.function import FunctionSettings
from runner.project.files import BUNDLED

SHARED = BUNDLED / "_shared"
LINKS = sorted(path for path in BUNDLED.glob("*/*.py") if path.is_symlink())
FUNCTIONS = sorted(path.parent.name for path in BUNDLED.glob("*/handler.py"))


def test_links_lead_to_shared_modules_that_several_functions_need() -> None:
    targets = [link.readlink() for link in LINKS]
    assert {target.parent for target in targets} == {Path("../_shared")}
    names = [target.name for target in targets]
    assert {path.name for path in SHARED.glob("*.py")} == set(names)
    assert {name for name in names if names.count(name) < 2} == set()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_package_holds_the_modules_themselves(name: str, tmp_path: Path) -> None:
    settings = FunctionSettings().model_dump(mode="json")
    package = package_function(tmp_path, f"builtin:{name}", settings)
    with zipfile.ZipFile(io.BytesIO(package.body)) as archive:
        packed = {one: archive.read(one) for one in archive.namelist() if one.endswith(".py")}
    folder = BUNDLED / name
    assert packed == {path.name: path.read_bytes() for path in folder.glob("*.py")}
