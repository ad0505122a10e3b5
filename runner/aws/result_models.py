"""Whether a result could come from the service that a task calls: botocore's response models.

In: a task's resource and a result.  Out: what is wrong with it, in the words of AWS's TestState.
A service's model is read when the first result of it is checked.  Names are those of Step
Functions: optimized integrations begin the API's names with a capital letter, `aws-sdk`
integrations use the names of the Java SDK (`DbInstances` for the API's `DBInstances`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from runner.aws.integrations import answering, known_folder, read_integration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from runner.aws.integrations import Integration
    from runner.model.ports import Json

_PARSED = frozenset(
    {
        ("lambda", "Invoke", "Payload"),
        ("bedrock-runtime", "InvokeModel", "Body"),
        ("stepfunctions", "DescribeExecution", "Input"),
        ("stepfunctions", "DescribeExecution", "Output"),
    }
)
"""Fields that optimized integrations give as the JSON value that the API's text or bytes hold."""

_MOST = {("lambda", "MemorySize"): 10_240}
"""Upper bounds where botocore's are wider: its models give 32,768 MB since managed instances came,
TestState went on to check Lambda's quota of 10,240 MB (recorded in December 2025)."""

_NUMBERS = frozenset({"integer", "long", "float", "double", "bigdecimal", "biginteger"})
_TEXTS = frozenset({"string", "timestamp", "blob", "char"})


class _Call(NamedTuple):
    """What answers a task: an operation of a service, and how its fields are named."""

    folder: str
    operation: str
    is_sdk: bool


class ServiceModels:
    """The response models of AWS's services, as botocore has them."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._session: Any = None
        self._models: dict[str, Any] = {}

    def problem(self, resource: str, result: Json, *, strict: bool) -> str | None:
        """Tell in AWS's words what makes a result impossible for a task's resource."""
        call = self._find_call(resource)
        if call is None:
            return None
        operation = self._model(call.folder).operation_model(call.operation)
        if operation.output_shape is None:
            return None
        return _Checker(call, strict=strict).first(result, operation.output_shape)

    def _find_call(self, resource: str) -> _Call | None:
        """Find the operation whose response is the task's result; None: nothing to compare."""
        integration = read_integration(resource)
        if integration is None:
            return None
        folder = self._folder(integration)
        if folder is None:
            return None
        names = {name.lower(): name for name in self._model(folder).operation_names}
        operation = names.get(answering(integration, folder).lower())
        return None if operation is None else _Call(folder, operation, integration.is_sdk)

    def _folder(self, integration: Integration) -> str | None:
        """Find botocore's name of the service."""
        name = known_folder(integration)
        if name is not None:
            return name
        plain = integration.service.replace("-", "")
        names = self._botocore().get_available_services()
        return next((one for one in names if one.replace("-", "") == plain), None)

    def _model(self, folder: str) -> Any:  # noqa: ANN401 - botocore has no types
        if folder not in self._models:
            self._models[folder] = self._botocore().get_service_model(folder)
        return self._models[folder]

    def _botocore(self) -> Any:  # noqa: ANN401 - likewise
        if self._session is None:
            from botocore.session import Session  # noqa: PLC0415 - heavy, and seldom needed

            self._session = Session()
        return self._session


class _Checker:
    """Compares one result with a shape."""

    def __init__(self, call: _Call, *, strict: bool) -> None:
        self._call = call
        self._strict = strict

    def first(self, result: Json, shape: Any) -> str | None:  # noqa: ANN401 - botocore's
        """Give the first thing that is wrong."""
        if not isinstance(result, dict):
            return "Mocked result must be a JSON object"
        return next(self._structure(result, shape), None)

    def _check(self, value: Json, shape: Any, field: str) -> Iterator[str]:  # noqa: ANN401
        kind = shape.type_name
        if kind == "structure" and getattr(shape, "is_document_type", False):
            return
        found = _wrong_type(value, kind)
        if found:
            yield f"Field '{field}' must be {found}"
        else:
            yield from self._bounds(value, shape, field)
            yield from self._inner(value, shape, field)

    def _inner(self, value: Json, shape: Any, field: str) -> Iterator[str]:  # noqa: ANN401
        kind = shape.type_name
        if kind == "structure":
            yield from self._structure(value, shape)
        elif kind == "list":
            for item in value:
                yield from self._check(item, shape.member, field)
        elif kind == "map":
            for item in value.values():
                yield from self._check(item, shape.value, field)

    def _structure(self, value: Mapping[str, Json], shape: Any) -> Iterator[str]:  # noqa: ANN401
        if self._strict:
            for name in shape.required_members:
                if not self._names(name) & value.keys():
                    yield f"Required field '{self._name(name)}' is missing"
        members = {
            told: member for name, member in shape.members.items() for told in self._names(name)
        }
        for name, item in value.items():
            if name in members and not self._is_parsed(name):
                yield from self._check(item, members[name], name)

    def _bounds(self, value: Json, shape: Any, field: str) -> Iterator[str]:  # noqa: ANN401
        rules = shape.metadata
        if "enum" in rules and value not in rules["enum"]:
            yield f"Field '{field}' is not an expected value"
        measured, words = _measure(value, shape.type_name)
        if measured is None:
            return
        least, most = rules.get("min"), rules.get("max")
        most = _MOST.get((self._call.folder, field), most)
        if least is not None and measured < least:
            yield f"Field '{field}' is {words[0]}"
        if most is not None and measured > most:
            yield f"Field '{field}' {words[1]}"

    def _is_parsed(self, field: str) -> bool:
        call = self._call
        return not call.is_sdk and (call.folder, call.operation, field) in _PARSED

    def _name(self, member: str) -> str:
        """Write the name of a field as Step Functions does."""
        return sdk_name(member) if self._call.is_sdk else capitalized(member)

    def _names(self, member: str) -> set[str]:
        return {self._name(member), capitalized(member)}


_LENGTH = ("smaller than the minimum length", "exceeds the maximum length")
_VALUE = ("less than the minimum value", "exceeds the maximum value")


def _measure(value: Json, kind: str) -> tuple[float | None, tuple[str, str]]:
    if kind in _NUMBERS:
        return value, _VALUE
    if kind in {"string", "blob", "list"}:
        return len(value), _LENGTH
    return None, _LENGTH


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TEXT = (lambda value: isinstance(value, str), "a string")
_NUMBER = (_is_number, "a number")
_OBJECT = (lambda value: isinstance(value, dict), "an object")
_TYPES: Mapping[str, tuple[Callable[[Json], bool], str]] = {
    **dict.fromkeys(_TEXTS, _TEXT),
    **dict.fromkeys(_NUMBERS, _NUMBER),
    "boolean": (lambda value: isinstance(value, bool), "a boolean"),
    "list": (lambda value: isinstance(value, list), "an array"),
    "map": _OBJECT,
    "structure": _OBJECT,
}


def _wrong_type(value: Json, kind: str) -> str | None:
    fits, told = _TYPES[kind]
    return None if fits(value) else told


def capitalized(name: str) -> str:
    """Write a field as optimized integrations do.

    >>> capitalized("executionArn")
    'ExecutionArn'
    """
    return name[:1].upper() + name[1:]


def sdk_name(name: str) -> str:
    """Write a field as `aws-sdk` integrations do: the Java SDK's name, with a capital letter.

    >>> [sdk_name(name) for name in ("DBInstances", "ETag", "SSEKMSKeyId", "MD5OfMessageBody")]
    ['DbInstances', 'ETag', 'SsekmsKeyId', 'Md5OfMessageBody']
    """
    end = 1
    while end < len(name) and name[end].isupper() and not name[end + 1 : end + 2].islower():
        end += 1
    return name[:1].upper() + name[1:end].lower() + name[end:]
