"""JSONPath states: the data stages, paths, intrinsic functions, choice rules."""

from __future__ import annotations

import re
from typing import Any

import pytest

from runner.machine import InvalidDefinition
from runner.machine.paths import BadPath, Missing, follow, parse_path
from tests.machine.machines import error_of, jsonpath, output_of, play

Json = Any

DATA = {
    "a": {"b c": 1, "d": [10, 20, 30]},
    "books": [
        {"title": "x", "price": 5, "tags": ["new"]},
        {"title": "y", "price": 15},
        {"title": "z"},
    ],
    "none": None,
    "日本": 2,
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", DATA),
        ("$.a['b c']", 1),
        ('$["a"]["d"][0]', 10),
        ("$.a.d[-1]", 30),
        ("$.a.d[*]", [10, 20, 30]),
        ("$.a.d[0,2]", [10, 30]),
        ("$.a.d[1:]", [20, 30]),
        ("$.a.d[:-1]", [10, 20]),
        ("$.a.d[::2]", [10, 30]),
        ("$.books[*].price", [5, 15]),
        ("$..price", [5, 15]),
        ("$..tags[0]", ["new"]),
        ("$.books[?(@.price < 10)].title", ["x"]),
        ("$.books[?(@.title == y)].price", [15]),
        ("$.a.d[0] ", 10),
        ("$.books[?(@.price)].title", ["x", "y"]),
        ("$.books[?(!@.price)].title", ["z"]),
        ("$.books[?(@.price > 1 && @.title != 'x')].title", ["y"]),
        ("$.books[?(@.title == 'x' || @.title == 'z')].title", ["x", "z"]),
        ("$.books[?(@.title in ['y', 'q'])].price", [15]),
        ("$.books[?(@.title =~ /[XY]/i)].title", ["x", "y"]),
        ("$.none", None),
        ("$.日本", 2),
        ("$['none','日本','gone']", {"none": None, "日本": 2}),
        (
            "$.books[*]['title','price']",
            [{"title": "x", "price": 5}, {"title": "y", "price": 15}, {"title": "z"}],
        ),
        ("$.a.['b c']", 1),
        ("$.books[1]['title','tags']", {"title": "y"}),
        ("$.missing[*]", []),
        ("$.missing[1:].x", []),
        ("$..[0]", [10, DATA["books"][0], "new"]),  # type: ignore[index]  # DATA is JSON
        ("$.books[?((@.price >= 5) && @.price <= 5)].title", ["x"]),
        ("$.books[?(@.title nin ['x', 'y'])].title", ["z"]),
        ('$.books[?(@.title != "x")].title', ["y", "z"]),
        ("$.books[?(@.title > 1)].title", []),
        ("$.books[?(@.title < 'y')].title", ["x"]),
        ("$.books[*]['gone','away']", []),
        ("$.books[?($.a)].title", ["x", "y", "z"]),
        ("$.books[?($.gone)].title", []),
        ("$.books[?(@.price == $.a.d[0])]", []),
        ("$.books[?(@.price < $.a.d[0])].title", ["x"]),
        ("$.books[?(@.price == '5')].title", ["x"]),
        ("$.books[?('15' == @.price)].title", ["y"]),
        ("$.books[?(@.tags contains 'new')].title", ["x"]),
        ("$.books[?(@.tags size 1)].title", ["x"]),
        ("$.books[?(@.tags empty false)].title", ["x"]),
        ("$.books[?(@.tags subsetof ['new', 'old'])].title", ["x"]),
        ("$.books[?(@.tags anyof ['old'])].title", []),
        ("$.books[?(@.tags noneof ['old'])].title", ["x"]),
        ("$.books[?(@.tags all ['new'])].title", ["x"]),
        ("$.books[?(@.title contains 'x')].price", [5]),
        ("$.books[?(@.price nin [5, 15])].title", ["z"]),
        ("$.books[?(@.tags.length() == 1)].title", ["x"]),
        ("$.books[?(@.title =~ /(x+)+/)].title", ["x"]),
        ("$.books[0][?(@.price == 5)].title", ["x"]),
        ("$.books[0][?(@.price == 6)].title", []),
        ("$..[?(@.price > 5)].title", ["y"]),
        ("$.a.d[?(@ > 10)]", [20, 30]),
        ("$.books.length()", 3),
        ("$.a.size()", 2),
        ("$.books[*].price.length()", 2),
        ("$.none[*]", []),
        ("$..d[*]", [10, 20, 30]),
    ],
)
def test_paths(path: str, expected: Json) -> None:
    assert follow(parse_path(path), DATA) == expected


@pytest.mark.parametrize(
    "path",
    [
        "$.missing",
        "$.a.d[3]",
        "$.a.d[-4]",
        "$.a.d.x",
        "$.none.x",
        "$[0]",
        "$[1:]",
        "$.none[0,1]",
        "$.none[0].x[*]",
        "$.none[?(@.x)]",
        "$.a.d.sum()",
        "$.missing.length()",
        "$.none.length()",
        "$.books[0].title['x','y']",
    ],
)
def test_paths_that_lead_nowhere(path: str) -> None:
    with pytest.raises(Missing):
        follow(parse_path(path), DATA)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a",
        "$.",
        "$[",
        "$.a b",
        "$['a",
        "$[?(@.a ==)]",
        "$.a)",
        "$[?(@.a",
        "$[?(@.a =~ x)]",
        "$[?@.a]",
        "$[?(@.a) == 1]",
        "$[?(@.a) && @.b]",
        "$[?(" + "(" * 60 + "@" + ")" * 61 + "]",
        "$" + "[?(@.a)]" * 21,
        "$.a.length().b",
        "$[?(@.a =~ /(/)]",
    ],
)
def test_texts_that_are_no_paths(path: str) -> None:
    with pytest.raises(BadPath):
        parse_path(path)


def one_pass(**fields: Json) -> dict[str, Json]:
    return jsonpath({"A": {"Type": "Pass", "End": True, **fields}})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"a": {"b": 1}, "c": 2}),
        ({"InputPath": "$.a"}, {"b": 1}),
        ({"InputPath": None}, {}),
        ({"OutputPath": "$.c"}, 2),
        ({"OutputPath": None}, {}),
        ({"Result": 5}, 5),
        ({"Result": {"x.$": "$.a"}}, {"x.$": "$.a"}),
        ({"Result": 5, "ResultPath": "$.new.deep"}, {"a": {"b": 1}, "c": 2, "new": {"deep": 5}}),
        ({"Result": 5, "ResultPath": "$.a.b"}, {"a": {"b": 5}, "c": 2}),
        ({"InputPath": "$.a", "Result": 5, "ResultPath": "$"}, 5),
        ({"Result": 5, "ResultPath": None}, {"a": {"b": 1}, "c": 2}),
        ({"Result": 5, "ResultPath": "$.r", "OutputPath": "$.r"}, 5),
        (
            {"Parameters": {"x.$": "$.a.b", "y": {"z.$": "$$.State.Name"}}},
            {"x": 1, "y": {"z": "A"}},
        ),
        ({"Parameters": {"l": ["$.a", {"v.$": "$.c"}]}}, {"l": ["$.a", {"v": 2}]}),
        (
            {"InputPath": "$.a", "Parameters": {"x.$": "$.b"}, "ResultPath": "$.c"},
            {"a": {"b": 1}, "c": {"x": 1}},
        ),
    ],
)
def test_the_stages_of_a_pass(fields: Json, expected: Json) -> None:
    assert output_of(one_pass(**fields), {"a": {"b": 1}, "c": 2}) == expected


def test_the_stages_of_a_task() -> None:
    definition = jsonpath(
        {
            "T": {
                "Type": "Task",
                "Resource": "r",
                "InputPath": "$.in",
                "Parameters": {"p.$": "$.x"},
                "ResultSelector": {"s.$": "$.Payload", "t.$": "$$.State.Name"},
                "ResultPath": "$.out",
                "OutputPath": "$.out",
                "Assign": {"v.$": "$.s"},
                "Next": "B",
            },
            "B": {"Type": "Pass", "Parameters": {"in.$": "$", "v.$": "$v"}, "End": True},
        }
    )
    output = output_of(definition, {"in": {"x": 1}}, T=lambda r: {"Payload": r.arguments})
    assert output == {"in": {"s": {"p": 1}, "t": "T"}, "v": {"p": 1}}


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"InputPath": "$.x"}, "Invalid path '$.x' : No results for path: $['x']"),
        ({"OutputPath": "$.x"}, "Invalid path '$.x' : No results for path: $['x']"),
        ({"InputPath": "$.x.y"}, "Invalid path '$.x.y' : Missing property in path $['x']"),
        (
            {"InputPath": "$.a.y"},
            "in path $['a'] but found 'com.fasterxml.jackson.databind.node.IntNode'.",
        ),
        (
            {"InputPath": "$.a[0]"},
            "Invalid path '$.a[0]' : Filter: [0] can only be applied to arrays. Current context",
        ),
        ({"InputPath": "$.a['x','y']"}, "Invalid path '$.a['x','y']' : No results for path"),
        ({"InputPath": "$.a[1:]"}, "Invalid path '$.a[1:]' : No results for path: $.a[1:]"),
        ({"InputPath": "$$.No"}, "The JSONPath '$$.No' specified for the field 'InputPath'"),
        ({"Parameters": {"x.$": "$.x"}}, "The JSONPath '$.x' specified for the field 'x.$'"),
        ({"Parameters": {"x.$": "$x"}}, "references a variable"),
        (
            {"Parameters": {"x.$": "$$.No"}},
            """'$$.No' specified for the field 'x.$' could not be found in the input '{"Ex""",
        ),
        ({"Parameters": {"x.$": "$.a.sum()"}}, "The JSONPath '$.a.sum()' specified for the field"),
        ({"Result": 1, "ResultPath": "$.a.b"}, "Unable to apply ReferencePath"),
        ({"Result": 1, "ResultPath": "$.a[0]"}, "Unable to apply ReferencePath"),
        ({"Parameters": {"x.$": "States.MathAdd($.a, 'x')"}}, "expected a number"),
    ],
)
def test_misses_are_runtime_errors(fields: Json, cause: str) -> None:
    outcome = play(one_pass(**fields), {"a": 1})
    assert outcome.error == "States.Runtime"
    assert cause in (outcome.cause or "")
    assert "while executing the state 'A' (entered at the event id #2)" in (outcome.cause or "")


def intrinsic(call: str, data: Json = None) -> Json:
    return output_of(one_pass(Parameters={"r.$": call}), data)["r"]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("States.Format('{} and {}', $.s, 5)", "text and 5"),
        (r"States.Format('\{\} \'{}\' \\', 'a')", "{} 'a' \\"),
        ("States.Format('{}{}{}', true, null, 1.5)", "truenull1.5"),
        ("States.Format('none')", "none"),
        ("States.StringToJson('{\"a\": [1]}')", {"a": [1]}),
        ("States.JsonToString($.o)", '{"k":[1,"é"]}'),
        ("States.Array()", []),
        ("States.Array($.s, 1, States.Array(null))", ["text", 1, [None]]),
        ("States.ArrayPartition($.l, 2)", [[1, 2], [3]]),
        ("States.ArrayContains($.l, 2)", True),
        ("States.ArrayContains($.l, true)", False),
        ("States.ArrayRange(1, 9, 4)", [1, 5, 9]),
        ("States.ArrayRange(5, 1, -2)", [5, 3, 1]),
        ("States.ArrayGetItem($.l, 2)", 3),
        ("States.ArrayLength($.l)", 3),
        ("States.ArrayUnique(States.Array(1, 2, 1, true, '1', '1'))", [1, 2, True, "1"]),
        ("States.Base64Encode('Data to encode')", "RGF0YSB0byBlbmNvZGU="),
        ("States.Base64Decode('RGF0YSB0byBlbmNvZGU=')", "Data to encode"),
        ("States.Hash('input data', 'SHA-1')", "aaff4a450a104cd177d28d18d74485e8cae074b7"),
        ("States.JsonMerge($.o, $.p, false)", {"k": 2, "x": 1}),
        ("States.MathAdd(111, -1)", 110),
        ("States.MathAdd(0.5, 0)", 1),
        ("States.MathAdd(-3.5, 0)", -3),
        ("States.StringSplit('1,2;3', ',;')", ["1", "2", "3"]),
        ("States.StringSplit('a-b', '-')", ["a", "b"]),
        ("States.MathRandom(3, 4)", 3),
        ("States.ArrayLength(States.StringSplit(States.UUID(), '-'))", 5),
        ("States.Format($.t, $.s)", "a text"),
        (" States.Array( 1 , 2 ) ".strip(), [1, 2]),
        ("States.Array(-1.5e1)", [-15.0]),
        ("States.StringSplit('abc', '')", ["abc"]),
        ("States.StringToJson('')", None),
    ],
)
def test_intrinsic_functions(call: str, expected: Json) -> None:
    data = {"s": "text", "l": [1, 2, 3], "o": {"k": [1, "é"]}, "p": {"k": 2, "x": 1}, "t": "a {}"}
    found = intrinsic(call, data)
    assert found == expected
    assert str(found) == str(expected)


@pytest.mark.parametrize(
    "call",
    [
        "States.Format('{}')",
        "States.Format('{}', 1, 2)",
        "States.StringToJson('{')",
        "States.StringToJson('NaN')",
        "States.Format()",
        "States.Base64Encode($.long)",
        "States.Hash($.long, 'MD5')",
        "States.MathAdd($.inf, 1)",
        "States.ArrayRange(0, 100000000000000000000, 1)",
        "States.ArrayPartition($.l, 0)",
        "States.ArrayGetItem($.l, 3)",
        "States.ArrayRange(1, 5, 0)",
        "States.ArrayRange(1, 2000, 1)",
        "States.ArrayLength($.s)",
        "States.Base64Decode('*')",
        "States.Hash('a', 'CRC')",
        "States.JsonMerge($.o, $.o, true)",
        "States.JsonMerge($.o, 1, false)",
        "States.MathRandom(4, 3)",
        "States.UUID(1)",
        "States.Base64Encode(1)",
    ],
)
def test_intrinsic_functions_that_fail(call: str) -> None:
    assert error_of(one_pass(Parameters={"r.$": call}), DATA_OF_FAILURES) == "States.Runtime"


DATA_OF_FAILURES = {"s": "", "l": [1], "o": {}, "inf": float("inf"), "long": "x" * 10_001}


def choose(rule: Json, data: Json) -> bool:
    definition = jsonpath(
        {
            "C": {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No"},
            "Yes": {"Type": "Pass", "Result": True, "End": True},
            "No": {"Type": "Pass", "Result": False, "End": True},
        }
    )
    return bool(output_of(definition, data))


NOON = "2013-01-05T12:00:00Z"


@pytest.mark.parametrize(
    ("operator", "value", "operand", "holds"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", 1, "1", False),
        ("StringLessThan", "a", "b", True),
        ("StringLessThan", "\U0001f197", "\uff5e", True),
        ("StringLessThan", "é", "日", True),
        ("StringGreaterThanEquals", "b", "b", True),
        ("StringMatches", "log-2013.txt", "log-*.txt", True),
        ("StringMatches", "log-2013.txt", "log-?.txt", False),
        ("StringMatches", "a*b", "a\\*b", True),
        ("StringMatches", "axb", "a\\*b", False),
        ("StringMatches", "a\nb", "a*", True),
        ("StringMatches", "a\\b!", "a\\\\b\\!", True),
        ("StringMatches", "aba", "aba*aba", False),
        ("StringMatches", "abcabc", "*b*b*", True),
        ("StringMatches", "abc", "*b*b*", False),
        ("StringMatches", "abc", "***", True),
        ("StringMatches", "", "*", True),
        ("StringMatches", "[a]", "[a]", True),
        ("StringMatches", "a" * 5000, "*a" * 40 + "b", False),
        ("NumericEquals", 1.0, 1, True),
        ("NumericEquals", True, 1, False),
        ("NumericEquals", "1", 1, False),
        ("NumericLessThan", 1, 2.5, True),
        ("NumericGreaterThan", 1, 2.5, False),
        ("BooleanEquals", True, True, True),
        ("BooleanEquals", 1, True, False),
        ("BooleanEquals", False, False, True),
        ("TimestampEquals", "2013-01-05T21:00:00+09:00", NOON, True),
        ("TimestampLessThan", "2013-01-05T11:59:59.999Z", NOON, True),
        ("TimestampGreaterThan", "2013-01-06", NOON, False),
        ("IsNull", None, True, True),
        ("IsNull", 0, True, False),
        ("IsString", "", True, True),
        ("IsNumeric", True, True, False),
        ("IsBoolean", False, True, True),
        ("IsTimestamp", NOON, True, True),
        ("IsTimestamp", "noon", False, True),
        ("IsPresent", None, True, True),
        ("IsPresent", None, False, False),
    ],
)
def test_rules(operator: str, value: Json, operand: Json, *, holds: bool) -> None:
    assert choose({"Variable": "$.v", operator: operand}, {"v": value, "o": operand}) is holds
    if not operator.startswith("Is") and operator != "StringMatches":
        rule = {"Variable": "$.v", f"{operator}Path": "$.o"}
        assert choose(rule, {"v": value, "o": operand}) is holds


def test_rules_are_combined() -> None:
    one = {"Variable": "$.v", "NumericEquals": 1}
    two = {"Variable": "$.v", "NumericEquals": 2}
    assert choose({"Or": [one, two]}, {"v": 2})
    assert not choose({"And": [one, two]}, {"v": 2})
    assert choose({"Not": one}, {"v": 2})
    assert choose({"And": [{"Variable": "$.w", "IsPresent": False}, two]}, {"v": 2})
    assert not choose({"Variable": "$.v[*]", "IsPresent": True}, {"v": []})


def test_a_rule_on_a_missing_variable_is_a_runtime_error() -> None:
    definition = jsonpath(
        {
            "C": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.v", "NumericEquals": 1, "Next": "S"}],
                "Default": "S",
            },
            "S": {"Type": "Succeed"},
        }
    )
    assert error_of(definition, {}) == "States.Runtime"


def test_a_choice_applies_its_paths_and_assigns() -> None:
    definition = jsonpath(
        {
            "C": {
                "Type": "Choice",
                "InputPath": "$.a",
                "OutputPath": "$.out",
                "Assign": {"v": "default"},
                "Choices": [
                    {
                        "Variable": "$.n",
                        "NumericEquals": 1,
                        "Next": "S",
                        "Assign": {"v.$": "$.n"},
                    }
                ],
                "Default": "S",
            },
            "S": {"Type": "Pass", "Parameters": {"in.$": "$", "v.$": "$v"}, "End": True},
        }
    )
    assert output_of(definition, {"a": {"n": 1, "out": 5}}) == {"in": 5, "v": 1}
    assert output_of(definition, {"a": {"n": 2, "out": 6}}) == {"in": 6, "v": "default"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"ItemsPath": "$.items"}, [1, 2]),
        ({"InputPath": "$.items"}, [1, 2]),
        (
            {
                "ItemsPath": "$.items",
                "ItemSelector": {
                    "i.$": "$$.Map.Item.Index",
                    "v.$": "$$.Map.Item.Value",
                    "k.$": "$.k",
                },
            },
            [{"i": 0, "v": 1, "k": "x"}, {"i": 1, "v": 2, "k": "x"}],
        ),
        ({"ItemsPath": "$.items", "ResultSelector": {"n.$": "$[0]"}}, {"n": 1}),
        ({"ItemsPath": "$.items", "MaxConcurrencyPath": "$.most"}, [1, 2]),
    ],
)
def test_maps(fields: Json, expected: Json) -> None:
    processor = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
    state = {"Type": "Map", "ItemProcessor": processor, "End": True, **fields}
    assert output_of(jsonpath({"M": state}), {"items": [1, 2], "k": "x", "most": 1}) == expected


@pytest.mark.parametrize(
    ("fields", "data", "seconds"),
    [
        ({"SecondsPath": "$.s"}, {"s": 3}, 3),
        ({"Seconds": 4}, {}, 4),
        ({"TimestampPath": "$.t"}, {"t": "2000-01-01T00:00:09Z"}, 9),
        ({"SecondsPath": "$.s"}, {"s": -1}, None),
        ({"SecondsPath": "$.s"}, {"s": "x"}, None),
        ({"TimestampPath": "$.t"}, {"t": "2000-01-01"}, None),
        ({"TimestampPath": "$.t"}, {"t": "2000-13-01T00:00:00Z"}, None),
        ({"TimestampPath": "$.t"}, {"t": 5}, None),
    ],
)
def test_waits(fields: Json, data: Json, seconds: int | None) -> None:
    outcome = play(jsonpath({"W": {"Type": "Wait", "End": True, **fields}}), data)
    if seconds is None:
        assert outcome.error == "States.Runtime"
    else:
        assert (outcome.ended - outcome.started).total_seconds() == seconds


def test_a_state_may_choose_jsonata_within_a_jsonpath_machine() -> None:
    definition = jsonpath(
        {
            "A": {"Type": "Pass", "Assign": {"x.$": "$.n"}, "Next": "B"},
            "B": {
                "Type": "Pass",
                "QueryLanguage": "JSONata",
                "Output": "{% $x + 1 %}",
                "End": True,
            },
        }
    )
    assert output_of(definition, {"n": 1}) == 2


def test_fail_takes_its_texts_from_paths_and_functions() -> None:
    state = {"Type": "Fail", "ErrorPath": "$.e", "CausePath": "States.Format('of {}', $.c)"}
    outcome = play(jsonpath({"F": state}), {"e": "E", "c": "rain"})
    assert (outcome.error, outcome.cause) == ("E", "of rain")
    assert re.search("must be a string", play(jsonpath({"F": state}), {"e": 1}).cause or "")


def test_a_result_may_replace_one_item() -> None:
    definition = one_pass(Result="x", ResultPath="$.l[1]")
    assert output_of(definition, {"l": [1, 2, 3]}) == {"l": [1, "x", 3]}
    assert output_of(one_pass(Result="x", ResultPath="$.n.m"), {"n": None}) == {"n": {"m": "x"}}


@pytest.mark.parametrize(
    "call",
    [
        "States.Array(1",
        "States.Array(1e999)",
        "States.Array(1 2)",
        "States.Array(x)",
        "States.Array() x",
    ],
)
def test_calls_that_cannot_be_read(call: str) -> None:
    with pytest.raises(InvalidDefinition, match="valid intrinsic function call"):
        play(one_pass(Parameters={"r.$": call}))


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ("x", 'refers to value "x" which is not a valid integer: $.most'),
        (1.5, 'refers to value "1.5" which is not a valid integer'),
        (-1, "Expected non-negative integer for MaxConcurrency, got '-1' instead."),
    ],
)
def test_a_limit_from_a_path_must_be_a_number(value: Json, cause: str) -> None:
    processor = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
    state = {
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemProcessor": processor,
        "MaxConcurrencyPath": "$.most",
        "End": True,
    }
    outcome = play(jsonpath({"M": state}), {"items": [1], "most": value})
    assert outcome.error == "States.Runtime"
    assert cause in (outcome.cause or "")


@pytest.mark.parametrize(
    ("rule", "cause"),
    [
        (
            {"Variable": "$.v", "IsString": False},
            "Invalid path '$.v': The choice state's condition",
        ),
        ({"Variable": "$.v", "IsNull": True}, "Invalid path '$.v': The choice state's condition"),
        ({"Variable": "$.l[1]", "NumericEquals": 1}, "Invalid path '$.l[1]': The choice state's"),
        ({"Variable": "$v.x", "IsNull": True}, "Invalid path '$v.x': The choice state's condition"),
        ({"Variable": "$.n", "NumericEqualsPath": "$.v"}, "Invalid path '$.v': The choice state's"),
        (
            {"Variable": "$.n", "StringGreaterThanPath": "$.n"},
            "Invalid value provided at path '$.n'",
        ),
        ({"Variable": "$.s", "TimestampLessThanPath": "$.s"}, "Invalid value provided at path"),
    ],
)
def test_a_rule_that_looks_at_nothing(rule: Json, cause: str) -> None:
    choice = {"Type": "Choice", "Choices": [{**rule, "Next": "S"}], "Default": "S"}
    outcome = play(jsonpath({"C": choice, "S": {"Type": "Succeed"}}), {"n": 1, "s": "x", "l": [1]})
    assert outcome.error == "States.Runtime"
    assert cause in (outcome.cause or "")


def test_a_rule_compares_a_path_of_another_type() -> None:
    assert not choose({"Variable": "$.n", "NumericEqualsPath": "$.s"}, {"n": 1, "s": "1"})
    assert not choose({"Variable": "$.n", "StringGreaterThanPath": "$.s"}, {"n": 1, "s": "1"})
    assert choose({"Variable": "$.l[1]", "IsPresent": False}, {"l": [1]})


NOTHING = {"N": {"Type": "Pass", "Result": None, "Next": "A"}}


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Pass", "Parameters": {"x.$": "$"}, "Next": "E"},
        {"Type": "Pass", "InputPath": "$.a", "Next": "E"},
        {
            "Type": "Choice",
            "Choices": [{"Variable": "$", "IsString": True, "Next": "E"}],
            "Default": "E",
        },
        {
            "Type": "Choice",
            "Choices": [{"Variable": "$.a", "IsPresent": True, "Next": "E"}],
            "Default": "E",
        },
    ],
)
def test_a_path_cannot_begin_at_null(state: Json) -> None:
    outcome = play(jsonpath({**NOTHING, "A": state, "E": {"Type": "Succeed"}}))
    assert outcome.error == "States.Runtime"
    assert (outcome.cause or "").endswith(
        "Unable to apply Path transformation to null or empty input."
    )


def test_null_passes_where_no_path_looks_at_it() -> None:
    plain = {"Type": "Pass", "End": True}
    assert output_of(jsonpath({**NOTHING, "A": plain})) is None
    whole = {**plain, "InputPath": "$", "OutputPath": "$"}
    assert output_of(jsonpath({**NOTHING, "A": whole})) is None
    named = {**plain, "Parameters": {"x.$": "$$.State.Name"}}
    assert output_of(jsonpath({**NOTHING, "A": named})) == {"x": "A"}


def test_behind_the_end_of_an_array_is_null() -> None:
    data = {"l": [1, 2]}
    assert output_of(one_pass(Parameters={"x.$": "$.l[5]", "y.$": "$.l[-3]"}), data) == {
        "x": None,
        "y": None,
    }
    assert output_of(one_pass(InputPath="$.l[2]"), data) is None
    assert error_of(one_pass(Parameters={"x.$": "$.l[2].a"}), data) == "States.Runtime"


@pytest.mark.parametrize(
    ("call", "cause"),
    [
        ("States.Format('{}', $.no)", "The JsonPath argument for the field '$.no'"),
        (
            "States.Format('{}', States.Format('{}', $.a.b))",
            "The JsonPath argument for the field '$.a.b'",
        ),
        ("States.ArrayLength($.l[5])", "The JsonPath argument for the field '$.l[5]'"),
        ("States.JsonToString($$.No.Deep)", "The JsonPath argument for the field '$.No.Deep'"),
    ],
)
def test_an_argument_that_leads_nowhere(call: str, cause: str) -> None:
    outcome = play(one_pass(Parameters={"x.$": call}), {"l": [1]})
    assert outcome.error == "States.Runtime"
    assert outcome.cause == (
        "An error occurred while executing the state 'A' (entered at the event id #2)."
        f" The function '{call}' had the following error: {cause}"
        " could not be found in the input '{\"l\":[1]}'"
    )


def test_an_argument_that_takes_an_item_of_no_array() -> None:
    outcome = play(one_pass(Parameters={"x.$": "States.Format('{}', $.n[0])"}), {"n": 1})
    assert (outcome.cause or "").endswith(
        "had the following error: Filter: [0] can only be applied to arrays. Current context is: 1"
    )


@pytest.mark.parametrize(
    ("value", "shown", "written"),
    [
        ({"Arg1": 1, "Arg2": []}, "{Arg1=1, Arg2=[]}", '{"Arg1":1,"Arg2":[]}'),
        ([None, True, "x", {"a": "b"}], "[null, true, x, {a=b}]", '[null,true,"x",{"a":"b"}]'),
        (1e10, "1.0E10", "1.0E10"),
        (0.00012, "1.2E-4", "1.2E-4"),
        ([1234567.5, "1e10", 1e16], "[1234567.5, 1e10, 1.0E16]", '[1234567.5,"1e10",1.0E16]'),
        (12345678901234567890, "12345678901234567890", "12345678901234567890"),
        (-0.0, "-0.0", "-0.0"),
    ],
)
def test_values_are_written_as_java_writes_them(value: Json, shown: str, written: str) -> None:
    assert intrinsic("States.Format('{}', $.v)", {"v": value}) == shown
    assert intrinsic("States.JsonToString($.v)", {"v": value}) == written


@pytest.mark.parametrize(
    ("fields", "data", "cause"),
    [
        (
            {"SecondsPath": "$.s"},
            {"s": "3"},
            "The SecondsPath parameter cannot be parsed as a long value: $.s == 3",
        ),
        (
            {"SecondsPath": "$.s"},
            {"s": 1.5},
            "The SecondsPath parameter cannot be parsed as a long value: $.s == 1.5",
        ),
        (
            {"SecondsPath": "$.s"},
            {"s": -1},
            "The SecondsPath parameter references a negative value: $.s == -1",
        ),
        (
            {"SecondsPath": "$.s"},
            {"t": 1},
            "The SecondsPath parameter does not reference an input value: $.s",
        ),
        ({"SecondsPath": "$.s"}, {"s": 10**9}, "must be a whole number from 0 to 99999999"),
        (
            {"TimestampPath": "$.s"},
            {},
            "The TimestampPath parameter does not reference an input value: $.s",
        ),
    ],
)
def test_waits_that_cannot_be(fields: Json, data: Json, cause: str) -> None:
    outcome = play(jsonpath({"W": {"Type": "Wait", "End": True, **fields}}), data)
    assert outcome.error == "States.Runtime"
    assert cause in (outcome.cause or "")


def test_items_that_are_no_array() -> None:
    processor = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
    state = {"Type": "Map", "ItemsPath": "$.n", "ItemProcessor": processor, "End": True}
    outcome = play(jsonpath({"M": state}), {"n": 1})
    assert outcome.error == "States.Runtime"
    assert (outcome.cause or "").endswith('Reference path "$.n" must point to array.')


def test_a_timeout_from_a_path_that_leads_nowhere() -> None:
    state = {"Type": "Task", "Resource": "r", "TimeoutSecondsPath": "$.t", "End": True}
    outcome = play(jsonpath({"T": state}), {"n": 1})
    assert outcome.error == "States.Runtime"
    assert (outcome.cause or "").endswith("Invalid path '$.t' : No results for path: $['t']")


def test_one_assign_holds_at_most_256_kib() -> None:
    def kept(text: str) -> str | None:
        return play(one_pass(Assign={"v.$": "$.t"}, OutputPath="$.o"), {"t": text, "o": 1}).error

    assert kept("x" * (262_144 - len('{"v":""}'))) is None
    assert kept("x" * 262_144) == "States.DataLimitExceeded"
    assert kept("é" * 131_072) == "States.DataLimitExceeded"
    assert kept("\ud800" * 90_000) == "States.DataLimitExceeded"


def test_halves_of_characters_are_no_bytes() -> None:
    """Java writes a lone surrogate as a question mark."""
    assert intrinsic("States.Base64Encode($.s)", {"s": "\ud800"}) == "Pw=="
    assert (
        intrinsic("States.Hash($.s, 'MD5')", {"s": "\ud800"}) == "d1457b72c3fb323a2671125aef3eab5d"
    )


def test_base64_may_stand_on_several_lines() -> None:
    assert intrinsic("States.Base64Decode($.s)", {"s": "RGF0\r\nYQ==\n"}) == "Data"
