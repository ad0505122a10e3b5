"""SEMANTICS 31: variables are fixed when a project is compiled, for one environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.app.bundle import open_bundle
from runner.app.compiled import compile_project
from runner.app.preview import preview
from runner.errors import ProjectError
from tests.semantics.little import CONFIG, go, project, read, sql

if TYPE_CHECKING:
    from pathlib import Path

LINES = """\
vars: {least: 10, who: all, names: [a, b], flag: true}
"""
PROD = """\
  dev: {engine: local, state: .dev, vars: {least: 20}}
  prod:
    engine: aws
    region: eu-west-1
    account: "111111111111"
    lake: s3://lake/
    results: s3://results/
    database_suffix: _prod
    vars: {least: 30}
"""
QUERY = (
    "SELECT {{ vars.least }} AS least, '{{ vars.who }}' AS who, "
    "'{% for name in vars.names %}{{ name }}{% endfor %}' AS names"
    "{% if vars.flag %}, 1 AS flagged{% endif %}"
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table that prints the variables."""
    folder = tmp_path_factory.mktemp("rule_31")
    return project(folder, {"marts/x": sql(QUERY)}, config=CONFIG + PROD + LINES)


@pytest.mark.parametrize(
    ("environment", "given", "printed"),
    [
        ("local", {}, "SELECT 10 AS least, 'all' AS who, 'ab' AS names, 1 AS flagged"),
        ("dev", {}, "SELECT 20 AS least, 'all' AS who, 'ab' AS names, 1 AS flagged"),
        ("prod", {}, "SELECT 30 AS least, 'all' AS who, 'ab' AS names, 1 AS flagged"),
        ("dev", {"least": "5"}, "SELECT 5 AS least, 'all' AS who, 'ab' AS names, 1 AS flagged"),
        ("local", {"flag": "false"}, "SELECT 10 AS least, 'all' AS who, 'ab' AS names"),
        (
            "local",
            {"names": "[x, y, z]", "who": "me"},
            "SELECT 10 AS least, 'me' AS who, 'xyz' AS names, 1 AS flagged",
        ),
    ],
)
def test_semantics_31_a_definition_holds_the_values(
    root: Path, environment: str, given: dict[str, str], printed: str
) -> None:
    bundle = open_bundle(root, environment, given)
    assert bundle.tables[0].sql == printed
    assert printed in bundle.workflow("daily").definition


@pytest.mark.parametrize(
    ("environment", "given", "code"),
    [
        ("local", {"leest": "5"}, "unknown-variable"),
        ("local", {"least": "few"}, "wrong-type"),
        ("prod", {"least": "5"}, "variable-in-aws"),
        ("prod", {"leest": "5"}, "variable-in-aws"),
    ],
)
def test_semantics_31_what_is_refused(
    root: Path, environment: str, given: dict[str, str], code: str
) -> None:
    with pytest.raises(ProjectError) as refused:
        compile_project(root, environment=environment, variables=given)
    assert [(f.code, str(f.place)) for f in refused.value.faults] == [
        (code, f"--var {next(iter(given))}")
    ]


@pytest.mark.parametrize(("given", "least"), [((), 10), ((("least", "7"),), 7)])
def test_semantics_31_preview_and_local_runs_take_them(
    root: Path, given: tuple[tuple[str, str], ...], least: int
) -> None:
    assert preview(root, "marts.x", variables=dict(given)).rows[0][0] == least
    assert go(root, "2024-01-01", variables=given).status == "SUCCEEDED"
    assert read(root, "SELECT least FROM marts.x") == [(least,)]


def test_semantics_31_an_undefined_variable_is_a_fault(tmp_path: Path) -> None:
    text = sql("SELECT {{ vars.leest }} AS least")
    with pytest.raises(ProjectError) as refused:
        open_bundle(project(tmp_path, {"marts/x": text}, config=CONFIG + LINES))
    (fault,) = refused.value.faults
    assert (fault.code, fault.advice) == ("jinja-unknown-variable", "did you mean least?")
