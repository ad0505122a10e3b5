"""The template of an environment: everything that runs there, and nothing that is data.

In: `StackFacts`.  Out: the template as JSON; the same facts give the same text, and a part's
logical id does not depend on other parts.  No bucket, table or object is ever among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.plan.stack.alarms import alarm_resources
from runner.plan.stack.athena import athena_resources
from runner.plan.stack.events import event_resources
from runner.plan.stack.function_events import function_event_resources
from runner.plan.stack.functions import function_id, function_resources
from runner.plan.stack.iam.uses import uses_of
from runner.plan.stack.limits import limits
from runner.plan.stack.loads import REPOSITORY, load_resources
from runner.plan.stack.machines import Width, machine_id, machine_needs, machine_resources
from runner.plan.stack.messages import message_resources
from runner.plan.stack.names import alarm_topic, logical_id
from runner.plan.stack.parts import DEAD_LETTERS, arn_of, ref
from runner.plan.stack.schedules import schedule_resources
from runner.plan.stack.streams import stream_resources

if TYPE_CHECKING:
    from runner.model.ports import Json
    from runner.plan.stack.facts import StackFacts
    from runner.plan.stack.iam.uses import Using

_DESCRIPTION = (
    "{}, environment {}: tables, loads and their schedules. Made by Athena Runner; change the "
    "project's files, not this."
)


def template_of(facts: StackFacts, *, using: Using = uses_of) -> dict[str, Json]:
    """Write the template of an environment; its permissions are as exact as it has room for.

    What `limits` finds in it does not fit either way.  `using` gives what a definition uses, which
    takes a while for many of them: it may remember.
    """
    uses = {machine.name: using(machine.definition) for machine in facts.machines}
    rest = {
        **schedule_resources(facts),
        **event_resources(facts, uses),
        **message_resources(facts),
        **function_resources(facts),
        **function_event_resources(facts),
        **stream_resources(facts),
        **load_resources(facts),
        **athena_resources(facts),
        **alarm_resources(facts),
    }
    needs = machine_needs(facts, uses)
    outputs = dict(sorted(_outputs(facts).items()))
    template: dict[str, Json] = {}
    for width in Width:
        resources = {**machine_resources(facts, needs, width), **rest}
        template = {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": _DESCRIPTION.format(facts.project, facts.environment),
            "Metadata": {"Runner": _metadata(facts, width)},
            "Resources": dict(sorted(resources.items())),
            "Outputs": outputs,
        }
        if not limits(template):
            break
    return template


def _metadata(facts: StackFacts, width: Width) -> dict[str, Json]:
    return {
        "project": facts.project,
        "environment": facts.environment,
        "version": facts.version,
        "manifest": facts.manifest_uri,
        "permissions": width.value,
    }


def workflow_output(workflow: str) -> str:
    """Name the output that holds the ARN of a workflow's machine."""
    return logical_id("Workflow", workflow)


def _outputs(facts: StackFacts) -> dict[str, Json]:
    found: dict[str, Json] = {
        workflow_output(machine.workflow): _output(
            f"State machine of {machine.workflow}.", ref(machine_id(machine.name))
        )
        for machine in facts.machines
        if not machine.child
    }
    found["Keeper"] = _output("The keeper function.", arn_of(function_id(facts.keeper.name)))
    found["Alarms"] = _output("Topic that alarms go to.", alarm_topic(facts))
    found["UndeliveredMessages"] = _output("Dead-letter queue.", ref(DEAD_LETTERS))
    if facts.repository:
        uri = {"Fn::GetAtt": [REPOSITORY, "RepositoryUri"]}
        found["ImageRepository"] = _output("Repository of the image of loads.", uri)
    return found


def _output(description: str, value: Json) -> Json:
    return {"Description": description, "Value": value}
