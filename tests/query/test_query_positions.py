"""Places of rendered text: the character under the offset is the character in the user's file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Place
from runner.query import SourceFile, load_macros, render
from tests.query.cases import PATH, analysed, only_fault, rendered

MACRO = """{% macro day_range(column) %}
  {{ column }} BETWEEN '{{ start }}' AND '{{ end }}' AND nonsense
{% endmacro %}
{% macro outer(column) %}({{ day_range(column) }}){% endmacro %}"""


def trace(text: str, word: str, macros: dict[str, str] | None = None) -> list[str]:
    result = rendered(text, macros=macros)
    return [str(place) for place in result.trace(result.sample.index(word))]


def test_plain_text() -> None:
    assert trace("\n\nSELECT a,\n  b\nFROM t", "b") == [f"{PATH}:4:3"]


def test_after_an_expression_on_the_same_line() -> None:
    assert trace("SELECT {{ vars.limit }} AS x, yes FROM t", "yes") == [f"{PATH}:1:31"]


def test_text_of_an_expression_is_at_the_expression() -> None:
    assert trace("SELECT {{ vars.limit }} AS x", "10") == [f"{PATH}:1:8"]


def test_inside_and_after_a_loop() -> None:
    text = "SELECT {% for c in vars.carriers %}\n  {{ c }} AS {{ c }},{% endfor %}\n  zz FROM t"
    assert trace(text, "B6") == [f"{PATH}:2:3"]
    assert trace(text, "zz") == [f"{PATH}:3:3"]


def test_white_space_control() -> None:
    text = "SELECT a\n  {%- if vars.limit %}\n  , b\n  {%- endif %}\n   FROM t"
    assert trace(text, "b") == [f"{PATH}:3:5"]
    assert trace(text, "FROM") == [f"{PATH}:5:4"]


def test_text_of_a_macro_names_the_calls() -> None:
    text = "SELECT a FROM t\nWHERE {{ outer('dt') }}"
    assert trace(text, "nonsense", {"m": MACRO}) == [
        "sql/macros/m.sql:2:58",
        "sql/macros/m.sql:4:27",
        f"{PATH}:2:7",
    ]


def test_under_the_header() -> None:
    assert trace("/*---\nkind: view\n---*/ SELECT\n  a", "a") == [f"{PATH}:4:3"]


def test_after_a_mark_whose_sample_is_longer() -> None:
    assert trace("SELECT '{{ start }}' AS x, yes", "yes") == [f"{PATH}:1:28"]


def test_a_template_that_looks_at_its_own_output_still_gives_the_line() -> None:
    text = "{% set a %}x{% endset %}SELECT {{ a | length }} AS n,\n  wrong\nFROM t"
    assert trace(text, "wrong") == [f"{PATH}:2"]


def test_sql_syntax_in_a_macro_is_placed_in_the_macro() -> None:
    macros = {"m": "{% macro bad() %}\n  dt betwen 1\n{% endmacro %}"}
    fault = only_fault(lambda: analysed("SELECT a FROM t\nWHERE {{ bad() }}", macros=macros))
    assert (fault.code, fault.place) == ("sql-syntax", Place("sql/macros/m.sql", 2, 6))
    assert fault.found == "betwen here (printed by the call at sql/marts/x.sql:2:7)"


PIECES = st.lists(
    st.sampled_from(
        [
            "alpha",
            " ",
            "\n",
            "  beta,",
            "{{ vars.limit }}",
            "{{- vars.limit -}}",
            "'{{ start }}'",
            "{% for c in vars.carriers %}",
            "{%- for c in vars.carriers -%}",
            "{% endfor %}",
            "{%- endfor %}",
            "{{ call() }}",
            "{# note #}",
            "{% if vars.limit %}gamma{% endif %}",
        ]
    ),
    max_size=12,
)


def balanced(pieces: list[str]) -> str:
    depth = 0
    kept: list[str] = []
    for piece in pieces:
        if "endfor" in piece:
            if depth == 0:
                continue
            depth -= 1
        elif " for " in piece:
            if depth == 2:
                continue
            depth += 1
        kept.append(piece)
    return "".join(kept) + "{% endfor %}" * depth


@given(PIECES)
def test_every_letter_is_found_where_it_was_written(pieces: list[str]) -> None:
    macro = SourceFile("m.sql", "{% macro call() %} delta\n {{ vars.limit }} {% endmacro %}")
    main = SourceFile(PATH, f"SELECT {balanced(pieces)} omega")
    library, _ = load_macros([macro])
    variables: dict[str, object] = {"limit": 7, "carriers": ("a", "b")}
    result = render(main, macros=library, variables=variables)
    texts = {PATH: main, "m.sql": macro}
    for offset, character in enumerate(result.sample):
        if character.isalpha():
            place = result.locate(offset)
            line = texts[place.file].text.split("\n")[place.line - 1]
            assert line[place.column - 1] == character


@pytest.mark.parametrize("text", ["SELECT a\r\nFROM t", "SELECT é, 日本 FROM t"])
def test_odd_texts_still_have_places(text: str) -> None:
    result = rendered(text)
    assert (
        result.locate(result.sample.index("FROM")).line
        == text[: text.index("FROM")].count("\n") + 1
    )
