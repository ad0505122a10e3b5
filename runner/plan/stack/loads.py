"""Loads: the cluster, the image's repository, and a task definition for each mart and engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from runner.plan import load_tasks
from runner.plan.stack.iam.statements import Condition, Statement, allow
from runner.plan.stack.names import logical_id
from runner.plan.stack.parts import Resources, arn_of, log_group, resource, role, role_id, tags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.model.ports import Json
    from runner.plan.load_tasks import LoadTask
    from runner.plan.stack.facts import StackFacts

REPOSITORY = "Repository"
_KEPT_IMAGES = 20
_AS_THEY_ARE = frozenset({"Options"})
"""Maps whose keys are values of ours, not fields of CloudFormation's."""


def load_resources(facts: StackFacts) -> Resources:
    """Make what loads run on."""
    made: Resources = {}
    if facts.own_cluster:
        properties = {"ClusterName": facts.cluster, "Tags": tags(facts)}
        made["Cluster"] = resource("ECS::Cluster", properties)
    if facts.repository:
        made[REPOSITORY] = _repository(facts)
    for task in facts.loads:
        made |= _task(facts, task)
    return made


def _repository(facts: StackFacts) -> Json:
    """Make the repository; its images can be built again, so it may go with them."""
    keep = {
        "rulePriority": 1,
        "description": f"Keep the newest {_KEPT_IMAGES} images.",
        "selection": {
            "tagStatus": "any",
            "countType": "imageCountMoreThan",
            "countNumber": _KEPT_IMAGES,
        },
        "action": {"type": "expire"},
    }
    return resource(
        "ECR::Repository",
        {
            "RepositoryName": facts.repository,
            "ImageScanningConfiguration": {"ScanOnPush": True},
            "LifecyclePolicy": {"LifecyclePolicyText": json.dumps({"rules": [keep]})},
            "EmptyOnDelete": True,
            "Tags": tags(facts),
        },
    )


def _task(facts: StackFacts, task: LoadTask) -> Resources:
    names = {kind: f"{task.family}-{kind}" for kind in ("execution", "task")}
    policies = {
        "execution": ("What ECS does to start", load_tasks.execution_policy(task)),
        "task": ("What the container does in", load_tasks.task_policy(task)),
    }
    definition = _pascal(load_tasks.task_definition(task))
    definition |= {
        "ExecutionRoleArn": arn_of(role_id(names["execution"])),
        "TaskRoleArn": arn_of(role_id(names["task"])),
        "Tags": tags(facts),
    }
    # The driver writes to the group by its name: it must be there before a task is.
    made = {
        logical_id("Task", task.family): resource(
            "ECS::TaskDefinition", definition, DependsOn=[logical_id("Log", task.log_group)]
        )
    }
    for kind, (why, policy) in policies.items():
        made |= role(
            facts,
            names[kind],
            why=f"{why} loads of {task.mart} ({task.engine}).",
            trust=load_tasks.trust_policy(task),
            statements=(*_statements(policy), *_key(facts, kind)),
        )
    return {**log_group(facts, task.log_group), **made}


def _statements(policy: Json) -> Iterator[Statement]:
    """Read the statements of a policy that is written out."""
    for one in policy["Statement"]:
        where = one.get("Condition", {})
        yield allow(
            one["Sid"],
            one["Action"],
            [one["Resource"]],
            *(
                Condition(operator, key, (value,))
                for operator, tests in where.items()
                for key, value in tests.items()
            ),
        )


def _key(facts: StackFacts, kind: str) -> Iterator[Statement]:
    if kind == "task" and facts.keys.data:
        yield allow("DataKey", ["kms:Decrypt", "kms:GenerateDataKey"], [facts.keys.data])
    if kind == "execution" and facts.keys.secrets:
        yield allow("SecretsKey", ["kms:Decrypt"], [facts.keys.secrets])


def _pascal(value: Json) -> Json:
    """Write the fields of ECS's own JSON as CloudFormation calls them."""
    if isinstance(value, list):
        return [_pascal(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {f"{key[0].upper()}{key[1:]}": one for key, one in value.items()}
    return {key: one if key in _AS_THEY_ARE else _pascal(one) for key, one in found.items()}
