"""Statements that differ in whole numbers only share a translation, where it reads none of them."""

from __future__ import annotations

from operator import eq
from typing import TYPE_CHECKING

import pytest
from sqlglot import exp

from runner.local.athena import planner as planner_module
from runner.local.athena.families import Free, Looked, is_free
from runner.local.athena.lexer import tokenize
from runner.local.athena.names import parse_noted
from runner.local.athena.shape import shape_of, whole_numbers
from runner.local.athena.translate import translate_query

if TYPE_CHECKING:
    from runner.local.athena.template import Template
    from tests.local_athena.conftest import World

NUMBERS = (1, 2, 10, 128, 999_999_999)
TABLE = (
    "(SELECT 1 AS a, BIGINT '2' AS b, 1.5e0 AS x, 'abc' AS s, DATE '2013-01-05' AS d, "
    "TIMESTAMP '2013-01-05 10:00:00' AS ts, DECIMAL '1.50' AS price, ARRAY[1, 2] AS arr) AS t"
)
STATEMENTS = (
    "a + 7, b * 7, x / 7, a / 7, a % 7, -a - 7, 7 - a, price * 7, price + 7, price / 7",
    "substr(s, 7), substr(s, 7, 7), lpad(s, 7, '.'), split_part(s, ',', 7), repeat(s, 7)",
    "date_add('day', 7, ts), date_add('month', 7, d), from_unixtime(7), INTERVAL '1' DAY * 7",
    "round(x, 7), round(price, 1), power(x, 7), bitwise_and(a, 7)",
    "CASE WHEN a = 7 THEN 7 ELSE 7 END, coalesce(a, 7), nullif(b, 7), greatest(x, 7), if(a > 7, 7)",
    "arr[7], element_at(arr, 7), slice(arr, 1, 7), ARRAY[7, 2], transform(arr, v -> v + 7)",
    "CAST(7 AS double), CAST(7 AS varchar), CAST(a AS varchar(7)), typeof(7), a = 7, 7 = 7",
    "CAST(a AS tinyint) + 7, CAST(a AS smallint) IN (7, 8), 7 / 7, 1.5 * 7, (7, a) = (7, 7)",
    "max_by(a, b, 7), count(*) FILTER (WHERE a > 7), sum(a) + 7, avg(x) > 7, array_agg(a)[7]",
    "lag(a, 7) OVER (ORDER BY b), sum(a) OVER (ORDER BY b ROWS 7 PRECEDING), ntile(7) OVER ()",
    "year(d) = 7, date_diff('day', d, DATE '2020-01-01') > 7, x BETWEEN 7 AND 8, s LIKE 'a7'",
    "chr(7), from_base('1', 7), to_base(7, 16), bit_count(7, 64), random(7), json_array(7)",
)


def translated(world: World, sql: str, free: frozenset[int] | None = None) -> Template:
    """Translate a statement, with these of its numbers free if any are given."""
    shape = shape_of(sql, tokenize(sql), free or ())
    lookup = world.athena._planner.lookup  # noqa: SLF001 - what the planner gives
    template = translate_query(shape.text, database="db", lookup=lookup, free=free is not None)
    return template.fill(shape)


def free_numbers(world: World, sql: str) -> frozenset[int]:
    """Find the numbers that a translation does not read, as the planner does."""
    free = set(whole_numbers(sql, tokenize(sql)))
    while True:
        shape = shape_of(sql, tokenize(sql), free)
        try:
            translated(world, sql, frozenset(free))
        except Looked as looked:
            free.discard(shape.numbers[looked.number])
        else:
            return frozenset(free)


@pytest.mark.parametrize("items", STATEMENTS)
def test_what_holds_for_one_number_holds_for_all(world: World, items: str) -> None:
    """The shared translation is, letter by letter, the one that the statement gets alone."""
    if "OVER" not in items and "max_by" not in items:
        items += f" FROM {TABLE} WHERE b > 7 AND x <= 7 AND a IN (7, 9) ORDER BY 1 LIMIT 7"
    else:
        items += f" FROM {TABLE} WHERE b > 7 LIMIT 7"
    sql = f"SELECT {items}"
    tokens = tokenize(sql)
    free = free_numbers(world, sql)
    for number in NUMBERS:
        other = ""
        done = 0
        for place in sorted(free):
            other += sql[done : tokens[place].start] + str(number)
            done = tokens[place].end
        other += sql[done:]
        assert translated(world, other, free) == translated(world, other)
    assert free


def test_numbers_that_mean_something_are_read(world: World) -> None:
    sql = f"SELECT a, lpad(s, 5, '.') FROM {TABLE} ORDER BY 2 LIMIT 3"
    tokens = tokenize(sql)
    assert "3" in [tokens[place].text for place in free_numbers(world, sql)]
    kept = set(whole_numbers(sql, tokens)) - free_numbers(world, sql)
    assert {"5", "2"} <= {tokens[place].text for place in kept}


def test_only_numbers_of_type_integer_may_be_free() -> None:
    sql = "SELECT 7, 0, 07, 1.5, 1e3, 999999999, 1000000000, t7.x7, a.1, x'07', \"7\", '7', -5"
    found = [tokenize(sql)[place].text for place in whole_numbers(sql, tokenize(sql))]
    assert found == ["7", "999999999", "5"]


def test_whoever_reads_a_free_number_is_stopped() -> None:
    (tree,) = parse_noted("SELECT zn000zn", free=True)[0]
    assert tree is not None
    literal = next(tree.find_all(exp.Literal))
    assert is_free(literal)
    number = literal.this
    reads = (
        lambda: int(number),
        lambda: float(number),
        lambda: len(number),
        lambda: number == "7",
        lambda: eq("7", number),
        lambda: number in {"7", "8"},
        lambda: number in ("7", "8"),
        lambda: f"{number}",
        lambda: f"{number!r}",
        lambda: str(number),
        lambda: "%s" % number,  # noqa: UP031 - as a text may be made
        lambda: "-" + number,
        lambda: number + "0",
        number.isdigit,
        lambda: number[0],
        lambda: number < "7",
        lambda: literal.is_int,
        literal.to_py,
        literal.sql,
        lambda: hash(literal),
        lambda: literal == exp.Literal.number(7),
    )
    for read in reads:
        with pytest.raises(Looked):
            read()
    assert isinstance(literal.copy().this, Free)


def test_words_like_the_marks_are_names(world: World) -> None:
    for number in (5, 6, 7):
        sql = f"SELECT zn001zn + {number} FROM (SELECT 1 AS zn001zn, 'zn000zn' AS t)"
        assert world.rows(sql) == [(number + 1,)]
        assert world.rows(f"SELECT 'zn000zn', {number}") == [("zn000zn", number)]


def test_the_third_statement_of_a_family_is_not_translated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    method = planner_module.Planner._translate  # noqa: SLF001 - to see that it is not called

    def counted(self: object, cursor: object, text: str, *more: object, **named: object) -> object:
        asked.append(text)
        return method(self, cursor, text, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(planner_module.Planner, "_translate", counted)
    sql = "SELECT x + {0}, x / {0} FROM (VALUES 1, 50) AS t(x) WHERE x > {0} ORDER BY 1 LIMIT {1}"
    assert world.rows(sql.format(10, 1)) == [(60, 5)]
    assert world.rows(sql.format(20, 2)) == [(70, 2)]
    done = len(asked)
    assert world.rows(sql.format(30, 3)) == [(80, 1)]
    assert world.rows(sql.format(60, 3)) == []
    assert len(asked) == done
    assert world.rows(sql.format(3_000_000_000, 3)) == []  # a bigint is of another family
    assert len(asked) > done


def test_a_changed_table_is_seen_by_its_family(world: World) -> None:
    sql = "SELECT n / {} FROM t"
    world.run("CREATE TABLE t WITH (external_location='s3://b/1/') AS SELECT 7 AS n")
    assert [world.rows(sql.format(n)) for n in (2, 3, 4)] == [[(3,)], [(2,)], [(1,)]]
    world.run("DROP TABLE t")
    world.run("CREATE TABLE t WITH (external_location='s3://b/2/') AS SELECT 7e0 AS n")
    assert [world.rows(sql.format(n)) for n in (5, 10, 4)] == [[(1.4,)], [(0.7,)], [(1.75,)]]


def test_partitions_are_chosen_by_a_statements_own_numbers(world: World) -> None:
    world.run(
        "CREATE TABLE p WITH (external_location='s3://b/p/', partitioned_by=ARRAY['k']) AS "
        "SELECT x AS n, x AS k FROM UNNEST(sequence(1, 9)) AS s(x)"
    )
    sql = "SELECT n FROM p WHERE k = {} OR k IN ({}, 99)"
    for low, high in ((1, 2), (3, 4), (5, 6), (7, 7)):
        assert sorted(world.rows(sql.format(low, high))) == [(n,) for n in {low, high}]
    between = "SELECT count(*), sum(n) FROM p WHERE k BETWEEN {} AND 8 AND k <> 6"
    assert [world.rows(between.format(n)) for n in (8, 7, 5, 1)] == [
        [(1, 8)],
        [(2, 15)],
        [(3, 20)],
        [(7, 30)],
    ]


def test_a_failure_is_told_as_without_a_family(world: World) -> None:
    sql = "SELECT CAST(x AS tinyint) * {} FROM (VALUES 100) AS t(x) LIMIT {}"
    for number in (1, 2, 3):
        world.rows(sql.format(number, number))
    alone = "SELECT  CAST(x AS tinyint) * 30000000 FROM (VALUES 100) AS t(x) LIMIT 4"
    told = world.failure(alone)
    assert world.failure(sql.format(30_000_000, 4)) == told
