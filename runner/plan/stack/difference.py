"""What a deploy would change, for people: by table, state, SQL, permission and schedule.

In: what is deployed and what is wanted, each as a template, a manifest and the texts of those state
machines that differ.  Out: a `Difference`.  CloudFormation says beside it what it makes of the
resources; this says what it means.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from runner.plan.stack.permissions import permissions_of
from runner.plan.stack.states import states_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.model.ports import Json
    from runner.plan.stack.manifest import DeployedMachine, DeployedTable, Manifest

_CONTEXT = 2
"""Lines around a change of SQL."""


class Group(StrEnum):
    """What a change is about; the order is that of the display."""

    TABLES = "tables"
    WORKFLOWS = "workflows"
    SCHEDULES = "schedules"
    EVENTS = "events"
    FUNCTIONS = "functions"
    LOADS = "loads"
    PERMISSIONS = "permissions"
    OTHER = "other"


class Sign(StrEnum):
    """What happens to it."""

    ADD = "+"
    CHANGE = "~"
    REMOVE = "-"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that would be different."""

    group: Group
    sign: Sign
    name: str
    notes: tuple[str, ...] = ()
    """What about it, a line each."""
    sql: tuple[str, ...] = ()
    """Of a table: its SQL's difference, each line with ` `, `+` or `-` before it."""
    lost: str = ""
    """What goes with it for good; empty when nothing does."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that would be different."""

    changes: tuple[Change, ...]

    @property
    def lost(self) -> tuple[Change, ...]:
        """Give the changes that destroy something."""
        return tuple(change for change in self.changes if change.lost)


@dataclass(frozen=True, slots=True)
class Side:
    """What is deployed, or what is wanted."""

    template: Mapping[str, Json]
    manifest: Manifest | None = None
    """None when there is none: before the first deploy, or when it cannot be read."""
    definitions: Mapping[str, str] = field(default_factory=dict)
    """Texts of state machines by their names; those that are the same on both sides may lack."""


NOTHING = Side({"Resources": {}})
"""Before the first deploy."""

_NAMES = (
    "StateMachineName",
    "FunctionName",
    "RoleName",
    "ManagedPolicyName",
    "Family",
    "Name",
    "RuleName",
    "QueueName",
    "TopicName",
    "LogGroupName",
    "ClusterName",
    "RepositoryName",
    "AlarmName",
)
_GROUPS = {
    "AWS::StepFunctions::StateMachine": Group.WORKFLOWS,
    "AWS::Scheduler::Schedule": Group.SCHEDULES,
    "AWS::Events::Rule": Group.EVENTS,
    "AWS::Lambda::Function": Group.FUNCTIONS,
    "AWS::ECS::TaskDefinition": Group.LOADS,
    "AWS::IAM::Role": Group.PERMISSIONS,
    "AWS::IAM::ManagedPolicy": Group.PERMISSIONS,
    "AWS::IAM::Policy": Group.PERMISSIONS,
}
_LOST = {
    "AWS::StepFunctions::StateMachine": "its executions and their histories",
    "AWS::Logs::LogGroup": "its logs",
    "AWS::SQS::Queue": "the messages in it",
    "AWS::SNS::Topic": "its subscriptions",
    "AWS::ECR::Repository": "the images in it",
    "AWS::Athena::WorkGroup": "its query history and saved queries",
}
_STALE = "what is published becomes stale: `runner backfill` writes it anew"
_REMADE = "the next run makes it anew"
_WITHOUT_ROWS = frozenset({"ddl", "view"})
_QUIET = {"AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"}
"""Kinds whose changes `permissions` tells."""
_KEPT = frozenset({"Retain", "RetainExceptOnCreate"})


_UNKNOWN = Change(
    Group.TABLES,
    Sign.CHANGE,
    "all tables",
    ("what was deployed of them is not known any more; a deploy notes it again",),
)
"""The account of what is deployed is gone from the artifacts."""


def compare(old: Side, new: Side) -> Difference:
    """Say what would be different; nothing for two equal sides."""
    forgotten = old.manifest is None and new.manifest is not None and bool(_by_id(old.template))
    changes = [
        *([_UNKNOWN] if forgotten else _tables(old.manifest, new.manifest)),
        *_resources(old, new),
        *_permissions(old.template, new.template),
    ]
    order = {group: number for number, group in enumerate(Group)}
    return Difference(tuple(sorted(changes, key=lambda one: (order[one.group], one.name))))


# --- tables ---------------------------------------------------------------------------------------


def _tables(old: Manifest | None, new: Manifest | None) -> Iterator[Change]:
    before = {table.name: table for table in old.tables} if old else {}
    after = {table.name: table for table in new.tables} if new else {}
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was is None and now is not None:
            yield Change(Group.TABLES, Sign.ADD, name, (f"{now.kind}, {now.file}",))
        elif now is None:
            note = "no longer in the project; the table and its files stay (`runner drop`)"
            yield Change(Group.TABLES, Sign.REMOVE, name, (note,))
        elif was is not None and was != now:
            yield from _table(was, now)


def _table(was: DeployedTable, now: DeployedTable) -> Iterator[Change]:
    notes = [*_values("kind", was.kind, now.kind), *_values("file", was.file, now.file)]
    before, after = dict(was.settings), dict(now.settings)
    for key in sorted(before.keys() | after.keys()):
        notes += _values(key, before.get(key, "-"), after.get(key, "-"))
    sql = _sql(was.sql, now.sql)
    if was.fingerprint != now.fingerprint:
        notes.append(_REMADE if now.kind in _WITHOUT_ROWS else _STALE)
    if notes or sql:
        yield Change(Group.TABLES, Sign.CHANGE, now.name, tuple(notes), sql)


def _values(key: str, was: str, now: str) -> Iterator[str]:
    if was != now:
        yield f"{key}: {was} -> {now}"


def _sql(was: str, now: str) -> tuple[str, ...]:
    lines = difflib.unified_diff(was.splitlines(), now.splitlines(), n=_CONTEXT, lineterm="")
    return tuple(line for line in lines if not line.startswith(("---", "+++")))


# --- resources ------------------------------------------------------------------------------------


def _resources(old: Side, new: Side) -> Iterator[Change]:
    before, after = _by_id(old.template), _by_id(new.template)
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key), after.get(key)
        if was == now and not _moved(old, new, now):
            continue
        kind = str((now or was or {}).get("Type"))
        if kind in _QUIET:
            continue
        name = _name(key, now or was or {})
        group = _GROUPS.get(kind, Group.OTHER)
        label = name if group is not Group.OTHER else f"{_short(kind)} {name}"
        if was is None and now is not None:
            yield Change(group, Sign.ADD, label, tuple(_summary(now)))
        elif now is None and was is not None:
            lost = "" if was.get("DeletionPolicy") in _KEPT else _LOST.get(kind, "")
            yield Change(group, Sign.REMOVE, label, lost=lost)
        elif was is not None and now is not None:
            states = _state_notes(old, new, name) if group is Group.WORKFLOWS else ()
            notes = (*states, *_property_notes(was, now))
            if notes:
                renamed = _name(key, was) != name
                lost = _LOST.get(kind, "") if renamed else ""
                yield Change(group, Sign.CHANGE, label, notes, lost=lost)


def _by_id(template: Mapping[str, Json]) -> dict[str, dict[str, Json]]:
    found: dict[str, dict[str, Json]] = template.get("Resources", {})
    return found


def _moved(old: Side, new: Side, resource: Mapping[str, Json] | None) -> bool:
    """Tell whether a state machine's text differs though its resource does not."""
    if not resource or resource.get("Type") != "AWS::StepFunctions::StateMachine":
        return False
    name = _name("", resource)
    return old.definitions.get(name) != new.definitions.get(name)


def _name(key: str, resource: Mapping[str, Json]) -> str:
    properties = resource.get("Properties", {})
    properties = properties.get("DatabaseInput", properties)
    found = (properties.get(name) for name in _NAMES)
    return next((one for one in found if isinstance(one, str)), key)


def _short(kind: str) -> str:
    """Say what a resource is.

    >>> _short("AWS::Logs::LogGroup")
    'log group'
    """
    last = kind.rpartition("::")[2]
    return "".join(f" {c.lower()}" if c.isupper() else c for c in last).strip()


def _summary(resource: Mapping[str, Json]) -> Iterator[str]:
    """Say the one or two things that matter of a new resource."""
    properties = resource.get("Properties", {})
    if "ScheduleExpression" in properties:
        zone = properties.get("ScheduleExpressionTimezone", "UTC")
        yield f"{properties['ScheduleExpression']} {zone}"
    if "EventPattern" in properties:
        yield json.dumps(properties["EventPattern"], sort_keys=True)


def _property_notes(was: Mapping[str, Json], now: Mapping[str, Json]) -> Iterator[str]:
    for key in ("DeletionPolicy", "UpdateReplacePolicy"):
        yield from _values(key, was.get(key, "-"), now.get(key, "-"))
    before, after = was.get("Properties", {}), now.get("Properties", {})
    for path in sorted(_paths(before, after)):
        if path in _TOLD_ELSEWHERE:
            continue
        if path.startswith("Code."):
            yield "code: another package"
            continue
        yield from _values(path, _at(before, path), _at(after, path))


_TOLD_ELSEWHERE = frozenset(
    {"DefinitionString", "DefinitionS3Location.Key", "DefinitionS3Location.Bucket"}
)


def _paths(was: Json, now: Json, prefix: str = "") -> Iterator[str]:
    """Name the innermost properties that differ, with dots between the keys."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in was.keys() | now.keys():
            if was.get(key) != now.get(key):
                yield from _paths(was.get(key), now.get(key), f"{prefix}{key}.")
    else:
        yield prefix.removesuffix(".")


def _at(value: Json, path: str) -> str:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


# --- states ---------------------------------------------------------------------------------------


def _state_notes(old: Side, new: Side, machine: str) -> Iterator[str]:
    """Name the states of a machine that differ, if both texts are known."""
    was, now = old.definitions.get(machine), new.definitions.get(machine)
    if was is None or now is None:
        if _hash(old.manifest, machine) != _hash(new.manifest, machine):
            yield "another definition"
        return
    before, after = states_of(json.loads(was)), states_of(json.loads(now))
    for name in (*after, *(gone for gone in before if gone not in after)):
        if name not in before:
            yield f"+ {name}"
        elif name not in after:
            yield f"- {name}"
        elif before[name] != after[name]:
            fields = sorted(set(_paths(before[name], after[name])))
            yield f"~ {name}: {', '.join(fields)}"


def _hash(manifest: Manifest | None, machine: str) -> str:
    found: tuple[DeployedMachine, ...] = manifest.machines if manifest else ()
    return next((one.definition_sha256 for one in found if one.name == machine), "")


# --- permissions ----------------------------------------------------------------------------------


def _permissions(old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[Change]:
    before, after = permissions_of(old), permissions_of(new)
    for role in sorted(before.keys() | after.keys()):
        was, now = before.get(role, frozenset()), after.get(role, frozenset())
        if was == now:
            continue
        notes = (
            *(f"+ {one}" for one in sorted(now - was)),
            *(f"- {one}" for one in sorted(was - now)),
        )
        sign = Sign.CHANGE
        if role not in before:
            sign = Sign.ADD
        elif role not in after:
            sign = Sign.REMOVE
        yield Change(Group.PERMISSIONS, sign, role, notes)
