"""The reader takes what JSONata's parser takes, and names what an expression refers to."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.machine.expression_reader import References, read_references
from runner.machine.full_query import syntax_error

REFERENCES = {
    "a.b.c": ("a",),
    "a[b > c]": ("a",),
    "$x[b > c].d": (),
    "$x.(a; b)": (),
    "(a; $b := c; d)": ("a", "c", "d"),
    "$x{a: b}": (),
    "$x^(>a, <b.c)": (),
    "{'k': a, b: 1}": ("a", "b"),
    "[a, [1..b], `c d`]": ("a", "b", "c d"),
    "a ? b : c": ("a", "b", "c"),
    "$f(a, ?, function($y) { b })": ("a", "b"),
    "$x ~> $map(\u03bb($y) { $y.a })": (),
    "-a + 1": ("a",),
    "a and b or c in d": ("a", "b", "c", "d"),
    "and = or": ("and", "or"),
    "a ~> | b | {'c': d}, ['e'] |": ("a",),
    "a ~> | b | {'c': d} |": ("a",),
    "* + **.a": (),
    "$.a + $$": ("$", "$$"),
    "$x[$ = $$]": (),
    "/a\\/b/i": (),
    "$x.a /* b */ & c": ("c",),
    "true and null and false": (),
    'a."b"': ("a",),
    "1.5e3 % 2": (),
    "$f(1)(2)": (),
    "a ?: b ?? c": ("a", "b", "c"),
    "$x[]": (),
}
STATES = {
    "$states.input & $states.`result`.a": ("input", "result"),
    "$x[$states.context.a = 1]": (),
    "$states": (),
    "'$states.errorOutput'": (),
}
LEFT_TO_THE_PARSER = (
    "%",
    "a.%",
    "a#$i",
    "a@$b",
    "a.1",
    "1e999",
    "$x{'a': 1}{'b': 2}",
    "a{b: c}[0]",
    "function($x)<n:n>{ $x }",
    "(",
    "a b",
    "1 +",
    "'\\q'",
    "[1,]",
    "{'a'}",
    "{'a': 1,}",
    "$a := 1 := 2",
    "1 := 2",
    "function(x) { 1 }",
    "$f(1,)",
    "$x^a",
    "a ! b",
    "(" * 200,
    "",
)


@pytest.mark.parametrize(("text", "expected"), REFERENCES.items())
def test_names_at_the_top_level(text: str, expected: tuple[str, ...]) -> None:
    found = read_references(text)
    assert found == References(expected, ())
    assert syntax_error(text) is None or "?:" in text  # an operator newer than the library


@pytest.mark.parametrize(("text", "expected"), STATES.items())
def test_fields_of_states(text: str, expected: tuple[str, ...]) -> None:
    assert read_references(text) == References((), expected)


@pytest.mark.parametrize("text", LEFT_TO_THE_PARSER)
def test_what_the_parser_must_decide(text: str) -> None:
    assert read_references(text) is None


def test_trouble_of_the_library_says_nothing_about_a_text() -> None:
    assert syntax_error("function($x)<n<n>>{ $x }") is None  # RuntimeError: a signature


PIECES = (
    *("a", "$x", "$", "$$", "$states", "`b c`", "'s'", "1", "2.5", "true", "and", "in"),
    *("+", "-", "*", "/", "%", "=", "!=", "<", ":=", "&", "~>", "..", ".", ",", ";", ":", "?"),
    *("(", ")", "[", "]", "{", "}", "|", "^", "@", "#", "function", "**", " ", "/r/"),
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_what_is_read_is_an_expression(pieces: list[str]) -> None:
    text = " ".join(pieces)
    if read_references(text) is not None:
        assert syntax_error(text) is None, text
