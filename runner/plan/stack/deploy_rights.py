"""What a deploy of an environment may do, and what its plan may: actions on exact resources.

In: `DeployFacts`.  Out: statements of IAM.  The actions are those that CloudFormation's handlers
need for the kinds of resources in our stacks; names begin with the environment's prefix.  What
would let a deploy reach data, or give a role more than its bound, is not among them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.plan.stack.deploy_sources import SourceFacts, allowed, source_statements

if TYPE_CHECKING:
    from runner.model.ports import Json

PLANS = "plans/"
"""Where a plan stores a template that is too large for a request, below the artifacts.  A plan of
a pull request may write here and nowhere else: what is deployed is read from other keys."""
_SERVICES = ("ecs-tasks", "events", "lambda", "scheduler", "states")
"""That the stack's roles are passed to."""


@dataclass(frozen=True, slots=True)
class DeployFacts:
    """What decides the rights of a deploy."""

    prefix: str
    """`<project>-<environment>`."""
    stack: str
    region: str
    account: str
    artifacts: str
    """`s3://bucket/prefix/`."""
    texts: str
    """Prefix of the SQL that machines read at run time."""
    workgroup: str
    """That the stack makes; empty when it exists already."""
    databases: tuple[str, ...]
    """That the stack makes in the catalogue, those of stage tables included."""
    parameters: tuple[str, ...] = ()
    """Of Systems Manager, that config.yaml names."""
    permissions_boundary: str = ""
    keys: tuple[str, ...] = ()
    """ARNs of KMS keys."""
    data_key: str = ""
    """That of them which encrypts functions' variables; empty for AWS's own."""
    network: bool = False
    """Whether functions run inside a network."""
    sources: SourceFacts = field(default_factory=SourceFacts)
    """What brings events."""


def deploy_statements(facts: DeployFacts) -> list[Json]:
    """List what `deploy` and `destroy` may do."""
    return [
        *_stack(facts, _STACK_READS + _STACK_WRITES),
        *_artifacts(facts, writes=""),
        *_parameters(facts),
        *_keys(facts),
        *_variables(facts),
        *_roles(facts),
        *_resources(facts),
        *source_statements(
            facts.sources, prefix=facts.prefix, place=f"{facts.region}:{facts.account}"
        ),
        *_catalogue(facts),
        _databases_there(facts),
    ]


def plan_statements(facts: DeployFacts) -> list[Json]:
    """List what `plan` may do: read what is deployed, and have CloudFormation compute a change."""
    return [
        *_stack(facts, _STACK_READS),
        *_artifacts(facts, writes=PLANS),
        *_parameters(facts),
        *_keys(facts),
        _databases_there(facts),
    ]


# --- the stack and what it is made from -----------------------------------------------------------

_STACK_READS = (
    "CreateChangeSet",
    "DeleteChangeSet",
    "DescribeChangeSet",
    "DescribeEvents",
    "DescribeStackEvents",
    "DescribeStackResourceDrifts",
    "DescribeStackResources",
    "DescribeStacks",
    "DetectStackDrift",
    "GetTemplate",
    "GetTemplateSummary",
    "ListChangeSets",
    "ListStackResources",
)
_STACK_WRITES = (
    "CancelUpdateStack",
    "ContinueUpdateRollback",
    "DeleteStack",
    "ExecuteChangeSet",
    "RollbackStack",
    "UpdateTerminationProtection",
)


def _stack(facts: DeployFacts, actions: tuple[str, ...]) -> list[Json]:
    arn = f"arn:aws:cloudformation:{facts.region}:{facts.account}:stack/{facts.stack}/*"
    unbound = ("DescribeStackDriftDetectionStatus", "ValidateTemplate")
    return [
        allowed("Stack", "cloudformation", actions, arn),
        allowed("StackUnbound", "cloudformation", unbound, "*"),
    ]


def _artifacts(facts: DeployFacts, *, writes: str) -> list[Json]:
    bucket, _, prefix = facts.artifacts.removeprefix("s3://").partition("/")
    arn = f"arn:aws:s3:::{bucket}"
    listed = allowed("ArtifactList", "s3", ("ListBucket",), arn)
    listed["Condition"] = {"StringLike": {"s3:prefix": f"{prefix}*"}}
    texts = f"arn:aws:s3:::{facts.texts.removeprefix('s3://')}*"
    written = [f"{arn}/{prefix}{writes}*", *([] if writes else [texts])]
    read = ("GetObject", "GetObjectVersion")
    return [
        allowed("ArtifactRead", "s3", read, f"{arn}/{prefix}*", texts),
        allowed("ArtifactWrite", "s3", ("PutObject",), *written),
        listed,
        allowed("ArtifactBucket", "s3", ("GetBucketLocation",), arn),
    ]


def _parameters(facts: DeployFacts) -> list[Json]:
    if not facts.parameters:
        return []
    head = f"arn:aws:ssm:{facts.region}:{facts.account}:parameter/"
    arns = [head + name.removeprefix("/") for name in sorted(facts.parameters)]
    return [allowed("Parameters", "ssm", ("GetParameters",), *arns)]


def _keys(facts: DeployFacts) -> list[Json]:
    if not facts.keys:
        return []
    actions = ("Decrypt", "DescribeKey", "GenerateDataKey")
    return [allowed("Keys", "kms", actions, *sorted(set(facts.keys)))]


def _variables(facts: DeployFacts) -> list[Json]:
    """Allow Lambda to encrypt functions' variables, and to be granted the key for them."""
    if not facts.data_key:
        return []
    granted = allowed("VariablesGrant", "kms", ("CreateGrant",), facts.data_key)
    granted["Condition"] = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return [allowed("Variables", "kms", ("Encrypt",), facts.data_key), granted]


# --- roles ----------------------------------------------------------------------------------------


def _roles(facts: DeployFacts) -> list[Json]:
    arn = f"arn:aws:iam::{facts.account}:role/{facts.prefix}-*"
    plain = (
        "DeleteRole",
        "GetRole",
        "GetRolePolicy",
        "ListAttachedRolePolicies",
        "ListRolePolicies",
        "TagRole",
        "UntagRole",
        "UpdateAssumeRolePolicy",
        "UpdateRole",
        "UpdateRoleDescription",
    )
    bounded = allowed(
        "RolesBounded", "iam", ("CreateRole", "DeleteRolePolicy", "PutRolePolicy"), arn
    )
    if facts.permissions_boundary:
        bounded["Action"].append("iam:PutRolePermissionsBoundary")
        boundary = {"iam:PermissionsBoundary": facts.permissions_boundary}
        bounded["Condition"] = {"StringEquals": boundary}
    passed = allowed("RolesPassed", "iam", ("PassRole",), arn)
    names = (*_SERVICES, *(("firehose",) if facts.sources.streams else ()))
    services = [f"{name}.amazonaws.com" for name in names]
    passed["Condition"] = {"StringEquals": {"iam:PassedToService": services}}
    linked = f"arn:aws:iam::{facts.account}:role/aws-service-role/ecs.amazonaws.com/*"
    ecs = allowed("RoleOfEcs", "iam", ("CreateServiceLinkedRole",), linked)
    ecs["Condition"] = {"StringEquals": {"iam:AWSServiceName": "ecs.amazonaws.com"}}
    return [allowed("Roles", "iam", plain, arn), bounded, passed, ecs, *_policies(facts, arn)]


def _policies(facts: DeployFacts, roles: str) -> list[Json]:
    """Allow policies that roles of many tables need beside their own; only ours are attached."""
    policies = f"arn:aws:iam::{facts.account}:policy/{facts.prefix}-*"
    actions = (
        "CreatePolicy",
        "CreatePolicyVersion",
        "DeletePolicy",
        "DeletePolicyVersion",
        "GetPolicy",
        "GetPolicyVersion",
        "ListEntitiesForPolicy",
        "ListPolicyVersions",
    )
    attached = allowed("PoliciesAttached", "iam", ("AttachRolePolicy", "DetachRolePolicy"), roles)
    attached["Condition"] = {"ArnLike": {"iam:PolicyARN": policies}}
    if facts.permissions_boundary:
        boundary = {"iam:PermissionsBoundary": facts.permissions_boundary}
        attached["Condition"]["StringEquals"] = boundary
    return [allowed("Policies", "iam", actions, policies), attached]


# --- everything else of the stack -----------------------------------------------------------------

_TAGS = ("ListTagsForResource", "TagResource", "UntagResource")
_RIGHTS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "states",
        (
            "CreateStateMachine",
            "DeleteStateMachine",
            "DescribeStateMachine",
            "ListExecutions",
            "UpdateStateMachine",
            *_TAGS,
        ),
        ("stateMachine:{prefix}-*",),
    ),
    (
        "scheduler",
        (
            "CreateSchedule",
            "CreateScheduleGroup",
            "DeleteSchedule",
            "DeleteScheduleGroup",
            "GetSchedule",
            "GetScheduleGroup",
            "UpdateSchedule",
            *_TAGS,
        ),
        ("schedule/*/{prefix}-*", "schedule/{prefix}*/*", "schedule-group/{prefix}*"),
    ),
    (
        "events",
        (
            "DeleteRule",
            "DescribeRule",
            "ListTargetsByRule",
            "PutRule",
            "PutTargets",
            "RemoveTargets",
            *_TAGS,
        ),
        ("rule/{prefix}-*", "rule/*/{prefix}-*"),
    ),
    (
        "lambda",
        (
            "AddPermission",
            "CreateFunction",
            "DeleteFunction",
            "DeleteFunctionConcurrency",
            "DeleteFunctionEventInvokeConfig",
            "GetFunction",
            "GetFunctionCodeSigningConfig",
            "GetFunctionConfiguration",
            "GetFunctionEventInvokeConfig",
            "GetFunctionRecursionConfig",
            "GetFunctionScalingConfig",
            "GetPolicy",
            "GetRuntimeManagementConfig",
            "ListTags",
            "PutFunctionConcurrency",
            "PutFunctionEventInvokeConfig",
            "RemovePermission",
            "TagResource",
            "UntagResource",
            "UpdateFunctionCode",
            "UpdateFunctionConfiguration",
            "UpdateFunctionEventInvokeConfig",
        ),
        ("function:{prefix}-*",),
    ),
    (
        "logs",
        (
            "AssociateKmsKey",
            "CreateLogGroup",
            "DeleteLogGroup",
            "DeleteRetentionPolicy",
            "DisassociateKmsKey",
            "GetDataProtectionPolicy",
            "PutRetentionPolicy",
            *_TAGS,
        ),
        ("log-group:*/{prefix}-*",),
    ),
    (
        "sns",
        (
            "CreateTopic",
            "DeleteTopic",
            "GetDataProtectionPolicy",
            "GetSubscriptionAttributes",
            "GetTopicAttributes",
            "ListSubscriptionsByTopic",
            "SetSubscriptionAttributes",
            "SetTopicAttributes",
            "Subscribe",
            "Unsubscribe",
            *_TAGS,
        ),
        ("{prefix}-*",),
    ),
    (
        "sqs",
        (
            "CreateQueue",
            "DeleteQueue",
            "GetQueueAttributes",
            "GetQueueUrl",
            "ListQueueTags",
            "SetQueueAttributes",
            "TagQueue",
            "UntagQueue",
        ),
        ("{prefix}-*",),
    ),
    (
        "cloudwatch",
        ("DeleteAlarms", "DescribeAlarms", "PutMetricAlarm", *_TAGS),
        ("alarm:{prefix}-*",),
    ),
    (
        "ecs",
        (
            "CreateCluster",
            "DeleteCluster",
            "DescribeClusters",
            "PutClusterCapacityProviders",
            "RegisterTaskDefinition",
            "UpdateCluster",
            "UpdateClusterSettings",
            *_TAGS,
        ),
        ("cluster/{prefix}-*", "task-definition/{prefix}-*"),
    ),
    (
        "ecr",
        (
            "CreateRepository",
            "DeleteLifecyclePolicy",
            "DeleteRepository",
            "DeleteRepositoryPolicy",
            "DescribeRepositories",
            "GetLifecyclePolicy",
            "GetRepositoryPolicy",
            "PutImageScanningConfiguration",
            "PutImageTagMutability",
            "PutLifecyclePolicy",
            "SetRepositoryPolicy",
            *_TAGS,
        ),
        ("repository/{prefix}*",),
    ),
)
"""Service, actions, and what its resources are called after the service, Region and account."""
_UNBOUND = (
    "ecs:DeregisterTaskDefinition",
    "ecs:DescribeTaskDefinition",
    "logs:DescribeIndexPolicies",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "states:ValidateStateMachineDefinition",
)
"""That IAM cannot limit to a resource."""
_DATABASES = 30
"""That one statement names."""
_NETWORK = (
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)


def _resources(facts: DeployFacts) -> list[Json]:
    found = []
    for service, actions, names in _RIGHTS:
        head = f"arn:aws:{service}:{facts.region}:{facts.account}:"
        arns = [head + name.format(prefix=facts.prefix) for name in names]
        found.append(allowed(service.capitalize(), service, actions, *arns))
    actions = _UNBOUND + (_NETWORK if facts.network else ())
    found.append({"Sid": "Unbound", "Effect": "Allow", "Action": list(actions), "Resource": "*"})
    return found


def _catalogue(facts: DeployFacts) -> list[Json]:
    """Let the stack make its workgroup and databases; it never deletes a database."""
    head = f"{facts.region}:{facts.account}:"
    found = []
    if facts.workgroup:
        made = ("CreateWorkGroup", "DeleteWorkGroup", "GetWorkGroup", "UpdateWorkGroup", *_TAGS)
        arn = f"arn:aws:athena:{head}workgroup/{facts.workgroup}"
        found.append(allowed("Athena", "athena", made, arn))
    if facts.databases:
        databases = [f"arn:aws:glue:{head}database/{name}" for name in sorted(facts.databases)]
        actions = ("CreateDatabase", "GetDatabase", "UpdateDatabase")
        catalog = f"arn:aws:glue:{head}catalog"
        for first in range(0, len(databases), _DATABASES):
            some = databases[first : first + _DATABASES]
            found.append(allowed(f"Glue{first // _DATABASES}", "glue", actions, catalog, *some))
        lake_formation = (
            "DescribeLakeFormationIdentityCenterConfiguration",
            "DescribeResource",
            "ListResources",
        )
        found.append(allowed("LakeFormation", "lakeformation", lake_formation, "*"))
    return found


def _databases_there(facts: DeployFacts) -> Json:
    """Allow to see which databases exist already; Glue wants the right for all that it lists."""
    head = f"arn:aws:glue:{facts.region}:{facts.account}:"
    return allowed("GlueList", "glue", ("GetDatabases",), f"{head}catalog", f"{head}database/*")
