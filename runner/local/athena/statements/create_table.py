"""CREATE EXTERNAL TABLE: columns, SerDe, partition keys and properties go into the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.local.athena.errors import AthenaFailure, DdlFailure, syntax_error, unsupported
from runner.local.athena.session import Cursor, Outcome
from runner.local.athena.statements.formats import ORC, STORAGE, storage_of
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from sqlglot import exp

    from runner.local.athena.session import Session, Statement

_LAZY = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"


def create_external(session: Session, statement: Statement) -> Outcome:
    """Make an external table; nothing is written but the catalogue."""
    cursor = Cursor(statement)
    cursor.expect("CREATE", "EXTERNAL", "TABLE")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    database, name = cursor.qualified(session.database)
    if session.planner.lookup(database, name) is not None:
        if if_not_exists:
            return Outcome("DDL", "CREATE_TABLE")
        raise DdlFailure(
            "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
            f"AlreadyExistsException(message:Table {name} already exists.)"
        )
    given = read_table(statement.sql, name)
    try:
        session.catalog.create_table(DatabaseName=database, TableInput=given)
    except GlueError as error:
        if error.code == "AlreadyExistsException" and if_not_exists:
            return Outcome("DDL", "CREATE_TABLE")
        raise DdlFailure(
            f"SemanticException [Error 10072]: Database does not exist: {database}"
        ) from error
    return Outcome("DDL", "CREATE_TABLE")


def read_table(sql: str, name: str) -> dict[str, Any]:
    """Read the statement into Glue's TableInput; raises AthenaFailure."""
    from sqlglot import exp  # noqa: PLC0415 - costs 0.1 s

    tree = _parse(sql)
    schema = tree.this
    if not isinstance(schema, exp.Schema):
        raise syntax_error(1, 1, "CREATE EXTERNAL TABLE needs columns")
    found = _Clauses()
    for each in tree.args["properties"].expressions if tree.args.get("properties") else ():
        found.read(each)
    if not found.location:
        raise DdlFailure("ParseException missing LOCATION: CREATE EXTERNAL TABLE needs it")
    storage = storage_of(found.format)
    if found.serde:
        storage["SerdeInfo"] = {"SerializationLibrary": found.serde, "Parameters": {}}
    storage["SerdeInfo"]["Parameters"] |= found.serde_properties
    storage["InputFormat"] = found.input or storage["InputFormat"]
    storage["OutputFormat"] = found.output or storage["OutputFormat"]
    given: dict[str, Any] = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", **found.properties},
        "PartitionKeys": found.keys,
        "StorageDescriptor": {
            "Columns": [column(each) for each in schema.expressions],
            "Location": found.location,
            **storage,
        },
    }
    if found.comment:
        given["Description"] = found.comment
    return given


def _parse(sql: str) -> exp.Create:
    import sqlglot  # noqa: PLC0415 - costs 0.1 s
    from sqlglot import exp  # noqa: PLC0415 - costs 0.1 s
    from sqlglot.errors import ParseError, TokenError  # noqa: PLC0415 - costs 0.1 s

    try:
        tree = sqlglot.parse_one(sql, read="athena")
    except ParseError as error:
        found = error.errors[0] if error.errors else {}
        raise AthenaFailure(
            "FAILED",
            f"ParseException line {found.get('line', 1)}:{found.get('col', 1)} "
            f"{found.get('description', error)}",
        ) from error
    except TokenError as error:
        raise DdlFailure(f"ParseException line 1:1 {error}") from error
    if not isinstance(tree, exp.Create):
        raise unsupported("This CREATE EXTERNAL TABLE statement")
    return tree


def column(definition: exp.Expr) -> dict[str, str]:
    """Give Glue's Column of a column's definition."""
    from sqlglot import exp  # noqa: PLC0415 - costs 0.1 s

    kind = definition.args["kind"].sql(dialect="hive").lower().replace(": ", ":")
    made = {
        "Name": definition.name.lower(),
        "Type": kind.replace(", ", ",").replace("`", ""),
    }
    comment = definition.find(exp.CommentColumnConstraint)
    if comment is not None:
        made["Comment"] = comment.name
    return made


class _Clauses:
    """The clauses after the columns, as they are read."""

    def __init__(self) -> None:
        self.location = self.comment = self.serde = self.input = self.output = ""
        self.format = "TEXTFILE"
        self.serde_properties: dict[str, str] = {}
        self.properties: dict[str, str] = {}
        self.keys: list[dict[str, str]] = []

    def read(self, clause: exp.Expr) -> None:
        """Take one clause; raises AthenaFailure for one that is not known here."""
        from sqlglot import exp  # noqa: PLC0415 - costs 0.1 s

        match clause:
            case exp.ExternalProperty():
                pass
            case exp.SchemaCommentProperty():
                self.comment = clause.name
            case exp.LocationProperty():
                self.location = clause.name
            case exp.PartitionedByProperty():
                self.keys = [column(each) for each in clause.this.expressions]
            case exp.RowFormatSerdeProperty():
                self.serde = clause.name
                self._serde_properties(clause.args.get("serde_properties"))
            case exp.SerdeProperties():
                self._serde_properties(clause)
            case exp.RowFormatDelimitedProperty():
                self._delimited(clause)
            case exp.FileFormatProperty():
                self._file_format(clause.this)
            case exp.Property():
                self.properties[clause.name] = str(clause.args["value"].name)
            case _:
                raise unsupported(f"The clause {clause.key} of CREATE EXTERNAL TABLE")

    def _serde_properties(self, clause: exp.Expr | None) -> None:
        for each in clause.expressions if clause is not None else ():
            self.serde_properties[each.name] = str(each.args["value"].name)

    def _delimited(self, clause: exp.Expr) -> None:
        names = {
            "fields": "field.delim",
            "escaped": "escape.delim",
            "collection_items": "collection.delim",
            "map_keys": "mapkey.delim",
            "lines": "line.delim",
            "null": "serialization.null.format",
        }
        self.serde = self.serde or _LAZY
        for argument, name in names.items():
            if clause.args.get(argument) is not None:
                self.serde_properties[name] = _unescaped(clause.args[argument].name)
        if "field.delim" in self.serde_properties:
            self.serde_properties["serialization.format"] = self.serde_properties["field.delim"]

    def _file_format(self, given: exp.Expr) -> None:
        from sqlglot import exp  # noqa: PLC0415 - costs 0.1 s

        if isinstance(given, exp.InputOutputFormat):
            self.input, self.output = given.text("input_format"), given.text("output_format")
            return
        kind = given.name.upper()
        if kind not in {*STORAGE, "ORC"}:
            raise unsupported(f"STORED AS {kind}")
        self.format = "ORC" if kind == ORC.format.upper() else kind


def _unescaped(text: str) -> str:
    r"""Read the escapes of Hive's delimiters: `\t`, `\001`.

    >>> _unescaped("\\t"), _unescaped("\\001")
    ('\t', '\x01')
    """
    if text.startswith("\\") and text[1:].isdigit():
        return chr(int(text[1:], 8))
    return {"\\t": "\t", "\\n": "\n", "\\\\": "\\"}.get(text, text)
