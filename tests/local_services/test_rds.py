"""The local RDS exports what RDS exports: its layout, its types, its refusals."""

from __future__ import annotations

import datetime as dt
import json
import re
import sqlite3
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from runner.local.loader.targets import MysqlTarget, SqliteTarget, Target
from runner.local.rds import Rds
from runner.local.rds.reading import Table, open_reader
from runner.local.s3 import FolderS3
from runner.model.ports import Json, ServiceError
from tests.support.mariadb import PASSWORD, MariaDb, mariadb

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["mariadb"]

NOON = dt.datetime(2013, 1, 2, 12, tzinfo=dt.UTC)
CLUSTER = "arn:aws:rds:local:000000000000:cluster:shop"
SCHEMA = """
CREATE TABLE users (id INTEGER PRIMARY KEY, small INT, name VARCHAR(20), born DATE, balance
    DECIMAL(10,2), seen DATETIME, score DOUBLE, photo BLOB, code CHAR(2));
CREATE TABLE empty (id INTEGER);
CREATE TABLE "bad name" (id INTEGER, "a b" TEXT);
INSERT INTO users VALUES (5000000000, 7, 'Zoë "x"', '1990-05-06', '12.30', '2013-01-01 10:11:12',
    0.1, x'00ff', 'DE'), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
"""


class World:
    """An RDS with one database."""

    def __init__(self, root: Path, target: Target) -> None:
        self.s3 = FolderS3(root / "s3")
        self.rds = Rds({"shop": target}, self.s3, root / "exports", lambda: NOON)

    def start(self, identifier: str = "shop-1", **more: Json) -> Json:
        arguments = {
            "ExportTaskIdentifier": identifier,
            "SourceArn": CLUSTER,
            "S3BucketName": "exports",
            "S3Prefix": "rds",
            "IamRoleArn": "arn:role",
            "KmsKeyId": "arn:key",
        }
        return self.rds("startExportTask", {**arguments, **more})

    def ended(self, identifier: str = "shop-1") -> dict[str, Any]:
        told = self.rds("describeExportTasks", {"ExportTaskIdentifier": identifier})
        (found,) = told["ExportTasks"]
        return dict(found)

    def listed(self) -> list[str]:
        found = self.s3.list_objects_v2(Bucket="exports").get("Contents", ())
        return [item["Key"] for item in found]

    def file_of(self, table: str) -> str:
        (key,) = [key for key in self.listed() if f".{table}/" in key]
        return self.s3.place_of(f"s3://exports/{key}")


def query(sql: str, path: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(sql, {"path": path}).fetchall()


def parquet_types(path: str) -> dict[str, tuple[str, str | None]]:
    """Give physical and converted type of every column, as the file says it."""
    rows = query("SELECT name, type, converted_type FROM parquet_schema($path)", path)
    return {name: (kind, converted) for name, kind, converted in rows if kind}


@pytest.fixture
def world(tmp_path: Path) -> World:
    path = tmp_path / "shop.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(SCHEMA)
    connection.close()
    return World(tmp_path, SqliteTarget(path))


def test_an_export_has_rdss_layout(world: World) -> None:
    started = world.start()
    assert started["Status"] == "STARTING"
    ended = world.ended()
    assert (ended["Status"], ended["PercentProgress"]) == ("COMPLETE", 100)
    uuid = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    expected = [
        "rds/shop-1/export_info_shop-1\\.json",
        rf"rds/shop-1/shop/shop\.empty/1/part-00000-{uuid}\.gz\.parquet",
        rf"rds/shop-1/shop/shop\.users/1/part-00000-{uuid}\.gz\.parquet",
    ]
    keys = world.listed()
    assert len(keys) == len(expected)
    for pattern, key in zip(expected, keys, strict=True):
        assert re.fullmatch(pattern, key), key


def test_types_are_those_of_rds(world: World) -> None:
    world.start()
    assert parquet_types(world.file_of("users")) == {
        "id": ("INT64", "INT_64"),
        "small": ("INT32", "INT_32"),
        "name": ("BYTE_ARRAY", "UTF8"),
        "born": ("BYTE_ARRAY", "UTF8"),
        "balance": ("INT64", "DECIMAL"),
        "seen": ("INT64", "TIMESTAMP_MICROS"),
        "score": ("DOUBLE", None),
        "photo": ("BYTE_ARRAY", None),
        "code": ("BYTE_ARRAY", None),
    }


def test_values_are_those_of_the_database(world: World) -> None:
    world.start()
    rows = query(
        "SELECT id, small, name, born, CAST(balance AS VARCHAR), seen, score, photo, code "
        "FROM read_parquet($path) ORDER BY id",
        world.file_of("users"),
    )
    assert rows == [
        (2, *[None] * 8),
        (
            5000000000,
            7,
            'Zoë "x"',
            "1990-05-06",
            "12.30",
            dt.datetime(2013, 1, 1, 10, 11, 12),
            0.1,
            b"\x00\xff",
            b"DE",
        ),
    ]
    (codec,) = query(
        "SELECT DISTINCT compression FROM parquet_metadata($path)", world.file_of("users")
    )
    assert codec == ("GZIP",)


def test_a_table_that_parquet_cannot_hold_is_left_out_with_a_word(world: World) -> None:
    world.start()
    assert world.ended()["WarningMessage"] == (
        "tables left out: bad name: the name of column a b has a blank or one of ,;{}()="
    )


def test_only_what_is_named_is_exported(world: World) -> None:
    world.start(ExportOnly=["shop.empty"])
    assert [key for key in world.listed() if "users" in key] == []
    world.start("shop-2", ExportOnly=["shop.nothing"])
    assert (
        "ExportOnly names shop.nothing; the tables are: shop.bad name, shop.empty"
        in (world.ended("shop-2")["FailureCause"])
    )
    assert world.ended("shop-2")["Status"] == "FAILED"


def test_a_second_start_is_refused_as_rds_does(world: World) -> None:
    world.start()
    before = world.listed()
    with pytest.raises(ServiceError) as caught:
        world.start()
    assert caught.value.error == "Rds.ExportTaskAlreadyExistsException"
    assert world.listed() == before


def test_what_a_killed_export_left_is_gone_after_the_next(world: World) -> None:
    left = "rds/shop-1/shop/shop.users/1/part-00000-old.gz.parquet"
    world.s3.put_object(Bucket="exports", Key=left, Body=b"half")
    world.start()
    assert left not in world.listed()


def test_a_snapshot_of_an_instance_is_the_database_now(world: World) -> None:
    found = world.rds("describeDBSnapshots", {"DbInstanceIdentifier": "shop"})["DbSnapshots"][0]
    assert found["Status"] == "available"
    assert world.start(SourceArn=found["DbSnapshotArn"])["SourceArn"] == found["DbSnapshotArn"]
    assert world.ended()["Status"] == "COMPLETE"


def test_a_snapshot_of_a_cluster_is_the_database_now(world: World) -> None:
    asked = {"DbClusterIdentifier": "shop"}
    (found,) = world.rds("describeDBClusterSnapshots", asked)["DbClusterSnapshots"]
    assert (found["Status"], found["DbClusterIdentifier"]) == ("available", "shop")
    assert ":cluster-snapshot:rds:shop-" in found["DbClusterSnapshotArn"]
    world.start(SourceArn=found["DbClusterSnapshotArn"])
    assert world.ended()["Status"] == "COMPLETE"
    with pytest.raises(ServiceError, match="nope not found"):
        world.rds("describeDBClusterSnapshots", {"DbClusterIdentifier": "nope"})


def test_a_database_that_is_not_there_fails_the_export(tmp_path: Path) -> None:
    world = World(tmp_path, SqliteTarget(tmp_path / "gone.sqlite"))
    world.start()
    assert "there is no file" in world.ended()["FailureCause"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"SourceArn": "arn:aws:rds:local:0:cluster:other"}, "Rds.DbSnapshotNotFoundException"),
        ({"ExportTaskIdentifier": "9-x"}, "Rds.RdsException"),
        ({"ExportTaskIdentifier": "a--x"}, "Rds.RdsException"),
        ({"KmsKeyId": ""}, "States.Runtime"),
    ],
)
def test_what_rds_refuses_is_refused(world: World, arguments: dict[str, str], error: str) -> None:
    identifier = arguments.pop("ExportTaskIdentifier", "shop-1")
    with pytest.raises(ServiceError) as caught:
        world.start(identifier, **arguments)
    assert caught.value.error == error


def test_an_action_or_instance_that_is_not_known_is_named(world: World) -> None:
    with pytest.raises(ServiceError, match="rds:deleteDBInstance is not known locally"):
        world.rds("deleteDBInstance", {})
    with pytest.raises(ServiceError, match="nope not found.*one of shop"):
        world.rds("describeDBSnapshots", {"DbInstanceIdentifier": "nope"})


@pytest.mark.mariadb
def test_a_table_that_cannot_be_read_is_the_exports_failure(mariadb: MariaDb) -> None:
    """Such as one that is dropped while others are read: no error of the driver comes through."""
    target = MysqlTarget("mysql", {"P": PASSWORD}, socket=mariadb.socket)
    gone = Table("mysql", "gone", (("a", "INTEGER"),))
    with (
        open_reader(target, "shop") as reader,
        pytest.raises(ServiceError, match=r"the export of shop: .*mysql.gone.* doesn't exist"),
    ):
        list(reader.batches(gone))


@pytest.mark.mariadb
def test_mariadb_by_the_types_of_mysql(mariadb: MariaDb, tmp_path: Path) -> None:
    mariadb.query("CREATE DATABASE export_shop")
    try:
        mariadb.query(
            "CREATE TABLE t (a BIGINT UNSIGNED, b INT UNSIGNED, c TINYINT, d YEAR, e FLOAT, "
            "f DECIMAL(50,2), g TIME, h TIMESTAMP(6) NULL, i JSON, j ENUM('x','y'), k CHAR(3), "
            "l BIT(4), m MEDIUMTEXT, n DATE)",
            "export_shop",
        )
        mariadb.query(
            "INSERT INTO t VALUES (18446744073709551615, 4294967295, -1, 2013, 0.5, "
            "'123456789012345678901234567890.25', '-10:11:12', '2013-01-01 00:00:00.123456', "
            "'{\"a\": 1}', 'y', 'abc', b'1010', 'ü', '2013-01-01')",
            "export_shop",
        )
        target = MysqlTarget("export_shop", {"P": PASSWORD}, socket=mariadb.socket)
        world = World(tmp_path, target)
        world.start()
        assert world.ended()["Status"] == "COMPLETE", world.ended()
        path = world.file_of("t")
        assert "export_shop/export_shop.t/1/" in path
        (row,) = query("SELECT * FROM read_parquet($path)", path)
        assert [str(one) for one in row[:6]] == [
            "18446744073709551615",
            "4294967295",
            "-1",
            "2013",
            "0.5",
            "123456789012345678901234567890.25",
        ]
        assert row[6:] == (
            "-10:11:12",
            dt.datetime(2013, 1, 1, 0, 0, 0, 123456),
            '{"a": 1}',
            "y",
            b"abc",
            b"\x0a",
            "ü",
            "2013-01-01",
        )
        types = parquet_types(path)
        assert types["a"] == ("FIXED_LEN_BYTE_ARRAY", "DECIMAL")
        assert (types["b"][0], types["c"][0], types["d"][0]) == ("INT64", "INT32", "INT32")
    finally:
        mariadb.query("DROP DATABASE export_shop")


def test_the_description_beside_the_tables_names_them(world: World) -> None:
    world.start()
    text = world.s3.get_object(Bucket="exports", Key="rds/shop-1/export_info_shop-1.json")
    assert json.loads(text["Body"].read())["tables"] == ["empty", "users"]
