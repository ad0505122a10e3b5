r"""RE2 gives what the functions in Python give, for every pattern that is left to it.

The functions in Python are the reference: they have the semantics of Java's patterns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.local.athena import functions_regexp as python
from runner.local.athena.re2 import alike

if TYPE_CHECKING:
    from tests.local_athena.conftest import World

TEXTS = (
    *("", "a", "ab", "abc", "aab", "b", "ba", "xaby", "abab", "AbC", "a\n", "ab\n", "\n", "a\nb"),
    *("/item/17", "/item/17/reviews", "item/", "a1b22c333", "10.0.0.255", "x=1&y=&z=3", "a.b-c_d"),
    *("me@example.com", "  two  words ", "tab\tend", "é", "straße", "日本 語", "[x]", "a|b", "(a)"),
)
PATTERNS = (
    *(
        "a",
        "ab",
        "a|b",
        "a+b",
        "a*b",
        "a?b",
        "a+?",
        "a.b",
        "^a",
        "b$",
        "^ab?$",
        "(a|b)+",
        "(?:ab)+",
    ),
    *("/item/([0-9]+)", "/item/([0-9]+)$", "/item/([0-9]+)(/reviews)?$", "([a-z])([0-9]+)"),
    *(r"(\d{1,3}\.){3}(\d{1,3})", r"(\w+)@(\w+)\.com", r"\s+", r"[^\s]+", r"\S+", r"\W", r"\D\d"),
    *("[^/]+", "[a-c]+", "[-a]", "[a-]", r"[\[\]]", r"\(a\)", r"a\|b", "x=([^&]*)", "y=([^&]*)&"),
    *("(?i)ab", "(?i)[a-c]+", "(?i)STRASSE", "(?i)s", "((a)|(b))c?", "(a)?b", "a{2}", "a{1,2}b"),
    *("é", "[é語]", "日.", "(a|ab)(c|bcd)?", "(a*)b", "(.*)b", "^", "$", "a*", "x*"),
)
DIFFERENT = (
    *(r"(a)\1", r"\bword", "a(?=b)", "(?<n>a)", "a++", "(a*)*", "(?s)a.b", "[a&&b]", "[[a]b]"),
    *(r"\p{Alpha}", r"\Qa\E", "a{1001}", "(?:a{100}){100}", "[]a]", "(a$)b", "(?i)é", "a$b", "("),
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_are_left_to_re2_with_the_same_results(world: World, pattern: str) -> None:
    assert alike(pattern) is not None
    groups = range(re.compile(pattern).groups + 1)
    calls = [f"regexp_like(t, {quoted(pattern)})"]
    calls += [f"regexp_extract(t, {quoted(pattern)}, {n})" for n in groups]
    calls += [f"regexp_extract_all(t, {quoted(pattern)}, {n})" for n in groups]
    calls += [f"regexp_{name}(t, {quoted(pattern)})" for name in ("count", "split", "replace")]
    calls += [f"regexp_replace(t, {quoted(pattern)}, {quoted(to)})" for to in replacements(groups)]
    values = ", ".join(f"({n}, {quoted(text)})" for n, text in enumerate(TEXTS))
    rows = world.rows(f"SELECT {', '.join(calls)} FROM (VALUES {values}) AS v(n, t) ORDER BY n")
    assert rows == [expected(text, pattern, groups) for text in TEXTS]


def replacements(groups: range) -> tuple[str, ...]:
    return ("#", r"\$1", "<$0>", *(f"[${n}]" for n in groups if n))


def expected(text: str, pattern: str, groups: range) -> tuple[object, ...]:
    return (
        python.regexp_like(text, pattern),
        *(python.regexp_extract(text, pattern, n) for n in groups),
        *(python.regexp_extract_all(text, pattern, n) for n in groups),
        python.regexp_count(text, pattern),
        python.regexp_split(text, pattern),
        python.regexp_replace(text, pattern, ""),
        *(python.regexp_replace(text, pattern, to) for to in replacements(groups)),
    )


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@pytest.mark.parametrize("pattern", DIFFERENT)
def test_patterns_that_may_differ_are_not(pattern: str) -> None:
    assert alike(pattern) is None


def test_case_is_folded_as_python_folds_it() -> None:
    everything = "".join(chr(code) for code in range(1, 0x3000) if not 0xD800 <= code < 0xE000)
    with duckdb.connect() as connection:
        for letter in "abcdefghijklmnopqrstuvwxyz":
            found = alike(f"(?i){letter}")
            assert found is not None
            row = connection.execute(
                "SELECT array_to_string(regexp_extract_all(?, ?), '')", [everything, found.text]
            ).fetchone()
            assert row is not None
            assert row[0] == "".join(re.findall(f"(?i){letter}", everything))


ATOMS = st.sampled_from(["a", "b", "[ab]", "[^a]", ".", "(a)", "(b|a)", "(?:ab)", "(ab|a)", "^"])
MARKS = st.sampled_from(["", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,1}"])
BRANCHES = st.lists(st.tuples(ATOMS, MARKS).map("".join), min_size=1, max_size=4).map("".join)
RANDOM = st.lists(BRANCHES, min_size=1, max_size=3).map("|".join)


@settings(max_examples=150, deadline=None)
@given(pattern=RANDOM, texts=st.lists(st.text("ab\n", max_size=8), min_size=1, max_size=6))
def test_random_patterns_match_the_same_text(pattern: str, texts: list[str]) -> None:
    found = alike(pattern)
    if found is None:
        return
    compiled = re.compile(pattern)
    with duckdb.connect() as connection:
        for text in texts:
            match = compiled.search(text)
            for number in range(compiled.groups + 1):
                if found.extracts(number):
                    row = connection.execute(
                        f"SELECT regexp_matches(?, ?), regexp_extract(?, ?, {number})",
                        [text, found.text, text, found.text],
                    ).fetchone()
                    assert row == (match is not None, (match[number] if match else "") or "")
