"""Who reads a table that exports move may read every export of that place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.app.bundle import open_bundle
from runner.app.stack_access import Reach

if TYPE_CHECKING:
    from pathlib import Path

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


def test_an_exported_table_is_read_wherever_an_export_may_move_it(tmp_path: Path) -> None:
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    bundle = open_bundle(tmp_path, environment="prod")
    reads = Reach(bundle).of(["marts.joined"], []).reads
    locations = {one.table: one.locations for one in reads if one.database == "raw"}
    assert locations == {"users": ("s3://exports/rds/",), "other": ("s3://exports/rdsother/",)}
