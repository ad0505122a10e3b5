"""SEMANTICS 29: views and ddl are made when absent, again when changed, else left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.semantics.little import (
    codes,
    go,
    project,
    read,
    sql,
    statements,
    statuses,
)

if TYPE_CHECKING:
    from pathlib import Path

DDL = """\
/*---
kind: ddl
---*/
CREATE EXTERNAL TABLE {more}raw.lines (
    id bigint,
    name string
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://raw/lines/'
"""
FILES = {
    "raw/lines": DDL.format(more=""),
    "data/lines/one.json": '{"id": 1, "name": "a"}\n',
    "staging/base": sql("SELECT id FROM raw.lines"),
    "marts/v": sql("SELECT id FROM staging.base", "kind: view"),
    "marts/w": sql("SELECT id FROM v", "kind: view"),
}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param(
            {"marts/v": sql("SELECT id -- the key\n  FROM staging.base", "kind: view")},
            {},
            id="a comment and spaces",
        ),
        pytest.param(
            {"marts/v": sql("SELECT id FROM staging.base", "kind: view\ndescription: better")},
            {},
            id="a description",
        ),
        pytest.param(
            {"marts/v": sql("SELECT id + 1 AS id FROM staging.base", "kind: view")},
            {"marts.v": "published", "marts.w": "published"},
            id="the view's text",
        ),
        pytest.param(
            {"staging/base": sql("SELECT CAST(id AS varchar) AS id, name FROM raw.lines")},
            {"marts.v": "published", "marts.w": "published"},
            id="an upstream's columns",
        ),
        pytest.param(
            {"raw/lines": DDL.format(more="").replace("    name", "    extra int,\n    name")},
            {"raw.lines": "published", "marts.v": "published", "marts.w": "published"},
            id="the ddl",
        ),
    ],
)
def test_semantics_29_what_is_made_again(
    changed: dict[str, str], expected: dict[str, str], tmp_path: Path
) -> None:
    root = project(tmp_path, FILES)
    first = go(root, "2024-01-01")
    assert set(statuses(first).values()) == {"published"}
    project(tmp_path, {**FILES, **changed})
    second = go(root, "2024-01-01")
    assert second.status == "SUCCEEDED"
    unchanged = dict.fromkeys(("raw.lines", "marts.v", "marts.w"), "unchanged")
    assert statuses(second) == {**unchanged, "staging.base": "published", **expected}
    assert len(read(root, "SELECT id FROM marts.w")) == 1


def test_semantics_29_a_view_sees_the_types_of_an_upstream_that_changed(tmp_path: Path) -> None:
    root = project(tmp_path, FILES)
    go(root, "2024-01-01")
    base = sql("SELECT 'number ' || CAST(id AS varchar) AS id FROM raw.lines")
    project(tmp_path, {**FILES, "staging/base": base})
    assert go(root, "2024-01-01").status == "SUCCEEDED"
    assert read(root, "SELECT id FROM marts.w") == [("number 1",)]


def test_semantics_29_a_view_sees_a_type_that_passed_through_a_table(tmp_path: Path) -> None:
    """The query of staging.base stays; its column changes with the external table."""
    root = project(tmp_path, FILES)
    go(root, "2024-01-01")
    project(tmp_path, {"raw/lines": DDL.format(more="").replace("id bigint", "id string")})
    assert go(root, "2024-01-01").status == "SUCCEEDED"
    assert read(root, "SELECT id FROM marts.w") == [("1",)]


def test_semantics_29_a_view_is_one_create_or_replace_after_what_it_reads(tmp_path: Path) -> None:
    root = project(tmp_path, FILES)
    go(root, "2024-01-01")
    assert statements(root, "CREATE OR REPLACE VIEW") == [
        'CREATE OR REPLACE VIEW "marts"."v" AS\nSELECT id FROM staging.base',
        'CREATE OR REPLACE VIEW "marts"."w" AS\nSELECT id FROM marts.v',
    ]
    (ctas,) = statements(root, "CREATE TABLE")
    sent = statements(root, "CREATE")
    assert sent.index(ctas) < sent.index(statements(root, "CREATE OR REPLACE VIEW")[0])


def test_semantics_29_remaking_an_external_table_leaves_its_data(tmp_path: Path) -> None:
    root = project(tmp_path, FILES)
    go(root, "2024-01-01")
    text = DDL.format(more="IF NOT EXISTS ").replace("name string", "name string COMMENT 'who'")
    project(tmp_path, {**FILES, "raw/lines": text})
    result = go(root, "2024-01-01")
    assert statuses(result)["raw.lines"] == "published"
    assert (root / "data/lines/one.json").is_file()
    assert read(root, "SELECT id, name FROM raw.lines") == [(1, "a")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DDL.format(more="IF NOT EXISTS "), []),
        (
            DDL.format(more="") + ";\n" + DDL.format(more="").partition("---*/")[2],
            ["sql-statements"],
        ),
        ("/*---\nkind: ddl\n---*/\nSELECT 1 AS n\n", ["sql-kind"]),
        ("/*---\nkind: ddl\n---*/\nDROP TABLE raw.lines\n", ["sql-kind"]),
        ("/*---\nkind: ddl\n---*/\nCREATE TABLE raw.lines AS SELECT 1 AS n\n", ["sql-kind"]),
        (DDL.format(more="").replace("raw.lines", "raw.other"), ["ddl-name"]),
        ("/*---\nkind: view\n---*/\nCREATE VIEW raw.lines AS SELECT 1 AS n\n", ["sql-kind"]),
    ],
)
def test_semantics_29_a_ddl_file_is_one_create_external_table(
    text: str, expected: list[str], tmp_path: Path
) -> None:
    assert codes(project(tmp_path, {"raw/lines": text})) == expected
