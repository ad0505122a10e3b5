"""The quick path is exact: whatever it evaluates, jsonata-python evaluates alike."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.machine.failures import StateError
from runner.machine.full_query import compile_full
from runner.machine.quick import compile_quick
from runner.machine.quick_values import Deferred
from runner.machine.templates import UNDEFINED, Env

Json = Any
DONE = {"name": "y", "status": "done"}
VARIABLES: dict[str, Json] = {
    "a": 1,
    "b": "text",
    "c": True,
    "d": None,
    "o": {"a": 2, "b": {"c": "deep", "n": None}, "e": {}, "l": ["x", "y"], "z": ""},
    "l": ["x", "y", "z"],
    "n": [],
    "one": ["only"],
    "objects": [{"a": 1}, {"a": 2}],
    "nested": [[1, 2], [3]],
    "mixed": [{"a": [1, 2]}, "x", None, {"a": 3}, {"b": {"c": "y"}}, {"a": None}],
    "steps": [
        {"results": []},
        {"results": [{"name": "x", "status": "failed"}, DONE]},
        {"results": [{"name": "z", "status": "skipped", "a": True, "l": ["x"]}]},
        {"other": 1},
    ],
    "step": [{"results": [{"name": "x", "status": "failed"}]}],
    "no_results": [{"results": []}],
    "named": {"name": "x", "status": "failed", "results": ["x", "z"]},
    "zero": 0,
    "big": 2**60,
    "f": 1.5,
    "unicode": "日本\u2028\"'\\",
}
INPUT = {"a": {"b": "in"}, "l": [1, 2], "s": "str", "flag": False, "nothing": None}


def env() -> Env:
    made = Env(
        INPUT,
        VARIABLES,
        make_context=lambda: {"Execution": {"Id": "arn", "RedriveCount": 0}},
        make_random=lambda: Random(1),  # noqa: S311
        now=datetime(2013, 1, 1, tzinfo=UTC),
    )
    made.result = {"Payload": {"ok": True}}
    return made


names = st.sampled_from(["a", "b", "c", "e", "n", "l", "z", "missing", "results", "name", "status"])
paths = st.builds(
    lambda root, fields: ".".join([root, *fields]),
    st.sampled_from(
        [f"${name}" for name in VARIABLES]
        + [
            "$unknown",
            "$sum",
            "$states.input",
            "$states.context.Execution",
            "$states.result.Payload",
            "$steps.results",
            "$steps",
        ]
        + ["$states.errorOutput", "$states.input.l", "$states.input.nothing", "$states.input.s"]
    ),
    st.lists(names, max_size=2),
)
literals = st.one_of(
    st.text(max_size=8).map(json.dumps),
    st.text(max_size=8).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.text(alphabet="ab \\/'", max_size=5).map(
        lambda text: "'" + text.replace("\\", "\\\\").replace("'", '"') + "'"
    ),
    st.integers(0, 10**6).map(str),
    st.sampled_from(["true", "false", "null"]),
)


simple = st.sampled_from(["count", "length", "lowercase", "uppercase", "string", "sum"])
indexes = st.integers(0, 3)
rests = st.sampled_from(["", ".a", ".results", ".results.name", ".name.b"])


def _filtered(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Put a predicate behind a path or a call: what the compiler asks of results."""
    words = st.lists(st.sampled_from(["x", "y", "z", "failed", "skipped"]), max_size=3)
    right = st.one_of(words.map(json.dumps), st.sampled_from(['"x"', '"failed"', "3"]), inner)
    test = st.builds(
        lambda name, op, value: f"{name} {op} {value}", names, st.sampled_from(["=", "in"]), right
    )
    test = st.one_of(test, test.map(lambda one: f"$not({one})"))
    predicate = st.lists(test, min_size=1, max_size=3).map(" and ".join)
    call = st.builds(lambda a, b: f"$append({a}, {b})", inner, inner)
    return st.builds(lambda a, b: f"{a}[{b}]", st.one_of(paths, call), predicate)


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(
        ["&", "=", "!=", "in", "and", "or", "<", "<=", ">", ">=", "+", "-", "*"]
    )
    return st.one_of(
        st.builds(lambda a, op, b: f"{a} {op} {b}", inner, operators, inner),
        st.builds(lambda a: f"({a})", inner),
        st.builds(lambda a: f"$exists({a})", inner),
        st.builds(lambda name, a: f"${name}({a})", simple, inner),
        st.builds(lambda path, index, rest: f"{path}[{index}]{rest}", paths, indexes, rests),
        st.builds(lambda a, index: f"$append({a}, {a})[{index}]", inner, indexes),
        st.builds(lambda a: f"$not({a})", inner),
        st.builds(lambda a, b: f"$append({a}, {b})", inner, inner),
        st.builds(lambda a, b: f"$append({a}, {b})", paths, paths),
        st.builds(lambda a: f"$merge({a})", inner),
        _filtered(inner),
        st.builds(lambda a: f"$exists({a})", _filtered(inner)),
        st.builds(lambda a, b, c: f"{a} ? {b} : {c}", inner, inner, inner),
        st.builds(lambda a, b: f"{a} ? {b}", inner, inner),
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
        st.lists(st.tuples(names, inner), max_size=3).map(
            lambda pairs: "{" + ", ".join(f'"{key}": {value}' for key, value in pairs) + "}"
        ),
    )


expressions = st.recursive(st.one_of(literals, paths), _grow, max_leaves=6)


def same(left: Json, right: Json) -> bool:
    """Compare JSON: true is not 1, and 1 is 1.0."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right) and isinstance(left, bool) is isinstance(right, bool)


@settings(max_examples=800, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(expressions)
def test_quick_agrees_with_the_full_language(text: str) -> None:
    quick = compile_quick(text)
    if quick is None:
        return
    try:
        value = quick(env())
    except Deferred:
        return
    try:
        expected = compile_full(text)(env())
    except StateError as error:
        pytest.fail(f"{text}: quick {value!r}, but {error}")
    assert (value is UNDEFINED) is (expected is UNDEFINED), (text, value, expected)
    if value is not UNDEFINED:
        assert same(value, expected), (text, value, expected)


@given(st.text())
def test_any_string_survives_as_a_json_literal(text: str) -> None:
    """SEMANTICS 18."""
    text = text.encode("utf-16", "replace").decode("utf-16", "replace")
    for ascii_only in (True, False):
        quick = compile_quick(json.dumps(text, ensure_ascii=ascii_only))
        assert quick is not None
        assert quick(env()) == text


@pytest.mark.parametrize(
    "text",
    [
        '"a" & $b & $o.b.c',
        "$attempt + 1",
        "$states.input.a.b",
        '$not("x" in $l)',
        '$exists($problem.Cause) ? $problem.Cause : ""',
        '{"a": $a, "b": [$b, $c]}',
        '$hash($a & "|" & $b, "SHA-256")',
        '$append($l, [{"name": "x"}])',
        '$plan.action = "none"',
        "$states.context.Execution.Id",
        "$append($results, $states.result.results)",
        '$merge([$spec, {"redrive": $states.context.Execution.RedriveCount}])',
        '$exists($results[status in ["failed", "skipped"] and name in ["a.b"]])',
        '$exists($results[$not(kind in ["table", "load"]) and step in ["a"]])',
        '$exists($append($results, $l)[name = "a.b" and status in ["failed", "skipped"]])',
        "true",
        "$l[0]",
        "$states.input.items[0].a * 2",
        "$string($count($l))",
    ],
)
def test_the_compilers_expressions_are_in_the_subset(text: str) -> None:
    assert compile_quick(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "$l[-1]",
        "$l[0][0]",
        "$max($l)",
        "2 / 2",
        "$map($l, function($x) { $x })",
        "a.b",
        "$",
        "$$",
        "$o.*",
        "1.5",
        "$x := 1",
        "($x; $y)",
        "$o.b ~> $f",
        "/* note */ 1",
        "'\\x41'",
        "$o.`a b`",
        "[1..3]",
        '{"a": 1}.a',
        "$l[a]",
        '$l[a = "x" or b = "y"]',
        '$l["x" = a]',
        '$l[$not(a) = "x"]',
        '$l[a = "x"].b',
        '$l[a = "x"][b = "y"]',
        "$l[$.a = 1]",
        "-1",
        "",
        "1 2",
        "{$b: 1}",
        '{"a": 1, "a": 2}',
    ],
)
def test_anything_else_is_declined(text: str) -> None:
    assert compile_quick(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$objects.a", [1, 2]),
        ("$steps.results.name", ["x", "y", "z"]),
        ("$step.results", [{"name": "x", "status": "failed"}]),
        ("$step.results.name", "x"),
        ("$no_results.results", []),
        ("$no_results.results.name", UNDEFINED),
        ("$objects.missing", UNDEFINED),
        ('$append([], ["x"])', ["x"]),
        ('$append(["x"], $unknown)', ["x"]),
        ('$append($unknown, "x")', "x"),
        ('$append($n, "x")', ["x"]),
        ('$steps.results[status = "failed"]', {"name": "x", "status": "failed"}),
        ('$exists($steps.results[name = "y" and status in ["failed"]])', False),
        ('$exists($append([], $step.results)[name in ["x"]])', True),
        ('$steps.results[$not(status = "failed") and $not(name = "z")]', Deferred),
        ('$steps.results[name = "y" and $not(status = "failed")]', DONE),
        ('$l[$not(a = "x")]', ["x", "y", "z"]),
        ("$merge([$o.b, {'c': 1}])", {"c": 1, "n": None}),
        ("$merge($unknown)", Deferred),
        ("$nested.a", Deferred),
        ("$steps[1].results.name", ["x", "y"]),
        ("$o.l[1]", "y"),
        ("$o.l[2]", UNDEFINED),
        ("$a[0]", 1),
        ("$nested[0]", [1, 2]),
        ("$nested[0].a", Deferred),
        ("$steps.results[0]", Deferred),
        ("$a * 3", 3),
        ("$f * 3", Deferred),
        ("$count($unknown)", 0),
        ("$sum($states.input.l)", 3),
        ("$string($c)", "true"),
        ("$uppercase($b)", "TEXT"),
    ],
)
def test_arrays_are_mapped_flattened_and_filtered(text: str, expected: Json) -> None:
    quick = compile_quick(text)
    assert quick is not None
    if expected is Deferred:
        with pytest.raises(Deferred):
            quick(env())
    else:
        assert quick(env()) == expected == compile_full(text)(env())


def test_what_nests_too_deep_for_aws_is_left_to_the_full_language() -> None:
    assert compile_quick(" + ".join(["1"] * 200)) is None
    assert compile_quick("(" * 5000 + "1" + ")" * 5000) is None
    assert compile_quick("[" + ", ".join(["$a + 1"] * 200) + "]") is not None


def test_a_quick_definition_does_not_import_jsonata() -> None:
    code = """
import sys
from tests.machine.machines import jsonata, output_of
states = {"A": {"Type": "Pass", "Output": {"x": "{% $states.input.x & '!' %}"}, "End": True}}
assert output_of(jsonata(states), {"x": "y"}) == {"x": "y!"}
assert not {"jsonata", "pydantic", "asyncio"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
