"""An `rds_export` step: a database to S3 as Parquet, then tables that show the new export.

    begin -> (newest -> snapshot?) -> export -> pause -> look -> ended? -> table 1 read
          -> table 1 flip -> ... -> done;   ended? -> next -> export | failed | timeout

RDS knows an export by its identifier only.  Ours is made of the execution, so that whoever comes
again - a repeated call, the step's retry, a redrive - finds the export that is under way
(ExportTaskAlreadyExists) and waits for it.  One that was found and had failed makes room for the
next number.  A table is moved by one update of the catalogue with the version that was read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.asl import retries
from runner.asl.expressions import expression, quote
from runner.asl.flow import State, catcher, state_name, task
from runner.asl.steps import awaited as waiting
from runner.asl.steps.awaited import CALL_TIMEOUT_S, GIVEN, LOOKS, PASSED_ON, RESULT
from runner.model.config import LocalDatabase
from runner.model.durations import seconds
from runner.model.regions import partition_of

if TYPE_CHECKING:
    from runner.asl.steps.scope import Scope
    from runner.asl.target import Target
    from runner.model.aws_sources import RdsSource
    from runner.model.steps_sources import RdsExportStep

_SDK = "arn:aws:states:::aws-sdk:rds:"
_GLUE = "arn:aws:states:::aws-sdk:glue:"
_DEFAULT_TIMEOUT = "6h"
_EXISTS = "Rds.ExportTaskAlreadyExistsException"
_TASK = f"{RESULT}.ExportTasks[0]"
_MOST_NAME = 30
_DIGITS = 16
_PARTS = 3
"""Of a table's name in PostgreSQL: database, schema, table."""


@dataclass(frozen=True, slots=True)
class _Newest:
    """Automatic snapshots of an instance or a cluster, of which the newest is exported."""

    kind: str
    """instance or cluster."""
    name: str

    @property
    def noun(self) -> str:
        """Give what the names of calls and fields say: DB, or DBCluster."""
        return "DbCluster" if self.kind == "cluster" else "Db"

    @property
    def action(self) -> str:
        """Name the call that lists them."""
        return f"describe{self.noun.replace('Db', 'DB')}Snapshots"

    @property
    def owner(self) -> str:
        """Name the argument that says whose they are."""
        return "DbClusterIdentifier" if self.kind == "cluster" else "DbInstanceIdentifier"


@dataclass(frozen=True, slots=True)
class _Source:
    """What is exported, by the names that the environment gives."""

    newest: _Newest | None
    """Whose newest automatic snapshot it is; None where `arn` says what."""
    arn: str
    to: str
    """With a slash at its end."""
    role: str
    key: str


def states(scope: Scope, name: str, step: RdsExportStep) -> tuple[State, ...]:
    """Give the states of an export, behind a gate if other steps are needed."""
    timeout_s = seconds(step.timeout or _DEFAULT_TIMEOUT)
    source = _source(scope.target, step, scope.project.environment.rds[step.source])
    what = f"The export of {step.source}"
    flips = _flips(scope, name, step, root=source.to)
    after = flips[0].name if flips else state_name(name, "done")
    location = f'{quote(source.to)} & {GIVEN}.id & "/"'
    failure = f"{quote(f'{what} ')} & {GIVEN}.id & {quote(' ended ')} & {GIVEN}.message"
    inner = (
        *_beginning(name, source),
        _start(name, step, source),
        waiting.pause(name, "pause", state_name(name, "look")),
        _look(name),
        _ended(name, timeout_s, after),
        _next(name),
        *flips,
        waiting.done(name, f'{{"export": {{"identifier": {GIVEN}.id, "location": {location}}}}}'),
        waiting.failed(name, "RdsExport.Failed", failure),
        waiting.timed_out(name, "RdsExport.Timeout", what=what, timeout_s=timeout_s),
    )
    return waiting.awaited(scope, name, step, states=inner, value="export")


def _source(target: Target, step: RdsExportStep, said: RdsSource | LocalDatabase) -> _Source:
    """Give the database as the environment names it; this machine has neither role nor key."""
    to = said.to if said.to.endswith("/") else f"{said.to}/"
    if isinstance(said, LocalDatabase):
        here = f"{target.region}:{target.account}"
        return _Source(
            newest=_newest_here(step.source, said.exported),
            arn=_cluster(target, step.source),
            to=to,
            role=f"arn:aws:iam::{target.account}:role/export",
            key=f"arn:aws:kms:{here}:key/export",
        )
    return _Source(
        newest=_newest_of(said),
        arn=said.snapshot or _cluster(target, said.cluster or ""),
        to=to,
        role=said.role,
        key=said.key,
    )


def _newest_here(name: str, exported: str) -> _Newest | None:
    kinds = {"instance": "instance", "cluster_snapshot": "cluster"}
    return _Newest(kinds[exported], name) if exported in kinds else None


def _newest_of(said: RdsSource) -> _Newest | None:
    if said.instance is not None:
        return _Newest("instance", said.instance)
    if said.cluster_snapshot is not None:
        return _Newest("cluster", said.cluster_snapshot)
    return None


def _cluster(target: Target, name: str) -> str:
    if name.startswith("arn:"):
        return name
    partition = partition_of(target.region)
    return f"arn:{partition}:rds:{target.region}:{target.account}:cluster:{name}"


def _beginning(name: str, source: _Source) -> tuple[State, ...]:
    """Choose what is exported and how the export is called."""
    title = re.sub("[^a-z0-9]+", "-", name).strip("-")[:_MOST_NAME].rstrip("-")
    digest = f'$substring($hash($states.context.Execution.Id, "SHA-256"), 0, {_DIGITS})'
    base = f"{quote(f'{title}-')} & {digest} & {quote('-')}"
    begin = waiting.begin(
        name,
        state_name(name, "newest" if source.newest else "export"),
        more=f', "base": {base}, "id": {base} & "1", "number": 1, "met": false',
    )
    return (begin, *(_newest(name, source.newest) if source.newest else ()))


def _newest(name: str, snapshots: _Newest) -> tuple[State, ...]:
    """Find the newest automatic snapshot of an instance or a cluster."""
    usable = f'{RESULT}.{snapshots.noun}Snapshots[Status = "available"]'
    newest = f"({usable}^(>SnapshotCreateTime))[0].{snapshots.noun}SnapshotArn"
    found = f'$merge([{GIVEN}, {{"source": $exists({usable}) ? {newest} : ""}}])'
    return (
        State(
            state_name(name, "newest"),
            task(
                f"{_SDK}{snapshots.action}",
                {snapshots.owner: snapshots.name, "SnapshotType": "automated"},
                timeout_s=CALL_TIMEOUT_S,
                Output=expression(found),
                Retry=retries.rds(),
                Next=state_name(name, "snapshot?"),
            ),
        ),
        State(
            state_name(name, "snapshot?"),
            {
                "Type": "Choice",
                "Choices": [
                    {
                        "Condition": expression(f'{GIVEN}.source != ""'),
                        "Next": state_name(name, "export"),
                    }
                ],
                "Default": state_name(name, "none"),
            },
        ),
        State(
            state_name(name, "none"),
            {
                "Type": "Fail",
                "Error": "RdsExport.NoSnapshot",
                "Cause": f"the {snapshots.kind} {snapshots.name} has no automatic snapshot that is "
                "available",
            },
        ),
    )


def _start(name: str, step: RdsExportStep, source: _Source) -> State:
    bucket, _, prefix = source.to.removeprefix("s3://").partition("/")
    arguments: dict[str, Any] = {
        "ExportTaskIdentifier": expression(f"{GIVEN}.id"),
        "SourceArn": expression(f"{GIVEN}.source") if source.newest else source.arn,
        "S3BucketName": bucket,
        "IamRoleArn": source.role,
        "KmsKeyId": source.key,
    }
    if prefix:
        arguments["S3Prefix"] = prefix.rstrip("/")
    if step.only:
        arguments["ExportOnly"] = list(step.only)
    met = expression(f'$merge([{GIVEN}, {{"met": true}}])')
    return State(
        state_name(name, "export"),
        task(
            f"{_SDK}startExportTask",
            arguments,
            timeout_s=CALL_TIMEOUT_S,
            Output=PASSED_ON,
            Retry=retries.rds(),
            Catch=[catcher([_EXISTS], state_name(name, "look"), Output=met)],
            Next=state_name(name, "pause"),
        ),
    )


def _look(name: str) -> State:
    told = (
        f'$exists({_TASK}.FailureCause) ? ": " & {_TASK}.FailureCause : ""',
        f'$exists({_TASK}.Status) ? {_TASK}.Status : ""',
    )
    found = f'{{"status": ({told[1]}), "message": ({told[1]}) & ({told[0]})}}'
    return State(
        state_name(name, "look"),
        task(
            f"{_SDK}describeExportTasks",
            {"ExportTaskIdentifier": expression(f"{GIVEN}.id")},
            timeout_s=CALL_TIMEOUT_S,
            Output=waiting.looked(found),
            Retry=retries.rds(),
            Next=state_name(name, "ended?"),
        ),
        looks=LOOKS,
    )


def _ended(name: str, timeout_s: int, after: str) -> State:
    bad = f'{GIVEN}.status in ["FAILED", "CANCELED"]'
    choices = [
        {"Condition": expression(f'{GIVEN}.status = "COMPLETE"'), "Next": after},
        {"Condition": expression(f"{bad} and {GIVEN}.met"), "Next": state_name(name, "next")},
        {"Condition": expression(bad), "Next": state_name(name, "failed")},
        {"Condition": waiting.has_taken(timeout_s), "Next": state_name(name, "timeout")},
    ]
    fields = {"Type": "Choice", "Choices": choices, "Default": state_name(name, "pause")}
    return State(state_name(name, "ended?"), fields, looks=LOOKS)


def _next(name: str) -> State:
    """Begin anew where an export of before has failed: its identifier is spent."""
    following = (
        f'{{"number": {GIVEN}.number + 1, "met": false, '
        f'"id": {GIVEN}.base & $string({GIVEN}.number + 1)}}'
    )
    fields = {
        "Type": "Pass",
        "Output": expression(f"$merge([{GIVEN}, {following}])"),
        "Next": state_name(name, "export"),
    }
    return State(state_name(name, "next"), fields)


# --- the tables -----------------------------------------------------------------------------------


def _flips(scope: Scope, name: str, step: RdsExportStep, *, root: str) -> tuple[State, ...]:
    made: list[State] = []
    tables = list(step.tables.items())
    for number, (table, shown) in enumerate(tables, start=1):
        last = number == len(tables)
        following = state_name(name, "done" if last else f"table {number + 1} read")
        made += _flip(scope, f"{name} table {number}", table, (root, shown, following))
    return tuple(made)


def _flip(
    scope: Scope, subject: str, table: str, where: tuple[str, str, str]
) -> tuple[State, State]:
    """Read a table, then move it; one that somebody changed meanwhile is read again."""
    root, shown, following = where
    database, name = _physical(scope, table)
    location = f"{quote(root)} & {GIVEN}.id & {quote(f'/{export_path(shown)}/')}"
    read, flip = state_name(subject, "read"), state_name(subject, "flip")
    kept = f'$merge([{GIVEN}, {{"table": {RESULT}.Table}}])'
    changed = catcher(["Glue.ConcurrentModificationException"], read, Output=PASSED_ON)
    return (
        State(
            read,
            task(
                f"{_GLUE}getTable",
                {"DatabaseName": database, "Name": name},
                timeout_s=CALL_TIMEOUT_S,
                Output=expression(kept),
                Retry=retries.glue(),
                Next=flip,
            ),
        ),
        State(
            flip,
            task(
                f"{_GLUE}updateTable",
                {
                    "DatabaseName": database,
                    "TableInput": _table_input(name, location),
                    "VersionId": expression(f"{GIVEN}.table.VersionId"),
                    "SkipArchive": True,
                },
                timeout_s=CALL_TIMEOUT_S,
                Output=expression(f'$sift({GIVEN}, function($v, $k) {{ $k != "table" }})'),
                Retry=retries.glue(),
                Catch=[changed],
                Next=following,
            ),
        ),
    )


def _physical(scope: Scope, table: str) -> tuple[str, str]:
    """Give database and name as the catalogue knows them: a source keeps its own."""
    found = next((one for one in scope.project.tables if str(one.name) == table), None)
    database, _, name = table.partition(".")
    return (found.database if found is not None else database, name)


def export_path(shown: str) -> str:
    """Give the folder of a table in an export.

    >>> export_path("shop.users"), export_path("shop.public.users")
    ('shop/shop.users', 'shop/public.users')
    """
    parts = shown.split(".")
    schema = parts[1] if len(parts) == _PARTS else parts[0]
    return f"{parts[0]}/{schema}.{parts[-1]}"


def _table_input(name: str, location: str) -> dict[str, Any]:
    """Describe the table as it was, elsewhere: an update replaces the whole definition.

    Its name is a text here, so that the machine's role is allowed this one table.
    """
    table = f"{GIVEN}.table"

    def kept(key: str, otherwise: str) -> str:
        return expression(f"$exists({table}.{key}) ? {table}.{key} : {otherwise}")

    moved = f'$merge([{table}.StorageDescriptor, {{"Location": {location}}}])'
    noted = f'$merge([{table}.Parameters, {{"runner.export": {GIVEN}.id}}])'
    return {
        "Name": name,
        "Description": kept("Description", '""'),
        "Owner": kept("Owner", '"hadoop"'),
        "Retention": kept("Retention", "0"),
        "TableType": kept("TableType", '"EXTERNAL_TABLE"'),
        "PartitionKeys": kept("PartitionKeys", "[]"),
        "StorageDescriptor": expression(moved),
        "Parameters": expression(noted),
    }
