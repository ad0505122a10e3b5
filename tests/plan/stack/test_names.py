"""Names in the template of an environment: whatever the project is called, AWS takes them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.model.names import deployed_name
from runner.plan.stack.facts import ScheduleFacts, TriggerFacts
from runner.plan.stack.template import template_of
from runner.project.deployable import MOST_PREFIX
from tests.support import stacks
from tests.support.stacks import machine, stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.plan.stack.facts import StackFacts

PATTERNS = {
    ("IAM::Role", "RoleName"): r"[\w+=,.@-]{1,64}",
    ("Lambda::Function", "FunctionName"): r"[a-zA-Z0-9_-]{1,64}",
    ("Events::Rule", "Name"): r"[.\-_A-Za-z0-9]{1,64}",
    ("Scheduler::Schedule", "Name"): r"[0-9a-zA-Z_.-]{1,64}",
    ("Scheduler::ScheduleGroup", "Name"): r"[0-9a-zA-Z_.-]{1,64}",
    ("StepFunctions::StateMachine", "StateMachineName"): r"[0-9A-Za-z_-]{1,80}",
    ("SQS::Queue", "QueueName"): r"[A-Za-z0-9_-]{1,80}",
    ("SNS::Topic", "TopicName"): r"[A-Za-z0-9_-]{1,256}",
    ("CloudWatch::Alarm", "AlarmName"): r"[^\x00-\x1f]{1,255}",
    ("Logs::LogGroup", "LogGroupName"): r"[.\-_/#A-Za-z0-9]{1,512}",
    ("ECS::TaskDefinition", "Family"): r"[A-Za-z0-9_-]{1,255}",
    ("ECS::Cluster", "ClusterName"): r"[A-Za-z0-9_-]{1,255}",
    ("Athena::WorkGroup", "Name"): r"[a-zA-Z0-9._-]{1,128}",
    ("ECR::Repository", "RepositoryName"): r"(?=.{2,256}$)[a-z0-9]+(?:[._-][a-z0-9]+)*",
}
"""What AWS takes (models of the services, read in botocore; ECR's repository without folders)."""
LONGEST = 100
"""Characters of the longest name of a workflow, trigger, mart or topic here."""
PREFIX = st.from_regex(r"[a-z][a-z0-9]{0,12}(-[a-z0-9]{1,9}){1,4}", fullmatch=True).filter(
    lambda text: len(text) <= MOST_PREFIX
)
WORD = st.from_regex(rf"[a-z][a-z0-9_]{{0,{LONGEST - 1}}}", fullmatch=True)


def facts_of(prefix: str, workflow: str, word: str) -> StackFacts:
    """Make everything that is named after a project, its environment, a workflow and a word."""
    own = machine(
        workflow,
        name=deployed_name(prefix, workflow),
        schedule=ScheduleFacts("0 3 * * ? *", "UTC"),
        triggers=(TriggerFacts(word, {"source": ["shop"]}),),
        failure_topic=f"arn:aws:sns:{stacks.REGION}:{stacks.ACCOUNT}:{prefix}-{word}",
    )
    child = machine(
        workflow, name=deployed_name(prefix, workflow, "tables-10-10"), child="tables-10-10"
    )
    task = replace(stacks.load_task(), family=f"{prefix}-load-{word}", mart=word)
    facts = stack(own, child, loads=(task,), topics=(word,), prefix=prefix)
    return replace(
        facts,
        keeper=replace(facts.keeper, name=f"{prefix}-keeper"),
        workgroup=prefix,
        scan_limit_bytes=10**12,
        cluster=f"{prefix}-loads",
        own_cluster=True,
        repository=f"{prefix}-load",
        polling=True,
    )


def named(template: dict[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    for one in template["Resources"].values():
        kind = one["Type"].removeprefix("AWS::")
        for of, key in PATTERNS:
            if of == kind:
                yield (of, key), one["Properties"][key]


def check(facts: StackFacts) -> None:
    found = list(named(template_of(facts)))
    assert {key for key, _ in found} == set(PATTERNS)
    for key, name in found:
        assert re.fullmatch(PATTERNS[key], name), (key, name)
        # What a deploy may change is told by this.
        assert name.startswith(("/", facts.prefix)), name
        ours = name == facts.prefix or f"{facts.prefix}-" in name
        assert ours, (key, name)
    assert len(found) == len(set(found))


@settings(max_examples=25, deadline=None)
@given(PREFIX, WORD, WORD)
def test_aws_takes_every_name(prefix: str, workflow: str, word: str) -> None:
    check(facts_of(prefix, workflow, word))


@pytest.mark.parametrize("length", [3, MOST_PREFIX])
def test_aws_takes_the_longest_names(length: int) -> None:
    prefix = "p" + "x" * (length - 3) + "-e"
    check(facts_of(prefix, "w" * LONGEST, "t" * LONGEST))
