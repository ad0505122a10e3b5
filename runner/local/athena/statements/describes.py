"""DESCRIBE, plain, FORMATTED and EXTENDED, in the layout of Athena's user guide (and Hive's)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.athena.errors import DdlFailure
from runner.local.athena.hive import open_cursor, take_name, take_spec, take_table, take_text
from runner.local.athena.session import Outcome
from runner.local.athena.sqltypes import SqlType, parse_type
from runner.local.athena.statements.partitions import find, need

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from runner.local.athena.session import Cursor, Session, Statement

_NAMES = ("col_name", "data_type", "comment")
_TEXT = SqlType("string")
_BLANK = "\t \t "
FROM_SERDE = "from deserializer"
_SERDES_OF_THEIR_OWN = frozenset(
    {
        "org.openx.data.jsonserde.JsonSerDe",
        "org.apache.hive.hcatalog.data.JsonSerDe",
        "org.apache.hadoop.hive.serde2.OpenCSVSerde",
        "com.amazonaws.glue.serde.GrokSerDe",
        "com.amazon.emr.hive.serde.CloudTrailSerde",
        "com.amazon.ionhiveserde.IonHiveSerDe",
    }
)
"""SerDes that tell the columns themselves, so that Hive has no comments of the table's."""


def describe(session: Session, statement: Statement) -> Outcome:
    """DESCRIBE [EXTENDED | FORMATTED] table [PARTITION (...)] [column.path]."""
    cursor = open_cursor(statement)
    cursor.take()
    extended = cursor.accept("EXTENDED")
    formatted = not extended and cursor.accept("FORMATTED")
    table = need(session, *take_table(cursor, session.database))
    values = take_spec(cursor, table) if cursor.accept("PARTITION") else None
    glue = session.catalog.get_table(DatabaseName=table.database, Name=table.name)["Table"]
    if not cursor.ended():
        return _outcome([_line(*_path(cursor, glue))])
    cursor.expect_end()
    lines = [_line(*each) for each in _columns(glue)]
    if table.keys:
        lines += [_BLANK, "# Partition Information\t \t ", _line("# col_name", *_NAMES[1:]), _BLANK]
        lines += [_line(each.name, each.type) for each in table.keys]
    if formatted:
        partition = find(session, table, values) if values else None
        lines += [_BLANK, *_details(glue, partition)]
    if extended:
        lines += [_BLANK, f"Detailed Table Information\t{_thrift(glue)}\t"]
    return _outcome(lines)


def _outcome(lines: Iterable[str]) -> Outcome:
    rows = tuple(tuple(f"{line}\t\t".split("\t")[:3]) for line in lines)
    return Outcome("UTILITY", "DESCRIBE_TABLE", tuple((n, _TEXT) for n in _NAMES), rows)


def _line(name: str, kind: str = "", comment: str = "") -> str:
    return f"{name:20}\t{kind:20}\t{comment:20}"


def _columns(glue: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Give name, type and comment of each column, partition keys last."""
    keys = glue.get("PartitionKeys") or []
    return [
        (each["Name"], each.get("Type", "string"), comment_of(glue, each))
        for each in (glue.get("StorageDescriptor") or {}).get("Columns") or []
    ] + [(each["Name"], each.get("Type", "string"), each.get("Comment", "")) for each in keys]


def comment_of(glue: dict[str, Any], column: dict[str, Any]) -> str:
    """Give a data column's comment; some SerDes tell Hive that it is theirs."""
    serde = glue["StorageDescriptor"].get("SerdeInfo") or {}
    own = serde.get("SerializationLibrary") in _SERDES_OF_THEIR_OWN
    return column.get("Comment") or (FROM_SERDE if own else "")


def _path(cursor: Cursor, glue: dict[str, Any]) -> tuple[str, str, str]:
    """Take `column.field.'$elem$'...`; gives its name, type and comment."""
    name = take_name(cursor)
    found = next((each for each in _columns(glue) if each[0].lower() == name), None)
    if found is None:
        raise DdlFailure(f"SemanticException [Error 10002]: Invalid column reference {name}")
    kind, comment = parse_type(found[1]), found[2]
    if not cursor.accept("."):
        cursor.expect_end()
        return found
    while True:
        token = cursor.peek()
        is_text = token is not None and token.kind == "string"
        step = take_text(cursor) if is_text else take_name(cursor)
        kind, name, comment = _step(kind, step), step, FROM_SERDE
        if not cursor.accept("."):
            cursor.expect_end()
            return name, kind.hive(), comment


def _step(kind: SqlType, step: str) -> SqlType:
    match kind.name, step:
        case "array", "$elem$":
            return kind.parts[0]
        case "map", "$key$":
            return kind.parts[0]
        case "map", "$value$":
            return kind.parts[1]
        case "row", _ if step in kind.fields:
            return kind.parts[kind.fields.index(step)]
        case _:
            raise DdlFailure(f"SemanticException [Error 10002]: Invalid column reference {step}")


def _details(glue: dict[str, Any], partition: dict[str, Any] | None) -> list[str]:
    storage = glue.get("StorageDescriptor") or {}
    if partition is not None:
        storage = {**storage, **(partition.get("StorageDescriptor") or {})}
    return [
        *(_about_table(glue) if partition is None else _about_partition(partition)),
        _BLANK,
        *_about_storage(storage),
    ]


def _about_table(glue: dict[str, Any]) -> list[str]:
    return [
        "# Detailed Table Information\t \t ",
        _pair("Database:", glue["DatabaseName"]),
        _pair("Owner:", glue.get("Owner", "hadoop")),
        _pair("CreateTime:", _when(glue["CreateTime"])),
        _pair("LastAccessTime:", "UNKNOWN"),
        _pair("Protect Mode:", "None"),
        _pair("Retention:", str(glue.get("Retention", 0))),
        _pair("Location:", (glue.get("StorageDescriptor") or {}).get("Location", "")),
        _pair("Table Type:", glue.get("TableType", "")),
        "Table Parameters:\t \t ",
        *_nested(glue.get("Parameters") or {}),
    ]


def _about_partition(partition: dict[str, Any]) -> list[str]:
    return [
        "# Detailed Partition Information\t \t ",
        _pair("Partition Value:", f"[{', '.join(partition['Values'])}]"),
        _pair("Database:", partition["DatabaseName"]),
        _pair("Table:", partition["TableName"]),
        _pair("CreateTime:", _when(partition["CreationTime"])),
        _pair("LastAccessTime:", "UNKNOWN"),
        _pair("Protect Mode:", "None"),
        _pair("Location:", (partition.get("StorageDescriptor") or {}).get("Location", "")),
        "Partition Parameters:\t \t ",
        *_nested(partition.get("Parameters") or {}),
    ]


def _about_storage(storage: dict[str, Any]) -> list[str]:
    serde = storage.get("SerdeInfo") or {}
    sorting = ", ".join(
        f"Order(col:{each['Column']}, order:{each['SortOrder']})"
        for each in storage.get("SortColumns") or ()
    )
    return [
        "# Storage Information\t \t ",
        _pair("SerDe Library:", serde.get("SerializationLibrary", "null")),
        _pair("InputFormat:", storage.get("InputFormat", "null")),
        _pair("OutputFormat:", storage.get("OutputFormat", "null")),
        _pair("Compressed:", "Yes" if storage.get("Compressed") else "No"),
        _pair("Num Buckets:", str(storage.get("NumberOfBuckets", -1))),
        _pair("Bucket Columns:", f"[{', '.join(storage.get('BucketColumns') or ())}]"),
        _pair("Sort Columns:", f"[{sorting}]"),
        "Storage Desc Params:\t \t ",
        *_nested(serde.get("Parameters") or {}),
    ]


def _pair(name: str, value: str) -> str:
    return f"{name:20}\t{value:20}\t "


def _nested(parameters: dict[str, str]) -> list[str]:
    return [f"\t{name:20}\t{value:20}" for name, value in sorted(parameters.items())]


def _when(instant: datetime) -> str:
    return instant.strftime("%a %b %d %H:%M:%S UTC %Y")


def _thrift(glue: dict[str, Any]) -> str:
    """Write a table as Thrift's toString does in Hive."""
    storage = glue.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    cols = _schemas(storage.get("Columns") or [])
    return (
        f"Table(tableName:{glue['Name']}, dbName:{glue['DatabaseName']}, "
        f"owner:{glue.get('Owner', 'hadoop')}, "
        f"createTime:{int(glue['CreateTime'].timestamp())}, lastAccessTime:0, "
        f"retention:{glue.get('Retention', 0)}, sd:StorageDescriptor(cols:[{cols}], "
        f"location:{storage.get('Location')}, inputFormat:{storage.get('InputFormat')}, "
        f"outputFormat:{storage.get('OutputFormat')}, compressed:false, "
        f"numBuckets:{storage.get('NumberOfBuckets', -1)}, serdeInfo:SerDeInfo(name:null, "
        f"serializationLib:{serde.get('SerializationLibrary')}, "
        f"parameters:{_map(serde.get('Parameters') or {})}), "
        f"bucketCols:[{', '.join(storage.get('BucketColumns') or ())}], sortCols:[], "
        "parameters:{}, skewedInfo:SkewedInfo(skewedColNames:[], skewedColValues:[], "
        "skewedColValueLocationMaps:{}), storedAsSubDirectories:false), "
        f"partitionKeys:[{_schemas(glue.get('PartitionKeys') or [])}], "
        f"parameters:{_map(glue.get('Parameters') or {})}, viewOriginalText:null, "
        f"viewExpandedText:null, tableType:{glue.get('TableType')})"
    )


def _schemas(columns: Sequence[dict[str, Any]]) -> str:
    return ", ".join(
        f"FieldSchema(name:{each['Name']}, type:{each.get('Type')}, "
        f"comment:{each.get('Comment', 'null')})"
        for each in columns
    )


def _map(parameters: dict[str, str]) -> str:
    return "{" + ", ".join(f"{name}={value}" for name, value in sorted(parameters.items())) + "}"
