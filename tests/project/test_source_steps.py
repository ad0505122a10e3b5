"""Steps that bring data name crawlers, databases and tables: what is not there is a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.project import inspect_project
from tests.project.projects import good_project, write_files

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """\
project: shop
sources: {raw.events: {columns: {n: bigint}, locations: [s3://raw/events/]}}
environments:
  local:
    engine: local
    crawlers: {events: {paths: [s3://raw/events/], database: raw}}
    glue_jobs: {mask: {script: jobs/mask.py}}
    rds: {shop: {connect: {engine: sqlite, path: shop.sqlite}}}
  prod:
    engine: aws
    region: us-east-1
    account: "123456789012"
    lake: s3://lake/
    results: s3://results/
    rds:
      shop:
        cluster: shop
        to: s3://exports/
        role: arn:aws:iam::123456789012:role/export
        key: arn:aws:kms:us-east-1:123456789012:key/0a
"""
DDL = """\
/*---
kind: ddl
---*/
CREATE EXTERNAL TABLE raw.users (id bigint) STORED AS PARQUET LOCATION 's3://exports/none/'
"""
PLAIN = "/*---\nkind: ctas\n---*/\nSELECT n FROM raw.events\n"


def faults_of(root: Path, step: str, environment: str = "local") -> list[str]:
    files = {
        "config.yaml": CONFIG,
        "sql/raw/users.sql": DDL,
        "sql/marts/plain.sql": PLAIN,
        "workflows/daily.yaml": f"steps:\n  s: {step}\n",
    }
    for path in (root / "sql").rglob("*.sql"):
        path.unlink()
    found = inspect_project(write_files(root, files), environment=environment).faults
    return [
        f"{one.place} {one.code}: {one.found}".removeprefix("workflows/daily.yaml:")
        for one in found
    ]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return good_project(tmp_path)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("{type: crawler, name: events}", []),
        (
            "{type: crawler, name: evnts}",
            ["2:28 unknown-data-source: `name: evnts`, which the environment's `crawlers` lacks"],
        ),
        ("{type: glue_job, job: mask, arguments: {day: '{{ start }}'}}", []),
        (
            "{type: glue_job, job: msk}",
            ["2:28 unknown-data-source: `job: msk`, which the environment's `glue_jobs` lacks"],
        ),
        ("{type: codebuild, project: any}", []),
        ("{type: map, over: [1], step: {type: crawler, name: '{% $item %}'}}", []),
        (
            "{type: map, over: [1], step: {type: glue_job, job: msk}}",
            ["2:57 unknown-data-source: `job: msk`, which the environment's `glue_jobs` lacks"],
        ),
        (
            "{type: map, over: [1], step: {type: glue_job, job: mask, arguments: {a: '{% (1 %}'}}}",
            ['2:78 step-expression: Expected ")" before end of expression'],
        ),
        ("{type: rds_export, source: shop, tables: {raw.users: shop.users}}", []),
        ("{type: rds_export, source: shop, tables: {raw.events: shop.public.events}}", []),
        ("{type: rds_export, source: shop, only: [shop], tables: {raw.users: shop.users}}", []),
        (
            "{type: rds_export, source: shop, only: [shop.user], tables: {raw.users: shop.users}}",
            ["2:78 export-table: shop.users, which is not exported: `only` names shop.user"],
        ),
        (
            "{type: rds_export, source: shp}",
            ["2:33 unknown-data-source: `source: shp`, which the environment's `rds` lacks"],
        ),
        (
            "{type: rds_export, source: shop, tables: {raw.user: shop.users}}",
            [
                (
                    "2:48 export-table: raw.user, which is neither a table of `kind: ddl` nor one "
                    "of `sources`"
                )
            ],
        ),
        (
            "{type: rds_export, source: shop, tables: {marts.plain: shop.users}}",
            ["2:48 export-table: marts.plain, which a query of this project writes"],
        ),
        (
            "{type: rds_export, source: shop, tables: {raw.users: users}}",
            ["2:59 export-table: `users`"],
        ),
    ],
)
def test_what_a_step_names_must_exist(root: Path, step: str, expected: list[str]) -> None:
    assert faults_of(root, step) == expected


def test_on_aws_a_crawler_is_made_elsewhere(root: Path) -> None:
    assert faults_of(root, "{type: crawler, name: any}", "prod") == []


@pytest.mark.parametrize(
    "extra", ["instance: shop", "snapshot: arn:aws:rds:x", "cluster_snapshot: shop"]
)
def test_a_database_of_rds_is_one_thing(root: Path, extra: str) -> None:
    text = CONFIG.replace("        cluster: shop\n", f"        cluster: shop\n        {extra}\n")
    write_files(root, {"config.yaml": text})
    (fault,) = [
        one for one in inspect_project(root, environment="prod").faults if one.code == "wrong-value"
    ]
    assert (
        fault.expected == "exactly one of `instance`, `cluster`, `cluster_snapshot` and `snapshot`"
    )
