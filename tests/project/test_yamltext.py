from __future__ import annotations

import pytest

from runner.project.yamltext import read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("off", "off"),
        ("true", True),
        ("False", False),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2013-01-01", "2013-01-01"),
        ("-7", -7),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".inf", ".inf"),
        ("~", None),
        ("", None),
        ("'5'", "5"),
        ("=", "="),
    ],
)
def test_scalars_are_what_is_written(text: str, value: object) -> None:
    found = read_yaml(f"key: {text}\n", file="a.yaml")
    assert found.faults == ()
    assert found.data == {"key": value}
    assert type(found.data["key"]) is type(value)


def test_places_are_those_of_the_file_that_holds_the_text() -> None:
    places = read_yaml("\nkind: view\ntests:\n  - unique: [a, b]\n", file="x.sql", line=3).places
    assert str(places.key("kind")) == "x.sql:4:1"
    assert str(places.value("kind")) == "x.sql:4:7"
    assert str(places.value("tests", 0, "unique", 1)) == "x.sql:6:17"
    assert str(places.key("tests", 0, "missing")) == "x.sql:6:5"
    assert str(places.value("absent")) == "x.sql:4:1"


@pytest.mark.parametrize(
    ("text", "place", "found"),
    [
        ("a: 1\na: 2\n", "2:1", "`a` a second time (first on line 1)"),
        ("a: {{ vars.x }}\n", "1:5", "a key that is not a word"),
        ("2013: x\n", "1:1", "the key 2013"),
        ("a: !env X\n", "1:4", "the tag !env"),
        ("a: 'x\n", "1:4", "a quote that is never closed"),
        ("a\nb: 1\n", "2:2", "a `:` inside a value, or a line that is indented too far"),
        ("a: 1\n\tb: 2\n", "2:1", "a tab"),
        ("a: `x`\n", "1:4", "a value that begins with `"),
        ("a: 1\n---\nb: 2\n", "2:1", "a second document"),
        ("a: &x [*x]\n", "1:4", "an alias that repeats too much, or itself"),
        ("a: \x07\n", "1", "the character U+0007"),
    ],
)
def test_what_is_not_plain_yaml_is_a_fault_where_it_stands(
    text: str, place: str, found: str
) -> None:
    (fault,) = read_yaml(text, file="f").faults
    assert str(fault.place) == f"f:{place}"
    assert fault.found == found


def test_aliases_that_multiply_are_refused() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    faults = read_yaml("\n".join(levels), file="f").faults
    assert {fault.code for fault in faults} == {"yaml-alias"}
