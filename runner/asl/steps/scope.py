"""Where a step stands: the project, the target, and the variable that collects results.

Results are objects {step, name, kind, status, ...}; status is published, unchanged, loaded,
succeeded, caught, unchosen (a choice left it out), failed or skipped.  An inner scope may read
outer variables, but no name that any state of an outer scope assigns may be assigned in it (Amazon
States Language), so every depth has names of its own: `results` and `step_problem` at the top,
`branch` and `branch_problem` in a step beside others, `part_problem` beside the start of a child,
`done` and `problem` in a lane, `part` in a Map, `made`, `item` and `item_problem` in a step that a
map repeats.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runner.asl import retries
from runner.asl.expressions import expression, names_in, quote
from runner.asl.flow import State, catcher, retrier, state_name
from runner.asl.payloads import BRIEF_BYTES, MUCH_RESULTS_BYTES, RESULT_BYTES, results_bytes
from runner.asl.tables.common import keeper_task
from runner.errors import Fault, Place, ProjectError
from runner.model.durations import seconds
from runner.model.steps_flow import SKIP, ChoiceStep
from runner.model.workflow import LoadsStep, TablesStep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.asl.target import Target
    from runner.model.config import Concurrency, Retry
    from runner.model.names import TableName
    from runner.model.project import Project, StepQuery
    from runner.model.step import StepCatch, StepRetry
    from runner.model.workflow import AnyStep, Workflow


ITEM = "item_"
"""What the variables of a step that a map repeats begin with."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """What the machine of a backfill writes (SEMANTICS 10, 33)."""

    tables: tuple[TableName, ...]
    """In the order of dependencies."""
    loads: tuple[TableName, ...]
    grain: str
    """Grain of the window that is asked for."""
    refreshed: frozenset[str] = frozenset()
    """Tables that are written anew as a whole."""
    distributed: frozenset[str] = frozenset()
    """Tables with so many chunks that these are executions of their own."""
    concurrency: Concurrency | None = None
    """The project's if None."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the states of a step are made from."""

    project: Project
    target: Target
    workflow_name: str
    workflow: Workflow
    selected: dict[str, tuple[TableName, ...]]
    """Tables of each tables and loads step, in dependency order."""
    following: str
    entries: dict[str, str]
    """First state of every later step at the same level of the machine."""
    sink: str = "results"
    known: str = "$results"
    """JSONata for every result so far."""
    machine_bytes: int = 0
    """Where tables go to machines of their own: the most bytes of one; 0 where they do not."""
    backfill: Backfill | None = None
    """What is written, in the machine of a backfill."""
    distributed: frozenset[str] = frozenset()
    """Tables whose chunks would not fit the history of an execution with the others."""
    depth: str = "step_"
    """What the names of a step's own variables begin with; nothing in a lane."""
    queries: Mapping[str, StepQuery] = field(default_factory=dict)
    """What the `sql` steps ask, by their names."""
    window: str = "$window"
    """JSONata for the window of the run."""
    given_values: str = ""
    """JSONata for the values of steps, where the results themselves are out of sight."""

    @property
    def values(self) -> str:
        """Give JSONata for the values of the steps so far, by the steps' names."""
        every = f"$merge($append([], {self.known}[$exists(value)].{{step: value}}))"
        return self.given_values or every

    @property
    def item_tag(self) -> str:
        """Give JSONata that goes on with a token's text: in a map, which item it is for.

        Items in one execution share its id, and may enter a state at the same moment.
        """
        index = "$states.context.Map.Item.Index"
        told = f' & "|" & ($exists({index}) ? $string({index}) : "")'
        return told if self.depth == ITEM else ""

    @property
    def concurrency(self) -> Concurrency:
        """Give the workflow's concurrency, or the project's."""
        return self.workflow.concurrency or self.project.config.defaults.concurrency

    @property
    def retry(self) -> Retry:
        """Give the workflow's retries of tables, or the project's."""
        return self.workflow.retry or self.project.config.defaults.retry

    @property
    def is_brief(self) -> bool:
        """Tell whether results are noted without counts: all of them would be too much."""
        names = [str(name) for chosen in self.selected.values() for name in chosen]
        longest = max(map(len, names), default=0)
        return bool(self.machine_bytes) and (
            results_bytes(len(names), longest) > MUCH_RESULTS_BYTES
        )

    def results_bytes(self, names: Sequence[TableName], *, brief: bool = False) -> int:
        """Estimate the results of some tables or loads."""
        each = BRIEF_BYTES if brief else RESULT_BYTES
        return sum(each + len(str(name)) for name in names)

    def needs(self, step: AnyStep, *, tables_too: bool) -> list[str]:
        """Name the needed steps whose failure skips this one.

        Tables and loads look at their own upstreams instead of whole steps of tables, which count
        only when they may be skipped as a whole.
        """
        return [name for name in step.needs if tables_too or self._may_be_down(name)]

    def _may_be_down(self, name: str) -> bool:
        """Tell whether a step may fail or be skipped as a whole."""
        step = self.workflow.steps[name]
        if not isinstance(step, TablesStep | LoadsStep):
            return True
        return any(self._may_be_down(one) for one in step.needs)

    def left_out(self, name: str) -> str:
        """Give JSONata that tells whether a choice leaves a step out; empty where none can.

        A step is left out where no choice that names it chose it, or where all that it needs, as
        far as that may be left out, is.
        """
        step = self.workflow.steps.get(name)
        if step is None:
            return ""
        deciding = [need for need in step.needs if name in self._named_by(need)]
        optional = [need for need in step.needs if need not in deciding and self._optional(need)]
        parts = []
        if deciding:
            chosen = f'kind = "choice" and {quote(name)} in value and step in {names_in(deciding)}'
            parts.append(f"$not($exists({self.known}[{chosen}]))")
        if optional:
            gone = f'status = "unchosen" or (kind = "choice" and {quote(SKIP)} in value)'
            found = f"{self.known}[step in {names_in(optional)} and ({gone})]"
            parts.append(f"$count({found}) = {len(optional)}")
        return " or ".join(parts)

    def _named_by(self, choice: str) -> tuple[str, ...]:
        step = self.workflow.steps[choice]
        return step.named if isinstance(step, ChoiceStep) else ()

    def _optional(self, name: str) -> bool:
        """Tell whether what needs a step may have to be left out with it."""
        step = self.workflow.steps[name]
        if isinstance(step, ChoiceStep) and any(SKIP in targets for targets in step.outcomes):
            return True
        return bool(self.left_out(name))

    def jump(self, step: str, to: str) -> str:
        """Give the state where a catcher's `next` begins; ProjectError when it cannot go there."""
        if to in self.entries:
            return self.entries[to]
        fault = Fault(
            Place(f"workflows/{self.workflow_name}.yaml"),
            "catch-unreachable",
            f"step {step!r} catches to {to!r}",
            "a later step, or a step without needs; not from one of several parallel steps",
            "let one step need the other, so that they run one after the other",
        )
        raise ProjectError([fault])

    def catching(self, name: str, step: AnyStep, following: str) -> tuple[State, ...]:
        """Send failures of a step of many parts where its catchers say, else go on."""
        choices = []
        for one in step.catch:
            if one.next == "continue":
                continue
            fits = f'step = {quote(name)} and status = "failed"'
            if "States.ALL" not in one.errors:
                fits += f" and error in {names_in(list(one.errors))}"
            condition = expression(f"$exists({self.known}[{fits}])")
            choices.append({"Condition": condition, "Next": self.jump(name, one.next)})
        if not choices:
            return ()
        fields = {"Type": "Choice", "Choices": choices, "Default": following}
        return (State(state_name(name, "caught?"), fields),)

    def collect(self, fields: str, *, sink: str | None = None) -> dict[str, str]:
        """Assign the results plus one more; `fields` is JSONata inside braces."""
        variable = sink or self.sink
        return {variable: expression(f"$append(${variable}, [{{{fields}}}])")}

    def gate(
        self,
        name: str,
        needed: Sequence[str],
        *,
        start: str,
        skipped: dict[str, str],
        whole: bool = False,
    ) -> State:
        """Skip a step whose needed steps failed or were skipped, or that a choice leaves out.

        With `whole`, results of single tables and loads do not count.
        """
        single = '$not(kind in ["table", "load"]) and ' if whole else ""
        down = f'{self.known}[status in ["failed", "skipped"] and {single}step in '
        choices = []
        if needed:
            found = expression(f"$exists({down}{names_in(list(needed))}])")
            choices.append({"Condition": found, "Assign": skipped, "Next": self.following})
        out = self.left_out(name)
        if out:
            kind = self.workflow.steps[name].type
            noted = self.collect(entry(name, name, kind, "unchosen"))
            rule = {"Condition": expression(out), "Assign": noted, "Next": self.following}
            choices.append(rule)
        fields = {"Type": "Choice", "Choices": choices, "Default": start}
        return State(state_name(name, "choose"), fields)


def entry(step: str, name: str, kind: str, status: str, more: str = "") -> str:
    """Write a result's fields as JSONata."""
    return (
        f'"step": {quote(step)}, "name": {quote(name)}, "kind": {quote(kind)}, '
        f'"status": {quote(status)}{more}'
    )


def gated(
    scope: Scope, name: str, step: AnyStep, kind: str, *, start: str = ""
) -> tuple[State, ...]:
    """Give the state that skips a step where one that it needs is down; none if it needs none.

    `start` is the step's first state if that is not called `run`.
    """
    needed = scope.needs(step, tables_too=True)
    if not needed and not scope.left_out(name):
        return ()
    skipped = scope.collect(entry(name, name, kind, "skipped"))
    start = start or state_name(name, "run")
    return (scope.gate(name, needed, start=start, skipped=skipped),)


def step_retriers(retry: tuple[StepRetry, ...] | None, default: list[dict[str, Any]]) -> list[Any]:
    """Translate a step's own retriers; the default ones where it names none."""
    if retry is None:
        return default
    result = []
    for one in retry:
        interval = seconds(one.interval)
        fields = retrier(
            one.errors,
            interval_s=interval,
            attempts=one.max_attempts,
            backoff=one.backoff,
            max_delay_s=seconds(one.max_delay) if one.max_delay else None,
        )
        if not one.jitter:
            del fields["JitterStrategy"]
        result.append(fields)
    return result


def step_failing(
    scope: Scope, name: str, kind: str, step: AnyStep, *, first: Sequence[dict[str, Any]] = ()
) -> tuple[list[dict[str, Any]], tuple[State, ...]]:
    """Give a step's catchers, `first` before its own, and the states that explain other errors.

    A catcher of States.ALL must be the last, and no state may be unreachable: after one of the
    step's own there is nothing left to explain.
    """
    catchers = [*first, *(_catch(scope, name, kind, one) for one in step.catch)]
    if any("States.ALL" in one["ErrorEquals"] for one in catchers):
        return catchers, ()
    failed = scope.collect(entry(name, name, kind, "failed", failure(scope)))
    explained = explaining(scope, name, failed, following=scope.following)
    return [*catchers, catch_to_explain(scope, name)], explained


def _catch(scope: Scope, name: str, kind: str, one: StepCatch) -> dict[str, Any]:
    """Translate a catcher: `continue` goes on as if the step were done, a step's name jumps."""
    more = (
        ', "error": $states.errorOutput.Error, "message": '
        '$exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : ""'
    )
    if one.next == "continue":
        noted = scope.collect(entry(name, name, kind, "caught", more))
        return catcher(one.errors, scope.following, Assign=noted)
    noted = scope.collect(entry(name, name, kind, "failed", more))
    return catcher(one.errors, scope.jump(name, one.next), Assign=noted)


def explaining(
    scope: Scope, subject: str, failed: dict[str, str], *, following: str
) -> tuple[State, ...]:
    """Put a failure into plain words, note it, and go on; `problem` holds the error."""
    problem, diagnosis = f"${scope.depth}problem", f"{scope.depth}diagnosis"
    return (
        State(
            state_name(subject, "explain"),
            keeper_task(
                scope.target,
                "explain",
                {
                    "error": expression(f"{problem}.Error"),
                    "cause": expression(f'$exists({problem}.Cause) ? {problem}.Cause : ""'),
                },
                Assign={diagnosis: expression("$states.result.Payload")},
                Output={},
                Retry=retries.keeper(),
                Catch=[
                    catcher(
                        ["States.ALL"],
                        state_name(subject, "fail"),
                        Assign={diagnosis: {"message": "", "advice": ""}},
                    )
                ],
                Next=state_name(subject, "fail"),
            ),
        ),
        State(
            state_name(subject, "fail"),
            {"Type": "Pass", "Assign": failed, "Next": following},
        ),
    )


def failure(scope: Scope) -> str:
    """Write further fields of a failed result."""
    diagnosis = f"${scope.depth}diagnosis"
    return (
        f', "error": ${scope.depth}problem.Error, "message": {diagnosis}.message, '
        f'"advice": {diagnosis}.advice'
    )


def catch_to_explain(scope: Scope, subject: str) -> dict[str, Any]:
    """Send any error to the explanation."""
    return catcher(
        ["States.ALL"],
        state_name(subject, "explain"),
        Assign={f"{scope.depth}problem": expression("$states.errorOutput")},
    )
