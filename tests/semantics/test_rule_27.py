"""SEMANTICS 27: names of tables, databases and states."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from runner.app.bundle import open_bundle
from runner.project import check_project
from tests.semantics.little import CONFIG, project, sql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TWO = """\
project: little
environments:
  local: {engine: local, %s}
  dev: {engine: local, %s}
"""


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("sql/marts/a.sql", None),
        ("sql/marts/a_1.sql", None),
        (f"sql/marts/{'a' * 100}.sql", None),
        (f"sql/marts/{'a' * 101}.sql", "bad-name"),
        ("sql/marts/1a.sql", "bad-name"),
        ("sql/marts/_a.sql", "bad-name"),
        ("sql/marts/A.sql", "bad-name"),
        ("sql/marts/a-b.sql", "bad-name"),
        ("sql/marts/é.sql", "bad-name"),
        ("sql/Marts/a.sql", "bad-name"),
        ("sql/marts/select.sql", "reserved-name"),
        ("sql/marts/timestamp.sql", "reserved-name"),
        ("sql/values/a.sql", "reserved-name"),
        ("sql/marts__stage/a.sql", "reserved-name"),
        ("sql/marts/b.SQL", "duplicate-file"),
    ],
)
def test_semantics_27_names_of_files(path: str, code: str | None, tmp_path: Path) -> None:
    files = {"marts/b": sql("SELECT 1 AS n"), path: sql("SELECT 1 AS n")}
    faults = check_project(project(tmp_path, files))
    assert [fault.code for fault in faults] == ([code] if code else [])
    if code == "duplicate-file":
        assert faults[0].expected == "one file; the other is sql/marts/b.SQL"


def test_semantics_27_a_table_named_like_a_source_is_refused(tmp_path: Path) -> None:
    config = f"{CONFIG}sources: {{crm.customers: {{}}}}\n"
    (fault,) = check_project(
        project(tmp_path, {"crm/customers": sql("SELECT 1 AS n")}, config=config)
    )
    assert fault.code == "table-is-source"


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("state: .runner", "state: .runner", True),
        ("state: .runner", "state: .runner/", True),
        ("state: .runner", "state: .dev", False),
        ("state: .runner", "database_suffix: _dev", False),
        ("database_suffix: _dev", "database_suffix: _dev", True),
        ("database_suffix: _dev", "database_suffix: _test", False),
    ],
)
def test_semantics_27_two_environments_with_one_physical_database(
    first: str, second: str, tmp_path: Path, *, shared: bool
) -> None:
    root = project(tmp_path, {"marts/a": sql("SELECT 1 AS n")}, config=TWO % (first, second))
    assert [fault.code for fault in check_project(root)] == ["shared-database"] * shared


def test_semantics_27_a_suffix_that_makes_another_database_is_refused(tmp_path: Path) -> None:
    """`marts` with the suffix _eu is the `marts_eu` of the environment without one."""
    files = {"marts/a": sql("SELECT 1 AS n"), "marts_eu/a": sql("SELECT 1 AS n")}
    root = project(tmp_path, files, config=TWO % ("state: .runner", "database_suffix: _eu"))
    (fault,) = check_project(root)
    assert fault.found == "dev writes the database `marts_eu`, as local does"


def names(flow: dict[str, Any]) -> Iterator[str]:
    for name, state in flow["States"].items():
        yield name
        for inner in (*state.get("Branches", ()), *filter(None, [state.get("ItemProcessor")])):
            yield from names(inner)


@pytest.mark.parametrize(
    ("length", "cut"),
    [
        (10, False),
        (63, False),  # marts.<63> prepare is 77 characters
        (66, False),  # 80; longer verbs are cut already
        (67, True),
        (100, True),
    ],
)
def test_semantics_27_states_are_named_by_table_and_verb(
    length: int, tmp_path: Path, *, cut: bool
) -> None:
    table = "a" * length
    root = project(tmp_path, {f"marts/{table}": sql("SELECT 1 AS n"), "marts/b": sql("SELECT 1 n")})
    found = list(names(json.loads(open_bundle(root).workflow("daily").definition)))
    assert len(set(found)) == len(found)
    assert max(map(len, found)) <= 80
    assert "marts.b prepare" in found
    assert (f"marts.{table} prepare" in found) is not cut
    hashed = [name for name in found if re.fullmatch(r"marts\.a{50,}~[0-9a-f]{8}", name)]
    assert hashed or not cut
    assert all(len(name) == 80 for name in hashed)
