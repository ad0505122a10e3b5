"""Columns: what the query gives against what the table has (SEMANTICS 8 and 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .faults import NotOurs, SchemaChanged

if TYPE_CHECKING:
    from .spec import Spec

OWNER = "runner.project"
FINGERPRINT = "runner.fingerprint"
_TEXT = ("string", "varchar", "char")


def refuse_foreign(spec: Spec, target: dict[str, Any] | None) -> None:
    """Stop before touching a table that this project did not make."""
    if target is None:
        return
    owner = target.get("Parameters", {}).get(OWNER)
    if owner != spec.project:
        held = f"belongs to project {owner}" if owner else "was not made by this project"
        raise NotOurs(f"{spec.name} exists and {held}; use `runner adopt {spec.name}`")


def is_owned(target: dict[str, Any], project: str) -> bool:
    """Tell whether a table is marked as the project's."""
    return bool((target.get("Parameters") or {}).get(OWNER) == project)


def is_current(spec: Spec, target: dict[str, Any] | None) -> bool:
    """Tell whether the table was last written from this very SQL and header."""
    if target is None:
        return False
    parameters = target.get("Parameters", {})
    wanted = {**spec.parameters, FINGERPRINT: spec.fingerprint}
    return all(parameters.get(name) == value for name, value in wanted.items())


def quoted(columns: list[dict[str, str]], partitions: tuple[str, ...]) -> str:
    """Write the column list of INSERT and SELECT: data columns, then partition columns."""
    names = [column["Name"] for column in columns] + list(partitions)
    return ", ".join(f'"{name}"' for name in names)


def table_input(
    spec: Spec, columns: list[dict[str, str]], location: str, *, parameters: dict[str, str]
) -> dict[str, Any]:
    """Describe a Hive table to Glue; partition columns are strings."""
    return {
        "Name": spec.table,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", **parameters},
        "PartitionKeys": [{"Name": name, "Type": "string"} for name in spec.partitions],
        "StorageDescriptor": {
            "Columns": columns,
            "Location": location,
            "Compressed": False,
            **spec.storage,
        },
    }


def target_parameters(spec: Spec) -> dict[str, str]:
    """Give the parameters of the published table: projection, owner, fingerprint."""
    return {**spec.parameters, OWNER: spec.project, FINGERPRINT: spec.fingerprint}


def kept_parameters(target: dict[str, Any]) -> dict[str, str]:
    """Give the table's parameters that a change keeps: all but those of an older projection."""
    return {
        name: value
        for name, value in target.get("Parameters", {}).items()
        if not name.startswith(("projection.", "storage.location.template"))
    }


def data_columns(spec: Spec, inferred: list[dict[str, str]]) -> list[dict[str, str]]:
    """Split the partition columns off what the query gives; they must be there, as text."""
    by_name = {column["Name"]: column["Type"] for column in inferred}
    for name in spec.partitions:
        if name not in by_name:
            raise SchemaChanged(f"{spec.name}: the query has no partition column {name!r}")
        if not by_name[name].startswith(_TEXT):
            raise SchemaChanged(
                f"{spec.name}: partition column {name!r} is {by_name[name]}, but partitions are "
                f"written as text: CAST it AS varchar, or use date_format"
            )
    return [
        {"Name": column["Name"], "Type": column["Type"]}
        for column in inferred
        if column["Name"] not in spec.partitions
    ]


def _rewritten_values(spec: Spec, parameters: dict[str, str]) -> list[str]:
    """Find partition columns whose values are now written in another way: old paths would hide."""
    names = [f"projection.{c}.{what}" for c in spec.partitions for what in ("format", "digits")]
    return [
        f"{name} is {parameters.get(name)} in the table and {spec.parameters.get(name)} in the file"
        for name in names
        if "projection.enabled" in parameters and parameters.get(name) != spec.parameters.get(name)
    ]


def merge_columns(
    spec: Spec, target: dict[str, Any], wanted: list[dict[str, str]]
) -> list[dict[str, str]]:
    """Append new columns to the table's; SchemaChanged for anything that would lose or retype."""
    existing = [
        {"Name": column["Name"], "Type": column["Type"]}
        for column in target["StorageDescriptor"]["Columns"]
    ]
    have = {column["Name"]: column["Type"] for column in existing}
    want = {column["Name"]: column["Type"] for column in wanted}
    keys = tuple(key["Name"] for key in target.get("PartitionKeys", ()))
    problems = [f"column {name} {have[name]} is gone" for name in have if name not in want]
    problems += [
        f"column {name} is {have[name]} in the table and {want[name]} in the query"
        for name in have
        if name in want and have[name] != want[name]
    ]
    if keys != spec.partitions:
        problems.append(f"partition columns are {keys} in the table, {spec.partitions} in the file")
    problems += _rewritten_values(spec, target.get("Parameters", {}))
    new = [column for column in wanted if column["Name"] not in have]
    if new and spec.by_position:
        names = ", ".join(column["Name"] for column in new)
        problems.append(f"new columns ({names}) in a format that is read by position")
    if problems:
        raise SchemaChanged(
            f"{spec.name}: {'; '.join(problems)}. Nothing was written. "
            f"`runner backfill --full-refresh {spec.name}` writes the table anew"
        )
    return existing + new
