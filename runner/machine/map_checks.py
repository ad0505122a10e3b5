"""What only a Map has: its processor's mode, reader, batcher, writer and label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.definition import Language
from runner.machine.fields import PROCESSORS, Range, Shape
from runner.machine.refusals import (
    BAD_LABEL,
    Refusal,
    among,
    foreign,
    one_of,
    refuse,
    required,
    schema,
    unsupported,
)
from runner.machine.shapes import check_number, check_payload, check_value, wrong_type
from runner.machine.templates import is_expression

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.model.ports import Json

_MODES = ("INLINE", "DISTRIBUTED")
_TYPES = ("STANDARD", "EXPRESS")
_INPUTS = ("CSV", "JSON", "JSONL", "MANIFEST", "PARQUET")
_HEADERS = ("FIRST_ROW", "GIVEN")
_READERS = ("s3:getObject", "s3:listObjectsV2")
_WRITERS = ("s3:putObject",)
_ARGUMENTS = {Language.JSONATA: "Arguments", Language.JSONPATH: "Parameters"}
_MOST_ITEMS = Range(0, 100_000_000)
_BATCH = Range(0)
_LABEL = 40
_NO_LABEL = frozenset(' ?*<>{}[]:;,\\|^~$#%&`"/')


def check_map(
    state: Mapping[str, Json], at: str, language: Language, *, express: bool
) -> Iterator[Refusal]:
    """Find what is wrong with the parts of a Map that other states do not have."""
    given = [name for name in PROCESSORS if name in state]
    if len(given) != 1:
        yield one_of(at, PROCESSORS, given=len(given))
    for name in given:
        if isinstance(state[name], dict):
            yield from _check_mode(state[name], f"{at}/{name}", express=express)
    if isinstance(state.get("ItemReader"), dict):
        yield from _check_reader(state["ItemReader"], f"{at}/ItemReader", language)
    if isinstance(state.get("ItemBatcher"), dict):
        yield from _check_batcher(state["ItemBatcher"], f"{at}/ItemBatcher", language)
    if isinstance(state.get("ResultWriter"), dict):
        yield from _check_writer(state["ResultWriter"], f"{at}/ResultWriter", language)
    if isinstance(state.get("Label"), str):
        yield from _check_label(state["Label"], f"{at}/Label")


def _check_mode(processor: Mapping[str, Json], at: str, *, express: bool) -> Iterator[Refusal]:
    if "ProcessorConfig" not in processor:
        return
    config, at = processor["ProcessorConfig"], f"{at}/ProcessorConfig"
    if not isinstance(config, dict):
        yield wrong_type(at, "OBJECT")
        return
    mode = config.get("Mode", "INLINE")
    if mode not in _MODES:
        yield among(f"{at}/Mode", _MODES)
    elif mode == "DISTRIBUTED" and express:
        told = "The field 'Mode' with value 'DISTRIBUTED' is not supported"
        yield schema(f"{at}/Mode", f"{told} inside 'EXPRESS' state machines", "INLINE")
    for name in config:
        inline_type = name == "ExecutionType" and mode == "INLINE"
        if inline_type or name not in {"Mode", "ExecutionType"}:
            yield unsupported(at, name, "Mode, and ExecutionType of a distributed Map")
    if mode != "DISTRIBUTED":
        return
    if "ExecutionType" not in config:
        yield required(at, "ExecutionType")
    elif config["ExecutionType"] not in _TYPES:
        yield among(f"{at}/ExecutionType", _TYPES)


def _check_fields(
    part: Mapping[str, Json], at: str, language: Language, *known: str
) -> Iterator[Refusal]:
    """Check the fields of a reader or writer, and its arguments."""
    own = _ARGUMENTS[language]
    for name in part:
        if name in _ARGUMENTS.values() and name != own:
            yield foreign(at, name, language)
        elif name != own and name not in known:
            yield unsupported(at, name, ", ".join((*known, own)))
    if language is Language.JSONPATH:
        yield from check_payload(part.get(own), f"{at}/{own}")
    else:
        yield from _expressions(part.get(own), f"{at}/{own}")


def _check_resource(
    part: Mapping[str, Json], at: str, actions: tuple[str, ...]
) -> Iterator[Refusal]:
    resource = part["Resource"]
    if not isinstance(resource, str):
        yield wrong_type(f"{at}/Resource", "STRING")
        return
    prefix, _, action = resource.partition(":states:::")
    if action not in actions or not prefix.startswith("arn:"):
        told = "The field 'Resource' does not match any of the allowed values"
        expected = " or ".join(f"arn:aws:states:::{one}" for one in actions)
        yield schema(f"{at}/Resource", told, expected)


def _check_reader(reader: Mapping[str, Json], at: str, language: Language) -> Iterator[Refusal]:
    yield from _check_fields(reader, at, language, "Resource", "ReaderConfig")
    if "Resource" in reader:
        yield from _check_resource(reader, at, _READERS)
    else:
        yield required(at, "Resource")
    config = reader.get("ReaderConfig", {})
    if isinstance(config, dict):
        yield from _check_reader_config(config, f"{at}/ReaderConfig", language)
    else:
        yield wrong_type(f"{at}/ReaderConfig", "OBJECT")


def _check_reader_config(
    config: Mapping[str, Json], at: str, language: Language
) -> Iterator[Refusal]:
    kind = config.get("InputType", "JSON")
    if kind not in _INPUTS:
        yield among(f"{at}/InputType", _INPUTS)
    header = config.get("CSVHeaderLocation")
    if kind == "CSV" and header is None:
        yield schema(at, "The field 'CSVHeaderLocation' is required", " or ".join(_HEADERS))
    elif kind in {"JSON", "JSONL"} and header is not None:
        yield unsupported(at, "CSVHeaderLocation", "no header with JSON")
    elif header is not None and header not in _HEADERS:
        yield among(f"{at}/CSVHeaderLocation", _HEADERS)
    if header == "GIVEN" and "CSVHeaders" not in config:
        yield required(at, "CSVHeaders")
    yield from _check_amount(config, "MaxItems", at, language, _MOST_ITEMS)


def _check_amount(
    part: Mapping[str, Json], name: str, at: str, language: Language, limits: Range
) -> Iterator[Refusal]:
    """Check a number that may also be a path, or in JSONata an expression."""
    path = f"{name}Path"
    if name in part and path in part:
        yield one_of(at, (name, path), given=2)
    if path in part:
        if language is Language.JSONATA:
            yield foreign(at, path, language)
        else:
            found = check_value(part[path], Shape.SINGLE_PATH, f"{at}/{path}", language)
            if found:
                yield found
    if name not in part:
        return
    value = part[name]
    if language is Language.JSONATA and is_expression(value):
        yield from _expressions(value, f"{at}/{name}")
        return
    found = check_number(value, limits, f"{at}/{name}")
    if found:
        yield found


def _check_batcher(batcher: Mapping[str, Json], at: str, language: Language) -> Iterator[Refusal]:
    known = {"BatchInput"}
    for name in ("MaxItemsPerBatch", "MaxInputBytesPerBatch"):
        known |= {name, f"{name}Path"}
        yield from _check_amount(batcher, name, at, language, _BATCH)
    for name in batcher:
        if name not in known:
            yield unsupported(at, name, ", ".join(sorted(known)))
    if language is Language.JSONPATH:
        yield from check_payload(batcher.get("BatchInput"), f"{at}/BatchInput")
    else:
        yield from _expressions(batcher.get("BatchInput"), f"{at}/BatchInput")


def _check_writer(writer: Mapping[str, Json], at: str, language: Language) -> Iterator[Refusal]:
    yield from _check_fields(writer, at, language, "Resource", "WriterConfig")
    own = _ARGUMENTS[language]
    if "Resource" in writer:
        yield from _check_resource(writer, at, _WRITERS)
        if own not in writer:
            yield required(at, own)
    elif "WriterConfig" not in writer:
        yield required(at, "Resource", own)
    if not isinstance(writer.get("WriterConfig", {}), dict):
        yield wrong_type(f"{at}/WriterConfig", "OBJECT")


def _check_label(label: str, at: str) -> Iterator[Refusal]:
    expected = f"1 to {_LABEL} characters without blanks and special characters"
    if len(label) > _LABEL:
        told = f"The label '{label}' exceeds the {_LABEL}-character limit allowed by the service"
        yield refuse(BAD_LABEL, at, told, expected)
    elif not label or not _NO_LABEL.isdisjoint(label) or not label.isprintable():
        yield refuse(BAD_LABEL, at, f"The label '{label}' has invalid characters", expected)


def _expressions(value: Json, at: str) -> Iterator[Refusal]:
    from runner.machine.expressions import BEFORE, check_expressions  # noqa: PLC0415  (JSONata only)

    return check_expressions(value, at, BEFORE)
