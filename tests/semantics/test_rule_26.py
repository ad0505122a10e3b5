"""SEMANTICS 26: what a name in a query means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.model.names import TableName
from runner.project import check_project, load_project
from tests.semantics.little import CONFIG, project, sql

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "staging/orders": sql("SELECT 1 AS id, 'a' AS shop"),
    "marts/shops": sql("SELECT 'a' AS shop"),
    "marts/orders": sql("SELECT 2 AS id, 'b' AS shop"),
}
SOURCES = f"{CONFIG}sources: {{crm.customers: {{columns: {{id: bigint, shop: varchar}}}}}}\n"


@pytest.mark.parametrize(
    ("query", "reads", "sources"),
    [
        pytest.param("SELECT shop FROM shops", ["marts.shops"], [], id="own database"),
        pytest.param("SELECT id FROM orders", ["marts.orders"], [], id="own before others"),
        pytest.param("SELECT id FROM staging.orders", ["staging.orders"], [], id="qualified"),
        pytest.param('SELECT id FROM "STAGING".Orders', ["staging.orders"], [], id="any case"),
        pytest.param(
            "WITH shops AS (SELECT id FROM staging.orders) SELECT id FROM shops",
            ["staging.orders"],
            [],
            id="CTE before a table",
        ),
        pytest.param(
            "WITH shops AS (SELECT shop FROM shops) SELECT shop FROM shops",
            ["marts.shops"],
            [],
            id="CTE not in scope of itself",
        ),
        pytest.param(
            "SELECT id FROM (WITH c AS (SELECT id FROM orders) SELECT id FROM c)",
            ["marts.orders"],
            [],
            id="CTE of a subquery",
        ),
        pytest.param("SELECT id FROM crm.customers", [], ["crm.customers"], id="source"),
        pytest.param(
            "SELECT c.id FROM crm.customers AS c JOIN shops AS s ON s.shop = c.shop "
            "WHERE c.id IN (SELECT id FROM staging.orders)",
            ["marts.shops", "staging.orders"],
            ["crm.customers"],
            id="joins and subqueries",
        ),
        pytest.param(
            "SELECT id FROM {{ ref('staging.orders') }}", ["staging.orders"], [], id="ref"
        ),
        pytest.param(
            "SELECT 1 AS one -- {{ ref('staging.orders') }}",
            ["staging.orders"],
            [],
            id="ref alone adds an edge",
        ),
        pytest.param("SELECT 'staging.orders' AS name", [], [], id="text is no name"),
    ],
)
def test_semantics_26_edges_and_sources(
    query: str, reads: list[str], sources: list[str], tmp_path: Path
) -> None:
    root = project(tmp_path, {**FILES, "marts/x": sql(query)}, config=SOURCES)
    assert check_project(root) == ()
    table = load_project(root).table(TableName("marts", "x"))
    assert sorted(str(read.table) for read in table.reads) == reads
    assert list(table.sources) == sources


@pytest.mark.parametrize(
    ("query", "code", "column", "advice"),
    [
        ("SELECT id FROM staging.ordres", "unknown-table", 16, "did you mean staging.orders"),
        ("SELECT id FROM shop", "unknown-table", 16, "did you mean marts.shops"),
        ("SELECT id FROM crm.customer", "unknown-table", 16, "did you mean crm.customers?"),
        ("SELECT id FROM erp.invoices", "unknown-table", 16, "declare it under `sources:`"),
        (
            "WITH c AS (SELECT 1 AS id) SELECT id FROM staging.c",
            "unknown-table",
            43,
            "declare it under `sources:`",
        ),
        ("SELECT id FROM {{ ref('staging.ordres') }}", "unknown-table", 16, "staging.orders"),
        ("SELECT id FROM {{ ref('orders') }}", "jinja-ref", 19, "between quotes"),
        ("SELECT id FROM {{ ref(vars.name) }}", "jinja-ref", 19, "between quotes"),
        (
            "{% set name = 'staging.orders' %}SELECT id FROM {{ ref(name) }}",
            "jinja-ref",
            52,
            "between quotes",
        ),
        (
            "SELECT id FROM {{ ref('staging.orders', 'x') }}",
            "jinja-ref",
            19,
            "between quotes",
        ),
        ("SELECT id FROM {{ ref('staging.' ~ 'orders') }}", "jinja-ref", 19, "between quotes"),
    ],
)
def test_semantics_26_names_that_mean_nothing(
    query: str, code: str, column: int, advice: str, tmp_path: Path
) -> None:
    config = f"{SOURCES}vars: {{name: staging.orders}}\n"
    (fault,) = check_project(project(tmp_path, {**FILES, "marts/x": sql(query)}, config=config))
    assert (fault.code, str(fault.place)) == (code, f"sql/marts/x.sql:1:{column}")
    assert advice in fault.advice
