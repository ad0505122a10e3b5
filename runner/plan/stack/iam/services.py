"""What a machine's other calls need: functions, tasks, topics, executions, and raw states.

Each integration of our own has a rule; any other call is derived from its name, as IAM writes it,
on the resource that its arguments name.  Where they name none, it is allowed on any, unless the
user's own `permissions:` speak of the action.
"""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from runner.plan.stack.iam.athena import is_on_tables
from runner.plan.stack.iam.redshift import is_known as is_redshift
from runner.plan.stack.iam.redshift import redshift_statements
from runner.plan.stack.iam.statements import Condition, Statement, allow
from runner.plan.stack.names import secret_arn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from runner.plan.stack.iam.athena import Scene
    from runner.plan.stack.iam.uses import Call
    from runner.plan.stack.names import Arns

_ANY = "*"
_CONNECTION = "Authentication.ConnectionArn"
_MACHINE = 6
"""Which part of a state machine's ARN is its name."""
_EVENTS = ("events:DescribeRule", "events:PutRule", "events:PutTargets")
"""On the rule by which Step Functions hears that what it waits for has ended."""
_IAM_NAMES = {
    "apigatewayv2": "apigateway",
    "cloudwatchlogs": "logs",
    "elasticloadbalancingv2": "elasticloadbalancing",
    "eventbridge": "events",
    "redshiftdata": "redshift-data",
    "sesv2": "ses",
    "sfn": "states",
}
"""Services that IAM calls otherwise than Step Functions does."""
_IAM_ACTIONS = {
    ("lambda", "Invoke"): ("lambda:InvokeFunction",),
    ("s3", "DeleteObjects"): ("s3:DeleteObject",),
    ("s3", "HeadBucket"): ("s3:ListBucket",),
    ("s3", "HeadObject"): ("s3:GetObject",),
    ("s3", "ListBuckets"): ("s3:ListAllMyBuckets",),
    ("s3", "ListObjects"): ("s3:ListBucket",),
    ("s3", "ListObjectsV2"): ("s3:ListBucket",),
}
"""Calls whose permission has another name."""
_RESULT_WRITER = (
    "s3:AbortMultipartUpload",
    "s3:GetObject",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
)
"""Of a distributed Map, which writes its results in parts."""


def service_statements(scene: Scene) -> Iterator[Statement]:
    """Allow every call that is not Athena's, and not about tables of the catalogue."""
    yield from _function_statements(scene)
    yield from _topic_statements(scene)
    yield from _task_statements(scene)
    yield from _execution_statements(scene)
    yield from _export_statements(scene)
    yield from _http_statements(scene)
    yield from redshift_statements(scene)
    yield from _other_statements(scene)


def _function_statements(scene: Scene) -> Iterator[Statement]:
    found = set()
    for call in scene.of("lambda"):
        name = call.known("FunctionName")
        if call.action == "invoke" and name:
            arn = name if name.startswith("arn:") else scene.arns.function(name)
            found |= {arn, f"{arn}:*"} if call.has("Qualifier") else {arn}
    if found:
        yield allow("Functions", ["lambda:InvokeFunction"], found)


def _topic_statements(scene: Scene) -> Iterator[Statement]:
    topics = {
        topic
        for call in scene.of("sns")
        if call.action == "publish" and (topic := call.known("TopicArn"))
    }
    if topics:
        yield allow("Topics", ["sns:Publish"], topics)
        if scene.facts.keys.messages:
            key = [scene.facts.keys.messages]
            yield allow("MessagesKey", ["kms:Decrypt", "kms:GenerateDataKey"], key)


def _task_statements(scene: Scene) -> Iterator[Statement]:
    runs = [call for call in scene.of("ecs") if call.action == "runTask"]
    if not runs:
        return
    arns = scene.arns
    families = {call.known("TaskDefinition") for call in runs}
    yield allow("Tasks", ["ecs:RunTask"], {_task_definition(arns, one) for one in families})
    ours = {task.family for task in scene.facts.loads} & families
    if ours:
        roles = [
            arns.role(f"{family}-{kind}")
            for family in sorted(ours)
            for kind in ("execution", "task")
        ]
        service = Condition("StringEquals", "iam:PassedToService", ("ecs-tasks.amazonaws.com",))
        yield allow("TaskRoles", ["iam:PassRole"], roles, service)
    if any(call.pattern.startswith("sync") for call in runs):
        clusters = {call.known("Cluster") or _ANY for call in runs}
        tasks = [arns.arn("ecs", f"task/{name.rpartition('/')[2]}/*") for name in clusters]
        yield allow("TaskEnds", ["ecs:DescribeTasks", "ecs:StopTask"], tasks)
        yield _managed_rule(arns, "TaskEvents", "StepFunctionsGetEventsForECSTaskRule")


def _task_definition(arns: Arns, name: str) -> str:
    """Give the ARN with a revision: ECS authorises the one that it resolves a family to."""
    head, _, tail = name.rpartition("/")
    family, _, revision = (tail or _ANY).partition(":")
    resource = f"{family}:{revision or _ANY}"
    return f"{head}/{resource}" if head else arns.arn("ecs", f"task-definition/{resource}")


def _execution_statements(scene: Scene) -> Iterator[Statement]:
    starts = [call for call in scene.calls if _is_start(call) and call.known("StateMachineArn")]
    if not starts:
        return
    machines = {call.known("StateMachineArn") for call in starts}
    yield allow("Executions", ["states:StartExecution"], machines)
    waited = {c.known("StateMachineArn") for c in starts if c.pattern.startswith("sync")}
    if waited:
        # Without the version or alias that a machine's ARN may end in.
        names = [arn.split(":")[_MACHINE] for arn in waited]
        ends = ["states:DescribeExecution", "states:StopExecution"]
        yield allow("ExecutionEnds", ends, map(scene.arns.executions, names))
        rule = "StepFunctionsGetEventsForStepFunctionsExecutionRule"
        yield _managed_rule(scene.arns, "ExecutionEvents", rule)


def _export_statements(scene: Scene) -> Iterator[Statement]:
    """Allow exports of RDS: RDS itself writes, by the role and with the key that it is handed."""
    starts = [call for call in scene.of("rds") if _is_export(call)]
    if not starts:
        return
    arns = scene.arns
    snapshots = {
        arns.arn("rds", f"{kind}:rds:{name}-{_ANY}")
        for call in scene.of("rds")
        for key, kind in _SNAPSHOTS.items()
        if (name := call.known(key))
    }
    sources = {arn for call in starts if (arn := call.known("SourceArn"))}
    if any(not call.known("SourceArn") for call in starts):
        sources |= snapshots or {_ANY}
    yield allow("Exports", ["rds:StartExportTask"], sources)
    service = Condition("StringEquals", "iam:PassedToService", ("export.rds.amazonaws.com",))
    roles = {call.known("IamRoleArn") for call in starts}
    yield allow("ExportRoles", ["iam:PassRole"], roles, service)
    keys = {call.known("KmsKeyId") for call in starts}
    # Decrypt is for the machine's own statements, which read the export.
    yield allow("ExportKeys", ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey"], keys)


_SNAPSHOTS = {"DbClusterIdentifier": "cluster-snapshot", "DbInstanceIdentifier": "snapshot"}
"""Who has automatic snapshots, and what their ARNs call these."""


def _is_export(call: Call) -> bool:
    """Tell whether an export's role and key are known."""
    known = call.known("IamRoleArn") and call.known("KmsKeyId")
    return (call.service, call.action) == ("rds", "startExportTask") and bool(known)


def _is_start(call: Call) -> bool:
    return call.service in ("states", "sfn") and call.action == "startExecution"


def _http_statements(scene: Scene) -> Iterator[Statement]:
    """Allow each request by its method and address, and the credentials of its connection."""
    requests = [call for call in scene.calls if _is_request(call)]
    for number, call in enumerate(dict.fromkeys(requests), start=1):
        method = Condition("StringEquals", "states:HTTPMethod", (call.known("Method") or "GET",))
        address = call.known("ApiEndpoint") or "https://*"
        endpoint = Condition("StringLike", "states:HTTPEndpoint", (address,))
        machine = [scene.arns.machine(scene.machine.name)]
        yield allow(f"Requests{number}", ["states:InvokeHTTPEndpoint"], machine, method, endpoint)
    connections = {call.known(_CONNECTION) for call in requests}
    if connections:
        yield allow("Connections", ["events:RetrieveConnectionCredentials"], connections)
        # EventBridge keeps the credentials in a secret that it names after the connection.
        names = {arn.split("/")[1] for arn in connections}
        secrets = [
            scene.arns.arn("secretsmanager", f"secret:events!connection/{n}/*") for n in names
        ]
        reading = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
        yield allow("ConnectionSecrets", reading, secrets)


def _is_request(call: Call) -> bool:
    return call.service == "http" and call.action == "invoke" and bool(call.known(_CONNECTION))


def _managed_rule(arns: Arns, sid: str, rule: str) -> Statement:
    return allow(sid, _EVENTS, [arns.arn("events", f"rule/{rule}")])


# --- any other call -------------------------------------------------------------------------------


def _other_statements(scene: Scene) -> Iterator[Statement]:
    allowed: dict[tuple[str, ...], set[str]] = {}
    for call in scene.calls:
        for actions, resource in () if _is_known(call) else _needs(scene.arns, call):
            found = [one for one in actions if resource != _ANY or not _is_granted(scene, one)]
            if found:
                allowed.setdefault(tuple(found), set()).add(resource)
    for number, (actions, resources) in enumerate(sorted(allowed.items()), start=1):
        on = {_ANY} if _ANY in resources else resources
        yield allow(f"Calls{number}", actions, on)
    for service, (_, rule) in _WAITED.items():
        if any(call.pattern.startswith("sync") for call in scene.of(service)) and rule:
            yield _managed_rule(scene.arns, f"{service.capitalize()}Events", rule)


def _is_known(call: Call) -> bool:
    """Tell whether a rule above has spoken of a call."""
    named = {
        ("ecs", "runTask"): True,
        ("lambda", "invoke"): bool(call.known("FunctionName")),
        ("sns", "publish"): bool(call.known("TopicArn")),
    }
    return (
        call.service == "athena"
        or (call.service == "glue" and is_on_tables(call))
        or is_redshift(call)
        or (_is_start(call) and bool(call.known("StateMachineArn")))
        or _is_export(call)
        or _is_request(call)
        or named.get((call.service, call.action), False)
    )


_WAITED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "codebuild": (
        ("codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"),
        "StepFunctionsGetEventForCodeBuildStartBuildRule",
    ),
    "glue": (
        ("glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun"),
        "",
    ),
}
"""What waiting for the end needs, and the managed rule if there is one."""


def _needs(arns: Arns, call: Call) -> Iterator[tuple[tuple[str, ...], str]]:
    """Give the actions that a call needs, and on what."""
    name = f"{call.action[0].upper()}{call.action[1:]}"
    service = _IAM_NAMES.get(call.service, call.service)
    if call.pattern.startswith("sync") and call.service in _WAITED:
        yield _WAITED[call.service][0], _resource(arns, call)
    elif (service, name) == ("s3", "CopyObject"):
        source = call.known("CopySource")
        yield ("s3:GetObject",), f"arn:aws:s3:::{source.lstrip('/')}" if source else _ANY
        yield ("s3:PutObject",), _s3_resource(call)
    elif (service, name, call.sdk) == ("s3", "PutObject", False):
        yield _RESULT_WRITER, _s3_resource(call)
    else:
        yield _IAM_ACTIONS.get((service, name), (f"{service}:{name}",)), _resource(arns, call)


def _is_granted(scene: Scene, action: str) -> bool:
    """Tell whether the user's permissions speak of an action: they know its resources better."""
    patterns: Iterable[str] = (a for grant in scene.machine.grants for a in grant.actions)
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def _resource(arns: Arns, call: Call) -> str:
    """Give the ARN that a call's arguments name; * where they name none."""
    if call.service == "s3":
        return _s3_resource(call)
    if call.known("SecretId").startswith("arn:"):
        return secret_arn(call.known("SecretId"))
    for key in ("ResourceArn", "TopicArn", "StateMachineArn", "FunctionName"):
        if call.known(key).startswith("arn:"):
            return call.known(key)
    if call.service == "glue" and call.action.endswith("Crawler"):
        return arns.arn("glue", f"crawler/{call.known('Name') or _ANY}")
    for key, make in _RESOURCES.get(call.service, {}).items():
        if call.known(key):
            return make(arns, call.known(key))
    return _ANY


def _s3_resource(call: Call) -> str:
    bucket = call.known("Bucket")
    if not bucket:
        return _ANY
    arn = f"arn:aws:s3:::{bucket}"
    if call.action.startswith(("list", "head")) and call.action != "headObject":
        return arn
    key, prefix = call.known("Key"), call.known("Prefix")
    return f"{arn}/{key or prefix + _ANY}"


_RESOURCES: Mapping[str, Mapping[str, Callable[[Arns, str], str]]] = {
    "codebuild": {"ProjectName": lambda arns, name: arns.arn("codebuild", f"project/{name}")},
    "dynamodb": {"TableName": lambda arns, name: arns.arn("dynamodb", f"table/{name}")},
    "glue": {"JobName": lambda arns, name: arns.arn("glue", f"job/{name}")},
    "sqs": {"QueueUrl": lambda arns, url: arns.arn("sqs", url.rpartition("/")[2])},
    "ssm": {"Name": lambda arns, name: arns.arn("ssm", f"parameter/{name.lstrip('/')}")},
}
"""How a resource's ARN is made from the argument that names it."""
