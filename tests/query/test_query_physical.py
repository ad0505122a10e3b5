"""The text that Athena gets: only database tokens change."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.model.header import Kind
from runner.model.names import TableName
from runner.model.sqltext import Mark
from runner.query import physical
from tests.query.cases import NAME, analysed

TABLES = frozenset(
    {TableName("staging", "flights"), TableName("staging", "weather"), TableName("marts", "plain")}
)
DATABASES = {"staging": "staging_dev", "marts": "marts_dev", "raw": "raw_dev"}


def written(text: str, *, kind: Kind = Kind.INSERT) -> tuple[str | Mark, ...]:
    rendered, analysis = analysed(text, kind=kind)
    return physical(rendered, analysis, tables=TABLES, databases=DATABASES).parts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT a FROM staging.flights", "SELECT a FROM staging_dev.flights"),
        ('SELECT a FROM "staging"."flights"', 'SELECT a FROM "staging_dev"."flights"'),
        ("SELECT a FROM STAGING . flights", "SELECT a FROM staging_dev . flights"),
        ("SELECT a FROM plain", "SELECT a FROM marts_dev.plain"),
        ("SELECT plain.a FROM plain", "SELECT plain.a FROM marts_dev.plain"),
        ("SELECT a FROM raw.flights", "SELECT a FROM raw.flights"),
        ("SELECT a FROM unknown", "SELECT a FROM unknown"),
        (
            "SELECT staging.flights.a FROM staging.flights",
            "SELECT staging_dev.flights.a FROM staging_dev.flights",
        ),
        (
            "WITH plain AS (SELECT a FROM staging.weather) SELECT a FROM plain",
            "WITH plain AS (SELECT a FROM staging_dev.weather) SELECT a FROM plain",
        ),
        (
            "SELECT staging.flights, 'staging.flights' AS b FROM raw.b AS staging",
            "SELECT staging.flights, 'staging.flights' AS b FROM raw.b AS staging",
        ),
        (
            "SELECT a -- staging.flights\n FROM /* staging */ staging.flights",
            "SELECT a -- staging.flights\n FROM /* staging */ staging_dev.flights",
        ),
        (
            "SELECT a FROM awsdatacatalog.staging.flights",
            "SELECT a FROM awsdatacatalog.staging_dev.flights",
        ),
    ],
)
def test_semantics_25_names_are_replaced_at_token_positions(text: str, expected: str) -> None:
    assert written(text) == (expected,)


def test_semantics_28_ddl_gets_the_suffix_too() -> None:
    text = "CREATE EXTERNAL TABLE `marts`.`x` (a int) LOCATION 's3://marts/x/'"
    assert written(text, kind=Kind.DDL) == (text.replace("`marts`", "`marts_dev`"),)
    bare = "CREATE EXTERNAL TABLE x (a int) LOCATION 's3://marts/x/'"
    assert written(bare, kind=Kind.DDL) == (bare.replace("TABLE x", "TABLE marts_dev.x"),)


def test_marks_stay_where_they_were() -> None:
    text = "SELECT '{{ start }}' AS a FROM staging.flights WHERE dt <= '{{ end }}'"
    assert written(text) == (
        "SELECT '",
        Mark("start"),
        "' AS a FROM staging_dev.flights WHERE dt <= '",
        Mark("end"),
        "'",
    )


SPACE = st.sampled_from([" ", "\n", "  ", "\t", " /* staging.flights */ ", " -- marts.plain\n"])
WORDS = st.sampled_from(
    [
        "SELECT a, 'staging.flights' AS b, \"x\" AS c FROM staging.flights",
        "SELECT staging.flights.a FROM staging.flights, marts.plain",
        'WITH q AS (SELECT a FROM "staging"."weather") SELECT a FROM q JOIN marts.plain USING (a)',
        "SELECT a FROM staging.flights f JOIN staging.weather w ON f.a = w.a WHERE b = 'é''x'",
        (
            "SELECT a FROM ( SELECT '{{ start }}' AS a FROM staging.flights ) UNION ALL"
            " SELECT a FROM marts.plain WHERE dt = '{{ end.add(days=-1) }}'"
        ),
        "SELECT a AS staging FROM staging.weather ORDER BY staging",
    ]
)


@given(WORDS, st.lists(SPACE, min_size=40, max_size=40))
def test_only_database_tokens_change(query: str, spaces: list[str]) -> None:
    outside = re.split(r"( |'[^']*'|\{\{[^}]*\}\})", query)
    fillers = iter(spaces)
    text = "".join(next(fillers) if piece == " " else piece for piece in outside)
    rendered, analysis = analysed(text)
    new = physical(rendered, analysis, tables=TABLES, databases=DATABASES)
    back = physical(rendered, analysis, tables=TABLES, databases={})
    assert back == rendered.sql
    logical = "".join(part for part in new.parts if isinstance(part, str))
    original = "".join(part for part in rendered.sql.parts if isinstance(part, str))
    assert logical.replace("staging_dev", "staging").replace("marts_dev", "marts") == original
    assert new.marks() == rendered.sql.marks()
    assert logical.count("_dev") == sum(
        1 for mention in analysis.mentions if mention.table != str(NAME)
    ) + len(analysis.column_mentions)
