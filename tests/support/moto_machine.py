"""An interpreter of Amazon States Language that is not ours: moto's, which is LocalStack's.

In: a definition's bytes and services.  Out: how the execution ended.  moto parses the definition
with its own grammar and walks it with its own classes; a definition that only our interpreter
understood would fail here.  As shipped, JSONata is switched off (it wants a Java machine), athena
is unsupported, and every service call goes to AWS.  So a plug-in, put in for the time of one
execution and taken out again, replaces:

- the evaluation of one JSONata expression, by jsonata-python, with variables and `$states` bound
  as values (moto would paste them into the expression, strings unescaped) and `$hash` and
  `$parse`, which AWS has and moto has not;
- the service of every task, by the one that is given;
- the error of a failed Map iteration or branch: moto refuses to pass on names that begin with
  `States.`, though a failed query is `States.TaskFailed`;
- waiting, which takes no time.

The context object gets RedriveCount, which moto forgets.  The definition is not touched.
"""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from jsonata.jexception import JException
from jsonata.jsonata import Jsonata
from jsonata.utils import Utils
from moto.stepfunctions.parser.api import HistoryEventType, StateMachineType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
    CustomErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
    StatesErrorName,
)
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import iteration_worker
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branches_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_factory
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import (
    WaitFunction,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from runner.model.ports import Json, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXECUTION = "arn:aws:states:local:000000000000:execution:daily:run-1"
MACHINE = "arn:aws:states:local:000000000000:stateMachine:daily"
_ONE_AT_A_TIME = threading.Lock()
_NULL = Utils.NULL_VALUE


@dataclass(frozen=True, slots=True)
class Ended:
    """How an execution ended, and the names of the states that were entered."""

    status: str
    output: Json
    error: str | None
    cause: str | None
    entered: tuple[str, ...]


def run_with_moto(
    definition: bytes,
    given: Json,
    do: Callable[[str, str, Json], Json],
    *,
    execution: dict[str, Json] | None = None,
) -> Ended:
    """Execute a definition; `do` takes the state's name, the resource and the arguments.

    `execution` is what the context object says of it; what is missing there is filled in.
    """
    with _ONE_AT_A_TIME, plugged_in(do):
        program, _ = AmazonStateLanguageParser.parse(definition.decode())
        env = _environment(given, {} if execution is None else execution)
        program.eval(env)
    state = env.program_state()
    entered = tuple(
        event["stateEnteredEventDetails"]["name"]
        for event in env.event_manager.get_event_history()
        if "stateEnteredEventDetails" in event
    )
    if isinstance(state, ProgramEnded):
        return Ended("SUCCEEDED", env.states.get_input(), None, None, entered)
    if isinstance(state, ProgramError):
        failed = state.error or {}
        return Ended("FAILED", None, failed.get("error"), failed.get("cause"), entered)
    return Ended(type(state).__name__, None, None, None, entered)


def _environment(given: Json, execution: dict[str, Json]) -> Any:  # noqa: ANN401 - moto has no types
    execution.setdefault("Id", EXECUTION)
    execution.setdefault("Name", execution["Id"].rpartition(":")[2])
    execution.setdefault("Input", given)
    execution.setdefault("RoleArn", "")
    execution.setdefault("StartTime", "2013-02-01T00:00:00Z")
    execution.setdefault("RedriveCount", 0)
    context: Any = {"Execution": execution, "StateMachine": {"Id": MACHINE, "Name": "daily"}}
    return Environment(
        aws_execution_details=AWSExecutionDetails("000000000000", "us-east-1", ""),
        execution_type=StateMachineType.STANDARD,
        context=context,
        event_history_context=EventHistoryContext.of_program_start(),
        cloud_watch_logging_session=None,
        activity_store={},
    )


@contextmanager
def plugged_in(do: Callable[[str, str, Json], Json]) -> Iterator[None]:
    """Let moto's interpreter understand our definitions and call `do`, until the block ends."""
    service = _service_of(do)
    parts: list[tuple[Any, str, object]] = [
        (StringJSONata, "_eval_body", _evaluate),
        (state_task_factory, "state_task_service_for", lambda service_name: service()),  # noqa: ARG005
        (iteration_worker, "CustomErrorName", _error_name),
        (branches_decl, "CustomErrorName", _error_name),
        (retrier_decl, "time", SimpleNamespace(sleep=_no_wait)),
        (WaitFunction, "_wait_interval", _no_wait),
    ]
    with ExitStack() as restore:
        for owner, name, part in parts:
            restore.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, part)
        yield


def _no_wait(*_args: object, **_named: object) -> None:
    """Wait no time."""


def _error_name(error_name: str) -> Any:  # noqa: ANN401
    if error_name.startswith("States."):
        return StatesErrorName.from_name(error_name)
    return CustomErrorName(error_name)


def _service_of(do: Callable[[str, str, Json], Json]) -> Any:  # noqa: ANN401
    class Service(state_task_service.StateTaskService):
        """Any task: its arguments go to `do`."""

        def _validate_service_integration_is_supported(self) -> None:
            """Let `do` decide."""

        def _eval_service_task(
            self,
            env: Any,  # noqa: ANN401
            resource_runtime_part: object,  # noqa: ARG002 - moto's signature
            normalised_parameters: Json,
            state_credentials: object,  # noqa: ARG002
        ) -> None:
            resource = self.resource.resource_arn
            env.stack.append(do(env.next_state_name, resource, normalised_parameters))

        def _from_error(self, env: Any, ex: Exception) -> Any:  # noqa: ANN401
            if not isinstance(ex, ServiceError):
                return super()._from_error(env=env, ex=ex)
            details: Any = {"taskFailedEventDetails": {"error": ex.error, "cause": ex.cause}}
            return FailureEvent(
                env=env,
                error_name=_error_name(ex.error),
                event_type=HistoryEventType.TaskFailed,
                event_details=details,
            )

    return Service


def _evaluate(expression: Any, env: Any) -> None:  # noqa: ANN401 - moto has no types
    """Stand in for `StringJSONata._eval_body`."""
    store = env.variable_store
    variables = {**store._outer_scope, **store._inner_scope}  # noqa: SLF001 - it has no other way
    states = {
        name: value
        for name, value in env.states._states_data.items()  # noqa: SLF001
        if value is not None or name == "input"
    }
    execution = states["context"]["Execution"]  # moto forgets the count
    execution = {"RedriveCount": 0, **execution}
    states["context"] = {**states["context"], "Execution": execution}
    text = expression.expression
    bound = {name: _marked(value) for name, value in variables.items()}
    functions = {"hash": Jsonata.JLambda(_hash), "parse": Jsonata.JLambda(json.loads)}
    bound |= {"states": _marked(states), **functions}
    try:
        program = Jsonata(text)
        program.set_output_convert_nulls(False)
        value = program.evaluate(None, bound)
    except JException as error:
        raise _query_failed(env, f"{error}: {text}") from error
    if value is None:
        raise _query_failed(env, f"The JSONata expression '{text}' returned nothing (undefined).")
    env.stack.append(_plain(value))


def _hash(text: str, algorithm: str) -> str:
    return hashlib.new(algorithm.replace("-", "").lower(), text.encode()).hexdigest()


def _query_failed(env: Any, cause: str) -> Any:  # noqa: ANN401
    name = StatesErrorName.from_name("States.QueryEvaluationError")
    details: Any = {"evaluationFailedEventDetails": {"error": name.error_name, "cause": cause}}
    return FailureEventException(
        FailureEvent(
            env=env,
            error_name=name,
            event_type=HistoryEventType.EvaluationFailed,
            event_details=details,
        )
    )


def _marked(value: Json) -> Json:
    """Tell JSON's null from undefined, as the library wants it."""
    if value is None:
        return _NULL
    if isinstance(value, dict):
        return {key: _marked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_marked(item) for item in value]
    return value


def _plain(value: Any) -> Json:  # noqa: ANN401
    """Give the library's value as JSON; anything that is not JSON raises TypeError."""
    if value is _NULL:
        return None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    json.dumps(value)
    return value
