"""dbt-athena: a small project, built twice: seeds, views, tables, increments, a snapshot, docs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pyathena
import pytest
from dbt.cli.main import dbtRunner

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.scenarios.conftest import Place

FILES = {
    "dbt_project.yml": """
name: shop
version: "1.0"
profile: shop
model-paths: [models]
seed-paths: [seeds]
snapshot-paths: [snapshots]
flags: {send_anonymous_usage_stats: false, use_colors: false}
""",
    "seeds/orders.csv": """id,customer,amount,ordered_at
1,ann,10.5,2024-01-01 10:00:00
2,bob,20.0,2024-01-02 11:00:00
3,ann,,2024-01-02 12:00:00
""",
    "models/schema.yml": """
version: 2
sources:
  - name: raw
    schema: "{{ target.schema }}"
    loaded_at_field: ordered_at
    freshness: {warn_after: {count: 1, period: day}}
    tables: [{name: orders}]
models:
  - name: by_customer
    description: What each customer ordered
    config: {contract: {enforced: true}}
    columns:
      - {name: customer, data_type: varchar, description: Who, data_tests: [unique, not_null]}
      - {name: orders, data_type: bigint}
      - {name: amount, data_type: double}
""",
    "models/plain_view.sql": """
{{ config(materialized='view') }}
select id, customer, cast(ordered_at as date) as day from {{ source('raw', 'orders') }}
""",
    "models/by_customer.sql": """
{{ config(materialized='table', format='parquet', write_compression='snappy') }}
select customer, count(*) as orders, sum(cast(amount as double)) as amount
from {{ ref('orders') }} group by customer
""",
    "models/iceberg_table.sql": """
{{ config(materialized='table', table_type='iceberg', format='parquet') }}
select id, customer from {{ ref('orders') }}
""",
    "models/days.sql": """
{{ config(materialized='incremental', incremental_strategy='insert_overwrite',
          partitioned_by=['day'], format='parquet') }}
select id, customer, date_format(day, '%Y-%m-%d') as day from {{ ref('plain_view') }}
{% if is_incremental() %} where day >= date '2024-01-02' {% endif %}
""",
    "models/appended.sql": """
{{ config(materialized='incremental', incremental_strategy='append', format='parquet') }}
select id, customer from {{ ref('plain_view') }}
""",
    "models/merged.sql": """
{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id',
          table_type='iceberg', format='parquet') }}
select id, customer, {% if is_incremental() %} 'second' {% else %} 'first' {% endif %} as run
from {{ ref('plain_view') }}
{% if is_incremental() %}
where id > 1 union all select 4, 'eve', 'second'
{% endif %}
""",
    "snapshots/known.sql": """
{% snapshot known %}
{{ config(target_schema=target.schema, unique_key='id', strategy='check',
          check_cols=['amount'], table_type='iceberg') }}
select id, amount from {{ ref('orders') }}
{% endsnapshot %}
""",
}


def profile(place: Place) -> str:
    target = {
        "type": "athena",
        "region_name": "us-east-1",
        "s3_staging_dir": place.staging,
        "s3_data_dir": place.path("dbt"),
        "database": "awsdatacatalog",
        "schema": f"{place.database}_dbt",
        "threads": 2,
        "poll_interval": 0.1,
        "num_retries": 0,
    }
    return json.dumps({"shop": {"target": "local", "outputs": {"local": target}}})


@pytest.fixture(scope="module")
def project(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dbt")
    for name, text in {**FILES, "profiles.yml": profile(place)}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def dbt(project: Path, *words: str) -> dict[str, str]:
    """Run a command; gives what became of each node."""
    told: list[str] = []
    runner = dbtRunner(callbacks=[lambda event: told.append(event.info.msg)])
    done = runner.invoke(
        [*words, "--project-dir", str(project), "--profiles-dir", str(project), "--quiet"]
    )
    assert done.success, "\n".join(told)
    results: Any = getattr(done.result, "results", ())
    return {each.node.name: str(each.status) for each in results if hasattr(each, "node")}


def rows(place: Place, sql: str) -> list[Any]:
    with (
        pyathena.connect(
            s3_staging_dir=place.staging, schema_name=f"{place.database}_dbt", poll_interval=0.05
        ) as connection,
        connection.cursor() as cursor,
    ):
        found: list[Any] = cursor.execute(sql).fetchall()
        return found


def test_the_first_build(project: Path, place: Place) -> None:
    dbt(project, "debug")
    dbt(project, "seed")
    told = dbt(project, "build", "--exclude-resource-type", "seed")
    assert told["plain_view"] == "success"
    assert told["unique_by_customer_customer"] == "pass"
    assert rows(place, "SELECT * FROM by_customer ORDER BY 1") == [
        ("ann", 2, 10.5),
        ("bob", 1, 20.0),
    ]
    assert rows(place, "SELECT id, day FROM days ORDER BY 1") == [
        (1, "2024-01-01"),
        (2, "2024-01-02"),
        (3, "2024-01-02"),
    ]
    assert rows(place, "SELECT count(*) FROM known WHERE dbt_valid_to IS NULL") == [(3,)]


def test_the_second_build(project: Path, place: Place) -> None:
    (project / "seeds/orders.csv").write_text(FILES["seeds/orders.csv"].replace("20.0", "21.0"))
    dbt(project, "seed")
    dbt(project, "build", "--exclude-resource-type", "seed")
    assert rows(place, "SELECT count(*) FROM appended") == [(6,)]
    assert rows(place, "SELECT count(*) FROM days") == [(3,)]
    assert rows(place, "SELECT * FROM merged ORDER BY id") == [
        (1, "ann", "first"),
        (2, "bob", "second"),
        (3, "ann", "second"),
        (4, "eve", "second"),
    ]
    assert rows(place, "SELECT count(*), count(dbt_valid_to) FROM known") == [(4, 1)]
    dbt(project, "run", "--full-refresh", "--select", "appended", "merged")
    assert rows(place, "SELECT count(*) FROM appended") == [(3,)]


def test_docs_freshness_and_tables_left(project: Path, place: Place) -> None:
    dbt(project, "docs", "generate")
    catalog = json.loads((project / "target/catalog.json").read_text())
    columns = catalog["nodes"]["model.shop.by_customer"]["columns"]
    assert {name: each["type"] for name, each in columns.items()} == {
        "customer": "string",
        "orders": "bigint",
        "amount": "double",
    }
    assert "source.shop.raw.orders" in catalog["sources"]
    dbt(project, "source", "freshness")
    found = boto3.client("glue").get_tables(DatabaseName=f"{place.database}_dbt")["TableList"]
    assert sorted(each["Name"] for each in found) == [
        *("appended", "by_customer", "days", "iceberg_table", "known", "merged", "orders"),
        "plain_view",
    ]


def test_a_model_that_fails_says_why(project: Path) -> None:
    (project / "models/wrong.sql").write_text("select no_such_column from {{ ref('orders') }}")
    told: list[str] = []
    done = dbtRunner(callbacks=[lambda event: told.append(event.info.msg)]).invoke(
        ["run", "--select", "wrong", "--project-dir", str(project), "--profiles-dir", str(project)]
    )
    assert not done.success
    assert "COLUMN_NOT_FOUND: line" in "\n".join(told)
