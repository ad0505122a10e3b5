"""What the calls of Redshift's Data API need: to run, to look, and to connect.

Sources: Service Authorization Reference, "Amazon Redshift Data API", "Amazon Redshift" and "Amazon
Redshift Serverless"; Redshift's guide, "Authorizing access to the Amazon Redshift Data API".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.plan.stack.iam.statements import Condition, Statement, allow
from runner.plan.stack.names import secret_arn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.plan.stack.iam.athena import Scene
    from runner.plan.stack.iam.uses import Call
    from runner.plan.stack.names import Arns

SERVICE = "redshiftdata"
_RUNS = {
    "executeStatement": "redshift-data:ExecuteStatement",
    "batchExecuteStatement": "redshift-data:BatchExecuteStatement",
}
_LOOKS = {
    "cancelStatement": "redshift-data:CancelStatement",
    "describeStatement": "redshift-data:DescribeStatement",
    "getStatementResult": "redshift-data:GetStatementResult",
}
_OWN = Condition("StringEquals", "redshift-data:statement-owner-iam-userid", ("${aws:userid}",))
"""Only statements that the role itself has run."""


def is_known(call: Call) -> bool:
    """Tell whether the rule here speaks of a call."""
    return call.service == SERVICE and (
        call.action in _LOOKS or (call.action in _RUNS and bool(_place(call)))
    )


def redshift_statements(scene: Scene) -> Iterator[Statement]:
    """Allow the calls on the clusters and workgroups that they name, and what connects there."""
    found = [call for call in scene.of(SERVICE) if is_known(call)]
    runs = [call for call in found if call.action in _RUNS]
    if runs:
        where = {_resource(scene.arns, call) for call in runs}
        yield allow("Redshift", [_RUNS[call.action] for call in runs], where)
    looks = [_LOOKS[call.action] for call in found if call.action in _LOOKS]
    if looks:
        yield allow("RedshiftLooks", looks, ["*"], _OWN)
    secrets = {call.known("SecretArn") for call in runs} - {""}
    if secrets:
        reading = ["secretsmanager:GetSecretValue"]
        yield allow("RedshiftSecrets", reading, map(secret_arn, secrets))
        if scene.facts.keys.secrets:
            yield allow("RedshiftSecretsKey", ["kms:Decrypt"], [scene.facts.keys.secrets])
    yield from _credentials(scene.arns, [call for call in runs if not call.has("SecretArn")])


def _credentials(arns: Arns, runs: list[Call]) -> Iterator[Statement]:
    """Allow temporary credentials: of a user, or of the role's own identity."""
    users: set[str] = set()
    databases: set[str] = set()
    groups: set[str] = set()
    for call in runs:
        cluster, database = call.known("ClusterIdentifier"), call.known("Database") or "*"
        if not cluster:
            groups.add(_resource(arns, call))
        elif call.known("DbUser"):
            users.add(arns.arn("redshift", f"dbuser:{cluster}/{call.known('DbUser')}"))
            users.add(arns.arn("redshift", f"dbname:{cluster}/{database}"))
        else:
            databases.add(arns.arn("redshift", f"dbname:{cluster}/{database}"))
    if users:
        yield allow("RedshiftUsers", ["redshift:GetClusterCredentials"], users)
    if databases:
        yield allow("RedshiftIdentity", ["redshift:GetClusterCredentialsWithIAM"], databases)
    if groups:
        yield allow("RedshiftServerless", ["redshift-serverless:GetCredentials"], groups)


def _place(call: Call) -> str:
    return call.known("ClusterIdentifier") or call.known("WorkgroupName")


def _resource(arns: Arns, call: Call) -> str:
    cluster, group = call.known("ClusterIdentifier"), call.known("WorkgroupName")
    if cluster:
        return arns.arn("redshift", f"cluster:{cluster}")
    # The ARN of a workgroup ends in an id, which its name does not tell.
    return group if group.startswith("arn:") else arns.arn("redshift-serverless", "workgroup/*")
