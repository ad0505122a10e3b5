"""The published form of the load: Embulk 0.9 that asks Athena itself (`.yml.liquid`).

In: a manifest, the mart's table, and what the environment's variables are called.  Out: the
configuration as JSON and as a Liquid template.  It is for those who run that design; the file says
at its top what it damages.  All but numbers and booleans is read as text: the plugin fails at a
NULL timestamp, cuts the others to milliseconds, and drops json columns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runner.loads.checks.jobs import PLACEHOLDER
from runner.loads.embulk import STRICT_MODE, FileRows, MartAt, job, literal
from runner.loads.types import Family, parse_type
from runner.loads.yamltext import to_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.loads.shapes import MartTable
    from runner.model.loads import LoadManifest
    from runner.model.ports import Json

_TYPES = {Family.BOOLEAN: "boolean", Family.INTEGER: "long", Family.FLOAT: "double"}
_LIQUID = re.compile(r"\{[{%]")
_HEAD = (
    "Embulk 0.9 with embulk-input-athena and embulk-output-mysql: the published form.",
    "What it does without a word, and the form for Embulk 0.11 does not:",
    "- each run asks Athena again, and pays again; a load that breaks off begins with the query;",
    "- static keys only: no role of the task; the query runs in one task, row by row;",
    "- Java 8 and Connector/J 5.1: no MySQL 8.4, no host name in the certificate's check;",
    "- Athena's NaN and infinities arrive as NULL; a boolean or number that is NULL depends on the",
    "  plugin's null_to_zero (leave it off);",
    "- nothing counts the rows, and no ledger knows that the load was done.",
    "Variables come from the task's environment; write no secret into this file.  One that holds a",
    "quotation mark or a backslash breaks the YAML.",
)
LIQUID_MART = MartAt(
    database="{{ env.RUNNER_MART_DATABASE }}",
    host="{{ env.RUNNER_MART_HOST }}",
    port="{{ env.RUNNER_MART_PORT }}",
    user="{{ env.RUNNER_MART_USER }}",
    password="{{ env.RUNNER_MART_PASSWORD }}",  # noqa: S106 - a placeholder
)


@dataclass(frozen=True, slots=True)
class AthenaAt:
    """What the plugin needs to ask Athena."""

    url: str = "jdbc:awsathena://athena.{{ env.AWS_REGION }}.amazonaws.com:443"
    results: str = "{{ env.ATHENA_RESULTS }}"
    access_key: str = "{{ env.AWS_ACCESS_KEY_ID }}"
    secret_key: str = "{{ env.AWS_SECRET_ACCESS_KEY }}"  # noqa: S105 - a placeholder


def published_job(
    manifest: LoadManifest,
    table: MartTable | None,
    *,
    mart: MartAt = LIQUID_MART,
    athena: AthenaAt = AthenaAt(),
) -> dict[str, Json]:
    """Write the configuration of a load for Embulk 0.9."""
    made = job(replace(manifest, rows=None), table, rows=FileRows(""), mart=mart)
    database = manifest.key.table.partition(".")[0]
    source = {
        "type": "athena",
        "database": database,
        "athena_url": athena.url,
        "s3_staging_dir": athena.results,
        "access_key": athena.access_key,
        "secret_key": athena.secret_key,
        "query": query(manifest),
        "columns": [
            {
                "name": column["name"],
                "type": _TYPES.get(parse_type(given.athena_type).family, "string"),
            }
            for column, given in zip(
                made["in"]["parser"]["columns"], manifest.all_columns, strict=True
            )
        ],
    }
    return {"exec": made["exec"], "in": source, "out": {**made["out"], "options": _options(mart)}}


def to_liquid(job: Mapping[str, Json]) -> str:
    """Write a configuration as a Liquid template of YAML."""
    return to_yaml(_raw(job), head=_HEAD)


def query(manifest: LoadManifest) -> str:
    """Write the SELECT of the load's rows, its columns named as in the mart."""
    columns = ", ".join(_identifier(column.name) for column in manifest.all_columns)
    database, _, table = manifest.key.table.partition(".")
    text = f"SELECT {columns} FROM {_identifier(database)}.{_identifier(table)}"
    window = manifest.window
    if window is None:
        return text
    rows = (
        " AND ".join(
            f"{_identifier(column)} = {_text(value)}"
            for column, value in zip(window.columns, values, strict=True)
        )
        for values in window.values
    )
    return f"{text} WHERE {' OR '.join(rows)}"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _options(mart: MartAt) -> dict[str, Json]:
    """Write what Connector/J 5.1 is told."""
    options: dict[str, Json] = {
        "useLegacyDatetimeCode": False,
        "serverTimezone": "UTC",
        "sessionVariables": f"sql_mode={literal(STRICT_MODE)},time_zone='+00:00'",
    }
    return {**options, "enabledTLSProtocols": "TLSv1.2"} if mart.tls else options


def _raw(value: Json) -> Json:
    """Keep Liquid away from texts that only look like it."""
    if isinstance(value, dict):
        return {key: _raw(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_raw(inner) for inner in value]
    if isinstance(value, str) and _LIQUID.search(PLACEHOLDER.sub("", value)):
        return f"{{% raw %}}{value}{{% endraw %}}"
    return value
