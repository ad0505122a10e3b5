"""Where things stand in a JSON text, and where a text stops being JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import Place
from runner.machine.positions import parse_pointer, read_positions
from runner.machine.refusals import escape, unescape

Json = Any

TEXT = """{
  "StartAt": "A",
  "States": {
    "A": {"Type": "Choice", "Choices": [
      {"Next": "B"},
      true ]},
    "a/b[0]": null
  }
}
"""


@pytest.mark.parametrize(
    ("pointer", "line", "column"),
    [
        ("", 1, 1),
        ("/StartAt", 2, 3),
        ("/States", 3, 3),
        ("/States/A/Choices[0]", 5, 7),
        ("/States/A/Choices[0]/Next", 5, 8),
        ("/States/A/Choices[1]", 6, 7),
        (f"/States/{escape('a/b[0]')}", 7, 5),
        ("/States/A/End", 4, 5),
        ("/Nowhere/at[3]/all", 1, 1),
    ],
)
def test_a_pointer_has_a_line_and_a_column(pointer: str, line: int, column: int) -> None:
    read = read_positions(TEXT, file="m.json")
    assert read.broken is None
    assert read.places.key(*parse_pointer(pointer)) == Place("m.json", line, column)


@pytest.mark.parametrize(
    ("text", "position", "told"),
    [
        ("", (1, 1), "a value was expected"),
        ("{", (1, 2), "a name in double quotes was expected"),
        ('{"a": 1,}', (1, 9), "a name in double quotes was expected"),
        ('{"a" 1}', (1, 6), "':' was expected"),
        ('{"a": 1 "b": 2}', (1, 9), "',' or '}' was expected"),
        ("[1,\n 2,,]", (2, 4), "a value was expected"),
        ("[1", (1, 3), "',' or ']' was expected"),
        ('{"a": "b\n"}', (1, 7), "the text does not end, or has a bad escape"),
        ("{}\n\n {}", (3, 2), "there is more behind the definition"),
        ("[NaN]", (1, 2), "a value was expected"),
    ],
)
def test_where_a_text_breaks(text: str, position: tuple[int, int], told: str) -> None:
    broken = read_positions(text, file="m.json").broken
    assert broken is not None
    assert (broken.position, broken.told) == (position, told)


def test_keys_that_stand_twice() -> None:
    read = read_positions('{"a": {"b": 1, "b": [{"c": 1, "c": 2}]}}', file="m.json")
    assert read.twice == (("a", "b"), ("a", "b", 0, "c"))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def _paths(value: Json, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [at]
    if isinstance(value, dict):
        for key, member in value.items():
            found += _paths(member, (*at, key))
    if isinstance(value, list):
        for index, item in enumerate(value):
            found += _paths(item, (*at, index))
    return found


@settings(max_examples=80, deadline=None)
@given(VALUES, st.sampled_from([None, 1]))
def test_every_value_has_its_place(value: Json, indent: int | None) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    read = read_positions(text, file="m.json")
    assert read.broken is None
    assert set(read.places.values) == set(_paths(value))
    lines = text.split("\n")
    decode = json.JSONDecoder().raw_decode
    for path, (line, column) in read.places.values.items():
        inner = value
        for part in path:
            inner = inner[part]
        rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        assert decode(rest)[0] == inner


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet='{}[]",: \n1tru\\e'))
def test_any_text_is_read_as_json_reads_it(text: str) -> None:
    try:
        json.loads(text)
    except ValueError:
        assert read_positions(text, file="m.json").broken is not None
    else:
        assert read_positions(text, file="m.json").broken is None


@given(st.lists(st.text() | st.integers(0, 99)))
def test_pointers_keep_names(parts: list[str | int]) -> None:
    written = (f"[{part}]" if isinstance(part, int) else f"/{escape(part)}" for part in parts)
    assert parse_pointer("".join(written)) == tuple(parts)


@given(st.text())
def test_names_come_back(name: str) -> None:
    assert unescape(escape(name)) == name
