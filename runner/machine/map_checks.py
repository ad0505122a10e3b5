"""What the parts of a Map may say: its processor's mode, reader, batcher, writer and label."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from runner.machine.definition import Language
from runner.machine.failures import definition_fault
from runner.machine.fields import Shape
from runner.machine.shapes import fits
from runner.machine.templates import is_expression

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.errors import Fault
    from runner.model.ports import Json

_LONGEST_LABEL = 40
_NOT_IN_LABELS = frozenset(' ?*<>{}[]:;,\\|^~$#%&`"')
_MOST_ITEMS = 100_000_000


class _Part(NamedTuple):
    """An object inside a Map: the shapes of its fields, and the words that some may have."""

    place: str
    shapes: Mapping[str, Shape]
    words: Mapping[str, tuple[str, ...]] = {}


_PARTS = (
    _Part(
        "ItemReader",
        {"Resource": Shape.TEXT, "ReaderConfig": Shape.OBJECT, "Parameters": Shape.ANY},
    ),
    _Part(
        "ItemReader/ReaderConfig",
        {
            "CSVHeaders": Shape.LIST,
            "ItemsPointer": Shape.TEXT,
            "MaxItems": Shape.NUMBER,
            "MaxItemsPath": Shape.PATH,
        },
        {
            "InputType": ("CSV", "JSON", "JSONL", "MANIFEST", "PARQUET"),
            "ManifestType": ("ATHENA_DATA", "S3_INVENTORY"),
            "Transformation": ("LOAD_AND_FLATTEN", "NONE"),
            "CSVHeaderLocation": ("FIRST_ROW", "GIVEN"),
            "CSVDelimiter": ("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"),
        },
    ),
    _Part(
        "ItemBatcher",
        {
            "MaxItemsPerBatch": Shape.COUNT,
            "MaxItemsPerBatchPath": Shape.PATH,
            "MaxInputBytesPerBatch": Shape.COUNT,
            "MaxInputBytesPerBatchPath": Shape.PATH,
        },
    ),
    _Part("ResultWriter", {"Resource": Shape.TEXT, "WriterConfig": Shape.OBJECT}),
    _Part(
        "ResultWriter/WriterConfig",
        {},
        {"Transformation": ("COMPACT", "FLATTEN", "NONE"), "OutputType": ("JSON", "JSONL")},
    ),
)
_PROCESSOR = _Part(
    "ProcessorConfig",
    {},
    {"Mode": ("DISTRIBUTED", "INLINE"), "ExecutionType": ("EXPRESS", "STANDARD")},
)


def check_map(state: Mapping[str, Json], at: str, language: Language) -> Iterator[Fault]:
    """Find what is wrong inside the fields of a Map, apart from the processor's states."""
    for part in _PARTS:
        yield from _check_part(state, part, at, language)
    for name in ("ItemProcessor", "Iterator"):
        if isinstance(state.get(name), dict):
            yield from _check_part(state[name], _PROCESSOR, f"{at}/{name}", Language.JSONPATH)
    if isinstance(state.get("Label"), str):
        yield from _check_label(state["Label"], f"{at}/Label")


def _check_part(
    source: Mapping[str, Json], part: _Part, at: str, language: Language
) -> Iterator[Fault]:
    found: Json = source
    for name in part.place.split("/"):
        found = found.get(name) if isinstance(found, dict) else None
    pointer = f"{at}/{part.place}"
    if found is None:
        return
    if not isinstance(found, dict):
        yield _fault(pointer, f"{found!r}"[:100], "an object")
        return
    for name, shape in part.shapes.items():
        if name in found and not _fits(name, found[name], shape, language):
            yield _fault(f"{pointer}/{name}", f"{found[name]!r}"[:100], f"{shape.name.lower()}")
        if f"{name}Path" in found and name in found:
            yield _fault(pointer, f"both '{name}' and '{name}Path'", "one of them")
    for name, words in part.words.items():
        value = found.get(name, words[0])
        if value not in words and not _may_say(value, language):
            yield _fault(f"{pointer}/{name}", f"{value!r}"[:100], "one of " + ", ".join(words))


def _fits(name: str, value: Json, shape: Shape, language: Language) -> bool:
    if name == "MaxItems" and value == _MOST_ITEMS:
        return True
    return fits(value, shape, language)


def _may_say(value: Json, language: Language) -> bool:
    return language is Language.JSONATA and is_expression(value)


def _check_label(label: str, at: str) -> Iterator[Fault]:
    if not 0 < len(label) <= _LONGEST_LABEL:
        found = f"a label of {len(label)} characters"
        yield _fault(at, found, f"1 to {_LONGEST_LABEL} characters")
    strange = [one for one in label if one in _NOT_IN_LABELS or not one.isprintable()]
    if strange:
        yield _fault(at, f"The label has the character {strange[0]!r}", "a name without it")


def _fault(at: str, found: str, expected: str) -> Fault:
    return definition_fault(at, found, expected, "definition-schema")
