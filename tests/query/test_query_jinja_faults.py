"""Mistakes in Jinja: code, place, and the word that helps."""

import pytest

from runner.errors import Place
from runner.query import SourceFile, load_macros
from tests.query.cases import PATH, only_fault, rendered

MACROS = {
    "m": "{% macro two(a, b) %}\n{{ a }} + {{ b }}\n{% endmacro %}\n"
    "{% macro outer(c) %}{{ two(c) }}{% endmacro %}\n"
    "{% macro wrong() %}{{ vars.nope }}{% endmacro %}"
}


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "words"),
    [
        ("SELECT '{{ stat }}'", "jinja-unknown-name", 1, 12, "did you mean start?"),
        ("SELECT\n  {{ vars.carrers }}", "jinja-unknown-variable", 2, 11, "carriers"),
        ("SELECT {{ vars.nothing }}", "jinja-value", 1, 8, "without a value"),
        ("SELECT {{ vars.carriers }}", "jinja-value", 1, 8, "a list of 2"),
        ("SELECT {{ vars }}", "jinja-value", 1, 8, "Variables"),
        ("SELECT {{ two }}", "jinja-value", 1, 8, "Macro"),
        ("SELECT 1\n{% if start > 'x' %}2{% endif %}", "jinja-window-logic", 2, 7, "CASE WHEN"),
        ("{% if 'x' < end %}2{% endif %}", "jinja-window-logic", 1, 13, "comparison"),
        ("{% if start in ['a'] %}2{% endif %}", "jinja-window-logic", 1, 7, "comparison"),
        ("{{ 'x' if start else 'y' }}", "jinja-window-logic", 1, 11, "condition"),
        ("'{{ start - 7 }}'", "jinja-window-logic", 1, 5, ".add(days=-7)"),
        ("'{{ start ~ 'x' }}'", "jinja-window-logic", 1, 5, "used as text"),
        ("'{{ '%s' % start }}'", "jinja-window-logic", 1, 12, "used as text"),
        ("'{{ start | upper }}'", "jinja-window-logic", 1, 13, "the filter `upper`"),
        ("'{{ start | int }}'", "jinja-window-logic", 1, 13, "the filter `int`"),
        ("{% if start is string %}1{% endif %}", "jinja-window-logic", 1, 16, "`string`"),
        ("{% for x in end %}1{% endfor %}", "jinja-window-logic", 1, 13, "a loop over"),
        ("'{{ start() }}'", "jinja-window-logic", 1, 5, "it is a value"),
        (
            "{% set k %}{{ start }}{% endset %}\n{% if k == 'a' %}1{% endif %}",
            "jinja-window-logic",
            2,
            1,
            "only print it",
        ),
        ("'{{ start.add(day=1) }}'", "jinja-window-method", 1, 11, "days"),
        ("'{{ start.add(7) }}'", "jinja-window-method", 1, 11, "add(days=-7)"),
        ("'{{ start.add(days='7') }}'", "jinja-window-method", 1, 11, "a whole number"),
        ("'{{ start.format('YYYY') }}'", "jinja-window-method", 1, 11, "'YYYY'"),
        ("'{{ start.format(\"yyyy'T'\") }}'", "jinja-window-method", 1, 11, "without quotes"),
        ("'{{ start.format() }}'", "jinja-window-method", 1, 11, "one Java date pattern"),
        ("'{{ start.month_begin }}'", "jinja-window-method", 1, 11, "month_start"),
        ("SELECT 1 FROM {{ ref('flights') }}", "jinja-ref", 1, 18, "ref('database.table')"),
        ("SELECT 1 FROM {{ ref(start) }}", "jinja-ref", 1, 18, "ref(a window value)"),
        ("SELECT {% for x in vars.carriers %} a", "jinja-unclosed", 1, 8, "{% endfor %}"),
        ("{% if vars.limit %}\n{% for x in [1] %}{% endfor %}", "jinja-unclosed", 1, 1, "endif"),
        ("{% raw %} a", "jinja-unclosed", 1, 1, "{% endraw %}"),
        ("SELECT a\n {% endfor %}", "jinja-syntax", 2, 5, "closes nothing"),
        ("{% fro x in [1] %}{% endfor %}", "jinja-syntax", 1, 4, "did you mean for?"),
        ("SELECT {{ a b }}", "jinja-syntax", 1, 13, "got 'b'"),
        ("SELECT {{ a", "jinja-syntax", 1, 8, "end of template"),
        ("{% include 'x' %}", "jinja-import", 1, 1, "'x'"),
        ("SELECT {{ 1 / 0 }}", "jinja-error", 1, 8, "division by zero"),
        ("SELECT {{ ''.__class__ }}", "jinja-unknown-name", 1, 14, "__class__"),
        ("SELECT {{ range(3) }}", "jinja-unknown-name", 1, 11, "range"),
        ("SELECT {{ two('a', 'b', 'c') }}", "jinja-argument", 1, 11, "not more than 2"),
        ("SELECT\n {{ two('a') }}", "jinja-argument", 2, 5, "two(...) without a value for b"),
        ("SELECT {{ two.x }}", "jinja-unknown-name", 1, 15, "of a macro"),
    ],
)
def test_a_mistake_in_the_sql_file(
    text: str, code: str, line: int, column: int, words: str
) -> None:
    fault = only_fault(lambda: rendered(text, macros=MACROS))
    assert (fault.code, fault.place) == (code, Place(PATH, line, column))
    assert words in f"{fault.found} {fault.expected} {fault.advice}"


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "call"),
    [
        ("SELECT\n {{ outer('a') }}", "jinja-argument", 4, 24, "called at sql/marts/x.sql:2"),
        ("SELECT {{ wrong() }}", "jinja-unknown-variable", 5, 28, "called at sql/marts/x.sql:1"),
    ],
)
def test_a_mistake_inside_a_macro_names_the_call(
    text: str, code: str, line: int, column: int, call: str
) -> None:
    fault = only_fault(lambda: rendered(text, macros=MACROS))
    assert (fault.code, fault.place) == (code, Place("sql/macros/m.sql", line, column))
    assert call in fault.found


def test_lines_count_from_the_top_of_the_file() -> None:
    text = "/*---\nkind: view\n---*/\nSELECT\n  {{ nope }}"
    assert only_fault(lambda: rendered(text)).place == Place(PATH, 5, 6)


def load(**files: str) -> list[tuple[str, str]]:
    sources = [SourceFile(f"{name}.sql", text) for name, text in files.items()]
    _, faults = load_macros(sources)
    return [(fault.code, str(fault.place)) for fault in faults]


def test_faults_of_macro_files_are_collected() -> None:
    assert load(
        a="{% macro one() %}1{% endmacro %}\n{% macro ref() %}{% endmacro %}",
        b="-- a comment is welcome\n{% macro one() %}{% endmacro %}",
        c="{% macro two() %}\n",
        d="{% macro three() %}3{% endmacro %}\nSELECT 1",
        e="\U000f0000",
    ) == [
        ("macro-reserved", "a.sql:2:10"),
        ("macro-duplicate", "b.sql:2:10"),
        ("jinja-unclosed", "c.sql:1:1"),
        ("macro-file-text", "d.sql:2:1"),
        ("private-character", "e.sql:1:1"),
    ]


def test_private_macros_stay_in_their_file() -> None:
    library, faults = load_macros(
        [
            SourceFile(
                "a.sql",
                "{% macro _p() %}1{% endmacro %}{% macro q() %}{{ _p() }}{% endmacro %}",
            )
        ]
    )
    assert (library.names(), faults) == (("q",), ())
    macros = {"a": library.files[0].source.text}
    assert rendered("SELECT {{ q() }}", macros=macros).sample == "SELECT 1"
    assert only_fault(lambda: rendered("SELECT {{ _p() }}", macros=macros)).found == (
        "the unknown name _p"
    )
