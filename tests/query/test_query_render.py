"""Rendering: what may be printed where, and what marks become."""

import pickle

import pytest

from runner.errors import Place
from runner.model.names import TableName
from runner.model.sqltext import Mark
from runner.query import Rendered, SourceFile, load_macros, render
from tests.query.cases import only_fault, rendered


def parts(text: str, macros: dict[str, str] | None = None) -> tuple[str | Mark, ...]:
    return rendered(text, macros=macros).sql.parts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 1", ("SELECT 1",)),
        ("\n\n  SELECT 1 ;\n-- the end\n", ("SELECT 1",)),
        ("SELECT ';' AS a -- why", ("SELECT ';' AS a -- why",)),
        ("SELECT '{{ start }}' AS a", ("SELECT '", Mark("start"), "' AS a")),
        (
            "SELECT '{{ start.add(days=-7, months=1) }}' AS a",
            ("SELECT '", Mark("start", (("days", -7), ("months", 1))), "' AS a"),
        ),
        (
            "SELECT {{ end.month_start.format('yyyyMM') }} AS a",
            ("SELECT ", Mark("end", (("month_start", 0),), "yyyyMM"), " AS a"),
        ),
        ("SELECT {{ vars.limit }} AS a", ("SELECT 10 AS a",)),
        (
            "SELECT {% for c in vars.carriers %}'{{ c }}'{{ ', ' if not loop.last }}{% endfor %}",
            ("SELECT 'AA', 'B6'",),
        ),
        ("SELECT a FROM {{ ref('staging.flights') }}", ("SELECT a FROM staging.flights",)),
        ("SELECT 1{% if vars.limit > 5 %}, 2{% endif %}\nFROM t", ("SELECT 1, 2\nFROM t",)),
        ("SELECT '{{ vars.absent | default(start) }}'", ("SELECT '", Mark("start"), "'")),
        ("/*---\nkind: view\n---*/\nSELECT 1", ("SELECT 1",)),
        ("{# start #}SELECT 1", ("SELECT 1",)),
        ("{% raw %}SELECT '{{ start }}'{% endraw %}", ("SELECT '{{ start }}'",)),
    ],
)
def test_text_and_marks(text: str, expected: tuple[str | Mark, ...]) -> None:
    assert parts(text) == expected


def test_macros_see_the_window_and_each_other() -> None:
    macros = {
        "b": "{% macro outer(c) %}({{ between(c) }}){% endmacro %}",
        "a": "{% macro between(c) %}{{ c }} >= '{{ start }}'{% endmacro %}",
    }
    expected = ("SELECT 1 WHERE (dt >= '", Mark("start"), "')")
    assert parts("SELECT 1 WHERE {{ outer('dt') }}", macros) == expected


def test_a_window_value_may_be_passed_to_a_macro() -> None:
    macros = {"a": "{% macro quoted(x) %}'{{ x.add(days=1) }}'{% endmacro %}"}
    assert parts("SELECT {{ quoted(end) }}", macros) == (
        "SELECT '",
        Mark("end", (("days", 1),)),
        "'",
    )


def test_ref_is_remembered() -> None:
    text = "SELECT a FROM {{ ref('staging.b') }} JOIN {{ ref('staging.a') }} USING (a)"
    assert rendered(text).refs == (TableName("staging", "b"), TableName("staging", "a"))


@pytest.mark.parametrize(
    ("text", "time_format", "sample"),
    [
        ("'{{ start }}'", None, "'2013-01-05'"),
        ("'{{ start }}'", "yyyyMMddHH", "'2013010500'"),
        ("'{{ end }}'", "yyyyMMddHH", "'2013010523'"),
        ("{{ start }}", "yyyyMMdd", "20130105"),
        ("'{{ start.add(days=-5).format('yyyy/MM') }}'", None, "'2012/12'"),
    ],
)
def test_sample_values(text: str, time_format: str | None, sample: str) -> None:
    assert rendered(f"SELECT {text}", time_format=time_format).sample == f"SELECT {sample}"


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        pytest.param("SELECT t_{{ start }} FROM t", "mark-in-name", 10, id="in a name"),
        pytest.param('SELECT "t_{{ start }}" FROM t', "mark-in-name", 11, id="in a quoted name"),
        pytest.param("SELECT 1 -- {{ start }}", "mark-in-comment", 13, id="in a line comment"),
        pytest.param("SELECT 1 /* {{ end }} */", "mark-in-comment", 13, id="in a comment"),
        pytest.param("SELECT {{ start }}", "mark-without-quotes", 8, id="a bare date"),
        pytest.param(
            "SELECT {{ start.format('yyyy-MM') }}", "mark-without-quotes", 8, id="a subtraction"
        ),
        pytest.param("SELECT {{ start.format('MMM') }}", "mark-without-quotes", 8, id="letters"),
    ],
)
def test_semantics_18_marks_stand_in_strings_or_as_digits(
    text: str, code: str, column: int
) -> None:
    fault = only_fault(lambda: rendered(text))
    assert (fault.code, fault.place) == (code, Place("sql/marts/x.sql", 1, column))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 'from {{ start }} on'",
        "SELECT {{ start.format('yyyyMMdd') }}",
        "SELECT {{ start.format('yyyy') }}01",
        "SELECT '{{ start }}{{ end }}'",
        "SELECT DATE '{{ start }}'",
    ],
)
def test_semantics_18_what_is_allowed(text: str) -> None:
    assert rendered(text).sql.marks()


def test_private_characters_are_refused() -> None:
    fault = only_fault(lambda: rendered("SELECT '\U00100000'"))
    assert (fault.code, fault.place.column) == ("private-character", 9)


def test_nothing_to_run() -> None:
    text = "/*---\nkind: view\n---*/\n-- later\n"
    assert only_fault(lambda: rendered(text)).code == "sql-empty"


@pytest.mark.parametrize(
    ("text", "closing"), [("SELECT 'abc", "'"), ("SELECT 1 /* abc", "*/"), ('SELECT "a', '"')]
)
def test_what_never_ends_is_placed_at_its_beginning(text: str, closing: str) -> None:
    fault = only_fault(lambda: rendered(text))
    assert fault.code == "sql-syntax"
    assert fault.expected == closing
    assert text[fault.place.column - 1 :].startswith(("'", "/*", '"'))


class _Memory(dict[str, bytes]):
    def load(self, key: str) -> bytes | None:
        return self.get(key)

    def store(self, key: str, code: bytes) -> None:
        assert key not in self
        self[key] = code


def _render_with(cache: _Memory) -> Rendered:
    macro = SourceFile("sql/macros/a.sql", "{% macro one() %}1{% endmacro %}")
    library, _ = load_macros([macro], cache=cache)
    source = SourceFile("sql/marts/x.sql", "SELECT {{ one() }}, '{{ start }}'")
    return render(source, macros=library, variables={})


def test_compiled_templates_are_kept() -> None:
    cache = _Memory()
    first = _render_with(cache)
    assert len(cache) == 2
    assert _render_with(cache) == first  # a second store of a key would fail


def test_a_rendering_can_be_stored() -> None:
    result = rendered("SELECT 1,\n  '{{ start }}'")
    copy = pickle.loads(pickle.dumps(result))  # noqa: S301 - our own bytes
    assert copy == result
    assert copy.locate(15).line in (1, 2)
