"""The local crawler makes the tables that Glue's crawler makes of the same files."""

from __future__ import annotations

import datetime as dt
import fcntl
import gzip
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from runner.local.crawling import Crawlers
from runner.local.glue import GlueCatalog
from runner.local.s3 import FolderS3
from runner.model.local_sources import LocalCrawler
from runner.model.ports import Json, ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON = dt.datetime(2013, 1, 2, 12, tzinfo=dt.UTC)


class World:
    """A crawler `c` of s3://raw/<folder>/, with the catalogue that it writes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.s3 = FolderS3(root / "s3")
        self.catalog = GlueCatalog(root / "catalog.sqlite")
        self.count = 0

    def put(self, key: str, body: str | bytes) -> None:
        self.s3.put_object(Bucket="raw", Key=key, Body=body)

    def put_parquet(self, key: str, query: str) -> None:
        path = self.root / "some.parquet"
        with duckdb.connect() as connection:
            connection.sql(query).write_parquet(str(path))
        self.put(key, path.read_bytes())

    def crawlers(self, *paths: str, **fields: Json) -> Crawlers:
        said = {"paths": paths, "database": "raw", **fields}
        return Crawlers(
            {"c": LocalCrawler.model_validate(said)},
            self.s3,
            lambda: self.catalog,
            self.catalog.service,
            self.root / "crawlers",
            self._now,
        )

    def _now(self) -> dt.datetime:
        self.count += 1
        return NOON + dt.timedelta(seconds=self.count)

    def crawl(self, *paths: str, **fields: Json) -> dict[str, Any]:
        crawlers = self.crawlers(*paths, **fields)
        assert crawlers("startCrawler", {"Name": "c"}) == {}
        found: dict[str, Any] = crawlers("getCrawler", {"Name": "c"})["Crawler"]
        assert found["State"] == "READY"
        last: dict[str, Any] = found["LastCrawl"]
        return last

    def table(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.catalog.get_table(DatabaseName="raw", Name=name)["Table"]
        return found

    def columns(self, name: str) -> dict[str, str]:
        described = self.table(name)["StorageDescriptor"]["Columns"]
        return {one["Name"]: one["Type"] for one in described}

    def tables(self) -> list[str]:
        found = self.catalog.get_tables(DatabaseName="raw")["TableList"]
        return [one["Name"] for one in found]

    def partitions(self, name: str) -> list[list[str]]:
        found = self.catalog.get_partitions(DatabaseName="raw", TableName=name)["Partitions"]
        return sorted(one["Values"] for one in found)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.catalog.close()


def test_json_lines_get_the_types_of_glues_json_classifier(world: World) -> None:
    line = (
        '{"Small": 200, "timeStamp": 1655564444103, "x": 1.5, "ok": true, "user": "a", '
        '"day": "2013-01-01", "place": {"lat": 1.5, "n": 3, "big": 5000000000}, '
        '"tags": ["a"], "items": [{"sku": "x"}]}\n'
    )
    world.put("step/one.json", line * 2)
    assert world.crawl("s3://raw/step/")["Status"] == "SUCCEEDED"
    assert world.columns("step") == {
        "small": "int",
        "timestamp": "bigint",
        "x": "double",
        "ok": "boolean",
        "user": "string",
        "day": "string",
        "place": "struct<lat:double,n:int,big:bigint>",
        "tags": "array<string>",
        "items": "array<struct<sku:string>>",
    }
    table = world.table("step")
    assert table["StorageDescriptor"]["SerdeInfo"] == {
        "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
        "Parameters": {"paths": "Small,day,items,ok,place,tags,timeStamp,user,x"},
    }
    assert table["Parameters"] == {
        "CrawlerSchemaDeserializerVersion": "1.0",
        "CrawlerSchemaSerializerVersion": "1.0",
        "UPDATED_BY_CRAWLER": "c",
        "averageRecordSize": str(len(line)),
        "classification": "json",
        "compressionType": "none",
        "objectCount": "1",
        "recordCount": "2",
        "sizeKey": str(2 * len(line)),
        "typeOfData": "file",
    }


def test_csv_with_a_header(world: World) -> None:
    text = "Id,name,price,on,since\n1,a,1.5,true,2013-01-01\n2,b,2,false,2013-01-02\n"
    world.put("shop/a.csv", text)
    world.crawl("s3://raw/shop", prefix="Web_")
    assert world.columns("web_shop") == {
        "id": "bigint",
        "name": "string",
        "price": "double",
        "on": "boolean",
        "since": "string",
    }
    table = world.table("web_shop")
    assert table["Parameters"]["skip.header.line.count"] == "1"
    assert table["Parameters"]["delimiter"] == ","
    assert table["Parameters"]["areColumnsQuoted"] == "false"
    serde = table["StorageDescriptor"]["SerdeInfo"]
    assert serde["SerializationLibrary"].endswith("LazySimpleSerDe")
    assert serde["Parameters"] == {"field.delim": ","}


def test_csv_without_a_header_has_numbered_columns(world: World) -> None:
    world.put("shop/a.csv", "1;x;1.5\n2;y;2.5\n")
    world.crawl("s3://raw/shop/")
    assert world.columns("shop") == {"col0": "bigint", "col1": "string", "col2": "double"}
    assert "skip.header.line.count" not in world.table("shop")["Parameters"]


def test_a_parquet_file_says_its_own_types(world: World) -> None:
    world.put_parquet(
        "t/part-0.parquet",
        "SELECT 1::INT AS a, 2::BIGINT AS b, 'x' AS c, 1.5::DECIMAL(10,2) AS d, DATE '2013-01-01' "
        "AS e, TIMESTAMP '2013-01-01 00:00:00' AS f, {'g': [1::INT]} AS s, MAP {'k': 1.5::DOUBLE} "
        "AS m, 'x'::BLOB AS n, true AS o, 1::FLOAT AS p",
    )
    world.crawl("s3://raw/t/")
    assert list(world.columns("t").values()) == [
        "int",
        "bigint",
        "string",
        "decimal(10,2)",
        "date",
        "timestamp",
        "struct<g:array<int>>",
        "map<string,double>",
        "binary",
        "boolean",
        "float",
    ]
    assert world.table("t")["Parameters"]["recordCount"] == "1"


def test_hive_folders_are_partitions_and_a_second_crawl_adds_what_is_new(world: World) -> None:
    for day in (1, 2):
        world.put(f"events/dt=2013-01-0{day}/a.json", '{"n": 1}\n')
    world.crawl("s3://raw/events/")
    assert world.table("events")["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
    version = world.table("events")["VersionId"]
    world.crawl("s3://raw/events/")
    assert world.table("events")["VersionId"] == version
    world.put("events/dt=2013-01-03/a.json", '{"n": 5000000000, "m": "x"}\n')
    world.crawl("s3://raw/events/")
    assert world.partitions("events") == [["2013-01-01"], ["2013-01-02"], ["2013-01-03"]]
    assert world.columns("events") == {"n": "bigint", "m": "string"}
    assert world.table("events")["VersionId"] != version
    one = world.catalog.get_partition(
        DatabaseName="raw", TableName="events", PartitionValues=["2013-01-03"]
    )["Partition"]
    assert one["StorageDescriptor"]["Location"] == "s3://raw/events/dt=2013-01-03/"


def test_plain_folders_that_are_alike_are_partitions_by_number(world: World) -> None:
    for hour in ("00", "01"):
        world.put(f"log/2013/{hour}/a.json", '{"n": 1, "m": "x"}\n')
    world.crawl("s3://raw/log/")
    keys = [one["Name"] for one in world.table("log")["PartitionKeys"]]
    assert keys == ["partition_0", "partition_1"]
    assert world.partitions("log") == [["2013", "00"], ["2013", "01"]]


def test_folders_that_are_not_alike_are_tables_of_their_own(world: World) -> None:
    world.put("shop/users/a.json", '{"id": 1, "name": "x"}\n')
    world.put("shop/orders/dt=2013-01-01/a.json", '{"id": 1, "user": 5, "price": 1.5}\n')
    world.crawl("s3://raw/shop/")
    assert world.tables() == ["orders", "users"]
    assert world.partitions("orders") == [["2013-01-01"]]


def test_hidden_empty_and_excluded_objects_are_left_out(world: World) -> None:
    world.put("t/_SUCCESS", "")
    world.put("t/_tmp/a.json", '{"bad": 1}\n')
    world.put("t/old/a.csv", "not,wanted\n")
    world.put("t/a.json.gz", gzip.compress(b'{"n": 1}\n'))
    world.crawl("s3://raw/t/", exclude=["old/**"])
    assert world.columns("t") == {"n": "int"}
    assert world.table("t")["Parameters"]["compressionType"] == "gzip"
    assert world.table("t")["StorageDescriptor"]["Compressed"] is True


def test_what_others_added_to_the_table_stays(world: World) -> None:
    world.put("t/a.json", '{"n": 1}\n')
    world.crawl("s3://raw/t/")
    table = world.table("t")
    kept = {key: table[key] for key in ("Name", "TableType", "PartitionKeys", "StorageDescriptor")}
    parameters = {**table["Parameters"], "owner.team": "data"}
    world.catalog.update_table(DatabaseName="raw", TableInput={**kept, "Parameters": parameters})
    world.put("t/b.json", '{"n": 2, "m": 1}\n')
    world.crawl("s3://raw/t/")
    assert world.table("t")["Parameters"]["owner.team"] == "data"
    assert world.table("t")["Parameters"]["objectCount"] == "2"


def test_a_table_of_another_place_keeps_its_name(world: World) -> None:
    world.put("t/a.json", '{"n": 1}\n')
    world.put("other/t/a.json", '{"n": 1}\n')
    world.crawl("s3://raw/t/")
    world.crawl("s3://raw/other/t/")
    first, second = world.tables()
    assert first == "t"
    assert second.startswith("t_")
    assert len(second) == 34


def test_a_crawl_that_cannot_read_ends_failed_and_says_why(world: World) -> None:
    world.put("t/a.json", '{"n": 1}\n')
    world.put("t/b.csv", "a,b\n1,2\n")
    last = world.crawl("s3://raw/t/")
    assert last["Status"] == "FAILED"
    assert "s3://raw/t/ holds files of several formats: csv, json" in last["ErrorMessage"]
    assert world.tables() == []


def test_a_folder_of_another_format_is_named(world: World) -> None:
    world.put("t/dt=1/a.json", '{"n": 1}\n')
    world.put("t/stray/b.csv", "a,b\n1,2\n")
    last = world.crawl("s3://raw/t/", table="t")
    assert last["Status"] == "FAILED"
    assert last["ErrorMessage"].endswith(
        "formats: csv (s3://raw/t/stray/), json (s3://raw/t/dt=1/)"
    )
    assert world.tables() == []


def test_a_broken_parquet_file_ends_the_crawl(world: World) -> None:
    world.put("t/a.parquet", b"PAR1 broken")
    last = world.crawl("s3://raw/t/")
    assert last["Status"] == "FAILED"
    assert "s3://raw/t/ cannot be read as parquet" in last["ErrorMessage"]


def test_a_crawler_runs_once_at_a_time(world: World) -> None:
    crawlers = world.crawlers("s3://raw/t/")
    folder = world.root / "crawlers"
    folder.mkdir()
    with (folder / "c.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ServiceError) as caught:
            crawlers("startCrawler", {"Name": "c"})
        assert caught.value.error == "Glue.CrawlerRunningException"
        assert crawlers("getCrawler", {"Name": "c"})["Crawler"]["State"] == "RUNNING"


def test_a_crawler_that_is_not_described_is_refused_by_name(world: World) -> None:
    with pytest.raises(
        ServiceError, match="Crawler with name d does not exist.*one of c"
    ) as caught:
        world.crawlers("s3://raw/t/")("startCrawler", {"Name": "d"})
    assert caught.value.error == "Glue.EntityNotFoundException"


def test_every_other_action_is_the_catalogues(world: World) -> None:
    assert world.crawlers("s3://raw/t/")("getDatabases", {})["DatabaseList"] == []
