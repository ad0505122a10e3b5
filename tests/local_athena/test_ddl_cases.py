"""The DDL and utility statements of Athena's user guide, if they lie beside the project.

Each statement runs in a world that has the tables it speaks of, and what it leaves is looked at:
catalogue, files or rows.  What Athena itself would refuse must be refused; what is not done yet
stands in `GAPS`, which may only shrink.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlglot
from sqlglot import exp

from runner.model.ports import ServiceError
from tests.local_athena import ddl_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.local_athena.conftest import World

_PLACE = Path(__file__).parents[2] / "../shared/conformance/athena_sql/ddl_cases.jsonl"
FILE = _PLACE if _PLACE.is_file() else None
CASES: dict[str, dict[str, str]] = (
    {case["id"]: case for case in map(json.loads, FILE.read_text().splitlines())} if FILE else {}
)
REFUSED = {
    # Placeholders of a synopsis.
    "ddl-695d0062f0": "mismatched input ')'",
    "ddl-1da8797245": "mismatched input '['",
    "ddl-1521630b53": "mismatched input '['",
    "ddl-cf8724b520": "mismatched input '('",
    "ddl-9042a05a0c": "mismatched input '['",
    "ddl-13860b7187": "mismatched input '['",
    "ddl-d6d6e48a9f": "mismatched input 'statement'",
    # Two statements in one text.
    "ddl-cd2b5d3275": "mismatched input 'VACUUM'",
    "ddl-38bee3f9b5": "mismatched input 'EXECUTE'",
    "ddl-9c7013ca97": "mismatched input 'EXECUTE'",
    "ddl-793fed1d03": "mismatched input 'EXECUTE'",
    # A comma before the closing bracket of the columns.
    "ddl-1e0d92bed1": "mismatched input ')'",
    "ddl-650107c97a": "mismatched input ')'",
    "ddl-30bd4cf237": "mismatched input ')'",
    "ddl-700d5cdc8d": "mismatched input ')'",
    # Not SQL: a name between single quotes or with hyphens, no columns, TABLE twice, a name for
    # a string, Hive's LATERAL VIEW.
    "ddl-83162acd2d": "mismatched input ''my_encrypted_data''",
    "ddl-cf1f219386": "mismatched input '-'",
    "ddl-561f962d9c": "SELECT clause without selection list",
    "ddl-1aa3bbc479": "mismatched input 'array_table'",
    "ddl-9b8dc7de6d": "mismatched input 'column_name'",
    "ddl-59deaaeada": "mismatched input 'VIEW'",
    # A table that is neither external nor Iceberg's.
    "ddl-4c5594a4d6": "needs EXTERNAL",
    "ddl-f8dc2f2011": "needs EXTERNAL",
    "ddl-97e1f27dfc": "needs EXTERNAL",
    # No location, in a database that has none either.
    "ddl-211a00b838": "LOCATION of an external table is missing",
    "ddl-3889cb4286": "LOCATION of an external table is missing",
    # The guide's example of a type that Hive cannot store.
    "ddl-0bd54029c3": "Unsupported Hive type: uuid",
    # The guide compares a date with text, which Trino's BETWEEN does not take.
    "ddl-a7a52fe0a2": "Cannot check if date is BETWEEN date and varchar(10)",
    # Federated catalogues, whose Lambda functions are not there.
    "ddl-eb6a26157c": "from your LambdaFunction[function_name]",
    "ddl-9067720477": "from your LambdaFunction[function_name]",
    "ddl-e5c8f095a8": "from your LambdaFunction[function_name]",
    # Catalogues that are not there.
    "ddl-503a8206de": "CATALOG_NOT_FOUND",
    "ddl-f825a81459": "CATALOG_NOT_FOUND",
}
"""Statements that Athena refuses, with a piece of the reason."""
GAPS: dict[str, str] = {}
"""What Athena does and the local engine refuses; shrink it, never let it grow."""
MOST_GAPS = 0
NEEDS_FORMATS = frozenset(
    {
        *("ddl-c35daef130", "ddl-3a61aa2017", "ddl-0c57b84c94", "ddl-91c13bc4fc"),
        *("ddl-cad955f4d0", "ddl-58f28a9822", "ddl-65dca297ab"),
        *("ddl-0fcc6f8bdf", "ddl-b9776147f8"),
    }
)
"""Statements about ORC, Avro, Ion and SNAPPY text."""
pytestmark = pytest.mark.skipif(
    FILE is None, reason="conformance/athena_sql is not beside the project"
)


@pytest.mark.parametrize("name", sorted(set(CASES) - set(REFUSED) - set(GAPS)))
def test_a_statement_has_its_effect(world: World, name: str) -> None:
    case = CASES[name]
    if name in NEEDS_FORMATS:
        for package in ("pyarrow", "fastavro", "amazon.ion", "cramjam"):
            pytest.importorskip(package, reason="the extra 'formats' is not installed")
    ddl_world.furnish(world, case)
    before = _counts(world, case)
    execution = world.run(case["sql"])
    _check_of(case["kind"])(world, case, _Found(world, execution, before))


@pytest.mark.parametrize("name", sorted({*REFUSED, *GAPS} & set(CASES)))
def test_a_refusal_names_its_reason(world: World, name: str) -> None:
    case = CASES[name]
    with pytest.raises(ServiceError) as refused:  # noqa: PT012 - a placeholder may fail earlier
        ddl_world.furnish(world, case)
        world.run(case["sql"])
    assert {**REFUSED, **GAPS}[name] in json.loads(refused.value.cause)["Status"][
        "StateChangeReason"
    ]


def test_the_gaps_only_shrink() -> None:
    assert len(GAPS) <= MOST_GAPS
    assert not set(GAPS) & set(REFUSED)


class _Found:
    """What a statement gave."""

    def __init__(self, world: World, execution: dict[str, Any], before: dict[str, int]) -> None:
        identity = execution["QueryExecutionId"]
        self.execution = execution
        self.before = before
        results = world.athena.get_query_results(QueryExecutionId=identity)["ResultSet"]
        self.lines = [
            "\t".join(cell.get("VarCharValue", "") for cell in row["Data"])
            for row in results["Rows"]
        ]
        self.text = "\n".join(self.lines)


def _names(text: str) -> tuple[str, str]:
    plain = re.sub(r"[`\"]", "", text).lower()
    database, _, name = plain.rpartition(".")
    return database or "db", name


def _table(world: World, text: str) -> dict[str, Any]:
    database, name = _names(text)
    found: dict[str, Any] = world.catalog.get_table(DatabaseName=database, Name=name)["Table"]
    return found


def _count(world: World, text: str) -> int:
    database, name = _names(text)
    return int(world.rows(f'SELECT count(*) FROM "{database}"."{name}"')[0][0])


_WRITTEN = re.compile(r"(?:INSERT INTO|DELETE FROM|UPDATE|MERGE INTO|OPTIMIZE|VACUUM)\s+([\w.]+)")


def _counts(world: World, case: dict[str, str]) -> dict[str, int]:
    text = ddl_world.PREPARED["my_insert"] if "EXECUTE my_insert" in case["sql"] else case["sql"]
    match = _WRITTEN.match(text)
    return {match[1]: _count(world, match[1])} if match else {}


def _create_table(world: World, case: dict[str, str], _: _Found) -> None:
    """Compare with what another parser reads, then make the table again from SHOW CREATE."""
    tree = sqlglot.parse_one(case["sql"], read="athena")
    table = _table(world, ddl_world.made_table(case["sql"]))
    storage = table["StorageDescriptor"]
    wanted = [each.name.lower() for each in tree.this.expressions]
    assert [each["Name"] for each in storage["Columns"]] == wanted
    for each in storage["Columns"]:
        assert re.fullmatch(r"[a-z]+(\(.*\)|<.*>)?", each["Type"])
    location = tree.find(exp.LocationProperty)
    assert location is not None
    assert storage["Location"].rstrip("/") == location.name.rstrip("/")
    if (table.get("Parameters") or {}).get("table_type") == "ICEBERG":
        return
    partitioned = tree.find(exp.PartitionedByProperty)
    keys = [each.name.lower() for each in partitioned.this.expressions] if partitioned else []
    assert [each["Name"] for each in table["PartitionKeys"]] == keys
    serde = tree.find(exp.RowFormatSerdeProperty)
    if serde is not None:
        assert storage["SerdeInfo"]["SerializationLibrary"] == serde.name
    for each in tree.args["properties"].expressions:
        if type(each) is exp.Property:
            value = each.args["value"].name
            value = value.upper() if each.name == "EXTERNAL" else value
            assert table["Parameters"][each.name] == value
    _round_trip(world, table)
    if "projection.enabled" not in table["Parameters"]:
        assert _count(world, f"{table['DatabaseName']}.{table['Name']}") == 0


def _round_trip(world: World, table: dict[str, Any]) -> None:
    name = f"`{table['DatabaseName']}`.`{table['Name']}`"
    found = _Found(world, world.run(f"SHOW CREATE TABLE {name}"), {})
    world.run(f"DROP TABLE {name}")
    world.run(found.text)
    again = _table(world, f"{table['DatabaseName']}.{table['Name']}")
    assert _told(again) == _told(table)


def _told(table: dict[str, Any]) -> dict[str, Any]:
    """Give what SHOW CREATE TABLE tells: not the time, nor comments that are the SerDe's."""
    kept = ("PartitionKeys", "TableType", "Description")
    columns = [
        {k: v for k, v in each.items() if (k, v) != ("Comment", "from deserializer")}
        for each in table["StorageDescriptor"]["Columns"]
    ]
    parameters = {k: v for k, v in table["Parameters"].items() if k != "transient_lastDdlTime"}
    storage = {**table["StorageDescriptor"], "Columns": columns}
    return {k: table.get(k) for k in kept} | {"Storage": storage, "Parameters": parameters}


def _ctas(world: World, case: dict[str, str], found: _Found) -> None:
    name = ddl_world.made_table(case["sql"])
    table = _table(world, name)
    assert table["StorageDescriptor"]["Columns"]
    rows = _count(world, name)
    has_filter = "WHERE" in case["sql"] and "NO DATA" not in case["sql"]
    if "NO DATA" in case["sql"]:
        assert rows == 0
    elif has_filter:
        assert rows in {0, 1}
    else:
        assert rows == 1
    if rows:
        url = found.execution["Statistics"]["DataManifestLocation"]
        assert world.s3.path_of(url).read_text().strip()


def _insert(world: World, _: dict[str, str], found: _Found) -> None:
    for name, count in found.before.items():
        assert _count(world, name) - count in {0, 1, 2}
        if found.execution["Statistics"].get("DataManifestLocation"):
            url = found.execution["Statistics"]["DataManifestLocation"]
            files = world.s3.path_of(url).read_text().split()
            assert all(world.s3.path_of(file).is_file() for file in files)
            assert bool(files) or _count(world, name) == count


def _rows_changed(world: World, case: dict[str, str], found: _Found) -> None:
    changed = {"DELETE FROM": 0, "UPDATE": 0, "OPTIMIZE": 0, "VACUUM": 0, "MERGE INTO": 0}
    for name, count in found.before.items():
        expected = count + changed[re.match(r"(?:DELETE FROM|MERGE INTO|\w+)", case["sql"])[0]]  # type: ignore[index]  # it matches: see _WRITTEN
        gone = 1 if "THEN DELETE" in case["sql"] and "Centreville" not in case["sql"] else 0
        assert _count(world, name) == expected - gone


def _partitions(world: World, name: str) -> dict[tuple[str, ...], str]:
    database, table = _names(name)
    found = world.catalog.get_partitions(DatabaseName=database, TableName=table)["Partitions"]
    return {tuple(p["Values"]): p["StorageDescriptor"].get("Location", "") for p in found}


def _alter(world: World, case: dict[str, str], _: _Found) -> None:
    sql = case["sql"]
    name = re.match(r"ALTER TABLE\s+([\w.]+)", sql)[1]  # type: ignore[index]  # all are such
    if "RENAME TO" in sql and "PARTITION" not in sql:
        assert _table(world, sql.rpartition("TO")[2].strip())["Parameters"]["table_type"]
        return
    table = _table(world, name)
    columns = {each["Name"]: each["Type"] for each in table["StorageDescriptor"]["Columns"]}
    specs = [tuple(spec.values()) for spec in ddl_world.specs(sql)]
    if specs:
        _alter_partitions(world, sql, name, specs)
    elif "COLUMN" in sql or "CHANGE" in sql:
        _alter_columns(sql, columns)
    else:
        for key, value in re.findall(r"'([\w.]+)'\s*=\s*[\"']?([^\"'\n)]*)", sql):
            assert table["Parameters"][key].startswith(value.strip())
        for key in re.findall(r"UNSET TBLPROPERTIES \('(\w+)'", sql):
            assert key not in table["Parameters"]


def _alter_columns(sql: str, columns: dict[str, str]) -> None:
    if match := re.search(r"DROP COLUMN (\w+)", sql):
        assert match[1] not in columns
    elif match := re.search(r"CHANGE (\w+) (\w+)", sql):
        assert match[1] not in columns
        assert list(columns).index(match[2]) == list(columns).index("id") + 1
    else:
        wanted = re.findall(r"(\w+) (?:string|struct|array)", sql)
        assert wanted
        assert [name for name in columns if name in wanted] == wanted


def _alter_partitions(world: World, sql: str, name: str, specs: list[tuple[str, ...]]) -> None:
    found = _partitions(world, name)
    locations = re.findall(r"LOCATION\s+'([^']*)'", sql, re.IGNORECASE)
    if "RENAME" in sql:
        assert specs[0] not in found
        assert specs[1] in found
    elif "DROP" in sql:
        assert not set(specs) & set(found)
    else:
        assert set(specs) <= set(found)
        if "ADD COLUMNS" not in sql:
            given = locations or [found[spec] for spec in specs]
            assert [found[spec] for spec in specs] == given


def _drop(world: World, case: dict[str, str], _: _Found) -> None:
    name = _names(case["sql"].split()[-1] if "CASCADE" not in case["sql"] else "clickstreams")
    if "TABLE" in case["kind"] or "VIEW" in case["kind"]:
        known = world.catalog.get_tables(DatabaseName=name[0])["TableList"]
        assert name[1] not in {each["Name"] for each in known}
        return
    known = world.catalog.get_databases()["DatabaseList"]
    assert name[1] not in {each["Name"] for each in known}


def _database(world: World, case: dict[str, str], _: _Found) -> None:
    sql = case["sql"]
    name = re.match(r"\w+ (?:DATABASE|SCHEMA) (?:IF NOT EXISTS )?(\w+)", sql)[1]  # type: ignore[index]  # as above
    found = world.catalog.get_database(Name=name)["Database"]
    for key, value in re.findall(r"'([\w.]+)'='([^']*)'", sql):
        assert found["Parameters"][key] == value
    for word, member in (("COMMENT", "Description"), ("LOCATION", "LocationUri")):
        if match := re.search(rf"{word} '([^']*)'", sql):
            assert found[member] == match[1]


def _view(world: World, case: dict[str, str], _: _Found) -> None:
    name = ddl_world.made_table(case["sql"])
    assert _table(world, name)["TableType"] == "VIRTUAL_VIEW"
    assert _count(world, name) >= 0


def _repair(world: World, case: dict[str, str], _: _Found) -> None:
    name = case["sql"].split()[-1]
    keys = [each["Name"] for each in _table(world, name)["PartitionKeys"]]
    folder = "/".join(f"{key}=7" for key in keys)
    top = _table(world, name)["StorageDescriptor"]["Location"].removeprefix("s3://").rstrip("/")
    bucket, prefix = top.split("/", 1)
    world.s3.put_object(Bucket=bucket, Key=f"{prefix}/{folder}/x", Body=b"")
    again = _Found(world, world.run(case["sql"]), {})
    assert ("7",) * len(keys) in _partitions(world, name)
    assert again.lines[-1] == f"Repair: Added partition to metastore {name}:{folder}"


def _unload(world: World, case: dict[str, str], found: _Found) -> None:
    location = re.search(r"TO '([^']*)'", case["sql"] + ddl_world.PREPARED["my_unload"])
    assert location
    files = (
        world.s3.path_of(found.execution["Statistics"]["DataManifestLocation"])
        .read_text()
        .splitlines()
    )
    assert files
    assert all(file.startswith(location[1]) for file in files)
    assert all(world.s3.path_of(file).stat().st_size for file in files)


def _prepare(world: World, case: dict[str, str], _: _Found) -> None:
    name, rest = case["sql"].split(maxsplit=2)[1:]
    found = world.athena.prepared.get_prepared_statement(StatementName=name, WorkGroup="primary")
    text = found["PreparedStatement"]["QueryStatement"]
    assert text == rest.removeprefix("FROM").strip()


def _execute(world: World, case: dict[str, str], found: _Found) -> None:
    if "my_unload" in case["sql"]:
        _unload(world, case, found)
    elif "my_insert" in case["sql"]:
        assert _count(world, "cities_usa") == found.before["cities_usa"] + 1
    else:
        assert found.lines[0] in {"name\tn", "id\tyear", "quantity"}


def _deallocate(world: World, case: dict[str, str], _: _Found) -> None:
    name = case["sql"].split()[-1]
    assert name not in str(world.athena.prepared.list_prepared_statements(WorkGroup="primary"))


def _explain(_: World, case: dict[str, str], found: _Found) -> None:
    assert "Output" in found.text
    for name in re.findall(r"(?:FROM|JOIN) ([\w.]+)", case["sql"]):
        assert f"tableName={name.rpartition('.')[2]}," in found.text


def _show(_: World, case: dict[str, str], found: _Found) -> None:
    expected = {
        "SHOW TABLES": {"*flights*": "flights_2020", "*logs": "alb_logs", "": "alb_logs\n"},
        "SHOW DATABASES": {"": ""},
        "SHOW SCHEMAS": {"": "sampledb"},
        "SHOW VIEWS": {"": "orders_a"},
        "SHOW PARTITIONS": {"": "="},
        "SHOW COLUMNS": {"customers": "b   ", "names_cities": "first_name", "iceberg": "data   "},
        "SHOW TBLPROPERTIES": {
            "comment": "does not have",
            "iceberg": "ICEBERG",
            "": "EXTERNAL\tTRUE",
        },
        "SHOW CREATE": {"VIEW": "SELECT", "iceberg": "'table_type'='iceberg'", "": "LOCATION"},
    }[case["kind"]]
    wanted = next((each for key, each in expected.items() if key and key in case["sql"]), None)
    assert (expected.get("", "") if wanted is None else wanted) in found.text


def _describe(_: World, case: dict[str, str], found: _Found) -> None:
    name = re.sub(r"[`\"]", "", case["sql"].split(" PARTITION")[0]).split()[-1]
    columns = {**ddl_world.TABLES, **ddl_world.ICEBERG_TABLES}[name]
    first, kind = columns.split(",")[0].split(" |")[0].split(" ", 1)
    assert re.match(rf"{first} +\t{re.escape(kind)}", found.text)
    if "FORMATTED impressions" in case["sql"]:
        assert "# Detailed Table Information" in found.text
        assert "# Storage Information" in found.text
    if "EXTENDED" in case["sql"]:
        assert "Table(tableName:impressions, dbName:db" in found.text


_CHECKS: dict[str, Callable[[World, dict[str, str], _Found], None]] = {
    "CREATE TABLE": _create_table,
    "CTAS": _ctas,
    "INSERT INTO": _insert,
    "CREATE VIEW": _view,
    "CREATE DATABASE": _database,
    "ALTER TABLE": _alter,
    "ALTER DATABASE": _database,
    "ALTER SCHEMA": _database,
    "DROP": _drop,
    "MSCK": _repair,
    "UNLOAD": _unload,
    "PREPARE": _prepare,
    "EXECUTE": _execute,
    "DEALLOCATE": _deallocate,
    "EXPLAIN": _explain,
    "SHOW": _show,
    "DESCRIBE": _describe,
    "DELETE": _rows_changed,
    "UPDATE": _rows_changed,
    "MERGE": _rows_changed,
    "OPTIMIZE": _rows_changed,
    "VACUUM": _rows_changed,
}


def _check_of(kind: str) -> Callable[[World, dict[str, str], _Found], None]:
    return _CHECKS.get(kind) or _CHECKS[kind.split(maxsplit=1)[0]]
