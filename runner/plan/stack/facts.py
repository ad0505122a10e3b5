"""What a stack is made of: everything that the template needs to know, and nothing else.

Locations are `s3://bucket/prefix/`, with the slash at the end; names are those of the deployed
parts.  Nothing here was read from an account: the same files and values give the same facts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.model.ports import Json
    from runner.plan.load_tasks import LoadTask


@dataclass(frozen=True, slots=True)
class Access:
    """A table that a machine's statements read or write."""

    database: str
    """Physical name."""
    table: str
    locations: tuple[str, ...]
    """Prefixes that hold its files; of a ctas table its stage too, where a flip leaves them.  Empty
    for a view."""
    logical: str = ""
    """`database.table` as the project calls it; for people."""
    keys: tuple[str, ...] = ()
    """KMS keys that its files are encrypted with, beside the environment's."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Actions on resources that a user's file asks for."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScheduleFacts:
    """When a workflow starts by itself."""

    cron: str
    """Six fields, as EventBridge reads them, without `cron(...)`."""
    timezone: str


@dataclass(frozen=True, slots=True)
class TriggerFacts:
    """An event that starts a workflow."""

    name: str
    pattern: Json
    """Event pattern of EventBridge."""
    bus: str = "default"
    with_key: bool = False
    """Whether the execution is told the object's key beside the time."""


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """A state machine."""

    name: str
    """What it is called where it is deployed, 80 characters at most."""
    workflow: str
    """The workflow's name; `backfill` and `load` are ours."""
    child: str
    """Empty for the workflow's own machine, else which part of it this is."""
    definition: str
    """Its text: what it calls decides what its role may do."""
    definition_uri: str
    """Where the text is stored, named by its content; empty to put it into the template."""
    reads: tuple[Access, ...] = ()
    """What its statements read: tables of the project that it does not write itself, sources, what
    views among them read, and what it writes, for the tests and for tables that read themselves."""
    writes: tuple[Access, ...] = ()
    grants: tuple[Grant, ...] = ()
    """From `permissions:` of raw states."""
    schedule: ScheduleFacts | None = None
    triggers: tuple[TriggerFacts, ...] = ()
    failure_topic: str = ""
    """ARN of the topic that hears of failed executions; empty for none."""


@dataclass(frozen=True, slots=True)
class FunctionEventFacts:
    """What calls a function."""

    name: str
    kind: str
    """kinesis, dynamodb, object, logs or executions."""
    settings: dict[str, Json]
    """What function.yaml says of it, durations in seconds."""


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    """A Lambda function."""

    name: str
    handler: str
    code_uri: str
    """Where its package is, named by its content."""
    runtime: str = "python3.12"
    architecture: str = "x86_64"
    memory_mib: int = 512
    timeout_s: int = 900
    disk_mib: int = 512
    environment: tuple[tuple[str, str], ...] = ()
    grants: tuple[Grant, ...] = ()
    description: str = ""
    network: bool = False
    """Whether it runs inside the environment's network."""
    events: tuple[FunctionEventFacts, ...] = ()
    """What calls it beside workflows and streams."""


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """A delivery stream."""

    name: str
    """What it is called where it is deployed."""
    to: str
    """Where it delivers to, below which the prefixes are."""
    prefix: str
    errors: str
    compression: str
    size_mib: int
    interval_s: int
    function: str = ""
    """What the function is called that changes the records; empty for none."""
    source: str = ""
    """ARN of the Kinesis stream that it reads; empty where producers put records."""
    partitioned: bool = False
    """Whether the function says where records lie."""


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """Subnets and security groups of tasks."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeysFacts:
    """ARNs of KMS keys; empty for AWS's own."""

    data: str = ""
    logs: str = ""
    messages: str = ""
    secrets: str = ""


@dataclass(frozen=True, slots=True)
class StackFacts:
    """Everything of an environment."""

    project: str
    environment: str
    prefix: str
    """`<project>-<environment>`."""
    version: str
    """Of `runner`."""
    region: str
    account: str
    lake: str
    results: str
    artifacts: str
    manifest_uri: str
    """Where the readable account of what is deployed is stored; see `manifest`."""
    workgroup: str
    scan_limit_bytes: int | None
    """Of a workgroup that the stack makes; None when it exists already."""
    cluster: str
    own_cluster: bool
    """Whether the stack makes the ECS cluster."""
    repository: str
    """ECR repository that the stack makes; empty when images come from elsewhere."""
    databases: tuple[str, ...]
    """Databases in the catalogue that the stack makes, those of stage tables included; those that
    exist outside the stack are not among them."""
    keeper: FunctionFacts
    functions: tuple[FunctionFacts, ...]
    machines: tuple[MachineFacts, ...]
    loads: tuple[LoadTask, ...]
    topics: tuple[str, ...]
    """Names of topics that the stack makes."""
    alarm_topic: str
    """ARN of an existing topic that alarms go to; empty to make one."""
    emails: tuple[str, ...] = ()
    network: NetworkFacts | None = None
    tags: tuple[tuple[str, str], ...] = ()
    permissions_boundary: str = ""
    keys: KeysFacts = field(default_factory=KeysFacts)
    log_retention_days: int = 90
    log_level: str = "ERROR"
    streams: tuple[StreamFacts, ...] = ()
    polling: bool = False
    """Whether executions that are stopped leave statements behind, which the keeper then stops
    (`athena_wait: poll`)."""
