"""What a state takes in and gives out: the fields around its work, in both query languages.

In: a state's `Io`, its `Env`, and values.  Out: the data that the work gets; then the output and
the variables to assign.  In JSONPath states `$` is whatever the stage works on, so the stages set
`env.input`; the raw input is kept by the caller.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, assert_never

from runner.machine.definition import Discard, JsonataIo, JsonPathIo
from runner.machine.failures import DATA_LIMIT, QUERY, RUNTIME, ReportedError, StateError
from runner.machine.templates import Notation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.machine.definition import Io
    from runner.machine.templates import Env, Template
    from runner.model.ports import Json

MAX_PAYLOAD_BYTES = 262_144
NO_VARIABLES: dict[str, Json] = {}

_SMALL = 64
_DEEP = "The state's data is too deeply nested"
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def take_input(io: Io, env: Env) -> None:
    """Apply InputPath: afterwards `env.input` is the effective input."""
    if isinstance(io, JsonPathIo) and io.input_path is not None:
        env.input = {} if isinstance(io.input_path, Discard) else io.input_path.evaluate(env)


def make_arguments(io: Io, env: Env) -> Json:
    """Make what the work gets: Arguments, Parameters, or the effective input."""
    match io:
        case JsonataIo():
            return env.input if io.arguments is None else io.arguments.evaluate(env)
        case JsonPathIo():
            return env.input if io.parameters is None else io.parameters.evaluate(env)
        case _:
            assert_never(io)


def give_result(io: Io, env: Env, raw: Json, result: Json) -> tuple[Json, Mapping[str, Json]]:
    """Make the output and assignments of a state whose work gave `result`."""
    match io:
        case JsonataIo():
            env.result = result
            return _jsonata_output(io, env, result)
        case JsonPathIo():
            env.input = result
            if io.result_selector is not None:
                env.input = result = io.result_selector.evaluate(env)
            assigned = _assigned(io.assign, env)
            return _leave(io, env, put_result(io, raw, result)), assigned
        case _:
            assert_never(io)


def give_input(io: Io, env: Env) -> tuple[Json, Mapping[str, Json]]:
    """Make the output and assignments of a state without a result of its own."""
    match io:
        case JsonataIo():
            return _jsonata_output(io, env, env.input)
        case JsonPathIo():
            assigned = _assigned(io.assign, env)
            return _leave(io, env, env.input), assigned
        case _:
            assert_never(io)


def give_error(io: Io, env: Env, raw: Json, error: StateError) -> tuple[Json, Mapping[str, Json]]:
    """Make the output and assignments of a catcher."""
    told = {"Error": error.error, "Cause": error.cause}
    match io:
        case JsonataIo():
            env.error_output = told
            return _jsonata_output(io, env, told)
        case JsonPathIo():
            env.input = told
            return put_result(io, raw, told), _assigned(io.assign, env)
        case _:
            assert_never(io)


def _jsonata_output(io: JsonataIo, env: Env, default: Json) -> tuple[Json, Mapping[str, Json]]:
    output = default if io.output is None else io.output.evaluate(env)
    return output, _assigned(io.assign, env)


def _assigned(assign: Template | None, env: Env) -> Mapping[str, Json]:
    if assign is None:
        return NO_VARIABLES
    made: Mapping[str, Json] = assign.evaluate(env)
    if size_of(compact(made)) > MAX_PAYLOAD_BYTES:
        told = "The variables that one Assign field sets exceed the maximum size of"
        raise StateError(DATA_LIMIT, f"{told} {MAX_PAYLOAD_BYTES} bytes.")
    return made


def _leave(io: JsonPathIo, env: Env, combined: Json) -> Json:
    if io.output_path is None:
        return combined
    if isinstance(io.output_path, Discard):
        return {}
    env.input = combined
    return io.output_path.evaluate(env)


def put_result(io: JsonPathIo, raw: Json, result: Json) -> Json:
    """Apply ResultPath: put the result into a copy of the raw input."""
    path = io.result_path
    if path is None:
        return result
    if isinstance(path, Discard):
        return raw
    return _put(raw, path.steps, result)


def _put(into: Json, steps: tuple[str | int, ...], value: Json) -> Json:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        if into is None:
            into = {}
        if not isinstance(into, dict):
            raise _unplaceable(steps, into)
        return {**into, step: _put(into.get(step), rest, value)}
    if not isinstance(into, list) or not 0 <= step < len(into):
        raise _unplaceable(steps, into)
    return [*into[:step], _put(into[step], rest, value), *into[step + 1 :]]


def _unplaceable(steps: tuple[str | int, ...], into: Json) -> StateError:
    path = "".join(f"['{step}']" if isinstance(step, str) else f"[{step}]" for step in steps)
    return StateError(RUNTIME, f"Unable to apply ReferencePath ${path} to input {compact(into)}")


def branch_io(state: Io, branch: Io) -> Io:
    """Give the io of a Choice's branch: in JSONPath, OutputPath stays the state's."""
    if isinstance(state, JsonPathIo) and isinstance(branch, JsonPathIo):
        return JsonPathIo(output_path=state.output_path, assign=branch.assign)
    return branch


def not_text(template: Template, value: Json) -> StateError:
    """Make the error for a field whose value must be a string."""
    if template.notation is Notation.JSONATA:
        return unexpected_type(template, value, "string")
    told = f"The value of the field '{template.field}' must be a string but was"
    return StateError(RUNTIME, f"{told}: {compact(value)}")


def compact(value: Json) -> str:
    """Write JSON without blanks, as AWS's texts do; raises StateError where it is too deep."""
    try:
        return _dumps(value)
    except RecursionError as error:
        raise too_deep() from error


def too_deep() -> StateError:
    """Make the error of data that nests deeper than calls can."""
    return StateError(RUNTIME, _DEEP)


def check_size(value: Json, owner: str) -> None:
    """Raise States.DataLimitExceeded when a payload is over 262,144 bytes of UTF-8."""
    if value is None or isinstance(value, (bool, int, float)):
        return
    if isinstance(value, str) and len(value) < _SMALL:
        return
    if size_of(compact(value)) > MAX_PAYLOAD_BYTES:
        told = f"The state/task '{owner}' returned a result with a size exceeding"
        raise ReportedError(DATA_LIMIT, f"{told} the maximum number of bytes service limit.")


def size_of(text: str) -> int:
    """Count the bytes of a text in UTF-8; half a character, which JSON may have, counts as three.

    >>> size_of("a"), size_of(chr(0x20AC)), size_of(chr(0xD800))
    (1, 3, 3)
    """
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


_JSON_TYPES = {str: "string", int: "number", float: "number", dict: "object", list: "array"}


def type_name(value: Json) -> str:
    """Name a JSON value's type as AWS's texts do."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return _JSON_TYPES[type(value)]


def unexpected_type(template: Template, value: Json, expected: str) -> StateError:
    """Make the error for a JSONata expression whose value has the wrong type."""
    source = template.source
    shown = source[2:-2].strip() if isinstance(source, str) else compact(source)
    return StateError(
        QUERY,
        f"The JSONata expression '{shown}' specified for the field '{template.field}' returned an"
        f" unexpected result type. Expected '{expected}', but was '{type_name(value)}'"
        f" for value: {compact(value)}",
        template.field,
    )
