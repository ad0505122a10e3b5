from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.project import load_project, select
from tests.project.projects import good_project, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from runner.model.project import Project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root: Path = good_project(tmp_path_factory.mktemp("selection"))
    files = {
        "sql/marts/shops.sql": "/*---\ntags: [weekly, web]\n---*/\nSELECT shop FROM daily\n",
        "sql/marts/daily_web.sql": "/*---\ntags: [web]\n---*/\nSELECT shop FROM staging.events\n",
    }
    return load_project(write_files(root, files))


@pytest.mark.parametrize(
    ("patterns", "exclude", "names"),
    [
        (["*.*"], [], "raw.events staging.events marts.daily marts.daily_web marts.shops"),
        (["staging.*"], [], "staging.events"),
        (["marts.daily_*"], [], "marts.daily_web"),
        (["marts.daily*"], ["marts.daily"], "marts.daily_web"),
        (["tag:web"], [], "marts.daily_web marts.shops"),
        (["tag:web"], ["tag:weekly"], "marts.daily_web"),
        (["+marts.shops"], [], "raw.events staging.events marts.daily marts.shops"),
        (["+marts.shops"], ["raw.*"], "staging.events marts.daily marts.shops"),
        (["+tag:weekly"], [], "raw.events staging.events marts.daily marts.shops"),
        (["staging.events+"], [], "staging.events marts.daily marts.daily_web marts.shops"),
        (["marts.daily+"], [], "marts.daily marts.shops"),
        (["+marts.daily+"], [], "raw.events staging.events marts.daily marts.shops"),
        (["raw.*+"], ["tag:web+"], "raw.events staging.events marts.daily"),
        (["marts.none"], [], ""),
        ([], [], ""),
    ],
)
def test_patterns_select_in_the_order_of_the_project(
    project: Project, patterns: list[str], exclude: list[str], names: str
) -> None:
    assert " ".join(map(str, select(project, patterns, exclude))) == names
