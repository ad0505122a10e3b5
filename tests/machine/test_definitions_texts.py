"""AWS's words for what it refuses.

The texts are those that AWS gave: ValidateStateMachineDefinition and CreateStateMachine, as public
bug reports, linters and other emulators quote them.
"""

from __future__ import annotations

from typing import Any

import pytest

from runner.machine import InvalidDefinition, parse_definition
from runner.machine.diagnose import diagnose
from runner.machine.refusals import as_fault, create_message
from runner.machine.validate import find_refusals
from tests.machine.machines import jsonata, jsonpath

Json = Any

LAMBDA = "arn:aws:states:::lambda:invoke"
PASS = {"Type": "Pass", "End": True}
END = {"Z": {"Type": "Pass", "End": True}}
FLOW = {"StartAt": "P", "States": {"P": PASS}}
S = "SCHEMA_VALIDATION_FAILED: "
T = "MISSING_TRANSITION_TARGET: "
J = "INVALID_JSONATA_EXPRESSION: "
U = "UNSUPPORTED_JSONATA_EXPRESSION: "


def texts(definition: Json, *, express: bool = False) -> list[str]:
    return [refusal.text() for refusal in find_refusals(definition, express=express)]


def task(**fields: Json) -> dict[str, Json]:
    given = {"Type": "Task", "Resource": LAMBDA, "Parameters": {"FunctionName": "f"}, **fields}
    return jsonpath({"A": {**given, "End": True}, **END}) if "Catch" in fields else one(**given)


def one(**fields: Json) -> dict[str, Json]:
    return jsonpath({"A": {**fields, "End": True}})


def out(expression: str) -> dict[str, Json]:
    return jsonata({"A": {**PASS, "Output": {"v": f"{{% {expression} %}}"}}})


def choice(**rule: Json) -> dict[str, Json]:
    state = {"Type": "Choice", "Choices": [{"Next": "Z", **rule}], "Default": "Z"}
    return jsonpath({"C": state, **END})


def mapping(**fields: Json) -> dict[str, Json]:
    return one(**{"Type": "Map", "ItemProcessor": FLOW, **fields})


def distributed(**fields: Json) -> dict[str, Json]:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    return mapping(ItemProcessor={**FLOW, "ProcessorConfig": config}, **fields)


def loop(**more: Json) -> dict[str, Json]:
    return jsonpath(
        {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}, **more}
    )


GRAPHS = {
    "a loop": (loop(), ["MISSING_END_STATE: Workflow has no terminal state at null"]),
    "a loop and a state that nothing leads to": (
        loop(C={"Type": "Pass", "Next": "A"}),
        ["MISSING_END_STATE: Workflow has no terminal state at null"],
    ),
    "a loop and an end that nothing leads to": (
        loop(C=PASS),
        [f'{T}State "C" is not reachable. at /States/C'],
    ),
    "next": (
        jsonpath({"A": {"Type": "Pass", "Next": "NOPE"}}),
        [
            f"{T}Missing 'Next' target: NOPE at /States/A/Next",
            "MISSING_END_STATE: Workflow has no terminal state at null",
        ],
    ),
    "default": (
        jsonpath(
            {
                "A": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.x", "IsPresent": True, "Next": "Z"}],
                    "Default": "Ghost",
                },
                **END,
            }
        ),
        [f"{T}Missing 'Next' target: Ghost at /States/A/Default"],
    ),
    "catch": (
        one(
            Type="Task",
            Resource=LAMBDA,
            Parameters={"FunctionName": "f"},
            Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Ghost"}],
        ),
        [f"{T}Missing 'Next' target: Ghost at /States/A/Catch[0]/Next"],
    ),
    "start": (
        {"StartAt": "Nope", "States": {"A": PASS}},
        [
            f"{T}Missing 'Next' target: Nope at /StartAt",
            f'{T}State "A" is not reachable. at /States/A',
        ],
    ),
    "a name with a slash": (
        jsonpath({"A": PASS, "a/b": PASS}),
        [f'{T}State "a/b" is not reachable. at /States/a/b'],
    ),
    "inside a branch": (
        one(Type="Parallel", Branches=[{**FLOW, "States": {"P": PASS, "Ghost": PASS}}]),
        [f'{T}State "Ghost" is not reachable. at /States/A/Branches[0]/States/Ghost'],
    ),
    "a loop inside a map": (
        mapping(
            ItemProcessor={
                "StartAt": "B",
                "States": {"B": {"Type": "Pass", "Next": "C"}, "C": {"Type": "Pass", "Next": "B"}},
            }
        ),
        [],
    ),
}
FIELDS = {
    "timeout of a map": (
        mapping(TimeoutSeconds=5),
        [f"{S}Field 'TimeoutSeconds' is not supported at /States/A"],
    ),
    "retry of a pass": (
        one(Type="Pass", Retry=[]),
        [f"{S}Field 'Retry' is not supported at /States/A"],
    ),
    "language of a processor": (
        mapping(ItemProcessor={**FLOW, "QueryLanguage": "JSONata"}),
        [f"{S}Field 'QueryLanguage' is not supported at /States/A/ItemProcessor"],
    ),
    "language of a branch": (
        one(Type="Parallel", Branches=[{**FLOW, "QueryLanguage": "JSONata"}]),
        [f"{S}Field 'QueryLanguage' is not supported at /States/A/Branches[0]"],
    ),
    "jsonata in jsonpath": (
        one(Type="Pass", Output={"a": 1}),
        [
            (
                f"{S}The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported"
                " for the 'JSONata' QueryLanguage at /States/A"
            )
        ],
    ),
    "jsonpath in jsonata": (
        jsonata({"A": {**PASS, "InputPath": "$"}}),
        [
            (
                f"{S}The QueryLanguage is set to 'JSONata', but field 'InputPath' is only supported"
                " for the 'JSONPath' QueryLanguage at /States/A"
            )
        ],
    ),
    "a map's language is its own": (
        one(
            Type="Map",
            QueryLanguage="JSONata",
            Items=[1],
            ItemProcessor={**FLOW, "States": {"P": {**PASS, "Output": 1}}},
        ),
        [
            (
                f"{S}The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported"
                " for the 'JSONata' QueryLanguage at /States/A/ItemProcessor/States/P"
            )
        ],
    ),
    "a downgrade says nothing else about fields": (
        jsonata({"A": {**PASS, "QueryLanguage": "JSONPath", "Output": 1}}),
        [
            (
                f"{S}'QueryLanguage' can not be 'JSONPath' if set to"
                " 'JSONata' for whole state machine"
                " at /States/A"
            )
        ],
    ),
    "another language is JSONata": (
        jsonpath({"A": {**PASS, "Output": 1}}, QueryLanguage="jsonpath"),
        [f"{S}Value should be one of the following: [JSONPath, JSONata] at /QueryLanguage"],
    ),
    "a number as language": (
        jsonpath({"A": PASS}, QueryLanguage=5),
        [f"{S}Expected value of type [STRING] at /QueryLanguage"],
    ),
    "version": (
        jsonpath({"A": PASS}, Version="1.1"),
        [f"{S}Value should be one of the following: [1.0] at /Version"],
    ),
    "next and end": (
        jsonpath({"A": {**PASS, "Next": "Z"}, **END}),
        [f"{S}There should only be one of the following fields: [Next, End] at /States/A"],
    ),
    "neither next nor end": (
        jsonpath({"A": {"Type": "Pass"}}),
        [f"{S}This object should have only one of the following fields: [Next, End] at /States/A"],
    ),
    "no branches": (
        one(Type="Parallel", Branches=[]),
        [f"{S}Value cannot be empty at /States/A/Branches"],
    ),
    "a branch without states": (
        one(Type="Parallel", Branches=[{"StartAt": "B"}]),
        [f"{S}These fields are required: [States] at /States/A/Branches[0]"],
    ),
    "no processor": (
        one(Type="Map"),
        [
            (
                f"{S}This object should have only one of the following fields:"
                " [ItemProcessor, Iterator] at /States/A"
            )
        ],
    ),
    "a name twice": (
        one(Type="Parallel", Branches=[{"StartAt": "A", "States": {"A": PASS}}]),
        ["DUPLICATE_STATE_NAME: Duplicate State name: A at /States/A/Branches[0]/States/A"],
    ),
    "two waits": (
        one(Type="Wait", Seconds=1, SecondsPath="$.s"),
        [
            (
                f"{S}There should only be one of the following fields:"
                " [SecondsPath, Seconds, TimestampPath, Timestamp] at /States/A"
            )
        ],
    ),
    "an instant": (
        one(Type="Wait", Timestamp="2030-01-01"),
        [f"{S}String does not match RFC3339 timestamp at /States/A/Timestamp"],
    ),
}
VALUES = {
    "a timeout of none": (
        task(TimeoutSeconds=0),
        [f"{S}Minimum value is 1 at /States/A/TimeoutSeconds"],
    ),
    "a long wait": (
        one(Type="Wait", Seconds=100_000_000),
        [f"{S}Maximum value is 99999999 at /States/A/Seconds"],
    ),
    "a machine's timeout of none": (jsonpath({"A": PASS}, TimeoutSeconds=0), []),
    "an interval of none": (task(Retry=[{"ErrorEquals": ["E"], "IntervalSeconds": 0}]), []),
    "a share over all": (
        mapping(ToleratedFailurePercentage=101),
        [f"{S}Maximum value is 100.0 at /States/A/ToleratedFailurePercentage"],
    ),
    "as many as there are": (mapping(MaxConcurrency=9_223_372_036_854_775_807), []),
    "a number of the context": (
        mapping(MaxConcurrencyPath="$$.Execution.Input.n"),
        [f"{S}Value is not a Reference Path at /States/A/MaxConcurrencyPath"],
    ),
    "no path": (
        one(Type="Pass", InputPath="a"),
        [f"{S}Value must be a valid JSONPath. at /States/A/InputPath"],
    ),
    "no reference path": (
        one(Type="Pass", ResultPath="$.a[*]"),
        [f"{S}Value is not a Reference Path at /States/A/ResultPath"],
    ),
    "a function as path": (
        one(Type="Pass", InputPath="States.UUID()"),
        [f"{S}Value must be a valid JSONPath. at /States/A/InputPath"],
    ),
    "a function as error": (
        jsonpath({"A": {"Type": "Fail", "ErrorPath": "States.Format('{}', $.e)"}}),
        [],
    ),
    "a function without text as error": (
        jsonpath({"A": {"Type": "Fail", "ErrorPath": "States.Array(1)"}}),
        [
            (
                f"{S}The value for the field must be a valid JSONPath or a valid intrinsic function"
                " call that returns a string at /States/A/ErrorPath"
            )
        ],
    ),
    "a template": (
        one(Type="Pass", Parameters={"a": [{"b.$": "c"}]}),
        [
            (
                f"{S}The value for the field 'b.$' must be a valid JSONPath or a valid intrinsic"
                " function call at /States/A/Parameters/a[0]"
            )
        ],
    ),
    "all errors with others": (
        task(Retry=[{"ErrorEquals": ["States.ALL", "E"]}]),
        [
            (
                f"{S}States.ALL must appear alone and at end of list"
                " at /States/A/Retry[0]/ErrorEquals[0]"
            )
        ],
    ),
    "no errors": (
        task(Retry=[{"ErrorEquals": []}]),
        [f"{S}Value cannot be empty at /States/A/Retry[0]/ErrorEquals"],
    ),
    "a retrier without errors": (
        task(Retry=[{}]),
        [f"{S}These fields are required: [ErrorEquals] at /States/A/Retry[0]"],
    ),
    "no retriers": (task(Retry=[]), []),
    "errors of States that nobody knows": (
        task(Retry=[{"ErrorEquals": ["States.Runtime", "State.ALL", "States.New"]}]),
        [],
    ),
    "jitter": (
        task(Retry=[{"ErrorEquals": ["E"], "JitterStrategy": "SOME"}]),
        [
            (
                f"{S}Value should be one of the following: [NONE, FULL]"
                " at /States/A/Retry[0]/JitterStrategy"
            )
        ],
    ),
    "the largest delay": (
        task(Retry=[{"ErrorEquals": ["E"], "MaxDelaySeconds": 31_622_400, "BackoffRate": 1}]),
        [],
    ),
    "a delay beyond": (
        task(Retry=[{"ErrorEquals": ["E"], "MaxDelaySeconds": 31_622_401}]),
        [f"{S}Maximum value is 31622400 at /States/A/Retry[0]/MaxDelaySeconds"],
    ),
}
RULES = {
    "no choices": (
        jsonpath({"C": {"Type": "Choice", "Choices": [], "Default": "Z"}, **END}),
        [f"{S}Value cannot be empty at /States/C/Choices"],
    ),
    "nested next": (
        choice(And=[{"Variable": "$.x", "IsNull": True, "Next": "Z"}]),
        [f"{S}Field 'Next' is not supported at /States/C/Choices[0]/And[0]"],
    ),
    "two selectors": (
        choice(Variable="$.x", IsNull=True, Not={"Variable": "$.x", "IsNull": True}),
        [
            (
                f"{S}The object must have only one of the following fields,"
                " [And, Or, Not, Variable, Condition] at /States/C/Choices[0]"
            )
        ],
    ),
    "two comparisons": (
        choice(Variable="$.x", IsNull=True, IsString=True),
        [
            (
                f"{S}There should only be one of the following fields: [IsNull, IsString]"
                " at /States/C/Choices[0]"
            )
        ],
    ),
    "a function as variable": (
        choice(Variable="States.ArrayLength($.a)", NumericEquals=0),
        [
            (
                f"{S}Value is not a Reference Path: Reference path didn't start with '$'"
                " at /States/C/Choices[0]/Variable"
            )
        ],
    ),
    "condition": (
        jsonpath({"C": {"Type": "Choice", "Choices": [{"Condition": True, "Next": "Z"}]}, **END}),
        [
            (
                f"{S}The QueryLanguage is set to 'JSONPath', but field 'Condition'"
                " is only supported"
                " for the 'JSONata' QueryLanguage at /States/C/Choices[0]"
            )
        ],
    ),
    "operands": (
        choice(
            Or=[
                {"Variable": "$x.a", "NumericLessThanEquals": 1.5},
                {"Variable": "$$.Execution.Name", "StringLessThan": ""},
                {"Variable": "$.a[0]", "BooleanEqualsPath": "$y"},
                {"Variable": "$['a b']", "TimestampGreaterThan": "2012-10-09T19:00:55+01:00"},
                {"Variable": "$..a", "StringMatches": "\\*a*"},
            ]
        ),
        [],
    ),
}
EXPRESSIONS = {
    "a[1,2)": [f'{J}Expected "]", got "," at /States/A/Output/v'],
    '"unterminated': [f"{J}String literal must be terminated by a matching quote at"],
    "1 +": [f"{J}Unexpected end of expression at /States/A/Output/v"],
    '{"a":}': [f'{J}The symbol "}}" cannot be used as a unary operator at /States/A/Output/v'],
    "$x :=": [f"{J}Unexpected end of expression at /States/A/Output/v"],
    '$match("a", /abc': [f"{J}No terminating / in regular expression at /States/A/Output/v"],
    "": [f"{J}Unexpected end of expression at /States/A/Output/v"],
    "$$": [f"{U}Reference to '$$' is not supported. at /States/A/Output/v"],
    "$states.errorOutput": [f"{U}Field '$states.errorOutput' does not exist. at"],
    "phone[0]": [f"{U}Reference to 'phone' at the top level is not supported. at"],
    "aaa + bbb": [
        f"{U}Reference to 'aaa' at the top level is not supported. at",
        f"{U}Reference to 'bbb' at the top level is not supported. at",
    ],
    "$.phone": [f"{U}Reference to '$' at the top level is not supported. at"],
    "$map($states.input.a, function($x){ b })": [f"{U}Reference to 'b' at the top level"],
    "{aaa: 1}": [f"{U}Reference to 'aaa' at the top level is not supported. at"],
    "$states.input.items[phone > 3]": [],
    "$map($states.input.a, function($x){ $x.phone })": [],
    "$phone": [],
    "$states": [],
}
TYPES = {
    "start": (
        {"StartAt": 1, "Comment": 2, "States": {"A": PASS}},
        [
            f"{S}Expected value of type [STRING] at /StartAt",
            f"{S}Expected value of type [STRING] at /Comment",
        ],
    ),
    "a state without a name": (
        jsonpath({"": PASS}),
        ["INVALID_STATE_NAME: The state name is empty at /States/"],
    ),
    "neither branches nor choices": (
        jsonpath({"A": {"Type": "Parallel", "Next": "B"}, "B": {"Type": "Choice"}}),
        [
            f"{S}These fields are required: [Branches] at /States/A",
            f"{S}These fields are required: [Choices] at /States/B",
        ],
    ),
    "choices": (
        jsonpath({"C": {"Type": "Choice", "Choices": 1, "Default": "Z"}, **END}),
        [f"{S}Expected value of type [ARRAY] at /States/C/Choices"],
    ),
    "a choice": (
        jsonpath(
            {
                "C": {
                    "Type": "Choice",
                    "Choices": [{"Variable": 1, "StringEqualsPath": "x", "Next": 1}, {"Or": 1}],
                    "Default": "Z",
                },
                **END,
            }
        ),
        [
            f"{S}Expected value of type [STRING] at /States/C/Choices[0]/Next",
            f"{S}Expected value of type [STRING] at /States/C/Choices[0]/Variable",
            (
                f"{S}Value is not a Reference Path: Reference path didn't start with '$'"
                " at /States/C/Choices[0]/StringEqualsPath"
            ),
            f"{S}These fields are required: [Next] at /States/C/Choices[1]",
            f"{S}Expected value of type [ARRAY] at /States/C/Choices[1]/Or",
        ],
    ),
    "a broken path of a choice": (
        choice(Variable="$.a[", IsNull=True),
        [f"{S}Value is not a Reference Path at /States/C/Choices[0]/Variable"],
    ),
    "conditions": (
        jsonata(
            {
                "C": {
                    "Type": "Choice",
                    "Choices": [
                        {"Condition": "true", "Next": "Z"},
                        {"Condition": True, "Variable": "$.a", "Next": "Z"},
                    ],
                },
                **END,
            }
        ),
        [
            f"{S}Expected value of type [JSONATA, BOOLEAN] at /States/C/Choices[0]/Condition",
            (
                f"{S}The QueryLanguage is set to 'JSONata', but field 'Variable' is only supported"
                " for the 'JSONPath' QueryLanguage at /States/C/Choices[1]"
            ),
        ],
    ),
    "a catcher": (
        task(Catch=[{"ErrorEquals": 1, "Next": 1, "Assign": 1, "Output": 1, "Retry": 1}]),
        [
            f"{S}Expected value of type [ARRAY] at /States/A/Catch[0]/ErrorEquals",
            (
                f"{S}The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported"
                " for the 'JSONata' QueryLanguage at /States/A/Catch[0]"
            ),
            f"{S}Field 'Retry' is not supported at /States/A/Catch[0]",
            f"{S}Expected value of type [STRING] at /States/A/Catch[0]/Next",
            f"{S}Expected value of type [OBJECT] at /States/A/Catch[0]/Assign",
            f'{T}State "Z" is not reachable. at /States/Z',
        ],
    ),
    "names of errors": (
        task(Retry=[{"ErrorEquals": ["E", 1]}]),
        [f"{S}Expected value of type [STRING] at /States/A/Retry[0]/ErrorEquals[1]"],
    ),
    "a path": (
        one(Type="Pass", InputPath=1),
        [f"{S}Expected value of type [STRING] at /States/A/InputPath"],
    ),
    "a resource": (
        one(Type="Task", Resource=1),
        [f"{S}Expected value of type [STRING] at /States/A/Resource"],
    ),
    "a processor": (
        one(Type="Map", ItemProcessor=1),
        [f"{S}Expected value of type [OBJECT] at /States/A/ItemProcessor"],
    ),
    "its configuration": (
        mapping(ItemProcessor={**FLOW, "ProcessorConfig": 1}),
        [f"{S}Expected value of type [OBJECT] at /States/A/ItemProcessor/ProcessorConfig"],
    ),
    "a reader": (
        distributed(ItemReader={"Arguments": {}, "Foo": 1, "ReaderConfig": 1}),
        [
            (
                f"{S}The QueryLanguage is set to 'JSONPath', but field 'Arguments'"
                " is only supported for the 'JSONata' QueryLanguage at /States/A/ItemReader"
            ),
            f"{S}Field 'Foo' is not supported at /States/A/ItemReader",
            f"{S}These fields are required: [Resource] at /States/A/ItemReader",
            f"{S}Expected value of type [OBJECT] at /States/A/ItemReader/ReaderConfig",
        ],
    ),
    "what it reads": (
        distributed(
            ItemReader={
                "Resource": 1,
                "ReaderConfig": {
                    "InputType": "XML",
                    "CSVHeaderLocation": "LAST",
                    "MaxItemsPath": 1,
                },
            }
        ),
        [
            f"{S}Expected value of type [STRING] at /States/A/ItemReader/Resource",
            (
                f"{S}Value should be one of the following: [CSV, JSON, JSONL, MANIFEST, PARQUET]"
                " at /States/A/ItemReader/ReaderConfig/InputType"
            ),
            (
                f"{S}Value should be one of the following: [FIRST_ROW, GIVEN]"
                " at /States/A/ItemReader/ReaderConfig/CSVHeaderLocation"
            ),
            f"{S}Expected value of type [STRING] at /States/A/ItemReader/ReaderConfig/MaxItemsPath",
        ],
    ),
    "a writer": (
        distributed(ResultWriter={}),
        [f"{S}These fields are required: [Resource, Parameters] at /States/A/ResultWriter"],
    ),
    "a writer that writes": (
        distributed(
            ResultWriter={
                "Resource": "arn:aws:states:::s3:putObject",
                "Parameters": {"Bucket": "b"},
            }
        ),
        [],
    ),
    "an instant with an offset": (one(Type="Wait", Timestamp="2030-01-01T00:00:00+09:00"), []),
    "a writer that only transforms": (
        distributed(ResultWriter={"WriterConfig": {"Transformation": "FLATTEN"}}),
        [],
    ),
    "a language": (
        jsonpath({"A": {**PASS, "QueryLanguage": "SQL"}}),
        [
            (
                f"{S}Value should be one of the following: [JSONPath, JSONata]"
                " at /States/A/QueryLanguage"
            )
        ],
    ),
    "a writer's configuration": (
        distributed(ResultWriter={"WriterConfig": 1}),
        [f"{S}Expected value of type [OBJECT] at /States/A/ResultWriter/WriterConfig"],
    ),
    "a part that is no object has no names": (
        jsonpath(
            {
                "A": {"Type": "Parallel", "Branches": [FLOW], "Catch": [1], "Next": "B"},
                "B": 1,
            }
        ),
        [
            f"{S}Expected value of type [OBJECT] at /States/A/Catch[0]",
            f"{S}Expected value of type [OBJECT] at /States/B",
        ],
    ),
}
GROUPS = {"types": TYPES, "graphs": GRAPHS, "fields": FIELDS, "values": VALUES, "rules": RULES}
EVERY = {
    f"{group}: {name}": case for group, cases in GROUPS.items() for name, case in cases.items()
}


@pytest.mark.parametrize(("definition", "expected"), EVERY.values(), ids=EVERY)
def test_what_aws_says(definition: Json, expected: list[str]) -> None:
    assert texts(definition) == expected


@pytest.mark.parametrize(("expression", "expected"), EXPRESSIONS.items())
def test_what_aws_says_of_expressions(expression: str, expected: list[str]) -> None:
    found = texts(out(expression))
    assert len(found) == len(expected)
    assert all(told.startswith(start) for told, start in zip(found, expected, strict=True))


def test_fields_of_states_are_there_only_when_they_are() -> None:
    catcher = {
        "ErrorEquals": ["E"],
        "Next": "Z",
        "Output": "{% $states.errorOutput %}",
        "Assign": {"x": "{% $states.errorOutput.Cause %}"},
    }
    good = {
        "Type": "Task",
        "Resource": LAMBDA,
        "Arguments": {"FunctionName": "{% $states.input.f %}"},
        "Output": "{% $states.result %}",
        "Catch": [catcher],
        "End": True,
    }
    assert texts(jsonata({"A": good, **END})) == []
    bad = {**good, "Arguments": {"FunctionName": "{% $states.result %}"}}
    bad["Catch"] = [{**catcher, "Output": "{% $states.result %}"}]
    assert texts(jsonata({"A": bad, **END})) == [
        f"{U}Field '$states.result' does not exist. at /States/A/Arguments/FunctionName",
        f"{U}Field '$states.result' does not exist. at /States/A/Catch[0]/Output",
    ]


@pytest.mark.parametrize(
    "text", ["{% $x", "$x %}", " {% $x %}", "{% $x %} "], ids=["open", "close", "before", "behind"]
)
def test_braces_of_expressions(text: str) -> None:
    told = f"{S}JSONata string must start with {{% and end with %}}"
    assert texts(jsonata({"A": {**PASS, "Output": text}})) == [f"{told} at /States/A/Output"]
    nested = texts(jsonata({"A": {**PASS, "Output": {"a": [text]}}}))
    assert nested == [f"{told} at /States/A/Output/a[0]"]


def test_texts_that_are_no_expressions_are_left_alone() -> None:
    states = {
        "A": {
            "Type": "Task",
            "Comment": "{% a[ %}",
            "Resource": LAMBDA,
            "Arguments": {"FunctionName": "f"},
            "Retry": [{"ErrorEquals": ["{% b[ %}"]}],
            "End": True,
        }
    }
    assert texts(jsonata(states)) == []
    assert texts(one(Type="Pass", Parameters={"v": "{% phone %}"})) == []


def test_names_of_variables() -> None:
    assign = {"states": 1, "a b": 1, "x" * 81: 1, "é_1": 1}
    codes = [found.code for found in find_refusals(one(Type="Pass", Assign=assign), express=False)]
    assert codes == ["RESERVED_VARIABLE_NAME", "INVALID_VARIABLE_NAME", "INVALID_VARIABLE_NAME"]


def test_what_is_assigned_is_an_object() -> None:
    told = f"{S}Expected value of type [OBJECT] at"
    whole = {**PASS, "Assign": "{% {'x': 1} %}"}
    assert texts(jsonata({"A": whole})) == [f"{told} /States/A/Assign"]
    assert texts(choice(Variable="$", IsNull=True, Assign=1)) == [
        f"{told} /States/C/Choices[0]/Assign"
    ]


def test_an_inner_flow_gives_no_variable_of_an_outer_one_another_value() -> None:
    inner = {"StartAt": "P", "States": {"P": {**PASS, "Assign": {"x.$": "$"}}}}
    states = {
        "A": {"Type": "Parallel", "Branches": [inner], "Next": "B"},
        "B": {"Type": "Pass", "Assign": {"x": 1}, "End": True},
    }
    told = "The variable name 'x' was already defined in a parent scope."
    at = "/States/A/Branches[0]/States/P/Assign/x.$"
    assert texts(jsonpath(states)) == [f"DUPLICATE_VARIABLE_NAME: {told} at {at}"]
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}}
    states["A"] = {"Type": "Map", "ItemProcessor": {**inner, **config}, "Next": "B"}
    assert texts(jsonpath(states)) == []


RESOURCES = {
    "r": [f"{S}Value is not a valid resource ARN at /States/A/Resource"],
    "arn:aws:lambda:us-east-1:111111111111:function:f": [],
    "arn:aws:states:us-east-1:111111111111:activity:a": [],
    "arn:aws:states:::lambda:invoke": [
        (
            f"{S}Parameters field is required for resource ARN: arn:aws:states:::lambda:invoke"
            " at /States/A"
        )
    ],
    "arn:aws:states:::lambda:invoke.sync": [
        (
            f"{S}The resource provided arn:aws:states:::lambda:invoke.sync is not recognized"
            " at /States/A/Resource"
        ),
        (
            f"{S}Parameters field is required for resource ARN: arn:aws:states:::lambda:invoke.sync"
            " at /States/A"
        ),
    ],
}


@pytest.mark.parametrize(("resource", "expected"), RESOURCES.items())
def test_resources(resource: str, expected: list[str]) -> None:
    definition = one(Type="Task", Resource=resource)
    assert texts(definition) == expected
    assert parse_definition(definition, any_resource=True).digest


@pytest.mark.parametrize(
    ("call", "is_known"),
    [
        ("glue:startJobRun.waitForTaskToken", False),
        ("glue:startJobRun.sync", True),
        ("glue:startJobRun.sync:2", False),
        ("states:startExecution.sync:2", True),
        ("sqs:sendMessage.waitForTaskToken", True),
        ("aws-sdk:s3:listBuckets.waitForTaskToken", True),
        ("aws-sdk:s3:listBuckets.sync", False),
    ],
)
def test_ways_of_calling_a_service(call: str, is_known: bool) -> None:  # noqa: FBT001
    parameters = {"JobName": "j", "StateMachineArn": "a", "QueueUrl": "q", "MessageBody": "m"}
    resource = f"arn:aws:states:::{call}"
    told = f"{S}The resource provided {resource} is not recognized at /States/A/Resource"
    found = texts(one(Type="Task", Resource=resource, Parameters=parameters))
    assert found == ([] if is_known else [told])


def test_a_resource_of_another_type_in_an_express_machine() -> None:
    told = [f"{S}Expected value of type [STRING] at /States/A/Resource"]
    assert texts(one(Type="Task", Resource=1), express=True) == told


def test_what_services_ask_for() -> None:
    sends = one(Type="Task", Resource="arn:aws:states:::sqs:sendMessage", Parameters={"A.$": "$"})
    assert texts(sends) == [
        f"{S}The field 'QueueUrl' is required but was missing at /States/A/Parameters",
        f"{S}The field 'MessageBody' is required but was missing at /States/A/Parameters",
    ]
    whole = {"Type": "Task", "Resource": LAMBDA, "Arguments": "{% $states.input %}", "End": True}
    assert texts(jsonata({"A": whole}), express=True) == []
    nested = "arn:aws:states:::states:startExecution.sync:2"
    assert texts(one(Type="Task", Resource=nested, Parameters={"StateMachineArn.$": "$.a"})) == []
    activity = "arn:aws:states:us-east-1:111111111111:activity:a"
    assert texts(task(Credentials={"RoleArn.$": "$.role"})) == []
    assert texts(one(Type="Task", Resource=activity, Credentials={"RoleArn": "r"})) == [
        f"{S}The field 'Credentials' is not supported for activities at /States/A/Credentials"
    ]


READERS: dict[str, tuple[dict[str, Json], list[str]]] = {
    "json": ({"ReaderConfig": {"InputType": "JSON", "MaxItems": 0}}, []),
    "a header of json": (
        {"ReaderConfig": {"InputType": "JSON", "CSVHeaderLocation": "GIVEN", "CSVHeaders": []}},
        [f"{S}Field 'CSVHeaderLocation' is not supported at /States/A/ItemReader/ReaderConfig"],
    ),
    "no header": (
        {"ReaderConfig": {"InputType": "CSV"}},
        [f"{S}The field 'CSVHeaderLocation' is required at /States/A/ItemReader/ReaderConfig"],
    ),
    "no headers": (
        {"ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "GIVEN"}},
        [f"{S}These fields are required: [CSVHeaders] at /States/A/ItemReader/ReaderConfig"],
    ),
    "too many": (
        {"ReaderConfig": {"InputType": "JSONL", "MaxItems": 100_000_001}},
        [f"{S}Maximum value is 100000000 at /States/A/ItemReader/ReaderConfig/MaxItems"],
    ),
    "both limits": (
        {"ReaderConfig": {"MaxItems": 1, "MaxItemsPath": "$.n"}},
        [
            (
                f"{S}There should only be one of the following fields: [MaxItems, MaxItemsPath]"
                " at /States/A/ItemReader/ReaderConfig"
            )
        ],
    ),
    "another resource": (
        {"Resource": "arn:aws:states:::s3:putObject"},
        [
            (
                f"{S}The field 'Resource' does not match any of the allowed values"
                " at /States/A/ItemReader/Resource"
            )
        ],
    ),
}


@pytest.mark.parametrize(("reader", "expected"), READERS.values(), ids=READERS)
def test_readers(reader: dict[str, Json], expected: list[str]) -> None:
    whole = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b"}, **reader}
    assert texts(distributed(ItemReader=whole)) == expected


def test_modes_of_a_map() -> None:
    def of(config: Json, *, express: bool = False) -> list[str]:
        definition = mapping(ItemProcessor={**FLOW, "ProcessorConfig": config})
        return texts(definition, express=express)

    at = "/States/A/ItemProcessor/ProcessorConfig"
    assert of({"Mode": "DISTRIBUTED"}) == [f"{S}These fields are required: [ExecutionType] at {at}"]
    assert of({"Mode": "DISTRIBUTED", "ExecutionType": "FAST"}) == [
        f"{S}Value should be one of the following: [STANDARD, EXPRESS] at {at}/ExecutionType"
    ]
    assert of({"Mode": "INLINE", "ExecutionType": "EXPRESS"}) == [
        f"{S}Field 'ExecutionType' is not supported at {at}"
    ]
    assert of({"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}, express=True) == [
        (
            f"{S}The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state"
            f" machines at {at}/Mode"
        )
    ]
    assert of({"Mode": "OTHER"}) == [
        f"{S}Value should be one of the following: [INLINE, DISTRIBUTED] at {at}/Mode"
    ]


def test_parts_of_a_distributed_map() -> None:
    labels = [distributed(Label=label) for label in ("x" * 41, "a b", "")]
    codes = [find_refusals(one, express=False)[0].code for one in labels]
    assert codes == ["INVALID_LABEL_NAME"] * 3
    wrong = distributed(
        ItemBatcher={"MaxItemsPerBatch": -1, "BatchInput": {"a.$": "b"}, "Size": 1},
        ResultWriter={"Resource": "arn:aws:states:::s3:putObject"},
    )
    at = "/States/A/ItemBatcher"
    assert texts(wrong) == [
        f"{S}Minimum value is 0 at {at}/MaxItemsPerBatch",
        f"{S}Field 'Size' is not supported at {at}",
        (
            f"{S}The value for the field 'a.$' must be a valid JSONPath or a valid"
            " intrinsic function"
            f" call at {at}/BatchInput"
        ),
        f"{S}These fields are required: [Parameters] at /States/A/ResultWriter",
    ]
    twice = distributed(Label="L")
    second = {**twice["States"]["A"], "ItemProcessor": {"StartAt": "Q", "States": {"Q": PASS}}}
    twice["States"] |= {"A": {**twice["States"]["A"], "Next": "B"}, "B": second}
    del twice["States"]["A"]["End"]
    assert texts(twice) == ["DUPLICATE_LABEL_NAME: Duplicate Label name: L at /States/B/Label"]


def test_expressions_of_a_distributed_map() -> None:
    state = {
        "Type": "Map",
        "Items": "{% items %}",
        "ItemSelector": {"a": "{% b %}"},
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "Arguments": {"Bucket": "{% c %}"},
            "ReaderConfig": {
                "InputType": "CSV",
                "CSVHeaderLocation": "GIVEN",
                "CSVHeaders": ["{% d %}"],
                "MaxItems": "{% e %}",
            },
        },
        "ItemBatcher": {"BatchInput": {"f": "{% g %}"}, "MaxItemsPerBatchPath": "$.n"},
        "ItemProcessor": FLOW,
        "End": True,
    }
    places = [found.location for found in find_refusals(jsonata({"A": state}), express=False)]
    assert places == [
        "/States/A/Items",
        "/States/A/ItemSelector/a",
        "/States/A/ItemReader/Arguments/Bucket",
        "/States/A/ItemReader/ReaderConfig/MaxItems",
        "/States/A/ItemBatcher",
        "/States/A/ItemBatcher/BatchInput/f",
    ]


def test_what_is_nested_too_deeply() -> None:
    deep: Json = []
    for _ in range(100_000):
        deep = [deep]
    (told,) = find_refusals(one(Type="Pass", Parameters=deep), express=False)
    assert (told.code, told.location) == ("TOO_DEEPLY_NESTED", None)
    flow: Json = FLOW
    for number in range(60):
        state = {"Type": "Parallel", "Branches": [flow], "End": True}
        flow = {"StartAt": f"N{number}", "States": {f"N{number}": state}}
    assert find_refusals(flow, express=False) == []


def test_faults_have_pointers_as_places() -> None:
    (fault,) = map(as_fault, find_refusals(one(Type="Pass", InputPath="x"), express=False))
    assert (fault.place.file, fault.code) == ("/States/A/InputPath", "definition-schema")
    (whole,) = map(as_fault, find_refusals(loop(), express=False))
    assert (whole.place.file, whole.code) == ("/", "definition-target")


def test_the_message_of_creation() -> None:
    with pytest.raises(InvalidDefinition) as caught:
        parse_definition(
            {
                "StartAt": "pass1",
                "States": {"pass1": {"Type": "Pass", "Next": "pass3"}, "pass2": PASS},
            }
        )
    assert create_message(caught.value.refusals) == (
        "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: pass3"
        ' at /States/pass1/Next, MISSING_TRANSITION_TARGET: State "pass2" is not reachable.'
        " at /States/pass2'"
    )


def test_diagnoses() -> None:
    assert diagnose('{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}', express=False) == {
        "result": "OK",
        "diagnostics": [],
        "truncated": False,
    }
    assert diagnose(loop(), express=False)["diagnostics"] == [
        {
            "severity": "ERROR",
            "code": "MISSING_END_STATE",
            "message": "Workflow has no terminal state",
        }
    ]
    several = diagnose(one(Type="Pass", A=1, B=2, C=3), express=False, most=2)
    assert (len(several["diagnostics"]), several["truncated"]) == (2, True)
    (blank,) = diagnose(" ", express=False)["diagnostics"]
    assert (blank["code"], blank["message"]) == (
        "SCHEMA_VALIDATION_FAILED",
        "Definition must be a valid JSON object",
    )
    for text in ("{not json", '{"a": NaN}', "[" * 100_000):
        (broken,) = diagnose(text, express=False)["diagnostics"]
        assert broken["code"] == "INVALID_JSON_DESCRIPTION"
    (large,) = diagnose('"' + "é" * 600_000 + '"', express=False)["diagnostics"]
    assert "bytes" in large["message"]
