"""Workflow files: the model, and what its steps name: steps, tables, functions, topics.

In: the text of a workflow file; the tables, functions and time zone of the project.  Out: a
`NamedWorkflow` and faults.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import Fault
from runner.model.names import is_name
from runner.model.nearest import listed, suggestion
from runner.model.project import NamedWorkflow
from runner.model.selection import EVERYTHING, bare_pattern, candidates, matches
from runner.model.steps_flow import GO_ON, SKIP, needs_of
from runner.model.steps_sinks import BigqueryTransferStep
from runner.model.workflow import LambdaStep, LoadsStep, TablesStep, Workflow
from runner.project.configuration import zone_fault
from runner.project.graph import cycles
from runner.project.raw_states import raw_state_faults
from runner.project.sinks import sink_faults
from runner.project.source_steps import source_step_faults
from runner.project.step_tables import step_tables
from runner.project.steps_flow import every_step, flow_faults
from runner.project.triggers import trigger_faults
from runner.project.validate import validate
from runner.project.yamltext import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from runner.model.config import AwsEnvironment, LocalEnvironment
    from runner.model.names import TableName
    from runner.model.places import Places
    from runner.model.project import Table
    from runner.project.configuration import Setting
    from runner.project.triggers import Written

BUILTIN = "builtin:"


@dataclass(frozen=True, slots=True)
class WorkflowFile:
    """A workflow file, validated by itself."""

    named: NamedWorkflow | None
    places: Places
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the steps of a workflow may name."""

    tables: Sequence[Table]
    tables_complete: bool
    """False when some SQL file is wrong: then a pattern may match a table that is not here."""
    functions: tuple[str, ...]
    incomplete_functions: tuple[str, ...]
    builtins: tuple[str, ...]
    timezone: str
    written: Written
    """Where runs write, which no trigger may watch."""
    setting: Setting | None = None
    """The environment that is compiled for, and the sources."""
    workflows: tuple[str, ...] = ()
    environment: AwsEnvironment | LocalEnvironment | None = None


def read_workflow(text: str, *, file: str, name: str) -> WorkflowFile:
    """Validate one workflow file."""
    yaml = read_yaml(text, file=file)
    if yaml.faults and yaml.data is None:
        return WorkflowFile(None, yaml.places, yaml.faults)
    workflow, faults = validate(Workflow, yaml.data, yaml.places)
    named = NamedWorkflow(name, file, workflow) if workflow is not None else None
    return WorkflowFile(named, yaml.places, yaml.faults + faults)


def workflow_faults(
    workflow: Workflow, places: Places, surroundings: Surroundings
) -> Iterator[Fault]:
    """Find what the steps name and what does not exist, or contradicts itself."""
    if workflow.schedule is not None and workflow.schedule.timezone is not None:
        zone = zone_fault(workflow.schedule.timezone, places.value("schedule", "timezone"))
        if zone is not None:
            yield zone
    yield from _step_names(workflow, places)
    yield from _needs(workflow, places)
    yield from _catchers(workflow, places)
    yield from _functions(workflow, places, surroundings)
    yield from _patterns(workflow, places, surroundings)
    yield from _twice(workflow, places, surroundings)
    yield from sink_faults(workflow, places, surroundings.tables)
    yield from trigger_faults(workflow, places, surroundings.written)
    yield from source_step_faults(workflow, places, surroundings.tables, surroundings.setting)
    yield from flow_faults(workflow, places, surroundings.workflows, surroundings.environment)
    yield from raw_state_faults(workflow, places)


def _step_names(workflow: Workflow, places: Places) -> Iterator[Fault]:
    for name in workflow.steps:
        if name in (GO_ON, SKIP) or not is_name(name):
            yield Fault(
                places.key("steps", name),
                "bad-name",
                f"the step name `{name}`",
                f"small letters, digits and _, a letter first; not `{GO_ON}`, not `{SKIP}`",
                "rename the step",
            )


def _needs(workflow: Workflow, places: Places) -> Iterator[Fault]:
    steps = workflow.steps
    for name, step in steps.items():
        for index, need in enumerate(step.needs):
            if need not in steps:
                others = [other for other in steps if other != name]
                yield Fault(
                    places.value("steps", name, "needs", index),
                    "unknown-step",
                    f"`needs: {need}`, which is no step of this workflow",
                    f"one of {listed(others)}",
                    suggestion(need, others, otherwise="add the step, or remove the name"),
                )
    known = {name: [n for n in needs if n in steps] for name, needs in needs_of(steps).items()}
    for cycle in cycles(known):
        yield Fault(
            places.key("steps", cycle[0], "needs"),
            "step-cycle",
            f"steps that need each other: {' needs '.join((*cycle, cycle[0]))}",
            "an order in which every step comes after what it needs",
            "remove one of these `needs`",
        )


def _catchers(workflow: Workflow, places: Places) -> Iterator[Fault]:
    for name, step in workflow.steps.items():
        for index, catcher in enumerate(step.catch):
            if catcher.next == GO_ON:
                continue
            place = places.value("steps", name, "catch", index, "next")
            others = [other for other in workflow.steps if other != name]
            if catcher.next not in others:
                yield Fault(
                    place,
                    "unknown-step",
                    f"`next: {catcher.next}`"
                    + (", the step itself" if catcher.next == name else ", which is no step"),
                    f"`{GO_ON}`, or another step: {listed(others)}",
                    suggestion(catcher.next, [GO_ON, *others], otherwise="name a step, or add it"),
                )


def _functions(workflow: Workflow, places: Places, surroundings: Surroundings) -> Iterator[Fault]:
    builtins = [f"{BUILTIN}{name}" for name in surroundings.builtins]
    for at, step in every_step(workflow):
        if not isinstance(step, LambdaStep | BigqueryTransferStep):
            continue
        if isinstance(step, BigqueryTransferStep) and step.transfer is None:
            continue  # nothing is called
        place = places.value(*at, "function")
        if step.function in surroundings.incomplete_functions:
            yield Fault(
                place,
                "unknown-function",
                f"`function: {step.function}`, a folder without handler.py",
                f"lambdas/{step.function}/handler.py with def handler(event, context)",
                "add the file",
            )
        elif step.function not in (*surroundings.functions, *builtins):
            known = [*surroundings.functions, *builtins]
            yield Fault(
                place,
                "unknown-function",
                f"`function: {step.function}`, which has no folder under lambdas/",
                f"one of {listed(known)}",
                suggestion(
                    step.function, known, otherwise=f"add lambdas/{step.function}/handler.py"
                ),
            )


def _patterns(workflow: Workflow, places: Places, surroundings: Surroundings) -> Iterator[Fault]:
    for name, step in workflow.steps.items():
        if not isinstance(step, TablesStep | LoadsStep | BigqueryTransferStep):
            continue
        for key, patterns in _pattern_keys(step):
            for index, pattern in enumerate(patterns):
                if pattern == EVERYTHING or matches(surroundings.tables, pattern):
                    continue
                if "tag:" in pattern and not surroundings.tables_complete:
                    continue
                known = candidates(surroundings.tables, pattern)
                yield Fault(
                    places.value("steps", name, key, index),
                    "empty-selection",
                    f"`{pattern}`, which matches no table",
                    "database.table, database.*, tag:word, +database.table, database.table+",
                    suggestion(
                        bare_pattern(pattern),
                        known,
                        otherwise=f"there are {listed(known)}" if known else "add a table first",
                    ),
                )


def _pattern_keys(
    step: TablesStep | LoadsStep | BigqueryTransferStep,
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Give the keys of a step that hold patterns."""
    if isinstance(step, BigqueryTransferStep):
        return ("tables", step.tables), ("exclude", step.exclude)
    return ("select", step.select or ()), ("exclude", step.exclude)


def _twice(workflow: Workflow, places: Places, surroundings: Surroundings) -> Iterator[Fault]:
    """Refuse a table in two steps of one type: it would be written, or loaded, twice in a run."""
    for kind in (TablesStep, LoadsStep):
        owners: dict[TableName, str] = {}
        for name, step in workflow.steps.items():
            if not isinstance(step, kind):
                continue
            selected = step_tables(workflow, step, surroundings.tables)
            shared = [table for table in selected if table in owners]
            if shared:
                yield Fault(
                    places.key("steps", name),
                    "selected-twice",
                    f"{shared[0]} in this step and in `{owners[shared[0]]}`",
                    "each table in one step of a type",
                    f"narrow `select` of one of the two, or add exclude: [{shared[0]}]",
                )
            owners |= dict.fromkeys(selected, name)


def retried_loads(
    workflows: Iterable[NamedWorkflow], tables: Sequence[Table]
) -> Mapping[TableName, str]:
    """Give the tables that a step with retriers of its own loads, and that step in words."""
    return {
        table: f"`retry` of step {name} in {one.file}"
        for one in workflows
        for name, step in one.workflow.steps.items()
        if isinstance(step, LoadsStep) and any(r.max_attempts for r in step.retry or ())
        for table in step_tables(one.workflow, step, tables)
    }
