"""The databases and tables that the statements of Athena's user guide speak of, with a row each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

DATABASES = (
    *("default", "sampledb", "tpch100", "blogdb", "customers", "mydatabase", "my_db", "my_db2"),
    *("tripdb", "salesdata", "marketing_analytics", "my_database", "my-athena-database-01"),
)
LINEITEM = (
    "l_orderkey int, l_partkey int, l_suppkey int, l_linenumber int, l_quantity double, "
    "l_extendedprice double, l_discount double, l_tax double, l_returnflag string, "
    "l_linestatus string, l_commitdate string, l_receiptdate string, l_shipinstruct string, "
    "l_comment string | l_shipdate string"
)
WEATHER = (
    "id string, date string, element string, datavalue bigint, mflag string, qflag string, "
    "sflag string, obstime bigint"
)
IIS = "date_col time_col c_ip s_ip cs_method cs_uri_stem sc_status sc_bytes cs_bytes time_taken"
ICEBERG = "id int, data string, category string"
TABLES = {
    "old_table": "id int, name string, condition boolean",
    "existing_table": "id int, name string",
    "table1": "key1 string, name1 string, address1 string, comment1 string, phone1 string, "
    "acctbal double, mktsegment string, nationkey int, dt date, date date, productid int",
    "tables1": "key1 string, name1 string, address1 string, comment1 string",
    "table_name": "id int, column_name string",
    "nation": "name string, n int",
    "my_database.my_table": "id int, year int",
    "orders": "orderkey int, orderstatus string, totalprice double, orderdate string, "
    "productid int, quantity int",
    "customers.orders": "a int, b string",
    "original_csv": WEATHER,
    "new_parquet": f"{WEATHER} | year string",
    "tpch100.lineitem_parq_partitioned": LINEITEM,
    "lineitem_parq_partitioned": LINEITEM,
    "my_lineitem_parq_partitioned": LINEITEM,
    "cities": "id int, city string, state string, state_motto string",
    "cities_world": "city string, state string, country string",
    "cities_usa": "city string, state string",
    "canada_pageviews": "page string, n int, date date",
    "matches": "team string, scores array<int>",
    "vancouver_pageviews": "page string, n int, date date",
    "canada_july_pageviews": "page string, n int, date date",
    "destination_table": "select_query string",
    "source_table_or_view": "select_query string",
    "array_table": "c1 array<int>",
    "map_table": "c1 map<string,int>",
    "struct_table": "c1 struct<name:varchar(10),age:int>",
    "sampledb.elb_logs": "request_timestamp string, elb_name string, request_ip string",
    "tpch100.orders_partitioned": "o_orderkey int, o_custkey int | o_orderdate string",
    "tpch100.customer": "c_custkey int, c_name string",
    "tpch100.orders": "o_orderkey int, o_custkey int, o_orderstatus string",
    "cloudfront_logs": "date date, time string",
    "names_cities": "first_name string, city string",
    "events": "id int | awsregion string",
    "impressions": "requestbegintime string, timers struct<modellookup:string> | dt string",
    "mydatabase.mytable": "columna int | part_col int",
    "tripdb.nyctaxi": "id int",
    "fulfilled_orders": "id int",
    "my-athena-database-01.my-athena-table": "id int",
    "flight_delays_orc": "id int",
    "iis_w3c_logs": ", ".join(f"{name} string" for name in (*IIS.split(), "cs_version")),
    "orderclickstoday": "id int",
    "salesdata.orderclickstoday": "id int",
    "sampledb.alb_logs": "id int",
    "sampledb.flights_2020": "id int",
    "orders_parquet": "orderkey int",
    "employees": "id int, name string",
    "salaries": "id int, salary int",
    "x": "a int, b int",
    "y": "a int, d int",
    "234table": "123columnone int, 123columntwo int",
    "purchase": "id int",
    "another_table": ICEBERG,
    "monthly_accounts_update": "customer string, purchases int, address string",
}
"""Columns of each, partition keys behind a bar."""
ICEBERG_TABLES = {
    "iceberg_table": f"{ICEBERG}, userid string, comment string, catalog string",
    "accounts": "customer string, purchases int, address string",
    "iceberg_table_sample": "col1 int",
    "iceberg2_table_sample": "col1 int",
    "my_db.my_table": "id int",
    "target_table": "id int",
}
VIEWS = {
    "orders_by_date": "SELECT orderdate, sum(totalprice) AS price FROM orders GROUP BY orderdate",
    "view_name": "SELECT 1 AS n",
    "marketing_analytics.orders_a": "SELECT 1 AS n",
}
PREPARED = {
    "my_select1": "SELECT * FROM nation",
    "my_select2": 'SELECT * FROM "my_database"."my_table" WHERE year = ?',
    "my_select3": "SELECT quantity FROM orders WHERE productid = ? AND quantity < ?",
    "my_insert": "INSERT INTO cities_usa (city, state) SELECT city, state FROM cities_world "
    "WHERE country = ?",
    "my_unload": "UNLOAD (SELECT * FROM table1 WHERE productid < ?) TO 's3://my_output_bucket/' "
    "WITH (format='PARQUET')",
    "statement_name": "SELECT 1 AS n",
}
_VALUES = {
    "int": "1",
    "bigint": "1",
    "double": "1e0",
    "string": "'usa'",
    "boolean": "true",
    "date": "DATE '2019-07-04'",
    "array<int>": "ARRAY[1]",
    "map<string,int>": "MAP(ARRAY['a'], ARRAY[1])",
    "struct<name:varchar(10),age:int>": "CAST(ROW('a', 1) AS ROW(name VARCHAR(10), age INTEGER))",
    "struct<modellookup:string>": "CAST(ROW('a') AS ROW(modellookup VARCHAR))",
}
_NAMED_VALUES = {
    "date string": "'20160101'",
    "l_shipdate string": "'1992-02-10'",
    "date_col string": "'2020-01-02'",
    "time_col string": "'10:20:30'",
    "part_col int": "100",
}
_SPEC = re.compile(r"PARTITION\s*\(((?:[^()'\"]|'[^']*'|\"[^\"]*\")*)\)", re.IGNORECASE)
_PAIR = re.compile(r"`?(\w+)`?\s*=\s*('[^']*'|\"[^\"]*\"|\w+)")


def specs(sql: str) -> list[dict[str, str]]:
    """Give the partition specifications that stand in a statement."""
    return [
        {name.lower(): value.strip("'\"") for name, value in _PAIR.findall(inner)}
        for inner in _SPEC.findall(sql)
    ]


def quoted(name: str) -> str:
    return ".".join(f'"{part}"' for part in name.split("."))


def mentioned(sql: str, names: list[str]) -> list[str]:
    """Give the longest names that stand in a statement."""
    plain = re.sub(r"[`\"]", "", sql).lower()
    found = [n for n in names if re.search(rf"(?<![\w.-]){re.escape(n)}(?![\w-])", plain)]
    return [n for n in found if n not in {o.rpartition(".")[2] for o in found if "." in o}]


def furnish(world: World, case: dict[str, str]) -> None:
    """Make what a statement needs: databases, tables with a row, views, prepared statements."""
    sql, kind = case["sql"], case["kind"]
    made = [name for name in DATABASES if kind != "CREATE DATABASE" or name == "default"]
    made += ["clickstreams"] if kind.startswith("DROP") else []
    made += ["jd_datasets"] if kind.startswith(("ALTER DATABASE", "ALTER SCHEMA")) else []
    for name in made:
        world.catalog.create_database(DatabaseInput={"Name": name})
    if kind in {"CREATE TABLE", "CREATE DATABASE"}:
        return
    _tables(world, case)
    if kind != "CREATE VIEW":
        others = ["marketing_analytics.orders_a"] if kind == "SHOW VIEWS" else []
        for name in (*mentioned(sql, list(VIEWS)), *others):
            world.run(f"CREATE VIEW {quoted(name)} AS {VIEWS[name]}")
    if kind.startswith(("EXECUTE", "DEALLOCATE")):
        for name in mentioned(sql, list(PREPARED)):
            world.run(f"PREPARE {name} FROM {PREPARED[name]}")


def _tables(world: World, case: dict[str, str]) -> None:
    sql, kind = case["sql"], case["kind"]
    texts = {**VIEWS, **PREPARED}
    whole = " ".join([sql, *(texts[name] for name in mentioned(sql, list(texts)))])
    keyed = keyed_table(case)
    if keyed:
        _make_keyed(world, keyed, case)
    others = {"SHOW TABLES": ["sampledb.alb_logs", "sampledb.flights_2020"]}.get(kind, [])
    others += ["customers.orders"] if kind == "SHOW COLUMNS" else []
    made = {keyed, made_table(sql) if kind == "CTAS" else ""}
    for name in {*mentioned(whole, list(TABLES)), *others} - made:
        _make(world, name, TABLES[name])
    for name in mentioned(whole, list(ICEBERG_TABLES)):
        _make_iceberg(world, name, case)


def keyed_table(case: dict[str, str]) -> str:
    """Give the partitioned table that a statement about partitions is about."""
    sql, kind = case["sql"], case["kind"]
    match = re.match(r"(?:ALTER TABLE|MSCK REPAIR TABLE|SHOW PARTITIONS)\s+([\w.]+)", sql)
    is_about = kind in {"MSCK REPAIR", "SHOW PARTITIONS"} or specs(sql)
    return match[1] if match and is_about else ""


def made_table(sql: str) -> str:
    """Give the name of the table or view that a CREATE statement makes."""
    match = re.match(
        r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:EXTERNAL\s+)?(?:TABLE|VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?"
        r"([`\"\w.]+)",
        sql,
        re.IGNORECASE,
    )
    return re.sub(r"[`\"]", "", match[1]).lower() if match else ""


def _make_keyed(world: World, name: str, case: dict[str, str]) -> None:
    given = specs(case["sql"]) or [{"dt": "1"}]
    listed = ", ".join(f"`{key}` string" for key in given[0])
    world.run(
        f"CREATE EXTERNAL TABLE {name} (id int) PARTITIONED BY ({listed}) STORED AS PARQUET "
        f"LOCATION 's3://keyed/{name}/'"
    )
    if re.search(r"\bADD\b(?!\s+COLUMNS)", case["sql"]) or case["kind"] == "MSCK REPAIR":
        return
    for spec in given[:1] if "RENAME" in case["sql"] else given:
        pairs = ", ".join(f"`{key}` = '{value}'" for key, value in spec.items())
        world.run(f"ALTER TABLE {name} ADD PARTITION ({pairs})")


def _make_iceberg(world: World, name: str, case: dict[str, str]) -> None:
    plain = case["kind"] == "INSERT INTO" or "ADD COLUMNS" in case["sql"]
    columns = ICEBERG if plain and name == "iceberg_table" else ICEBERG_TABLES[name]
    world.run(
        f"CREATE TABLE {name} ({columns}) "
        f"{'PARTITIONED BY (catalog) ' if 'catalog ' in columns else ''}"
        f"LOCATION 's3://iceberg/{name}/' "
        "TBLPROPERTIES ('table_type' = 'ICEBERG')"
    )
    values = ", ".join(_value(each) for each in _split(columns))
    world.run(f"INSERT INTO {name} VALUES ({values})")


def _make(world: World, name: str, columns: str) -> None:
    data, _, keys = columns.partition("|")
    fields = _split(data) + _split(keys)
    values = ", ".join(f'{_value(each)} AS "{each.split(" ")[0]}"' for each in fields)
    listed = ", ".join(f"'{each.split(' ')[0]}'" for each in _split(keys))
    partitioned = f", partitioned_by = ARRAY[{listed}]" if listed else ""
    world.run(
        f"CREATE TABLE {quoted(name)} WITH (format = 'PARQUET', "
        f"external_location = 's3://given/{name}/'{partitioned}) AS SELECT {values}"
    )


def _value(column: str) -> str:
    return _NAMED_VALUES.get(column) or _VALUES[column.split(" ", 1)[1]]


def _split(columns: str) -> list[str]:
    return [each.strip() for each in re.split(r",(?![^<(]*[>)])", columns) if each.strip()]
