"""Payload templates and paths of JSONPath states, compiled to closures over an `Env`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.failures import RUNTIME, StateError
from runner.machine.paths import BadPath, Missing, Path, Root, follow, parse_path
from runner.machine.shaping import compact

if TYPE_CHECKING:
    from runner.machine.templates import Compiled, Env
    from runner.model.ports import Json

_SUFFIX = ".$"


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
    """Make the closure that follows a path in an `Env`."""

    def read(env: Env) -> Json:
        try:
            return follow(path, root_value(path, env))
        except Missing as error:
            raise _not_found(path, text, field, env) from error

    return read


def root_value(path: Path, env: Env) -> Json:
    """Give the value that a path starts from; raises Missing for an unknown variable."""
    if path.root is Root.INPUT:
        return env.input
    if path.root is Root.CONTEXT:
        return env.make_context()
    if path.variable not in env.variables:
        raise Missing
    return env.variables[path.variable]


def _not_found(path: Path, text: str, field: str, env: Env) -> StateError:
    if path.root is Root.VARIABLE:
        told = f"The JSONPath '{text}' specified for the field '{field}' references a variable"
        return StateError(RUNTIME, f"{told} or member that could not be found")
    where = "the input" if path.root is Root.INPUT else "the context object"
    value = env.input if path.root is Root.INPUT else env.make_context()
    return StateError(
        RUNTIME,
        f"The JSONPath '{text}' specified for the field '{field}' could not be found in"
        f" {where} '{compact(value)}'",
    )
