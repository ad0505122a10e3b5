"""What an environment on AWS should be: the facts of its stack, its template, what it uploads.

In: a compiled project, and the databases that exist outside its stack.  Out: `Desired`.  No
account is asked: the same files, values and databases give the same bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import runner
from runner.app.compiled import quota_warnings
from runner.app.functions import deployed_name as deployed_function
from runner.app.known_uses import KnownUses
from runner.app.machines import all_machines
from runner.app.mart_tasks import mart_faults, mart_tasks, repository
from runner.app.packages import (
    KEEPER,
    function_facts,
    keeper_facts,
    package_all,
)
from runner.app.stack_access import Reach, check_sources
from runner.errors import Fault, Place, ProjectError
from runner.model.artifacts import Artifact
from runner.model.durations import seconds
from runner.model.fields import size_bytes
from runner.model.names import STAGE_SUFFIX, deployed_name
from runner.model.regions import partition_of
from runner.plan.stack.facts import (
    Grant,
    KeysFacts,
    MachineFacts,
    NetworkFacts,
    ScheduleFacts,
    StackFacts,
    StreamFacts,
    TriggerFacts,
)
from runner.plan.stack.limits import limits
from runner.plan.stack.manifest import DeployedMachine, DeployedTable, Manifest, write_manifest
from runner.plan.stack.patterns import pattern_of
from runner.plan.stack.template import template_of
from runner.project.keys import Choice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle, ChildFacts, WorkflowFacts
    from runner.model.ports import Json
    from runner.plan.load_tasks import LoadTask
    from runner.plan.stack.iam.uses import Uses

ARTIFACTS = "_runner/artifacts/"
"""Below the lake, unless config.yaml names another place."""
_LONGEST_INLINE = 20_000
"""A definition of at most so many bytes stands in the template itself, where people see it."""


@dataclass(frozen=True, slots=True)
class Desired:
    """An environment as the files want it."""

    facts: StackFacts
    template: dict[str, Json]
    artifacts: tuple[Artifact, ...]
    """What must be in S3 before the stack refers to it, named by content."""
    manifest: Manifest
    warnings: tuple[Fault, ...] = ()
    """What comes near a quota of AWS."""


def desired(
    root: Path,
    bundle: Bundle,
    *,
    values: Mapping[str, str] | None = None,
    existing: frozenset[str] = frozenset(),
    commit: str = "",
    tell: Callable[[str], None] | None = None,
) -> Desired:
    """Compute what an environment of a compiled project should be; no account is asked.

    `values` are what its references stand for; `existing` are databases of the catalogue that the
    stack did not make: it uses them and leaves them alone.  `tell` hears of what takes a while.
    Raises ProjectError for what a deploy cannot do without.
    """
    _check(bundle)
    home = artifacts_uri(bundle)
    choice = Choice(bundle.environment_name, {}, dict(values or {}))
    machines = all_machines(root, choice, bundle)
    made = [*_machines(bundle, machines, home)]
    known = KnownUses(root / ".runner" / "cache" / f"uses-{bundle.environment_name}.json")
    packages = {
        one.name: (one, Artifact(f"{home}functions/{one.sha256}.zip", one.body))
        for one in package_all(root, bundle, tell=tell)
    }
    manifest = _manifest(bundle, [facts for facts, _ in made], machines, commit)
    account = _stored(home, "manifests", write_manifest(manifest), "json")
    facts = StackFacts(
        machines=tuple(facts for facts, _ in made),
        keeper=keeper_facts(bundle, code_uri=packages[KEEPER][1].uri),
        functions=tuple(
            function_facts(bundle, name, code_uri=artifact.uri)
            for name, (_, artifact) in sorted(packages.items())
            if name != KEEPER
        ),
        manifest_uri=account.uri,
        databases=tuple(sorted(_databases(bundle) - existing)),
        streams=_streams(bundle),
        topics=_own_topics(bundle, [known.uses(one.definition) for one, _ in made]),
        **_surroundings(bundle, home),
    )
    artifacts = [artifact for _, artifact in made if artifact is not None]
    lake = _folder(bundle.environment["lake"])
    assets = [
        Artifact(f"{lake}{key}", text.encode())
        for one in machines
        for key, text in one.all_assets.items()
    ]
    template = template_of(facts, using=known.uses)
    known.save()
    _check_limits(bundle, template)
    return Desired(
        facts,
        template,
        _unique([*artifacts, *assets, *(one for _, one in packages.values()), account]),
        manifest,
        tuple(fault for one in machines for fault in quota_warnings(bundle, one)),
    )


def artifacts_uri(bundle: Bundle) -> str:
    """Give the prefix that a deploy uploads to."""
    environment = bundle.environment
    given = environment["artifacts"] or f"{environment['lake'].rstrip('/')}/{ARTIFACTS}"
    return str(given).rstrip("/") + "/"


def _surroundings(bundle: Bundle, home: str) -> dict[str, Any]:
    """Give what config.yaml says of the environment, as facts by name."""
    said = bundle.environment
    network, keys = said["network"], said["keys"]
    return {
        "project": bundle.project,
        "environment": bundle.environment_name,
        "prefix": bundle.prefix,
        "version": runner.__version__,
        "region": said["region"],
        "account": said["account"],
        "lake": _folder(said["lake"]),
        "results": _folder(said["results"]),
        "artifacts": home,
        "workgroup": said["workgroup"] or bundle.prefix,
        "scan_limit_bytes": None if said["workgroup"] else size_bytes(said["scan_limit"]),
        "cluster": said["cluster"] or f"{bundle.prefix}-loads",
        "own_cluster": not said["cluster"] and bool(mart_tasks(bundle)),
        "repository": repository(bundle) if mart_tasks(bundle) else "",
        "loads": mart_tasks(bundle),
        "alarm_topic": said["alarm_topic"] or "",
        "emails": tuple(said["emails"]),
        "network": NetworkFacts(tuple(network["subnets"]), tuple(network["security_groups"]))
        if network
        else None,
        "tags": tuple(sorted(said["tags"].items())),
        "permissions_boundary": said["permissions_boundary"] or "",
        "keys": KeysFacts(**{name: arn or "" for name, arn in keys.items()}),
        "log_retention_days": said["log_retention"],
        "log_level": said["log_level"],
        "polling": said["athena_wait"] == "poll",
    }


def _folder(uri: str) -> str:
    return uri if uri.endswith("/") else f"{uri}/"


# --- machines -------------------------------------------------------------------------------------


def _machines(
    bundle: Bundle, workflows: tuple[WorkflowFacts, ...], home: str
) -> Iterator[tuple[MachineFacts, Artifact | None]]:
    """Give every machine's facts and, for a large definition, the file that holds it."""
    reach = Reach(bundle)
    for workflow in workflows:
        touched = reach.of(
            _without(workflow.tables, workflow.children, "table"),
            (*_without(workflow.loads, workflow.children, "load"), *workflow.exports),
            workflow.queried,
        )
        artifact = _definition(home, workflow.definition)
        yield (
            MachineFacts(
                name=deployed_name(bundle.prefix, workflow.name),
                workflow=workflow.name,
                child="",
                definition=workflow.definition,
                definition_uri=artifact.uri if artifact else "",
                reads=touched.reads,
                writes=touched.writes,
                grants=tuple(
                    Grant(tuple(one["actions"]), tuple(one["resources"])) for one in workflow.grants
                ),
                schedule=ScheduleFacts(workflow.cron, workflow.cron_timezone)
                if workflow.cron
                else None,
                triggers=tuple(_trigger(one) for one in workflow.triggers),
                failure_topic=bundle.on_failure.get(workflow.name, ""),
            ),
            artifact,
        )
        for child in workflow.children:
            loads = child.kind == "load"
            touched = reach.of(*((), child.tables) if loads else (child.tables, ()))
            artifact = _definition(home, child.definition)
            yield (
                MachineFacts(
                    name=child.machine,
                    workflow=workflow.name,
                    child=child.name,
                    definition=child.definition,
                    definition_uri=artifact.uri if artifact else "",
                    reads=touched.reads,
                    writes=touched.writes,
                ),
                artifact,
            )


def _without(
    names: tuple[str, ...], children: tuple[ChildFacts, ...], kind: str
) -> tuple[str, ...]:
    """Leave out what executions of their own write or load."""
    inside = {name for child in children if child.kind == kind for name in child.tables}
    return tuple(name for name in names if name not in inside)


def _definition(home: str, text: str) -> Artifact | None:
    if len(text.encode()) <= _LONGEST_INLINE:
        return None
    return _stored(home, "definitions", text, "asl.json")


def _trigger(said: dict[str, Any]) -> TriggerFacts:
    return TriggerFacts(
        name=said["name"],
        pattern=pattern_of(said),
        bus=said.get("bus", "default"),
        with_key=bool(said.get("period")),
    )


def _streams(bundle: Bundle) -> tuple[StreamFacts, ...]:
    return tuple(
        StreamFacts(
            name=deployed_function(bundle, name),
            to=_folder(bundle.environment["streams_to"] or ""),
            prefix=said["prefix"],
            errors=said["errors"],
            compression=said["compression"],
            size_mib=said["size"],
            interval_s=seconds(said["interval"]),
            function=deployed_function(bundle, said["transform"]) if said["transform"] else "",
            source=said["source"] or "",
            partitioned=said["partitioned"],
        )
        for name, said in sorted(bundle.streams.items())
    )


def _own_topics(bundle: Bundle, machines: list[Uses]) -> tuple[str, ...]:
    """Name the topics of this environment that steps and `on_failure` publish to."""
    head = f":{bundle.prefix}-"
    called = {call.known("TopicArn") for uses in machines for call in uses.calls}
    arns = called | set(bundle.on_failure.values())
    return tuple(sorted(arn.partition(head)[2] for arn in arns if head in arn))


# --- the account of it all ------------------------------------------------------------------------


def _manifest(
    bundle: Bundle,
    made: list[MachineFacts],
    workflows: tuple[WorkflowFacts, ...],
    commit: str,
) -> Manifest:
    tables = {one.name: one.tables for one in workflows}
    parts = {child.machine: child.tables for one in workflows for child in one.children}
    return Manifest(
        project=bundle.project,
        environment=bundle.environment_name,
        version=runner.__version__,
        commit=commit,
        tables=tuple(
            DeployedTable(one.name, one.kind, one.file, one.sql, one.fingerprint, one.settings)
            for one in bundle.tables
        ),
        machines=tuple(
            DeployedMachine(
                one.name,
                one.workflow,
                one.child,
                hashlib.sha256(one.definition.encode()).hexdigest(),
                one.definition_uri,
                parts.get(one.name, ()) if one.child else tables[one.workflow],
            )
            for one in made
        ),
    )


def _databases(bundle: Bundle) -> frozenset[str]:
    stages = (f"{name}{STAGE_SUFFIX}" for name in bundle.databases)
    return frozenset((*bundle.databases, *stages))


def _stored(home: str, kind: str, text: str, ending: str) -> Artifact:
    body = text.encode()
    return Artifact(f"{home}{kind}/{hashlib.sha256(body).hexdigest()}.{ending}", body)


def _unique(artifacts: list[Artifact]) -> tuple[Artifact, ...]:
    found = {artifact.uri: artifact for artifact in artifacts}
    return tuple(found[uri] for uri in sorted(found))


# --- what a deploy cannot do without --------------------------------------------------------------


def _check(bundle: Bundle) -> None:
    check_sources(bundle)
    tasks = mart_tasks(bundle)
    faults = [
        fault for mart in {task.mart for task in tasks} for fault in mart_faults(bundle, mart)
    ]
    faults += [*_elsewhere(bundle)]
    if tasks and bundle.environment["network"] is None:
        faults.append(_no_network(bundle, tasks))
    if bundle.streams and not bundle.environment["streams_to"]:
        faults.append(_no_place(bundle))
    if faults:
        raise ProjectError(faults)


def _elsewhere(bundle: Bundle) -> Iterator[Fault]:
    """Find what lies where the stack's ARNs do not reach: partitions, buses of other accounts."""
    said = bundle.environment
    partition = partition_of(said["region"])
    if partition != "aws":
        yield Fault(
            Place("config.yaml"),
            "wrong-value",
            f"environments.{bundle.environment_name}.region: {said['region']}, which is in the "
            f"partition {partition}",
            "a Region of the partition aws: roles and policies name ARNs of that one",
            "deploy to another Region",
        )
    ours = f"arn:aws:events:{said['region']}:{said['account']}:"
    for workflow in bundle.workflows:
        for trigger in workflow.triggers:
            bus = trigger.get("bus", "")
            if bus.startswith("arn:") and not bus.startswith(ours):
                yield Fault(
                    Place(f"workflows/{workflow.name}.yaml"),
                    "trigger-bus",
                    f"the bus {bus} of the trigger {trigger['name']}",
                    f"a bus of the account {said['account']} in {said['region']}: a rule stands "
                    "where its bus is, and starts what is there",
                    "let a rule of the other bus send the events to a bus of this account",
                )


def _no_place(bundle: Bundle) -> Fault:
    return Fault(
        Place("config.yaml"),
        "missing-key",
        f"no environments.{bundle.environment_name}.streams_to",
        f"the bucket and prefix that {', '.join(sorted(bundle.streams))} deliver to",
        "add streams_to: s3://<bucket>/<prefix>/",
    )


def _no_network(bundle: Bundle, tasks: tuple[LoadTask, ...]) -> Fault:
    return Fault(
        Place("config.yaml"),
        "missing-key",
        f"no environments.{bundle.environment_name}.network",
        f"the subnets in which the load of mart {tasks[0].mart} runs",
        "add network: {subnets: [...], security_groups: [...]}",
    )


def _check_limits(bundle: Bundle, template: dict[str, Json]) -> None:
    faults = [
        Fault(
            Place(f"stack {bundle.prefix}"),
            "stack-limit",
            f"{one.found:,} {one.what}" + (f" of {one.part}" if one.part else ""),
            f"at most {one.most:,}, which is what AWS takes",
            "divide the project: fewer workflows and functions in one environment",
        )
        for one in limits(template)
    ]
    if faults:
        raise ProjectError(faults)
