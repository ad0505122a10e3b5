"""Unmodified PyAthena, awswrangler and dbt against `runner athena serve`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.clients import SCENARIOS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.clients import Clients

PYATHENA = sorted(path.name for path in SCENARIOS.glob("pyathena_*.py"))


@pytest.mark.parametrize("scenario", PYATHENA)
@pytest.mark.parametrize("version", [3, 4])
def test_pyathena(clients: Clients, tmp_path: Path, scenario: str, version: int) -> None:
    clients.run(scenario, tmp_path, pyathena4=version == 4)


@pytest.mark.parametrize(
    "scenario", sorted(path.name for path in SCENARIOS.glob("awswrangler_*.py"))
)
def test_awswrangler(clients: Clients, tmp_path: Path, scenario: str) -> None:
    clients.run(scenario, tmp_path)


def test_dbt(clients: Clients, tmp_path: Path) -> None:
    clients.run("dbt_project.py", tmp_path)
