"""JSONata as AWS evaluates it.

The expected values and messages are those of JSONata 2.0.6 (the language's reference, run beside
this evaluator), and of AWS where it differs.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.machine.failures import QUERY, StateError
from runner.machine.query import compile_query
from runner.machine.templates import UNDEFINED, Notation, Template
from tests.machine.test_quick import env, same

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA: dict[str, Any] = {
    "x": [3, 1, 2],
    "y": "a1b22c",
    "people": [{"name": "b", "age": 2}, {"name": "a", "age": 1}, {"name": "c"}],
    "nest": {"a": [1, [2, 3]], "n": None},
    "empty": [],
    "huge": 10**400,
    "tags": ["x", None, "x", {"k": 1.0}, {"k": 1}],
    "orders": {"list": [{"id": 1, "items": [{"sku": "p"}, {"sku": "q"}]}, {"id": 2}]},
}


def value_of(text: str, variables: Mapping[str, Any] = DATA) -> Any:  # noqa: ANN401
    scope = env()
    scope.variables = variables
    return compile_query(text)(scope)


def cause_of(text: str, variables: Mapping[str, Any] = DATA) -> str:
    with pytest.raises(StateError) as caught:
        value_of(text, variables)
    assert caught.value.error == QUERY
    return str(caught.value.cause)


VALUES = [
    ("5.5 % 2", 1.5),
    ("-7 % 3", -1),
    ("1 / 0", "Infinity"),
    ("[-1 / 0]", ["-Infinity"]),
    ("0 / 0", "NaN"),
    ("{'k': 1 / 0}", {"k": "Infinity"}),
    ("0.1 + 0.2 & ''", "0.3"),
    ("$string(1e20)", "100000000000000000000"),
    ("$string(1e21)", "1e+21"),
    ("$string(0.0000001)", "1e-7"),
    ("$string(9223372036854775808)", "9223372036854776000"),
    ("$string([1.50, null, {'a': $sum}])", '[1.5,null,{"a":""}]'),
    ("$string({'a': [1]}, true)", '{\n  "a": [\n    1\n  ]\n}'),
    ("1 = true", False),
    ("true in [1]", False),
    ("[1..3]", [1, 2, 3]),
    ("$count([1..3])", 3),
    ("[1..3][-1]", 3),
    ("[3..1]", []),
    ("$empty{'k': $count($)}", {"k": 0}),
    ("$empty", []),
    ("$people[age > 1].name", "b"),
    ("$people^(>age).name", ["b", "a", "c"]),
    ("$people.name[]", ["b", "a", "c"]),
    ("$people.age[true]", [2, 1, None]),
    ("$people.missing['x']", [None, None, None]),
    ("$people[name = 'a'].name[]", ["a"]),
    ("$people#$i.{'i': $i, 'n': name}[0]", {"i": 0, "n": "b"}),
    ("$orders.list.items.{'sku': sku, 'of': %.id}", [{"sku": "p", "of": 1}, {"sku": "q", "of": 1}]),
    ("$orders.list@$o.items.{'sku': sku, 'of': $o.id}", UNDEFINED),
    ("$nest.**[$type($) = 'null']", None),
    ("$nest.*", [1, 2, 3, None]),
    ("$nest.n = null", True),
    ("$distinct($tags)", ["x", None, {"k": 1}]),
    ("$sort($x)", [1, 2, 3]),
    ("$sort($people, function($l, $r) { $l.name > $r.name }).name", ["a", "b", "c"]),
    ("$map($x, $string)", ["3", "1", "2"]),
    ("$map(['a'], $pad(?, 3, '0'))", "a00"),
    ("$filter($x, function($v, $i) { $i > 0 })", [1, 2]),
    ("$reduce($x, function($a, $b) { $a & $b })", "312"),
    ("$single($x, function($v) { $v = 1 })", 1),
    ("$sift({'a': 1, 'b': 2}, function($v, $k) { $k = 'b' })", {"b": 2}),
    ("$each({'a': 1}, function($v, $k) { $k & $v })", "a1"),
    ("$zip([1, 2], [3, 4, 5])", [[1, 3], [2, 4]]),
    ("$lookup($people, 'age')", [2, 1]),
    ("$keys($people)", ["name", "age"]),
    ("$spread({'a': 1, 'b': 2})", [{"a": 1}, {"b": 2}]),
    ("$merge([{'a': 1}, {'a': 2}])", {"a": 2}),
    ("$append(1, 2)", [1, 2]),
    ("$reverse($x)", [2, 1, 3]),
    ("$boolean([0, ''])", False),
    ("$not([])", True),
    ("$match($y, /([a-z])(\\d)/).groups", ["a", "1", "b", "2"]),
    ("$match('aB', /b/i).index", 1),
    ("$split($y, /\\d+/)", ["a", "b", "c"]),
    ("$split('a,b', ',', 1)", ["a"]),
    ("$split('', /x?/)", ["", ""]),
    ("$replace($y, /([a-z])(\\d+)/, '$2$1$$$3')", "1a$22b$c"),
    ("$replace($y, /\\d/, function($m) { '<' & $m.match & '>' }, 1)", "a<1>b22c"),
    ("$replace('a.b', '.', '$1')", "a$1b"),
    ("$contains('tab\n', /b$/)", False),
    ("$contains('\u0661', /\\d/)", False),
    ("$match('x', /(a)?x/).groups", [None]),
    ("$number('0x1F')", 31),
    ("$round(2.5)", 2),
    ("$round(-1.255, 2)", -1.26),
    ("$formatNumber(1234.5, '#,##0.00')", "1,234.50"),
    ("$formatBase(255, 16)", "ff"),
    ("$toMillis('2018-02-01')", 1517443200000),
    ("$toMillis('2018-02-01T09:42:13.123+0100')", 1517474533123),
    ("$fromMillis(1517443200000, '[Y]-[M01]-[D01]')", "2018-02-01"),
    ("$now('[Y0001]')", "2013"),
    ("$millis()", 1356998400000),
    ("$encodeUrlComponent('a b/ü')", "a%20b%2F%C3%BC"),
    ("$decodeUrl('a%20b%2F')", "a b%2F"),
    ("'a' ~> $uppercase ~> $length", 1),
    ("{'a': 1, 'b': 2} ~> |$|{'c': 3}, 'a'|", {"b": 2, "c": 3}),
    ("$substring('h\u00e9llo', -3, 2)", "ll"),
    ("$pad('x', -3, '#')", "##x"),
    ("$exists($unknown) or true", True),
    ("$type(null)", "null"),
    ("$clone({'a': null})", {"a": None}),
    ("($f := function($n, $a) { $n = 0 ? $a : $f($n - 1, $a + $n) }; $f(1000, 0))", 500500),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_values(text: str, expected: Any) -> None:  # noqa: ANN401
    found = value_of(text)
    assert found is expected if expected is UNDEFINED else same(found, expected), found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$partition([1, 2, 3], 2)", [[1, 2], [3]]),
        ("$partition($unknown, 2)", UNDEFINED),
        ("$range(0, 6, 2)", [0, 2, 4, 6]),
        ("$range(-1.7, 2, 1)", [-1, 0, 1, 2]),
        ("$range(3, 1, -1)", [3, 2, 1]),
        ("$count($range(1, 200000, 1))", 200000),
        ("$hash('input', 'SHA-1')", "140f86aae51ab9e1cda9b4254fe98a74eb54c1a1"),
        ("$random(42)", 0.7275636800328681),
        ("$random() < 1", True),
        ("$length($uuid())", 36),
        ("$parse('{\"a\":1}').a", 1),
        ("$parse('null')", None),
        ("$parse('[null]')", [None]),
        ("$map(['1', '[2]'], $parse)", [1, [2]]),
        ("$range(1, ?, 1)(3)", [1, 2, 3]),
    ],
)
def test_functions_of_step_functions(text: str, expected: Any) -> None:  # noqa: ANN401
    """The values are those that AWS was seen to give."""
    found = value_of(text)
    assert found is expected if expected is UNDEFINED else same(found, expected), found


CAUSES = [
    ("'a' + 1", 'T2001: The left side of the "+" operator must evaluate to a number'),
    ("1 - $nest", 'T2002: The right side of the "-" operator must evaluate to a number'),
    ("-'s'", 'D1002: Cannot negate a non-numeric value: "s"'),
    ("1 / 0 * 2", "D1001: Number out of range: null"),
    (
        "'32' < 42",
        'T2009: The values "32" and 42 either side of operator "<" must be of the same data type',
    ),
    (
        "3 >= true",
        'T2010: The expressions either side of operator ">=" must evaluate to numeric or',
    ),
    ("1.5 in [1..'a']", "T2004: The right side of the range operator (..) must evaluate to an int"),
    ("$abs('x')", 'T0410: Argument 1 of function "abs" does not match function signature'),
    ("$substring('x', '1')", 'T0410: Argument 2 of function "substring" does not match'),
    ("$length('a', 'b')", 'T0410: Argument 2 of function "length" does not match'),
    ("$length(null)", 'T0410: Argument 1 of function "length" does not match'),
    (
        "$x.$length()",
        'T0411: Context value is not a compatible type with argument 1 of function "l',
    ),
    ("$sum(['a'])", 'T0412: Argument 1 of function "sum" must be an array of "numbers"'),
    ("$map($x, $uppercase)", 'T0410: Argument 1 of function "uppercase" does not match function'),
    ("$number('1 2')", 'D3030: Unable to cast value to a number: "1 2"'),
    ("sum($x)", "T1005: Attempted to invoke a non-function. Did you mean $sum?"),
    ("$x(1)", "T1006: Attempted to invoke a non-function"),
    ("$eval('1')", "T1006: Attempted to invoke a non-function"),
    ("$error('boom')", "D3137: boom"),
    ("$error()", "D3137: $error() function evaluated"),
    ("$assert(false, 'no')", "D3141: no"),
    ("$single($x)", "D3138: The $single() function expected exactly 1 matching result.  Instead"),
    ("{'a': 1, 'a': 2}", 'D1009: Multiple key definitions evaluate to same key: "a"'),
    ("{1: 2}", "T1003: Key in object structure must evaluate to a string; got: 1"),
    ("$people^($)", "T2008: The expressions within an order-by clause must evaluate to numeric or"),
    ("['a', 1]^($)", 'T2007: Type mismatch when comparing values "a" and 1 in order-by clause'),
    ("$string(1 / 0)", "D3001: Attempting to invoke string function on Infinity or NaN"),
    (
        "$power(-2, 0.5)",
        "D3061: The power function has resulted in a value that cannot be represen",
    ),
    ("$sqrt(-1)", "D3060: The sqrt function cannot be applied to a negative number: -1"),
    ("$formatBase(1, 99)", "D3100: The radix of the formatBase function must be between 2 and 36."),
    ("$formatNumber(1, 'x')", "D308"),
    ("$formatNumber(1, '0,,0')", "D3089: The sub-picture must not contain two adjacent instances"),
    ("$formatNumber(1, '0;0;0')", "D3080: The picture string must only contain a maximum of two"),
    ("$toMillis('foo')", "D3110: The argument of the toMillis function must be an ISO 8601 format"),
    ("$fromMillis(1e21)", "D1001: Number out of range"),
    ("$huge + 1", "D1001: Number out of range"),
    ("$fromMillis(0, '[Y')", "D3135: No matching closing bracket ']' in date/time picture string"),
    ("$replace('a', '', 'b')", "D3010: Second argument of replace function cannot be an empty st"),
    (
        "$replace('a', /a/, $count)",
        "D3012: Attempted to replace a matched string with a non-string",
    ),
    ("$replace('ab', /x*/, '')", "D1004: Regular expression matches zero length string"),
    ("$decodeUrl('%E0%A4%A')", 'D3140: Malformed URL passed to $decodeUrl(): "%E0%A4%A"'),
    ("$split('a', $uppercase)", 'T1010: The matcher function argument passed to function "split"'),
    ("[1..1e8]", "D2014: The size of the sequence allocated by the range operator (..) must not"),
    ("$partition([1], -1)", "D3137: The chunk size of partition must be a positive number"),
    ("$hash('a', 'CRC')", "D3137: CRC is not one of the hash algorithms MD5, SHA-1"),
    ("$parse('{')", "D3137: The text to parse is not JSON"),
    ("$parse('NaN')", "D3137: The text to parse is not JSON"),
    ("1 +", "S0207: Unexpected end of expression"),
    ("[1, 2)", 'S0202: Expected "]", got ")"'),
    ("'a", "S0101: String literal must be terminated by a matching quote"),
    ("1 ! 2", 'S0204: Unknown operator: "!"'),
    ("1 /* a", "S0106: Comment has no closing tag"),
    ("'\\y'", 'S0103: Unsupported escape sequence: \\"y"'),
    ("1e999", 'S0102: Number out of range: "1e999"'),
    ("$match('a', /[/)", "S0"),
    ("true and ('a' + 1)", 'T2001: The left side of the "and" operator must evaluate to a number'),
]


@pytest.mark.parametrize(("text", "expected"), CAUSES)
def test_causes(text: str, expected: str) -> None:
    assert cause_of(text).startswith(expected)


ENDLESS = "Expression evaluation timeout: Check for infinite loop"
STACK = "Stack overflow error: Check for non-terminating recursive function. Consider rewriting"
MEMORY = "Expression evaluation memory limit exceeded: Check for excessive memory usage"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("($f := function($x) { 1 + $f($x) }; $f(1))", STACK),
        ("+".join(["1"] * 101), STACK),
        ("(" * 3000 + "1" + ")" * 3000, STACK),
        ("$string($deep)", STACK),
        ("[1..873783]", MEMORY),
        ("$pad('', 1000000000)", MEMORY),
        ("$range(1, 1e300, 1)", MEMORY),
        ("($p := function($s, $n) { $n = 0 ? $s : $p($s & $s, $n - 1) }; $p('x', 23))", MEMORY),
        ("$replace($long, 'a', $long)", MEMORY),
        ("$join($split($long, ''), $long)", MEMORY),
        ("$map([1..1000], function($i) { [1..100000] })", ENDLESS),
        ("$contains($long, /^(a+)+$/)", ENDLESS),
        ("$contains($long, /(a|aa)+b/)", ENDLESS),
        ("$match($long, /a*b/)", ENDLESS),
        (f"$contains($long, /{'a?' * 40}{'a' * 40}c/)", ENDLESS),
        ("$contains($long, /(a*)\\1+c/)", ENDLESS),
    ],
)
def test_no_expression_hangs(text: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.machine.jsonata_meter.BUDGET", 3_000_000)
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    cause = cause_of(
        text, {"long": "a" * 50_000 + "b" if "^" in text else "a" * 50_000, "deep": deep}
    )
    assert cause.startswith(expected)


def test_what_aws_accepts_is_within_the_limits() -> None:
    assert value_of("+".join(["1"] * 100)) == 100
    assert value_of("$count([1..873782])") == 873782
    doubled = "($p := function($s, $n) { $n = 0 ? $s : $p($s & $s, $n - 1) }; $length($p('x', 22)))"
    assert value_of(doubled) == 2**22


def test_a_slow_pattern_finds_what_a_quick_one_finds() -> None:
    text = "-" * 3000 + "ab12-ab345"
    slow = value_of("$match($t, /(?:-|--)*?([a-z]+)(\\d{2,})(?=-|$)/)", {"t": text})
    assert [one["groups"] for one in slow] == [["ab", "12"], ["ab", "345"]]
    assert value_of("$replace($t, /(?:-+)+(?=a)/, '')", {"t": text}) == "ab12ab345"


def test_limits_are_caught_with_the_words_of_aws() -> None:
    template = Template("{% [1..873783] %}", "Output", Notation.JSONATA)
    with pytest.raises(StateError) as caught:
        template.evaluate(env())
    sentence = "The JSONata expression '[1..873783]' specified for the field 'Output' "
    assert caught.value.cause == f"{sentence}threw an error during evaluation: {MEMORY}"


def test_evaluation_changes_nothing_that_it_is_given() -> None:
    before = json.dumps(DATA)
    for text in ("$empty{'a': 1}", "$people ~> |$|{'x': 1}|", "$append($x, 1)", "$sort($x)"):
        value_of(text)
    assert json.dumps(DATA) == before


def test_threads_evaluate_the_same_expression_at_once() -> None:
    query = compile_query("$sum($map([1..200], function($i) { $i * $n }))")
    found: dict[int, Any] = {}

    def work(number: int) -> None:
        scope = env()
        scope.variables = {"n": number}
        found[number] = query(scope)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: 20100 * number for number in range(8)}


_TOKENS = """
    $x $y $people $nest . [ ] ( ) { } , ; : := ? ~> ^( > < = != & + - * / % ** @$v #$i | in and or
    "a" 'b' 1 0 2.5 true null name age $ $$ function($p){ $sum( $map( $string( $split( /a+/ [0] ..
    $reduce( $sort( $fromMillis( $formatNumber( $replace( ? % $match( $parse( ` \\ //
"""
tokens = st.sampled_from(_TOKENS.split())


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.lists(tokens, max_size=14).map(" ".join), st.text(max_size=30)))
def test_any_text_gives_a_value_or_a_query_error(text: str) -> None:
    try:
        found = value_of(text)
    except StateError as error:
        found = [error.error, error.cause]
        assert found == [QUERY, str(error.cause)]  # noqa: PT017  (a value is as good as an error)
    assert found is UNDEFINED or json.dumps(found)
