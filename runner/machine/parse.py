"""Makes a `Definition` of bytes, text or JSON, or refuses it with every fault.

In: a state machine in Amazon States Language.  Out: frozen values; expressions inside are kept as
templates that compile when they are first evaluated.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from runner.machine.care import make_retrier
from runner.machine.choices import make_branch
from runner.machine.definition import (
    Batcher,
    Catcher,
    Choice,
    Definition,
    Discard,
    Distributed,
    Fail,
    Flow,
    JsonataIo,
    JsonPathIo,
    Language,
    Map,
    Parallel,
    Pass,
    Reader,
    ReferencePath,
    Succeed,
    Task,
    Wait,
    WaitFor,
    Writer,
)
from runner.machine.failures import InvalidDefinition, definition_fault
from runner.machine.refusals import BAD_JSON, NO_END, SCHEMA, TARGET, as_fault, escape, nowhere
from runner.machine.templates import Notation, Template
from runner.machine.validate import MAX_BYTES, NOT_JSON, find_refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.machine.definition import Io, State
    from runner.machine.refusals import Refusal

    Json = Any
    Source = Mapping[str, Json]


def parse_definition(
    source: bytes | str | Mapping[str, Any], *, express: bool = False, any_resource: bool = True
) -> Definition:
    """Read a definition; raises InvalidDefinition with all faults.

    `express` checks it as an EXPRESS state machine, which refuses some resources; without
    `any_resource` a task's resource must be one that AWS has, with the arguments it asks for.
    """
    value = source if not isinstance(source, (bytes, str)) else read_json(source)
    refusals = find_refusals(value, express=express, any_resource=any_resource)
    if refusals:
        raise InvalidDefinition(map(as_fault, refusals), refusals=refusals)
    language = Language(value.get("QueryLanguage", "JSONPath"))
    return Definition(
        flow=_make_flow(value, language, language),
        digest=digest_of(value),
        source=value,
        comment=value.get("Comment", ""),
        timeout_s=value.get("TimeoutSeconds"),
    )


def parse_state(source: bytes | str | Mapping[str, Any], name: str) -> State:
    """Read one state that stands alone: where it leads to need not exist.

    Raises InvalidDefinition; the faults' pointers say `/States/<name>/...`, as AWS's do.
    """
    value = source if not isinstance(source, (bytes, str)) else read_json(source)
    machine = {"StartAt": name, "States": {name: value}}
    found = find_refusals(machine, express=False, any_resource=True)
    refusals = [one for one in found if not _leads_out(one, name)]
    if refusals:
        raise InvalidDefinition(map(as_fault, refusals), refusals=refusals)
    return _make_flow(machine, Language.JSONPATH, Language.JSONPATH).states[name]


def _leads_out(refusal: Refusal, name: str) -> bool:
    own = refusal.pointer.removeprefix(f"/States/{escape(name)}")
    return refusal.code in {TARGET, NO_END} and "/States/" not in own


def digest_of(value: Json) -> str:
    """Hash a definition: SHA-256 over its JSON with sorted keys, in hexadecimal digits."""
    import hashlib  # noqa: PLC0415  (not free)

    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def read_json(source: bytes | str) -> Json:
    """Read a definition's text; raises InvalidDefinition for what is no JSON or too large."""
    size = len(source) if isinstance(source, bytes) else len(source.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        fault = definition_fault("", f"{size} bytes", f"at most {MAX_BYTES} bytes", _TOO_LARGE)
        raise InvalidDefinition([fault], refusals=[nowhere(SCHEMA, fault.found, fault.expected)])
    try:
        return json.loads(source, parse_constant=_no_number)
    except RecursionError as error:
        raise _unreadable("The states are too deeply nested") from error
    except ValueError as error:
        raise _unreadable(str(error), is_blank=not source.strip()) from error


_TOO_LARGE = "definition-size"


def _no_number(name: str) -> Json:
    message = f"{name} is not a number of JSON"
    raise ValueError(message)


def _unreadable(told: str, *, is_blank: bool = False) -> InvalidDefinition:
    fault = definition_fault("", NOT_JSON, f"JSON: {told}", "definition-json")
    code, message = (SCHEMA, NOT_JSON) if is_blank else (BAD_JSON, told)
    return InvalidDefinition([fault], refusals=[nowhere(code, message, "JSON")])


def _make_flow(source: Source, language: Language, top: Language) -> Flow:
    states = {
        name: _StateParser(name, state, language, top).state()
        for name, state in source["States"].items()
    }
    return Flow(source["StartAt"], states)


class _StateParser:
    """Builds one state; the notation of its templates follows from its language."""

    def __init__(self, name: str, source: Source, outer: Language, top: Language) -> None:
        self._name = name
        self._source = source
        self._top = top
        self._language = Language(source.get("QueryLanguage", outer.value))
        self._is_jsonata = self._language is Language.JSONATA
        self._notation = Notation.JSONATA if self._is_jsonata else Notation.PAYLOAD

    def state(self) -> State:
        return _BUILDERS[self._source["Type"]](self)

    # -- parts ------------------------------------------------------------------------------

    def _template(self, name: str) -> Template | None:
        if name not in self._source:
            return None
        return Template(self._source[name], name, self._notation)

    def _value(self, name: str) -> Template | None:
        """Make the template of `Name`, or of `NamePath` in a JSONPath state."""
        path = f"{name}Path"
        if path in self._source:
            return Template(self._source[path], path, Notation.PATH)
        return self._template(name)

    def _path(self, name: str) -> Template | Discard | None:
        if name not in self._source:
            return None
        text = self._source[name]
        return Discard() if text is None else Template(text, name, Notation.PATH)

    def _io(self) -> Io:
        if self._is_jsonata:
            return JsonataIo(
                arguments=self._template("Arguments"),
                output=self._template("Output"),
                assign=self._template("Assign"),
            )
        return JsonPathIo(
            input_path=self._path("InputPath"),
            parameters=None if self._source["Type"] == "Map" else self._template("Parameters"),
            result_selector=self._template("ResultSelector"),
            result_path=_result_path(self._source),
            output_path=self._path("OutputPath"),
            assign=self._template("Assign"),
        )

    def _catchers(self) -> tuple[Catcher, ...]:
        return tuple(
            Catcher(tuple(part["ErrorEquals"]), part["Next"], self._catch_io(part, index))
            for index, part in enumerate(self._source.get("Catch", ()))
        )

    def _catch_io(self, part: Source, index: int) -> Io:
        def made(name: str) -> Template | None:
            field = f"Catch[{index}]/{name}"
            return Template(part[name], field, self._notation) if name in part else None

        if self._is_jsonata:
            return JsonataIo(output=made("Output"), assign=made("Assign"))
        return JsonPathIo(result_path=_result_path(part), assign=made("Assign"))

    def _retriers(self) -> Any:  # noqa: ANN401  (a tuple of retriers)
        return tuple(make_retrier(part) for part in self._source.get("Retry", ()))

    def _inner(self, source: Source) -> Flow:
        language = Language(source.get("QueryLanguage", self._top.value))
        return _make_flow(source, language, self._top)

    # -- states -----------------------------------------------------------------------------

    def a_pass(self) -> State:
        result = None
        if "Result" in self._source:
            result = Template(self._source["Result"], "Result", Notation.CONSTANT)
        return Pass(name=self._name, io=self._io(), next=self._source.get("Next"), result=result)

    def a_task(self) -> State:
        return Task(
            name=self._name,
            io=self._io(),
            next=self._source.get("Next"),
            resource=self._source["Resource"],
            timeout_s=self._value("TimeoutSeconds"),
            heartbeat_s=self._value("HeartbeatSeconds"),
            credentials=self._template("Credentials"),
            retry=self._retriers(),
            catch=self._catchers(),
        )

    def a_choice(self) -> State:
        choices = self._source["Choices"]
        made = (make_branch(one, index, self._language) for index, one in enumerate(choices))
        default = self._source.get("Default")
        return Choice(name=self._name, io=self._io(), branches=tuple(made), default=default)

    def a_wait(self) -> State:
        kind = WaitFor.SECONDS
        value = self._value("Seconds")
        if value is None:
            kind, value = WaitFor.TIMESTAMP, self._value("Timestamp")
        assert value is not None  # noqa: S101  (the checks demand one)
        step = self._source.get("Next")
        return Wait(name=self._name, io=self._io(), next=step, wait_for=kind, value=value)

    def a_succeed(self) -> State:
        return Succeed(name=self._name, io=self._io())

    def a_fail(self) -> State:
        error, cause = self._value("Error"), self._value("Cause")
        return Fail(name=self._name, io=self._io(), error=error, cause=cause)

    def a_parallel(self) -> State:
        return Parallel(
            name=self._name,
            io=self._io(),
            next=self._source.get("Next"),
            branches=tuple(self._inner(branch) for branch in self._source["Branches"]),
            retry=self._retriers(),
            catch=self._catchers(),
        )

    def a_map(self) -> State:
        source = self._source
        processor = source["Iterator"] if "Iterator" in source else source["ItemProcessor"]
        items = self._template("Items") if self._is_jsonata else None
        if "ItemsPath" in source:
            items = Template(source["ItemsPath"], "ItemsPath", Notation.PATH)
        selector = "Parameters" if "Parameters" in source else "ItemSelector"
        return Map(
            name=self._name,
            io=self._io(),
            next=source.get("Next"),
            processor=self._inner(processor),
            items=items,
            selector=self._template(selector),
            max_concurrency=self._value("MaxConcurrency"),
            tolerated_count=self._value("ToleratedFailureCount"),
            tolerated_percentage=self._value("ToleratedFailurePercentage"),
            distributed=self._distributed(processor),
            retry=self._retriers(),
            catch=self._catchers(),
        )

    def _distributed(self, processor: Source) -> Distributed | None:
        if processor.get("ProcessorConfig", {}).get("Mode") != "DISTRIBUTED":
            return None
        return Distributed(
            reader=self._reader(),
            batcher=self._batcher(),
            writer=self._writer(),
            label=self._source.get("Label", ""),
            express=processor["ProcessorConfig"].get("ExecutionType") == "EXPRESS",
        )

    def _reader(self) -> Reader | None:
        if "ItemReader" not in self._source:
            return None
        config = self._source["ItemReader"].get("ReaderConfig", {})
        rest = {key: value for key, value in config.items() if not key.startswith("MaxItems")}
        return Reader(
            resource=self._source["ItemReader"].get("Resource", ""),
            arguments=self._nested("ItemReader", self._given()),
            config=self._config(rest, "ItemReader/ReaderConfig"),
            max_items=self._max_items(config, "ItemReader/ReaderConfig"),
        )

    def _writer(self) -> Writer | None:
        if "ResultWriter" not in self._source:
            return None
        source = self._source["ResultWriter"]
        return Writer(
            resource=source.get("Resource", ""),
            arguments=self._nested("ResultWriter", self._given()),
            config=self._config(source.get("WriterConfig", {}), "ResultWriter/WriterConfig"),
        )

    def _given(self) -> str:
        return "Arguments" if self._is_jsonata else "Parameters"

    def _config(self, source: Source, at: str) -> Template:
        return Template(source, at, Notation.JSONATA if self._is_jsonata else Notation.CONSTANT)

    def _nested(self, name: str, field: str) -> Template | None:
        if field not in self._source[name]:
            return None
        return Template(self._source[name][field], f"{name}/{field}", self._notation)

    def _max_items(self, config: Source, at: str) -> Template | None:
        if "MaxItemsPath" in config:
            return Template(config["MaxItemsPath"], f"{at}/MaxItemsPath", Notation.PATH)
        if "MaxItems" not in config:
            return None
        return Template(config["MaxItems"], f"{at}/MaxItems", self._notation)

    def _batcher(self) -> Batcher | None:
        if "ItemBatcher" not in self._source:
            return None
        return Batcher(
            max_items=self._nested_value("ItemBatcher", "MaxItemsPerBatch"),
            max_bytes=self._nested_value("ItemBatcher", "MaxInputBytesPerBatch"),
            batch_input=self._nested("ItemBatcher", "BatchInput"),
        )

    def _nested_value(self, name: str, field: str) -> Template | None:
        path = f"{field}Path"
        if path in self._source[name]:
            return Template(self._source[name][path], f"{name}/{path}", Notation.PATH)
        return self._nested(name, field)


_BUILDERS: Mapping[str, Callable[[_StateParser], State]] = {
    "Pass": _StateParser.a_pass,
    "Task": _StateParser.a_task,
    "Choice": _StateParser.a_choice,
    "Wait": _StateParser.a_wait,
    "Succeed": _StateParser.a_succeed,
    "Fail": _StateParser.a_fail,
    "Parallel": _StateParser.a_parallel,
    "Map": _StateParser.a_map,
}


def _result_path(source: Source) -> ReferencePath | Discard | None:
    if "ResultPath" not in source:
        return None
    text = source["ResultPath"]
    if text is None:
        return Discard()
    from runner.machine.paths import reference_steps  # noqa: PLC0415  (JSONPath only)

    return ReferencePath(reference_steps(text))
