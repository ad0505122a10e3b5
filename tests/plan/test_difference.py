"""What `plan` says of two templates: by table, state, schedule and permission."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from runner.plan.stack.difference import NOTHING, Change, Group, Side, Sign, compare
from runner.plan.stack.manifest import (
    DeployedMachine,
    DeployedTable,
    Manifest,
    read_manifest,
    write_manifest,
)
from runner.plan.stack.permissions import permissions_of
from runner.plan.stack.states import MACHINE, states_of

SQL = "SELECT carrier,\n  count(*) AS flights\nFROM staging.flights\nGROUP BY carrier"
DELAYS = DeployedTable(
    "marts.delays", "insert", "sql/marts/delays.sql", SQL, "f1", (("format", '"parquet"'),)
)
DAILY = DeployedMachine("shop-prod-daily", "daily", "", "d1", "s3://a/d1.json", ("marts.delays",))
MANIFEST = Manifest("shop", "prod", "1.0", "abc", (DELAYS,), (DAILY,))


def _machine(**more: object) -> dict[str, Any]:
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"StateMachineName": "shop-prod-daily", **more},
    }


def _template(**resources: dict[str, Any]) -> dict[str, Any]:
    return {"Resources": resources}


def _definition(query: str, *, more: dict[str, Any] | None = None) -> str:
    inner = {"StartAt": "write", "States": {"write": {"Type": "Task", "Arguments": {"q": query}}}}
    states = {"lanes": {"Type": "Parallel", "Branches": [inner]}, **(more or {})}
    return json.dumps({"Comment": query, "StartAt": "lanes", "States": states})


BASE = Side(_template(Daily=_machine()), MANIFEST, {"shop-prod-daily": _definition("SELECT 1")})


def test_the_same_side_has_no_difference() -> None:
    assert compare(BASE, BASE).changes == ()


def test_the_first_deploy_adds_everything_and_destroys_nothing() -> None:
    found = compare(NOTHING, BASE)
    assert [(one.group, one.sign, one.name) for one in found.changes] == [
        (Group.TABLES, Sign.ADD, "marts.delays"),
        (Group.WORKFLOWS, Sign.ADD, "shop-prod-daily"),
    ]
    assert found.lost == ()


def test_sql_is_shown_as_sql_with_two_lines_around() -> None:
    wanted = replace(DELAYS, sql=SQL.replace("count(*)", "sum(n)"), fingerprint="f2")
    (change,) = compare(BASE, replace(BASE, manifest=replace(MANIFEST, tables=(wanted,)))).changes
    assert change == Change(
        Group.TABLES,
        Sign.CHANGE,
        "marts.delays",
        ("what is published becomes stale: `runner backfill` writes it anew",),
        (
            "@@ -1,4 +1,4 @@",
            " SELECT carrier,",
            "-  count(*) AS flights",
            "+  sum(n) AS flights",
            " FROM staging.flights",
            " GROUP BY carrier",
        ),
    )


def test_a_changed_header_is_told_by_its_key() -> None:
    wanted = replace(DELAYS, settings=(("bucket", "{}"), ("format", '"orc"')))
    (change,) = compare(BASE, replace(BASE, manifest=replace(MANIFEST, tables=(wanted,)))).changes
    assert change.notes == ("bucket: - -> {}", 'format: "parquet" -> "orc"')


def test_a_table_that_left_the_project_keeps_its_data() -> None:
    (change,) = compare(BASE, replace(BASE, manifest=replace(MANIFEST, tables=()))).changes
    assert (change.sign, change.lost) == (Sign.REMOVE, "")
    assert "the table and its files stay" in change.notes[0]


def test_states_are_named_inner_ones_included() -> None:
    text = _definition("SELECT 2", more={"end": {"Type": "Succeed"}})
    (change,) = compare(BASE, replace(BASE, definitions={"shop-prod-daily": text})).changes
    assert change.name == "shop-prod-daily"
    assert change.notes == ("~ write: Arguments.q", "+ end")
    (back,) = compare(replace(BASE, definitions={"shop-prod-daily": text}), BASE).changes
    assert back.notes == ("~ write: Arguments.q", "- end")


def test_a_definition_that_cannot_be_read_is_told_by_its_hash() -> None:
    other = replace(MANIFEST, machines=(replace(DAILY, definition_sha256="d2"),))
    first, second = (
        _template(Daily=_machine(DefinitionS3Location={"Bucket": "a", "Key": key}))
        for key in ("d1", "d2")
    )
    (change,) = compare(Side(first, MANIFEST), Side(second, other)).changes
    assert change.notes == ("another definition",)


def test_a_removed_workflow_destroys_its_histories() -> None:
    found = compare(BASE, Side(_template(), replace(MANIFEST, machines=())))
    assert [(one.name, one.lost) for one in found.lost] == [
        ("shop-prod-daily", "its executions and their histories")
    ]


def test_what_is_retained_is_not_destroyed() -> None:
    kept = {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Retain", "Properties": {}}
    assert compare(Side(_template(Log=kept)), Side(_template())).lost == ()
    gone = {**kept, "DeletionPolicy": "Delete"}
    (change,) = compare(Side(_template(Log=gone)), Side(_template())).lost
    assert (change.name, change.lost) == ("log group Log", "its logs")


def test_a_renamed_resource_is_destroyed_too() -> None:
    was, now = ({"Type": "AWS::SQS::Queue", "Properties": {"QueueName": n}} for n in ("a", "b"))
    (change,) = compare(Side(_template(Q=was)), Side(_template(Q=now))).lost
    assert (change.notes, change.lost) == (("QueueName: a -> b",), "the messages in it")


def test_a_schedule_tells_when_it_fires() -> None:
    def schedule(cron: str, zone: str) -> dict[str, Any]:
        properties = {
            "Name": "daily",
            "ScheduleExpression": cron,
            "ScheduleExpressionTimezone": zone,
        }
        return {"Type": "AWS::Scheduler::Schedule", "Properties": properties}

    early = Side(_template(S=schedule("cron(0 3 * * ? *)", "Asia/Tokyo")))
    late = Side(_template(S=schedule("cron(0 4 * * ? *)", "UTC")))
    (change,) = compare(NOTHING, early).changes
    assert change.notes == ("cron(0 3 * * ? *) Asia/Tokyo",)
    (change,) = compare(early, late).changes
    assert change.notes == (
        "ScheduleExpression: cron(0 3 * * ? *) -> cron(0 4 * * ? *)",
        "ScheduleExpressionTimezone: Asia/Tokyo -> UTC",
    )


def test_a_schedule_of_its_machines_name_says_nothing_of_states() -> None:
    """Both are called alike; the states are the machine's."""
    schedule = {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {"Name": "shop-prod-daily", "ScheduleExpression": "cron(0 3 * * ? *)"},
    }
    later = {**schedule, "Properties": {**schedule["Properties"], "ScheduleExpression": "cron(1)"}}  # type: ignore[dict-item]
    was = Side(_template(M=_machine(), S=schedule), None, {"shop-prod-daily": _definition("A")})
    now = Side(_template(M=_machine(), S=later), None, {"shop-prod-daily": _definition("B")})
    machine, fires = compare(was, now).changes
    assert (machine.group, machine.notes) == (Group.WORKFLOWS, ("~ write: Arguments.q",))
    assert fires.group is Group.SCHEDULES
    assert fires.notes == ("ScheduleExpression: cron(0 3 * * ? *) -> cron(1)",)


def test_a_database_is_told_by_its_name() -> None:
    said = {"DatabaseInput": {"Name": "marts__stage"}, "CatalogId": "123456789012"}
    database = {"Type": "AWS::Glue::Database", "Properties": said}
    (change,) = compare(NOTHING, Side(_template(DatabaseMartsStage22c85f1d=database))).changes
    assert change.name == "database marts__stage"


def test_a_view_is_made_anew_and_not_backfilled() -> None:
    was, now = (DeployedTable("marts.v", "view", "v.sql", "SELECT 1", f, ()) for f in ("f1", "f2"))
    before, after = (
        Side({}, Manifest("shop", "prod", "1.0", "abc", (one,), ())) for one in (was, now)
    )
    (change,) = compare(before, after).changes
    assert change.notes == ("the next run makes it anew",)


def test_another_package_of_a_function_is_told_without_its_hash() -> None:
    def function(key: str) -> dict[str, Any]:
        code = {"S3Bucket": "b", "S3Key": key}
        return {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "f", "Code": code}}

    (change,) = compare(Side(_template(F=function("1"))), Side(_template(F=function("2")))).changes
    assert (change.group, change.name, change.notes) == (
        Group.FUNCTIONS,
        "f",
        ("code: another package",),
    )


def _role(*statements: dict[str, Any]) -> dict[str, Any]:
    policy = {"PolicyName": "p", "PolicyDocument": {"Statement": list(statements)}}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"RoleName": "shop-prod-daily", "Policies": [policy]},
    }


def _allow(action: str | list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def test_permissions_are_compared_action_by_action() -> None:
    was = Side(_template(R=_role(_allow(["s3:GetObject", "s3:PutObject"], "arn:a"))))
    now = Side(_template(R=_role(_allow("s3:GetObject", "arn:a"), _allow("sns:Publish", "arn:t"))))
    (change,) = compare(was, now).changes
    assert change == Change(
        Group.PERMISSIONS,
        Sign.CHANGE,
        "shop-prod-daily",
        ("+ sns:Publish on arn:t", "- s3:PutObject on arn:a"),
    )


def test_statements_that_mean_the_same_are_no_change() -> None:
    one = Side(_template(R=_role(_allow(["a:B", "a:C"], "arn:a"))))
    two = Side(_template(R=_role(_allow("a:C", "arn:a"), _allow("a:B", "arn:a"))))
    assert compare(one, two).changes == ()


def test_an_attached_policy_counts_as_the_roles() -> None:
    policy = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "PolicyDocument": {"Statement": _allow("a:B", "*")},
            "Roles": [{"Ref": "R"}],
        },
    }
    found = permissions_of(_template(R=_role(), P=policy))
    assert found == {"shop-prod-daily": frozenset({"a:B on *"})}


def test_states_of_lists_inner_states_and_the_machines_own_fields() -> None:
    found = states_of(json.loads(_definition("SELECT 1")))
    assert set(found) == {MACHINE, "lanes", "write"}
    assert found["lanes"] == {"Type": "Parallel"}
    assert found[MACHINE] == {"StartAt": "lanes"}


def test_a_manifest_is_read_as_it_was_written() -> None:
    assert read_manifest(write_manifest(MANIFEST)) == MANIFEST


def test_a_manifest_of_another_layout_is_none() -> None:
    assert read_manifest(write_manifest(MANIFEST).replace('"format":1', '"format":99')) is None


def test_tables_are_not_called_new_when_it_is_forgotten_what_is_deployed() -> None:
    found = compare(replace(BASE, manifest=None), BASE)
    assert [
        (one.group, one.sign, one.name) for one in found.changes if one.group is Group.TABLES
    ] == [(Group.TABLES, Sign.CHANGE, "all tables")]
