"""Which output columns hold personal data, by hand for every way that SQL moves a value."""

# ruff: noqa: E501, ISC004 - a statement is easier to judge in one line
from __future__ import annotations

import pytest

from runner.model.project import Column
from runner.query import trace
from tests.query.cases import analysed

TAGGED = {"raw.users": frozenset({"email", "born"}), "raw.open": frozenset({"email"})}
SCHEMAS = {
    "raw.users": tuple(map(Column, ("id", "email", "born", "city"))),
    "raw.orders": tuple(map(Column, ("id", "user_id", "amount"))),
}
CARRIED = {
    "plain": ("SELECT id, email FROM raw.users", "email<-email"),
    "renamed": ("SELECT u.email AS contact FROM raw.users u", "contact<-email"),
    "full name": ("SELECT raw.users.email AS e FROM raw.users", "e<-email"),
    "catalogue": ("SELECT awsdatacatalog.raw.users.email AS e FROM awsdatacatalog.raw.users", "e<-email"),
    "partitions": ('SELECT email AS e FROM raw."users$partitions"', "e<-born e<-email"),
    "other partitions": ('SELECT id AS e FROM raw."orders$partitions"', ""),
    "expression": ("SELECT upper(email) || city AS e, city FROM raw.users", "e<-email"),
    "cast": ("SELECT CAST(born AS varchar) AS b FROM raw.users", "b<-born"),
    "case": ("SELECT CASE WHEN id > 1 THEN email ELSE 'x' END AS e FROM raw.users", "e<-email"),
    "condition": ("SELECT email = 'a@b.c' AS e FROM raw.users", "e<-email"),
    "is null": ("SELECT email IS NOT NULL AS has, id FROM raw.users", ""),
    "if": ("SELECT IF(id > 1, email) AS e FROM raw.users", "e<-email"),
    "count": ("SELECT count(*) AS n, count(email) AS e, count(DISTINCT born) AS b FROM raw.users", ""),
    "approx": ("SELECT approx_distinct(email) AS e, count_if(email = 'a') AS c FROM raw.users", ""),
    "max": ("SELECT max(email) AS e, min(born) AS b FROM raw.users", "b<-born e<-email"),
    "array_agg": ("SELECT array_agg(email) AS e FROM raw.users", "e<-email"),
    "any_value": ("SELECT any_value(email) AS e FROM raw.users", "e<-email"),
    "listagg": ("SELECT listagg(email, ',') WITHIN GROUP (ORDER BY id) AS e FROM raw.users", "e<-email"),
    "max_by": ("SELECT max_by(email, id) AS e FROM raw.users", "e<-email"),
    "filter": ("SELECT sum(id) FILTER (WHERE email = 'a') AS n FROM raw.users", ""),
    "window": ("SELECT row_number() OVER (PARTITION BY email ORDER BY born) AS n FROM raw.users", ""),
    "lag": ("SELECT lag(email) OVER (ORDER BY id) AS e FROM raw.users", "e<-email"),
    "group": ("SELECT city, count(*) AS n FROM raw.users GROUP BY city, email", ""),
    "where": ("SELECT id FROM raw.users WHERE email LIKE 'a%'", ""),
    "join": ("SELECT o.id FROM raw.orders o JOIN raw.users u ON u.email = o.user_id", ""),
    "both have it": ("SELECT o.id, born FROM raw.orders o JOIN raw.users u ON u.id = o.id", "born<-born"),
    "star": ("SELECT * FROM raw.users", "born<-born email<-email"),
    "star of one": ("SELECT u.*, o.amount FROM raw.orders o, raw.users u", "born<-born email<-email"),
    "star, columns unknown": ("SELECT * FROM raw.open", "email<-email"),
    "cte": ("WITH a AS (SELECT email AS e FROM raw.users) SELECT e AS f FROM a", "f<-email"),
    "cte columns": ("WITH a(x, y) AS (SELECT id, email FROM raw.users) SELECT x, y FROM a", "y<-email"),
    "subquery": ("SELECT e FROM (SELECT email AS e FROM raw.users) AS t", "e<-email"),
    "subquery columns": ("SELECT b FROM (SELECT id, email FROM raw.users) AS t(a, b)", "b<-email"),
    "no alias": ("SELECT e FROM (SELECT email AS e FROM raw.users)", "e<-email"),
    "scalar": ("SELECT (SELECT max(email) FROM raw.users) AS e FROM raw.orders", "e<-email"),
    "correlated": (
        "SELECT (SELECT max(u.email) FROM raw.orders o WHERE o.id = u.id) AS e FROM raw.users u",
        "e<-email",
    ),
    "exists": (
        "SELECT id, EXISTS (SELECT email FROM raw.users u WHERE u.id = o.id) AS e FROM raw.orders o",
        "",
    ),
    "in": ("SELECT id FROM raw.orders WHERE id IN (SELECT id FROM raw.users WHERE email = 'a')", ""),
    "union": ("SELECT id AS a FROM raw.orders UNION ALL SELECT email FROM raw.users", "a<-email"),
    "union of stars": (
        "SELECT id, 1 AS e, 2 AS b, 3 AS c FROM raw.orders UNION ALL SELECT * FROM raw.users",
        "b<-born e<-email",
    ),
    "except": ("SELECT city AS a FROM raw.users EXCEPT SELECT email FROM raw.users", ""),
    "recursive": (
        "WITH RECURSIVE r(a, b) AS (SELECT email, 'x' FROM raw.users UNION ALL SELECT b, a FROM r)"
        " SELECT a, b FROM r",
        "a<-email b<-email",
    ),
    "recursive star": (
        "WITH RECURSIVE r(a) AS (SELECT email FROM raw.users UNION ALL SELECT * FROM r)"
        " SELECT a FROM r",
        "a<-email",
    ),
    "unnest": ("SELECT t.e FROM raw.users CROSS JOIN UNNEST(split(email, '@')) AS t(e)", "e<-email"),
    "ordinality": (
        "SELECT e, n FROM raw.users CROSS JOIN UNNEST(split(email, '@')) WITH ORDINALITY AS t(e, n)",
        "e<-email",
    ),
    "lateral": (
        "SELECT t.e FROM raw.users u CROSS JOIN LATERAL (SELECT u.email AS e) AS t",
        "e<-email",
    ),
    "lambda": ("SELECT transform(split(email, '@'), x -> upper(x)) AS e FROM raw.users", "e<-email"),
    "lambda of the same name": (
        "SELECT transform(ARRAY['a'], email -> upper(email)) AS e FROM raw.users",
        "",
    ),
    "field": ("SELECT email.host AS a, u.email.host AS b, u.city.x AS c FROM raw.users u",
              "a<-email b<-email"),
    "row": ("SELECT CAST(ROW(id, email) AS row(a bigint, b varchar)) AS r FROM raw.users", "r<-email"),
    "using": ("SELECT id, email FROM raw.users JOIN raw.orders USING (id)", "email<-email"),
    "joined in brackets": (
        "SELECT email FROM (raw.orders o JOIN raw.users u ON o.id = u.id)", "email<-email"),
    "keyed hash": ("SELECT hmac_sha256(to_utf8(email), to_utf8(city)) AS h FROM raw.users", ""),
    "plain hash": ("SELECT sha256(to_utf8(email)) AS h FROM raw.users", "h<-email"),
    "masked": ("SELECT {{ mask.domain('email') }} AS e, born FROM raw.users", "born<-born"),
    "masked by hand": ('SELECT {{ mask.custom("substr(email, 1, 1)") }} AS e FROM raw.users', ""),
    "masked, then named": (
        "WITH a AS (SELECT {{ mask.truncate('email', 1) }} AS email, id FROM raw.users)"
        " SELECT * FROM a",
        "",
    ),
    "shadowed": ("WITH users AS (SELECT 1 AS email) SELECT email FROM users", ""),
    "inner name first": (
        "SELECT (SELECT max(amount) FROM raw.orders) AS a, (SELECT max(id) FROM raw.orders) AS b"
        " FROM raw.users",
        "",
    ),
    "values": ("SELECT a FROM (VALUES (1, 2)) AS t(a, b), raw.users", ""),
    "other table": ("SELECT id, amount FROM raw.orders", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", CARRIED)
def test_personal_data_is_followed(case: str) -> None:
    text, expected = CARRIED[case]
    rendered, analysis = analysed(text)
    lineage = trace(rendered, analysis, tagged=TAGGED, schemas=SCHEMAS)
    assert lineage.lost == ""
    found = {f"{carried.output}<-{carried.column}" for carried in lineage.carried}
    assert sorted(found) == expected.split()


LOST = {
    "row of a column": ("SELECT id, email.* FROM raw.users", "the fields of a column"),
    "union of a star": ("SELECT * FROM raw.open UNION ALL SELECT 1 FROM raw.orders", "UNION"),
    "names for a star": ("SELECT a FROM (SELECT * FROM raw.open) AS t(a, b)", "named (a, b)"),
    "table function": (
        "SELECT * FROM TABLE(exclude_columns(input => TABLE(raw.users), columns => DESCRIPTOR(id)))",
        "a table function",
    ),
    "match_recognize": (
        "SELECT e FROM raw.users MATCH_RECOGNIZE (MEASURES A.email AS e PATTERN (A)"
        " DEFINE A AS id > 1) AS m",
        "MatchRecognize",
    ),
}


@pytest.mark.parametrize("case", LOST)
def test_what_cannot_be_followed_is_said(case: str) -> None:
    text, reason = LOST[case]
    rendered, analysis = analysed(text)
    lineage = trace(rendered, analysis, tagged=TAGGED, schemas=SCHEMAS)
    assert reason in lineage.lost


def test_the_place_is_where_the_column_is_read() -> None:
    rendered, analysis = analysed("SELECT id,\n  u.email AS contact\nFROM raw.users AS u")
    (carried,) = trace(rendered, analysis, tagged=TAGGED, schemas=SCHEMAS).carried
    place = rendered.locate(carried.offset)
    assert (place.line, place.column) == (2, 3)
