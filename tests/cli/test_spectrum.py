"""`runner spectrum`: DDL for Redshift from the tables of an environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runner.model.spectrum import (
    ExternalTable,
    SpectrumError,
    partition_ddl,
    redshift_type,
    schema_ddl,
    table_ddl,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.commands import Cli

ROLE = "arn:aws:iam::123456789012:role/r"


@pytest.mark.parametrize(
    ("hive", "wanted"),
    [
        ("tinyint", "smallint"),
        ("int", "integer"),
        ("bigint", "bigint"),
        ("float", "real"),
        ("double", "double precision"),
        ("string", "varchar(65535)"),
        ("varchar(10)", "varchar(10)"),
        ("decimal(10,2)", "decimal(10,2)"),
        ("timestamp", "timestamp"),
        ("binary", "varbyte(1000000)"),
        (
            "array<struct<a:string,b:int>>",
            "array<struct<a:varchar(65535),b:integer>>",
        ),
        ("map<string,double>", "map<varchar(65535),double precision>"),
    ],
)
def test_types(hive: str, wanted: str) -> None:
    assert redshift_type(hive) == wanted


def test_statements_quote_what_they_name() -> None:
    table = ExternalTable(
        "o'x", (("a", "int"), ('b"c', "string")), (("dt", "string"),), "s3://lake/it's/"
    )
    assert table_ddl("lake", table) == (
        'CREATE EXTERNAL TABLE "lake"."o\'x" (\n'
        '  "a" integer,\n'
        '  "b""c" varchar(65535)\n'
        ")\n"
        'PARTITIONED BY ("dt" varchar(65535))\n'
        "STORED AS PARQUET\n"
        "LOCATION 's3://lake/it''s/'"
    )
    assert partition_ddl("lake", table, ("2013-01-05",), "s3://lake/x/") == (
        'ALTER TABLE "lake"."o\'x" ADD IF NOT EXISTS '
        "PARTITION (\"dt\"='2013-01-05') LOCATION 's3://lake/x/'"
    )
    assert schema_ddl("lake", "db", ROLE, create=True).splitlines()[-1] == (
        "CREATE EXTERNAL DATABASE IF NOT EXISTS"
    )


def test_what_redshift_lacks_is_refused() -> None:
    with pytest.raises(SpectrumError, match="no type for interval"):
        redshift_type("interval")
    with pytest.raises(SpectrumError, match="stored as json"):
        table_ddl("lake", ExternalTable("t", (("a", "int"),), (), "s3://x/", "json"))


def test_tables_of_an_environment(shop: Path, cli: Cli) -> None:
    assert shop.is_dir()
    found = json.loads(cli("spectrum", "staging.*", "--role", ROLE, "--json").out)
    assert found[0].startswith('CREATE EXTERNAL SCHEMA IF NOT EXISTS "lake"\n')
    assert found[1].startswith('CREATE EXTERNAL TABLE "lake"."')
    days = [one for one in found if one.startswith("ALTER TABLE")]
    assert len(days) == 3
    assert "'2024-01-01') LOCATION 's3://lake/staging/" in days[0]
    assert cli("spectrum", "staging.*").out.count(";\n") == 4


def test_a_table_that_is_not_there_is_refused(new_shop: Path, cli: Cli) -> None:
    assert new_shop.is_dir()
    refused = cli("spectrum", "staging.*")
    assert refused.status == 2
    assert "spectrum-table" in refused.err
    assert "run it first" in refused.err
