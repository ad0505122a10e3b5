"""The configuration of Embulk 0.11 for one load: `input-s3` or `input-file`, csv, `output-mysql`.

In: a manifest, the mart's table as it is, and where Athena's result lies.  Out: the configuration
as JSON, and as plain YAML (no Liquid: it would need JRuby).  Secrets stand in it as placeholders.

Every setting here is one whose default skips rows or damages values.  Numbers go as numbers, and
everything else as text (`value_type: string`): the server's strict mode then judges each value, and
neither Embulk nor the driver makes NULL of it, or cuts a time's fraction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.loads.replacing import keeps
from runner.loads.target import wanted_type
from runner.loads.types import Family, parse_type
from runner.loads.yamltext import to_yaml as write_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.loads.shapes import MartTable
    from runner.model.loads import LoadColumn, LoadManifest
    from runner.model.ports import Json

__all__ = [
    "FileRows",
    "MartAt",
    "Rows",
    "S3Rows",
    "after_load",
    "column_options",
    "embulk_mode",
    "job",
    "parser",
    "to_yaml",
]

STRICT_MODE = (
    "STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION"
)
_MOST_QUOTED = 1024**3
"""Bytes of a quoted value; Embulk's own limit (128 KiB) makes a longer one an invalid record."""
_TIMEOUT_MS = 6 * 60 * 60 * 1000
"""Longest wait for one statement: a merge of many rows is one, and the plugin's 45 minutes kill it.
The task's own timeout comes earlier."""
_TIMESTAMP_IN, _TIMESTAMP_OUT = "%Y-%m-%d %H:%M:%S.%N", "%Y-%m-%d %H:%M:%S.%6N"
_DATE = "%Y-%m-%d"
_ENDING = ".csv"
_TYPES: dict[Family, tuple[str, str]] = {
    Family.BOOLEAN: ("boolean", "boolean"),
    Family.INTEGER: ("long", "long"),
    Family.FLOAT: ("double", "double"),
    Family.DECIMAL: ("string", "string"),
    Family.TEXT: ("string", "string"),
    Family.DATE: ("timestamp", "string"),
    Family.TIMESTAMP: ("timestamp", "string"),
    Family.BINARY: ("string", "string"),
    Family.NESTED: ("string", "string"),
}
"""Embulk's type of a column, and the way in which its value goes to the server."""


@dataclass(frozen=True, slots=True)
class S3Rows:
    """Athena's result in S3: one object, or every .csv below a prefix."""

    bucket: str
    path_prefix: str
    """An object's key, if it ends in .csv: Embulk then fails where there is none.  Under a prefix
    without objects it ends well and has loaded nothing."""
    region: str | None = None
    endpoint: str | None = None
    auth_method: str = "default"
    """`default` finds a task's role; `instance` would not, it is EC2's."""


@dataclass(frozen=True, slots=True)
class FileRows:
    """Athena's result on this machine: every file whose path begins so."""

    path_prefix: str


Rows = S3Rows | FileRows


@dataclass(frozen=True, slots=True)
class MartAt:
    """Where the mart is; the texts may be placeholders, which the task fills in."""

    database: str = "${RUNNER_MART_DATABASE}"
    host: str = "${RUNNER_MART_HOST}"
    port: str | int = "${RUNNER_MART_PORT}"
    user: str = "${RUNNER_MART_USER}"
    password: str = field(default="${RUNNER_MART_PASSWORD}", repr=False)
    tls: bool = True
    """Whether the server's certificate and name are verified; without it nothing is encrypted."""
    trust_store: str | None = None
    """A Java key store (JKS) with the authorities; the Java installation's own if None."""
    trust_store_password: str = field(default="${RUNNER_TRUST_STORE_PASSWORD}", repr=False)
    collation: str = "utf8mb4_bin"
    """Of tables that the load makes."""


def job(
    manifest: LoadManifest,
    table: MartTable | None,
    *,
    rows: Rows,
    mart: MartAt,
    count: int | None = None,
) -> dict[str, Json]:
    """Write the configuration of a load.

    `count` is the number of rows for the ledger (`manifest.rows` if None); with it, and without an
    `after` of the user's, the ledger's row is written in the transaction that moves the rows.
    """
    return {
        "exec": {"max_threads": 1, "min_output_tasks": 1},
        "in": {**_source(rows), "parser": parser(manifest, table)},
        "out": _out(manifest, table, mart, count),
    }


def to_yaml(job: Mapping[str, Json]) -> str:
    """Write a configuration as plain YAML."""
    out = job["out"]
    return write_yaml(
        job,
        head=(
            f"Load into {out['table']}, mode {out['mode']}; made by runner for Embulk 0.11.",
            "Do not edit: the header of the table's SQL file says what is loaded and how.",
        ),
    )


def _source(rows: Rows) -> dict[str, Json]:
    if isinstance(rows, FileRows):
        return {"type": "file", "path_prefix": rows.path_prefix}
    more = {"region": rows.region, "endpoint": rows.endpoint}
    where = {"path": rows.path_prefix}
    if not rows.path_prefix.endswith(_ENDING):
        # Athena writes <id>.csv.metadata beside <id>.csv.
        where = {"path_prefix": rows.path_prefix, "path_match_pattern": r"\.csv$"}
    return {
        "type": "s3",
        "bucket": rows.bucket,
        **where,
        "incremental": False,
        "auth_method": rows.auth_method,
        **{name: value for name, value in more.items() if value is not None},
    }


def parser(manifest: LoadManifest, table: MartTable | None) -> dict[str, Json]:
    """Write how Athena's result is read: a header line, values quoted, NULL empty and unquoted."""
    return {
        "type": "csv",
        "charset": "UTF-8",
        "newline": "LF",
        "delimiter": ",",
        "quote": '"',
        "escape": None,
        "skip_header_lines": 1,
        "trim_if_not_quoted": False,
        "allow_extra_columns": False,
        "allow_optional_columns": False,
        "stop_on_invalid_record": True,
        "max_quoted_size_limit": _MOST_QUOTED,
        "default_timezone": "UTC",
        "columns": [_column(column, table) for column in manifest.all_columns],
    }


def _column(column: LoadColumn, table: MartTable | None) -> dict[str, Json]:
    family = parse_type(column.athena_type).family
    result = {"name": _name(column, table), "type": _TYPES[family][0]}
    if family is Family.TIMESTAMP:
        result["format"] = _TIMESTAMP_IN
    elif family is Family.DATE:
        result["format"] = _DATE
    return result


def _name(column: LoadColumn, table: MartTable | None) -> str:
    """Name a column as the mart spells it: Embulk leaves out one that differs in case."""
    found = None if table is None else table.column(column.name)
    return column.name if found is None else found.name


def _out(
    manifest: LoadManifest, table: MartTable | None, mart: MartAt, count: int | None
) -> dict[str, Json]:
    new = table is None or manifest.mode == "replace"
    said = {
        "before_load": _before_load(manifest, table),
        "after_load": after_load(manifest, count),
        "create_table_constraint": _constraint(manifest) if new else None,
    }
    return {
        "type": "mysql",
        "host": mart.host,
        "port": mart.port,
        "user": mart.user,
        "password": mart.password,
        "database": mart.database,
        "table": manifest.key.mart_table if table is None else table.name,
        "mode": embulk_mode(manifest, table),
        "ssl": "verify" if mart.tls else "disable",
        "options": _options(mart),
        "default_timezone": "UTC",
        **{name: text for name, text in said.items() if text is not None},
        "create_table_option": (f"ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE={mart.collation}"),
        "column_options": column_options(manifest, table),
    }


def _options(mart: MartAt) -> dict[str, Json]:
    """Write what the driver (Connector/J 8) is told."""
    options: dict[str, Json] = {
        # Without it the driver describes tables of this name in every schema.
        "nullDatabaseMeansCurrent": True,
        "connectionTimeZone": "UTC",
        "sessionVariables": f"sql_mode='{STRICT_MODE}',time_zone='+00:00'",
        "allowLoadLocalInfile": False,
        "connectTimeout": 30_000,
        "socketTimeout": _TIMEOUT_MS,
    }
    if not mart.tls:
        return {"sslMode": "DISABLED", "allowPublicKeyRetrieval": True, **options}
    options = {"sslMode": "VERIFY_IDENTITY", **options}
    if mart.trust_store is not None:
        options["trustCertificateKeyStoreUrl"] = f"file:{mart.trust_store}"
        options["trustCertificateKeyStoreType"] = "JKS"
        options["trustCertificateKeyStorePassword"] = mart.trust_store_password
        options["fallbackToSystemTrustStore"] = False
    return options


def embulk_mode(manifest: LoadManifest, table: MartTable | None) -> str:
    """Give Embulk's mode: it has no `replace_window`, and its `replace` needs a table."""
    match manifest.mode:
        case "replace_window":
            return "insert"
        case "replace" if table is None:
            return "truncate_insert"
        case mode:
            return mode


def _before_load(manifest: LoadManifest, table: MartTable | None) -> str | None:
    if manifest.mode != "replace_window":
        return manifest.before
    window = manifest.window
    assert window is not None  # noqa: S101 - the manifest was checked
    name = manifest.key.mart_table if table is None else table.name
    columns = ", ".join(map(quoted, window.columns))
    values = ", ".join(f"({', '.join(map(literal, row))})" for row in window.values)
    return f"DELETE FROM {quoted(name)} WHERE ({columns}) IN ({values})"


def after_load(manifest: LoadManifest, count: int | None) -> str | None:
    """Write the statement after the rows: the user's, or the ledger's row."""
    rows = manifest.rows if count is None else count
    if manifest.after is not None or rows is None:
        return manifest.after
    key = manifest.key
    texts = (key.mart_table, key.table, key.window_start, key.window_end, key.publish_id)
    values = ", ".join(map(literal, texts))
    return f"INSERT INTO `_runner_loads` VALUES ({values}, {rows}, UTC_TIMESTAMP(6))"


def _constraint(manifest: LoadManifest) -> str | None:
    """Write the keys of a table that the load makes, and an index on the window's columns."""
    window = manifest.window.columns if manifest.window is not None else ()
    parts = []
    if manifest.keys:
        parts.append(f"PRIMARY KEY ({', '.join(map(quoted, manifest.keys))})")
    if window and manifest.keys[: len(window)] != window:
        parts.append(f"KEY ({', '.join(map(quoted, window))})")
    return ", ".join(parts) or None


def column_options(manifest: LoadManifest, table: MartTable | None) -> dict[str, Json]:
    """Give every column its full type, and how its values go to the server.

    A table's other columns need their types too: Embulk copies the whole table for its
    intermediate one, and forgets what ENUM, SET, DECIMAL UNSIGNED and DATETIME are made of.
    """
    options: dict[str, Json] = {}
    for column in manifest.all_columns:
        family = parse_type(column.athena_type).family
        option = {"type": _type_text(manifest, column, table), "value_type": _TYPES[family][1]}
        if family in (Family.DATE, Family.TIMESTAMP):
            option["timestamp_format"] = _DATE if family is Family.DATE else _TIMESTAMP_OUT
            option["timezone"] = "UTC"
        options[_name(column, table)] = option
    others = () if table is None else table.columns
    return options | {
        one.name: {"type": one.full_type} for one in others if one.name not in options
    }


def _type_text(manifest: LoadManifest, column: LoadColumn, table: MartTable | None) -> str:
    """Give the mart's own type, and what else a replaced column must keep; else a new one's."""
    found = None if table is None else table.column(column.name)
    if found is not None and manifest.mode != "replace":
        return found.full_type
    if found is None or not keeps(found, column):
        return wanted_type(manifest, column, "mysql")
    collation = f" COLLATE {found.collation}" if found.collation else ""
    return f"{found.full_type}{collation}{'' if found.nullable else ' NOT NULL'}"


def quoted(name: str) -> str:
    """Quote an identifier.

    >>> print(quoted("we`ird"))
    `we``ird`
    """
    return "`" + name.replace("`", "``") + "`"


def literal(text: str) -> str:
    r"""Write a text for a server that takes a backslash for an escape.

    >>> print(literal("it's a \\"))
    'it''s a \\'
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
