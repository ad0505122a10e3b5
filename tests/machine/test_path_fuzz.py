"""Any text is a path or is none, and a path on any JSON gives a value or a miss."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.machine.failures import StateError
from runner.machine.intrinsics import compile_intrinsic, is_intrinsic
from runner.machine.paths import BadPath, Missing, follow, parse_path
from runner.machine.payloads import compile_path, compile_payload
from runner.machine.templates import Env

Json = Any

_NAMES = ("a", "b", "c d", "é")
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=4)
    | st.sampled_from(["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "1", "x", "a,b"])
)
DOCUMENTS = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=3)
    ),
    max_leaves=8,
)

_STEPS = st.sampled_from(
    [
        ".a",
        ".b",
        "['c d']",
        '["é"]',
        "['a','b']",
        "[0]",
        "[-1]",
        "[0,1]",
        "[1:]",
        "[:-1]",
        "[::2]",
        ".*",
        "[*]",
        "..a",
        "..*",
        "..[0]",
        ".['a']",
        ".length()",
        ".sum()",
        "[?(@.a)]",
        "[?(@ > 1)]",
        "[?(!@.a || @.b == 'x')]",
        "[?(@.a in [1, 'x', null])]",
        "[?(@ =~ /a+/)]",
        "[?(@ =~ /(a+)+/)]",
        "[?($.a == @.b && @.length() < 2)]",
        "[?(@.a contains 1)]",
        "[?(@ empty true)]",
        "[?(@ anyof [1, 'x'])]",
    ]
)
PATHS = st.builds(
    lambda root, steps: root + "".join(steps),
    st.sampled_from(["$", "$$", "$v"]),
    st.lists(_STEPS, max_size=4),
)
_PIECES = st.sampled_from(
    [
        *"$@.[]()?*:,'\"\\/=!<>&|~ -019ea{}",
        "[?(",
        "=~ /",
        "(a+)+",
        "[[",
        "(?",
        "States.Format(",
        "States.Array(",
        "'{}'",
        "$.a",
        "..",
        "in ",
        "null",
        "1e999",
        "9" * 400,
        "(" * 60,
        "[?(@" * 25,
    ]
)
TEXTS = st.text(max_size=20) | st.lists(_PIECES, max_size=12).map("".join)

_FUNCTIONS = {
    "Array": 2,
    "ArrayContains": 2,
    "ArrayGetItem": 2,
    "ArrayLength": 1,
    "ArrayPartition": 2,
    "ArrayRange": 3,
    "ArrayUnique": 1,
    "Base64Decode": 1,
    "Base64Encode": 1,
    "Format": 2,
    "Hash": 2,
    "JsonMerge": 3,
    "JsonToString": 1,
    "MathAdd": 2,
    "MathRandom": 2,
    "StringSplit": 2,
    "StringToJson": 1,
    "UUID": 0,
}


@st.composite
def calls(draw: st.DrawFn, depth: int = 2) -> str:
    """Write a call that can be read."""
    name = draw(st.sampled_from(sorted(_FUNCTIONS)))
    count = _FUNCTIONS[name] + draw(st.sampled_from([0, 0, 0, 0, 1]))
    literals = st.sampled_from(["1", "-2.5", "1e30", "'x'", "'{}'", "'MD5'", "true", "null", "''"])
    argument = literals | PATHS
    if depth:
        argument |= calls(depth - 1)
    return f"States.{name}({', '.join(draw(argument) for _ in range(count))})"


def env_of(data: Json) -> Env:
    return Env(
        data,
        {"v": data},
        make_context=lambda: {"State": {"Name": "A"}},
        make_random=lambda: Random(1),  # noqa: S311  (a fixed seed)
        now=datetime(2013, 1, 5, tzinfo=UTC),
    )


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_any_text_is_a_path_or_a_call_or_neither(text: str) -> None:
    env = env_of({"a": [1, "x"]})
    with suppress(BadPath):
        parse_path(text)
    with suppress(StateError):
        compile_path(text, "f")(env)
    with suppress(StateError):
        compile_intrinsic(text, "f")(env)
    assert is_intrinsic(text) in {True, False}


@given(PATHS, DOCUMENTS)
@settings(max_examples=150, deadline=None)
def test_a_path_on_any_document_gives_a_value_or_a_miss(text: str, document: Json) -> None:
    try:
        path = parse_path(text)
    except BadPath:  # a function that is not last
        return
    try:
        found = follow(path, document)
    except (Missing, StateError):
        return
    json.dumps(found)
    assert isinstance(found, list) or path.definite or text.endswith("()")


@given(calls(), DOCUMENTS)
@settings(max_examples=150, deadline=None)
def test_a_call_on_any_document_gives_json_or_a_runtime_error(call: str, document: Json) -> None:
    found: Json = None
    failed: StateError | None = None
    try:
        found = compile_payload({"x.$": call}, "Parameters")(env_of(document))
    except StateError as error:
        failed = error
    json.dumps(found)
    assert failed is None or failed.error == "States.Runtime"


def test_a_path_goes_as_deep_as_a_document() -> None:
    deep: Json = []
    for _ in range(50_000):
        deep = [deep]
    assert len(follow(parse_path("$..*"), deep)) == 50_000


def test_a_regular_expression_cannot_hang_a_run() -> None:
    read = compile_path("$[?(@ =~ /(a|aa)+/)]", "f")
    assert read(env_of(["aaaa"])) == ["aaaa"]
    with pytest.raises(StateError, match="may take too long"):
        read(env_of(["a" * 50 + "!"]))
