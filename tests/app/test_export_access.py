"""Who reads a table that exports move may read every export of that place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.app.bundle import open_bundle
from runner.app.desired import desired
from runner.app.stack_access import Reach
from tests.support.iam import roles

if TYPE_CHECKING:
    from pathlib import Path

    from runner.plan.stack.facts import Access

CONFIG = """\
project: shop
environments:
  prod:
    engine: aws
    region: us-east-1
    account: "123456789012"
    lake: s3://lake/
    results: s3://results/
    rds:
      shop:
        instance: shop
        to: s3://exports/rds
        role: arn:aws:iam::123456789012:role/export
        key: arn:aws:kms:us-east-1:123456789012:key/0a
"""
DDL = """\
/*---
kind: ddl
---*/
CREATE EXTERNAL TABLE raw.{name} (id bigint) STORED AS PARQUET LOCATION '{location}'
"""
FILES = {
    "config.yaml": CONFIG,
    "sql/raw/users.sql": DDL.format(name="users", location="s3://exports/rds/none/"),
    "sql/raw/other.sql": DDL.format(name="other", location="s3://exports/rdsother/"),
    "sql/marts/joined.sql": "SELECT u.id FROM raw.users AS u JOIN raw.other AS o ON o.id = u.id\n",
    "workflows/daily.yaml": "steps: {tables: {type: tables}}\n",
}


def reads_of(root: Path, files: dict[str, str], *tables: str) -> dict[str, Access]:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    bundle = open_bundle(root, environment="prod")
    again = open_bundle(root, environment="prod")  # from the cache
    assert Reach(again).of(tables, []) == Reach(bundle).of(tables, [])
    return {one.logical: one for one in Reach(bundle).of(tables, []).reads}


KEY = "arn:aws:kms:us-east-1:123456789012:key/0a"
SOURCES = """\
sources:
  crm.users: {columns: {id: bigint}, locations: ["s3://crm/users"]}
  crm.moved: {columns: {id: bigint}}
  crm.inside: {columns: {id: bigint}, locations: ["s3://exports/rds/crm"]}
"""
EXPORT = """\
steps:
  out: {type: rds_export, source: shop, tables: {crm.moved: shop.users, raw.other: shop.others}}
"""


def test_what_reads_an_export_needs_its_key_in_whatever_workflow_it_stands(tmp_path: Path) -> None:
    sql = " UNION ALL ".join(
        f"SELECT id FROM {table}"
        for table in ("raw.users", "raw.other", "raw.third", "crm.users", "crm.moved", "crm.inside")
    )
    files = {
        **FILES,
        "config.yaml": CONFIG + SOURCES,
        "sql/raw/third.sql": DDL.format(name="third", location="s3://elsewhere/"),
        "sql/marts/joined.sql": sql,
        "sql/marts/plain.sql": "SELECT id FROM raw.third UNION ALL SELECT id FROM crm.users",
        "workflows/export.yaml": EXPORT,
    }
    found = reads_of(tmp_path, files, "marts.joined")
    exported = ("raw.users", "raw.other", "crm.moved", "crm.inside")
    assert {name: one.keys for name, one in found.items() if one.keys} == dict.fromkeys(
        exported, (KEY,)
    )
    assert found["raw.other"].locations == ("s3://exports/rdsother/", "s3://exports/rds/")
    assert found["crm.moved"].locations == ("s3://exports/rds/",)
    assert found["crm.inside"].locations == ("s3://exports/rds/",)
    assert found["crm.users"].locations == ("s3://crm/users/",)
    plain = reads_of(tmp_path, files, "marts.plain")
    assert not any(one.keys for one in plain.values())


@pytest.mark.parametrize(("table", "may"), [("raw.users", True), ("raw.third", False)])
def test_the_role_of_a_workflow_may_decrypt_what_its_query_reads(
    table: str,
    may: bool,  # noqa: FBT001 - a case
    tmp_path: Path,
) -> None:
    files = {
        **FILES,
        "sql/raw/third.sql": DDL.format(name="third", location="s3://elsewhere/"),
        "workflows/ask.yaml": f"steps: {{q: {{type: sql, sql: SELECT max(id) AS n FROM {table}}}}}",
    }
    reads_of(tmp_path, files)
    template = desired(tmp_path, open_bundle(tmp_path, environment="prod")).template
    role = roles(template)["shop-prod-ask-machine"]
    assert role.may("kms:Decrypt", KEY) is may
    assert not role.may("kms:GenerateDataKey", KEY)
    assert not role.may("kms:Decrypt", KEY.replace("0a", "0b"))


def test_an_exported_table_is_read_wherever_an_export_may_move_it(tmp_path: Path) -> None:
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    bundle = open_bundle(tmp_path, environment="prod")
    reads = Reach(bundle).of(["marts.joined"], []).reads
    locations = {one.table: one.locations for one in reads if one.database == "raw"}
    assert locations == {"users": ("s3://exports/rds/",), "other": ("s3://exports/rdsother/",)}
