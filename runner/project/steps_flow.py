"""Faults of steps that decide, repeat and call: names that do not exist, JSONata that is wrong.

In: a workflow, its places, the other workflows and the environment.  Out: faults.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from runner.errors import Fault
from runner.model.config import AwsEnvironment, LocalEnvironment
from runner.model.nearest import listed, suggestion
from runner.model.steps_flow import (
    FORBIDDEN_HEADER,
    GO_ON,
    SKIP,
    ChoiceStep,
    ComputedWindow,
    EcsTaskStep,
    HttpStep,
    MapFields,
    RowsOf,
    SqlStep,
    WorkflowStep,
    needs_of,
)
from runner.project.graph import cycles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.model.places import Path, Places
    from runner.model.step import Step
    from runner.model.workflow import AnyStep, Workflow

    Environment = AwsEnvironment | LocalEnvironment

_VALUES = re.compile(r"\$values\.`?(\w+)`?")


def flow_faults(
    workflow: Workflow,
    places: Places,
    workflows: Sequence[str],
    environment: Environment | None,
) -> Iterator[Fault]:
    """Find what is wrong with the steps of this group, each by itself."""
    for name, step in workflow.steps.items():
        yield from _step(workflow.steps, ("steps", name), step, places)
        for at, one in _with_inner(("steps", name), step):
            yield from _called(at, one, places, workflows, environment)


def every_step(workflow: Workflow) -> Iterator[tuple[Path, AnyStep]]:
    """Give every step and where it stands, those that maps repeat too."""
    for name, step in workflow.steps.items():
        yield from _with_inner(("steps", name), step)


def _with_inner(at: Path, step: AnyStep) -> Iterator[tuple[Path, AnyStep]]:
    yield at, step
    if step.type == "map":
        yield (*at, "step"), step.step


def _step(steps: Mapping[str, AnyStep], at: Path, step: AnyStep, places: Places) -> Iterator[Fault]:
    if isinstance(step, ChoiceStep):
        yield from _choice(steps, at, step, places)
    if isinstance(step, MapFields):
        yield from _map(steps, at, step, places)
        yield from _inner(at, step, places)
    for where, text in expressions_of(at, step):
        yield from _expression(steps, at, where, text, places)


# --- choice and map -------------------------------------------------------------------------------


def _choice(
    steps: Mapping[str, AnyStep], at: Path, step: ChoiceStep, places: Places
) -> Iterator[Fault]:
    others = [name for name in steps if name != at[1]]
    said = [(*at, "rules", index, "then") for index in range(len(step.rules))]
    for where, targets in zip([*said, (*at, "default")], step.outcomes, strict=True):
        for target in targets:
            if target not in (GO_ON, SKIP, *others):
                yield Fault(
                    places.value(*where),
                    "unknown-step",
                    f"`{target}`, which is no other step of this workflow",
                    f"`{GO_ON}`, `{SKIP}`, or steps: {listed(others)}",
                    suggestion(target, [GO_ON, SKIP, *others], otherwise="name a step, or add it"),
                )
        if len(targets) > 1 and {GO_ON, SKIP} & set(targets):
            yield Fault(
                places.value(*where),
                "choice-mixed",
                f"`{GO_ON}` or `{SKIP}` beside names of steps",
                "one of these words alone, or names of steps",
                "leave out what is too much",
            )


def _map(
    steps: Mapping[str, AnyStep], at: Path, step: MapFields, places: Places
) -> Iterator[Fault]:
    if not isinstance(step.over, RowsOf):
        return
    asked = step.over.rows
    queries = [name for name, one in steps.items() if isinstance(one, SqlStep)]
    if asked not in queries:
        yield Fault(
            places.value(*at, "over", "rows"),
            "unknown-step",
            f"`rows: {asked}`, which is no `sql` step",
            f"one of {listed(queries)}" if queries else "the name of a `sql` step",
            suggestion(asked, queries, otherwise="add a `sql` step that gives the items"),
        )
    elif asked not in _before(steps, str(at[1])):
        yield _too_early(places, (*at, "over", "rows"), asked)


def _inner(at: Path, step: Any, places: Places) -> Iterator[Fault]:  # noqa: ANN401 - a MapStep
    inner: Step = step.step
    if inner.needs:
        yield Fault(
            places.key(*at, "step", "needs"),
            "map-step",
            "`needs` of the step that a map repeats",
            "`needs` of the map itself",
            "move it one level up",
        )
    for index, catcher in enumerate(inner.catch):
        if catcher.next != GO_ON:
            yield Fault(
                places.value(*at, "step", "catch", index, "next"),
                "map-step",
                f"`next: {catcher.next}` in the step that a map repeats",
                f"`{GO_ON}`: no item can leave the map",
                f"write next: {GO_ON}, or catch the error of the map: Runner.ItemsFailed",
            )


def _before(steps: Mapping[str, AnyStep], name: str) -> set[str]:
    """Name the steps that have ended when this one begins."""
    needs, found = needs_of(steps), set[str]()
    left = list(needs[name])
    while left:
        one = left.pop()
        if one in needs and one not in found:
            found.add(one)
            left += needs[one]
    return found


def _too_early(places: Places, where: Path, name: str) -> Fault:
    return Fault(
        places.value(*where),
        "step-too-early",
        f"the value of `{name}`, which may not have ended when this step begins",
        f"`needs: [{name}]`, directly or by other steps",
        f"add {name} to `needs`",
    )


# --- JSONata --------------------------------------------------------------------------------------


def expressions_of(at: Path, step: AnyStep) -> Iterator[tuple[Path, str]]:
    """Give every text that is JSONata, as a definition holds it, and where it stands."""
    if isinstance(step, ChoiceStep):
        for index, rule in enumerate(step.rules):
            yield (*at, "rules", index, "if"), f"{{% {rule.when} %}}"
        return
    skipped = {"sql", "state"}  # SQL has Jinja; a raw state is looked at as a definition
    if step.type == "map":
        skipped.add("step")
        yield from expressions_of((*at, "step"), step.step)
    for key, value in step.model_dump(mode="json").items():
        if key not in skipped:
            yield from _texts((*at, key), value)


def _texts(at: Path, value: Any) -> Iterator[tuple[Path, str]]:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        for key, one in value.items():
            if key != "state":
                yield from _texts((*at, key), one)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _texts((*at, index), one)
    elif isinstance(value, str) and value.startswith("{%"):
        yield at, value


def _expression(
    steps: Mapping[str, AnyStep], at: Path, where: Path, text: str, places: Places
) -> Iterator[Fault]:
    from runner.machine.expressions import (  # noqa: PLC0415 - only with JSONata
        BEFORE,
        check_expressions,
    )

    for refusal in check_expressions(text, "", BEFORE):
        yield Fault(
            places.value(*where),
            "step-expression",
            refusal.message.strip(),
            refusal.expected,
            "correct the JSONata; `runner machine test-state` can try it",
        )
    before = _before(steps, str(at[1]))
    for name in dict.fromkeys(_VALUES.findall(text)):
        if name not in steps:
            yield Fault(
                places.value(*where),
                "unknown-step",
                f"`$values.{name}`, which is no step of this workflow",
                f"one of {listed(sorted(before))}" if before else "a step that this one needs",
                suggestion(name, sorted(before), otherwise="name a step that this one needs"),
            )
        elif name not in before:
            yield _too_early(places, where, name)


# --- what is called -------------------------------------------------------------------------------


def _called(
    at: Path,
    step: AnyStep,
    places: Places,
    workflows: Sequence[str],
    environment: Environment | None,
) -> Iterator[Fault]:
    if isinstance(step, WorkflowStep):
        yield from _workflow(at, step, places, workflows)
    if isinstance(step, HttpStep):
        yield from _http(at, step, places, environment)
    if isinstance(step, EcsTaskStep) and isinstance(environment, AwsEnvironment):
        yield from _task(at, step, places, environment)


def _workflow(
    at: Path, step: WorkflowStep, places: Places, workflows: Sequence[str]
) -> Iterator[Fault]:
    if step.workflow not in workflows:
        yield Fault(
            places.value(*at, "workflow"),
            "unknown-workflow",
            f"`workflow: {step.workflow}`, which has no file under workflows/",
            f"one of {listed(workflows)}",
            suggestion(step.workflow, workflows, otherwise=f"add workflows/{step.workflow}.yaml"),
        )


def _http(
    at: Path, step: HttpStep, places: Places, environment: Environment | None
) -> Iterator[Fault]:
    deployed = isinstance(environment, AwsEnvironment)  # here, a run says so: a mock may answer
    known = list(environment.connections) if environment is not None else []
    named = not step.connection.startswith("arn:")
    if deployed and named and step.connection not in known:
        yield Fault(
            places.value(*at, "connection"),
            "unknown-connection",
            f"`connection: {step.connection}`, which this environment does not have",
            f"one of {listed(known)}" if known else "a name under `connections`",
            suggestion(
                step.connection,
                known,
                otherwise=f"add {step.connection} to the environment's `connections`",
            ),
        )
    for name in step.headers:
        if FORBIDDEN_HEADER.match(name):
            yield Fault(
                places.key(*at, "headers", name),
                "http-header",
                f"the header {name}",
                "a header that AWS lets a request set",
                "let the connection bring credentials; leave out the others",
            )


def _task(
    at: Path, step: EcsTaskStep, places: Places, environment: AwsEnvironment
) -> Iterator[Fault]:
    if step.cluster is None and environment.cluster is None and not environment.marts:
        yield Fault(
            places.key(*at),
            "ecs-cluster",
            "no cluster for the task: the stack makes one for loads only",
            "`cluster` of the step or of the environment",
            "name a cluster that exists",
        )
    if step.launch_type == "FARGATE" and environment.network is None:
        yield Fault(
            places.key(*at),
            "ecs-network",
            "a task on Fargate in an environment without `network`",
            "`network: {subnets: [...]}` of the environment",
            "add the subnets in which the task runs",
        )


def workflow_cycles(
    workflows: Mapping[str, Workflow], places: Mapping[str, Places]
) -> Iterator[Fault]:
    """Find workflows that run each other, and so would never end."""
    calls = {
        name: [
            one.workflow
            for step_name, step in workflow.steps.items()
            for _, one in _with_inner(("steps", step_name), step)
            if isinstance(one, WorkflowStep) and one.workflow in workflows
        ]
        for name, workflow in workflows.items()
    }
    for cycle in cycles(calls):
        yield Fault(
            places[cycle[0]].key("steps"),
            "workflow-cycle",
            f"workflows that run each other: {' runs '.join((*cycle, cycle[0]))}",
            "workflows that end",
            "remove one of these steps",
        )


def grain_faults(
    workflows: Mapping[str, Workflow], places: Mapping[str, Places]
) -> Iterator[Fault]:
    """Find windows that are handed on to a workflow of another grain."""
    for name, workflow in workflows.items():
        for step_name, step in workflow.steps.items():
            for at, one in _with_inner(("steps", step_name), step):
                other = workflows.get(one.workflow) if isinstance(one, WorkflowStep) else None
                if not isinstance(one, WorkflowStep) or other is None:
                    continue
                if other.grain != workflow.grain and not isinstance(one.window, ComputedWindow):
                    yield Fault(
                        places[name].value(*at, "workflow"),
                        "workflow-grain",
                        f"a window of {workflow.grain}s for {one.workflow}, whose grain is the "
                        f"{other.grain}",
                        "`window: {start, end}` in the other workflow's grain",
                        "compute it, such as start: \"{% $window.start & 'T00' %}\"",
                    )
