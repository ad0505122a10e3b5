"""What a machine may do that exports tables, or asks Redshift."""

from __future__ import annotations

import json
from typing import Any

from runner.plan.stack.iam.machine import machine_statements
from runner.plan.stack.iam.uses import uses_of
from tests.support.stacks import ACCOUNT, LAKE, REGION, call, definition, machine, stack

SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rs-AbCdEf"


def allowed(text: str) -> dict[str, tuple[set[str], set[str]]]:
    """Give actions and resources by the statement's name."""
    made = machine("daily", definition=text)
    found = machine_statements(stack(made, streams=()), made, uses_of(text))
    return {one.sid: (set(one.actions), {spot.exact for spot in one.on}) for one in found}


def execute(**where: str) -> dict[str, Any]:
    return call("aws-sdk:redshiftdata:executeStatement", Database="dev", Sql="SELECT 1", **where)


def test_a_workgroup_is_reached_by_its_secret() -> None:
    look = call("aws-sdk:redshiftdata:describeStatement", Id="{% $states.input.Id %}")
    found = allowed(definition(execute(WorkgroupName="wg-1", SecretArn=SECRET), look))
    groups = f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:workgroup/*"
    assert found["Redshift"] == ({"redshift-data:ExecuteStatement"}, {groups})
    assert found["RedshiftLooks"] == ({"redshift-data:DescribeStatement"}, {"*"})
    assert found["RedshiftSecrets"] == ({"secretsmanager:GetSecretValue"}, {SECRET})
    assert not any(name.startswith("Calls") for name in found)
    assert "RedshiftServerless" not in found
    partial = SECRET.removesuffix("-AbCdEf")
    found = allowed(definition(execute(WorkgroupName="wg-1", SecretArn=partial)))
    assert found["RedshiftSecrets"][1] == {f"{partial}-??????"}


def test_temporary_credentials_are_those_of_who_connects() -> None:
    found = allowed(
        definition(
            execute(ClusterIdentifier="main", DbUser="etl"),
            execute(ClusterIdentifier="other"),
            execute(WorkgroupName="wg-1"),
        )
    )
    base = f"arn:aws:redshift:{REGION}:{ACCOUNT}"
    assert found["Redshift"][1] >= {f"{base}:cluster:main", f"{base}:cluster:other"}
    assert found["RedshiftUsers"] == (
        {"redshift:GetClusterCredentials"},
        {f"{base}:dbuser:main/etl", f"{base}:dbname:main/dev"},
    )
    assert found["RedshiftIdentity"] == (
        {"redshift:GetClusterCredentialsWithIAM"},
        {f"{base}:dbname:other/dev"},
    )
    assert found["RedshiftServerless"][0] == {"redshift-serverless:GetCredentials"}


def test_a_machine_may_unload_into_the_folders_of_its_exports() -> None:
    plan = call(
        "lambda:invoke",
        FunctionName="keeper",
        Payload={"op": "export", "export": {"folder": "exports/daily/out/marts.a/"}},
    )
    unload = call("athena:startQueryExecution.sync", QueryString="UNLOAD (SELECT 1)")
    text = definition(plan, unload)
    json.loads(text)
    folder = f"{LAKE.replace('s3://', 'arn:aws:s3:::')}exports/daily/out/marts.a/*"
    writing = [on for actions, on in allowed(text).values() if "s3:PutObject" in actions]
    assert any(folder in on for on in writing)
