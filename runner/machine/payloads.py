"""Payload templates and paths of JSONPath states, compiled to closures over an `Env`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine import path_misses
from runner.machine.failures import RUNTIME, StateError
from runner.machine.paths import BadPath, Missing, PastEnd, Path, Root, follow, parse_path

if TYPE_CHECKING:
    from runner.machine.templates import Compiled, Env
    from runner.model.ports import Json

_SUFFIX = ".$"
NO_INPUT = "Unable to apply Path transformation to null or empty input."


def compile_payload(source: Json, field: str) -> Compiled:
    """Compile a payload template: keys that end in `.$` hold paths or intrinsic functions."""
    if isinstance(source, dict):
        members = tuple(_member(key, value, f"{field}/{key}") for key, value in source.items())
        return lambda env: {key: compiled(env) for key, compiled in members}
    if isinstance(source, list):
        items = tuple(compile_payload(item, f"{field}[{n}]") for n, item in enumerate(source))
        return lambda env: [compiled(env) for compiled in items]
    return lambda _env: source


def _member(key: str, value: Json, field: str) -> tuple[str, Compiled]:
    if key.endswith(_SUFFIX):
        return key[: -len(_SUFFIX)], compile_path(value, field.rpartition("/")[2])
    return key, compile_payload(value, field)


def compile_path(source: Json, field: str) -> Compiled:
    """Compile one path or intrinsic function."""
    if not isinstance(source, str):
        return _refusing(f"The value for the field '{field}' must be a valid JSONPath")
    if source.startswith("States."):
        from runner.machine.intrinsics import compile_intrinsic  # noqa: PLC0415  (seldom used)

        return compile_intrinsic(source, field)
    try:
        path = parse_path(source)
    except BadPath:
        return _refusing(f"The value for the field '{field}' must be a valid JSONPath")
    return path_reader(path, source, field)


def _refusing(cause: str) -> Compiled:
    def refuse(_env: Env) -> Json:
        raise StateError(RUNTIME, cause)

    return refuse


def path_reader(path: Path, text: str, field: str) -> Compiled:
    """Make the closure that follows a path in an `Env`.

    Behind an array's end is null, but not for the rules of a Choice state.  A path cannot begin
    at null, but `$` stands for what InputPath and OutputPath are by default.
    """
    all_of_it = not path.steps and field in {"InputPath", "OutputPath"}
    from_input = path.root is Root.INPUT and not all_of_it
    ends_in_null = not path_misses.is_of_choice(field)

    def read(env: Env) -> Json:
        if from_input and env.input is None:
            raise StateError(RUNTIME, NO_INPUT)
        try:
            return follow(path, root_value(path, env))
        except Missing as error:
            if ends_in_null and isinstance(error, PastEnd) and _is_last(path, env):
                return None
            raise path_misses.not_found(path, text, field, env) from error

    return read


def _is_last(path: Path, env: Env) -> bool:
    """Tell whether it is the last step that is behind an array's end."""
    try:
        follow(
            Path(path.root, path.variable, path.steps[:-1], definite=True), root_value(path, env)
        )
    except Missing:
        return False
    return True


def root_value(path: Path, env: Env) -> Json:
    """Give the value that a path starts from; raises Missing for an unknown variable."""
    if path.root is Root.INPUT:
        return env.input
    if path.root is Root.CONTEXT:
        return env.make_context()
    if path.variable not in env.variables:
        raise Missing
    return env.variables[path.variable]
