"""SEMANTICS 25: Athena gets the analyst's text; only names of databases are put in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.semantics.little import CONFIG, go, project, read, sql, statements

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXED = CONFIG.replace("engine: local\n", "engine: local\n    database_suffix: _dev\n")
BASE = "SELECT 1 AS id, 'staging.base' AS name"


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("SELECT  id ,name\n  FROM staging.base", "SELECT  id ,name\n  FROM staging_dev.base"),
        (
            'select ID as "Id" from "staging" . "base" where name=\'staging.base\'',
            'select ID as "Id" from "staging_dev" . "base" where name=\'staging.base\'',
        ),
        (
            "SELECT id /* staging.base */ FROM staging.base -- from staging.base",
            "SELECT id /* staging.base */ FROM staging_dev.base -- from staging.base",
        ),
        (
            "SELECT staging.base.id FROM staging.base",
            "SELECT staging_dev.base.id FROM staging_dev.base",
        ),
        (
            "SELECT staging.id FROM staging.base AS staging",
            "SELECT staging.id FROM staging_dev.base AS staging",
        ),
        (
            "WITH base AS (SELECT id FROM staging.base) SELECT id FROM base",
            "WITH base AS (SELECT id FROM staging_dev.base) SELECT id FROM base",
        ),
        ("SELECT if(id>0,1,2) AS n FROM other", "SELECT if(id>0,1,2) AS n FROM marts_dev.other"),
        (
            "SELECT id!=2 AS n, CAST(id AS VARCHAR(3)) AS v FROM {{ ref('staging.base') }}",
            "SELECT id!=2 AS n, CAST(id AS VARCHAR(3)) AS v FROM staging_dev.base",
        ),
        (
            "SELECT approx_distinct(id) AS n, arbitrary(name) AS a FROM staging.base",
            "SELECT approx_distinct(id) AS n, arbitrary(name) AS a FROM staging_dev.base",
        ),
    ],
)
def test_semantics_25_the_text_of_a_file_is_the_text_of_the_statement(
    written: str, sent: str, tmp_path: Path
) -> None:
    files = {"staging/base": sql(BASE), "marts/other": sql(BASE), "marts/x": sql(written)}
    root = project(tmp_path, files, config=SUFFIXED)
    assert go(root, "2024-01-01").status == "SUCCEEDED"
    (statement,) = [text for text in statements(root, "CREATE TABLE") if '."x__' in text]
    assert statement.partition(" AS \n")[2] == sent


def test_semantics_25_the_local_engine_gives_athenas_answers_to_that_text(tmp_path: Path) -> None:
    """7 / 2 is 3 in Athena, and arrays begin at 1."""
    files = {
        "marts/x": sql(
            "SELECT 7 / 2 AS n, ARRAY[4, 5][1] AS a, date_format(DATE '2024-01-05', '%W') AS d"
        )
    }
    root = project(tmp_path, files)
    assert go(root, "2024-01-01").status == "SUCCEEDED"
    assert read(root, "SELECT n, a, d FROM marts.x") == [(3, 4, "Friday")]
