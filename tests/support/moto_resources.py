"""Resources of a stack that moto's CloudFormation leaves out, made for as long as a test wants.

moto 5.2.5 ignores schedules, alarms, databases, workgroups and the policies of topics and queues,
leaves a machine empty whose definition is in S3, and knows no rollback.  Here every one of them
is made by the very calls that a person would type: the properties of such a resource are the
parameters of the service's own call, so that botocore and moto's backend judge them.
"""

from __future__ import annotations

import copy
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import moto.stepfunctions.responses  # noqa: F401 - keeps the backends of its first import
from moto.cloudformation import models, parsing, responses
from moto.cloudformation.models import CloudFormationBackend, Event
from moto.stepfunctions import models as machines
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.models import (
    StepFunctionsParserBackend,
    stepfunctions_parser_backends,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

Properties = dict[str, Any]


class UpdateRefused(Exception):
    """What a resource says that is scripted to fail."""

    def __init__(self, logical_id: str, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.logical_id, self.kind, self.reason = logical_id, kind, reason


_JSON = SimpleNamespace(
    Loader=None,
    add_multi_constructor=lambda *_: None,
    load=lambda text, Loader: json.loads(text),  # noqa: ARG005, N803 - yaml's signature
)


@dataclass(slots=True)
class Stacks:
    """CloudFormation with the resources that were missing; what shall fail is scripted."""

    refuse: dict[str, str] = field(default_factory=dict)
    """The reason with which the next update of a type is refused, by the type."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a type of resource is made, changed and removed, by calls of its service."""

    service: str
    name: str
    """The property that names it; empty when the service does."""
    make: Callable[[Any, Properties], object]
    change: Callable[[Any, Properties], object]
    remove: Callable[[Any, Properties], object]


def _nothing(client: Any, said: Properties) -> None:  # noqa: ANN401 - boto3's clients
    """Leave it: what it belongs to is removed too."""


def _remove_group(client: Any, said: Properties) -> None:  # noqa: ANN401
    """Wait for the schedules to be removed, which moto does in no order: it tries again."""
    if client.list_schedules(GroupName=said["Name"])["Schedules"]:
        message = "the group has schedules"
        raise RuntimeError(message)
    client.delete_schedule_group(Name=said["Name"])


def _database_name(said: Properties) -> str:
    name: str = said["DatabaseInput"]["Name"]
    return name


def _workgroup(client: Any, said: Properties) -> None:  # noqa: ANN401
    known = {key: said[key] for key in ("Name", "Description", "Tags")}
    client.create_work_group(Configuration=said["WorkGroupConfiguration"], **known)


def _topic_policy(client: Any, said: Properties) -> None:  # noqa: ANN401
    for topic in said["Topics"]:
        client.set_topic_attributes(
            TopicArn=topic,
            AttributeName="Policy",
            AttributeValue=json.dumps(said["PolicyDocument"]),
        )


def _queue_policy(client: Any, said: Properties) -> None:  # noqa: ANN401
    for queue in said["Queues"]:
        policy = {"Policy": json.dumps(said["PolicyDocument"])}
        client.set_queue_attributes(QueueUrl=queue, Attributes=policy)


_KINDS = {
    "AWS::Scheduler::ScheduleGroup": _Kind(
        "scheduler",
        "Name",
        lambda client, said: client.create_schedule_group(**said),
        _nothing,
        _remove_group,
    ),
    "AWS::Scheduler::Schedule": _Kind(
        "scheduler",
        "Name",
        lambda client, said: client.create_schedule(**said),
        lambda client, said: client.update_schedule(**said),
        lambda client, said: client.delete_schedule(Name=said["Name"], GroupName=said["GroupName"]),
    ),
    "AWS::CloudWatch::Alarm": _Kind(
        "cloudwatch",
        "AlarmName",
        lambda client, said: client.put_metric_alarm(**said),
        lambda client, said: client.put_metric_alarm(**said),
        lambda client, said: client.delete_alarms(AlarmNames=[said["AlarmName"]]),
    ),
    "AWS::Glue::Database": _Kind(
        "glue",
        "",
        lambda client, said: client.create_database(**said),
        lambda client, said: client.update_database(Name=_database_name(said), **said),
        lambda client, said: client.delete_database(Name=_database_name(said)),
    ),
    "AWS::Athena::WorkGroup": _Kind(
        "athena",
        "Name",
        _workgroup,
        _nothing,
        lambda client, said: client.delete_work_group(WorkGroup=said["Name"]),
    ),
    "AWS::SNS::TopicPolicy": _Kind("sns", "", _topic_policy, _topic_policy, _nothing),
    "AWS::SQS::QueuePolicy": _Kind("sqs", "", _queue_policy, _queue_policy, _nothing),
}


@contextmanager
def missing_resources(patch: pytest.MonkeyPatch, region: str) -> Iterator[Stacks]:
    """Let moto's CloudFormation make them until the block ends; AWS_ENDPOINT_URL is its server."""
    stacks = Stacks()
    clients = {
        one.service: boto3.client(one.service, region_name=region) for one in _KINDS.values()
    }
    ours = {
        type_: _model(type_, kind, clients[kind.service], stacks) for type_, kind in _KINDS.items()
    }
    known = {**parsing.get_model_map(), **ours}
    with patch.context() as put:
        put.setattr(parsing, "get_model_map", lambda: known)
        put.setattr(parsing, "get_model_list", lambda: list(known.values()))
        put.setattr(CloudFormationBackend, "execute_change_set", _with_rollback(stacks))
        for method in ("create_from_cloudformation_json", "update_from_cloudformation_json"):
            put.setattr(StateMachine, method, _with_definition(method, region))
        # Templates are JSON, which the reader of YAML takes seconds for.
        for module in (models, responses):
            put.setattr(module, "yaml", _JSON)
        # A text that was judged once is not judged again: that takes seconds.
        judge = lru_cache(StepFunctionsParserBackend._validate_definition)  # noqa: SLF001
        put.setattr(StepFunctionsParserBackend, "_validate_definition", staticmethod(judge))
        # The machines that are executed are in a backend of their own.
        put.setattr(machines, "stepfunctions_backends", stepfunctions_parser_backends)
        yield stacks
    for client in clients.values():
        client.close()


class _Made:
    """A resource that was made: to moto's CloudFormation what its own models are.

    It is no subclass of theirs: moto would find it after the test too.
    """

    type: str
    kind: _Kind
    client: Any
    stacks: Stacks

    def __init__(self, name: str, said: Properties) -> None:
        self.physical_resource_id, self.said = name, said
        self.logical_resource_id = self.cf_resource_type = ""

    def is_created(self) -> bool:
        return True

    def delete(self, account_id: str, region_name: str) -> None:
        del account_id, region_name
        self.kind.remove(self.client, self.said)

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.type

    @classmethod
    def cloudformation_name_type(cls) -> str:
        return cls.kind.name

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        del attr
        return False

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Properties, *_: str, **__: str
    ) -> _Made:
        said = cloudformation_json["Properties"]
        cls.kind.make(cls.client, said)
        return cls(_database_name(said) if "DatabaseInput" in said else resource_name, said)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: _Made, cloudformation_json: Properties, **_: str
    ) -> _Made:
        if cls.type in cls.stacks.refuse:
            name = original_resource.logical_resource_id
            raise UpdateRefused(name, cls.type, cls.stacks.refuse[cls.type])
        cls.kind.change(cls.client, cloudformation_json["Properties"])
        return cls(original_resource.physical_resource_id, cloudformation_json["Properties"])


def _model(type_: str, kind: _Kind, client: Any, stacks: Stacks) -> Any:  # noqa: ANN401
    about = {"type": type_, "kind": kind, "client": client, "stacks": stacks}
    return type("Made", (_Made,), about)


def _with_definition(method: str, region: str) -> Any:  # noqa: ANN401
    """Let a machine whose definition is in S3 have it."""
    made = getattr(StateMachine, method).__func__
    s3 = boto3.client("s3", region_name=region)

    def make(cls: Any, *words: Any, **named: Any) -> Any:  # noqa: ANN401
        said = named["cloudformation_json"] if "cloudformation_json" in named else words[1]
        properties = said["Properties"]
        if place := properties.get("DefinitionS3Location"):
            body = s3.get_object(Bucket=place["Bucket"], Key=place["Key"])["Body"].read()
            properties["DefinitionString"] = body.decode()
        return made(cls, *words, **named)

    return classmethod(make)


def _with_rollback(stacks: Stacks) -> Any:  # noqa: ANN401
    """Let an update that fails say what failed, and make everything again what it was."""
    execute = CloudFormationBackend.execute_change_set

    def carry_out(
        self: CloudFormationBackend, change_set_name: str, stack_name: str | None = None
    ) -> None:
        stack = self.stacks[self.change_sets[change_set_name].stack_id]
        before = copy.deepcopy(stack.resource_map._template)  # noqa: SLF001 - moto gives no other
        try:
            execute(self, change_set_name, stack_name)
        except UpdateRefused as refused:
            refusal = Event(
                stack_id=stack.stack_id,
                stack_name=stack.name,
                logical_resource_id=refused.logical_id,
                physical_resource_id=refused.logical_id,
                resource_type=refused.kind,
                resource_status="UPDATE_FAILED",
                resource_status_reason=refused.reason,
                resource_properties=None,
            )
            stack.events.append(refusal)
            stack._add_stack_event("UPDATE_ROLLBACK_IN_PROGRESS")  # noqa: SLF001
            stacks.refuse.clear()
            stack.resource_map.update(before)
            stack._add_stack_event("UPDATE_ROLLBACK_COMPLETE")  # noqa: SLF001
            stack.status = "UPDATE_ROLLBACK_COMPLETE"

    return carry_out
