"""SEMANTICS 18: where marks may stand, and how SQL reaches Athena through JSONata unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.project import check_project
from tests.semantics.little import go, insert, project, read, sql, statements

if TYPE_CHECKING:
    from pathlib import Path

FROM = "FROM (VALUES (1, '2024-01-01')) AS t (id, dt)"
WINDOW = "WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'"


@pytest.mark.parametrize(
    ("query", "code", "place"),
    [
        pytest.param(f"SELECT id, dt {FROM} {WINDOW}", None, "", id="in a string"),
        pytest.param(
            f"SELECT '{{{{ start }}}}/{{{{ end }}}}' AS w, dt {FROM} {WINDOW}", None, "", id="two"
        ),
        pytest.param(
            f"SELECT {{{{ start.format('yyyyMMdd') }}}} AS n, dt {FROM} {WINDOW}",
            None,
            "",
            id="digits",
        ),
        pytest.param(
            f"SELECT DATE '{{{{ start }}}}' AS d, dt {FROM} {WINDOW}", None, "", id="a date"
        ),
        pytest.param(
            f"SELECT {{{{ start }}}} AS n, dt {FROM} {WINDOW}",
            "mark-without-quotes",
            "5:8",
            id="a subtraction",
        ),
        pytest.param(
            f"SELECT id AS n_{{{{ start.format('yyyy') }}}}, dt {FROM} {WINDOW}",
            "mark-in-name",
            "5:16",
            id="part of a name",
        ),
        pytest.param(
            f'SELECT id AS "{{{{ start }}}}", dt {FROM} {WINDOW}',
            "mark-in-name",
            "5:15",
            id="a quoted name",
        ),
        pytest.param(
            f"SELECT id, dt -- from {{{{ start }}}}\n{FROM} {WINDOW}",
            "mark-in-comment",
            "5:23",
            id="a line's comment",
        ),
        pytest.param(
            f"SELECT id, dt /* {{{{ end }}}} */ {FROM} {WINDOW}",
            "mark-in-comment",
            "5:18",
            id="a comment",
        ),
        pytest.param(
            f"SELECT id, dt {FROM} {{% if start > '2024' %}}{WINDOW}{{% endif %}}",
            "jinja-window-logic",
            None,
            id="a condition",
        ),
        pytest.param(
            f"SELECT id, dt {FROM} {WINDOW} AND dt <> '{{{{ start ~ end }}}}'",
            "jinja-window-logic",
            None,
            id="an operation",
        ),
        pytest.param(
            f"SELECT id, dt {FROM} {WINDOW} AND dt <> '{{{{ start | upper }}}}'",
            "jinja-window-logic",
            None,
            id="a filter",
        ),
    ],
)
def test_semantics_18_where_a_mark_may_stand(
    query: str, code: str | None, place: str | None, tmp_path: Path
) -> None:
    faults = check_project(project(tmp_path, {"marts/x": insert(query)}))
    assert [fault.code for fault in faults] == ([code] if code else [])
    if place:
        assert str(faults[0].place) == f"sql/marts/x.sql:{place}"


ODD = {
    "quotes": "it''s \"quoted\"",
    "backslash": "C:\\new\\table \\u0041 \\\\",
    "jsonata": '" & $eval("1") & "',
    "expression": "{% raw %}{% $states.input %} {{ start }}{% endraw %}",
    "dollar": "$spec ${env:HOME} $$",
    "unicode": "żółw 東京 😀 \u2028",
    "tab": "a\tb",
    "comment": "-- no /* comment */",
}


def test_semantics_18_any_text_reaches_the_table_through_the_definition(tmp_path: Path) -> None:
    columns = ",\n".join(f"'{text}' AS {name}" for name, text in ODD.items())
    query = f"SELECT {columns},\n'{{{{ start }}}}' AS w, dt\n{FROM} {WINDOW}"
    root = project(tmp_path, {"marts/x": insert(query), "marts/y": sql(f"SELECT {columns}")})
    assert go(root, "2024-01-01").status == "SUCCEEDED"
    texts = [text.replace("''", "'") for text in ODD.values()]
    texts[3] = "{% $states.input %} {{ start }}"
    names = ", ".join(ODD)
    assert read(root, f"SELECT {names}, w FROM marts.x WHERE dt > ''") == [(*texts, "2024-01-01")]
    assert read(root, f"SELECT {names} FROM marts.y") == [tuple(texts)]
    (statement,) = statements(root, "INSERT INTO")
    assert "'C:\\new\\table \\u0041 \\\\' AS backslash,\n" in statement
