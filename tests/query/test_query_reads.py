"""What a file reads: edges, sources, look-backs, its own past."""

from __future__ import annotations

import pytest

from runner.errors import Place
from runner.model.header import Kind
from runner.model.names import TableName
from runner.model.project import Read
from runner.query import Resolved, resolve
from tests.query.cases import PATH, analysed

FLIGHTS = TableName("staging", "flights")
WEATHER = TableName("staging", "weather")
PARTS = TableName("staging", "parts")
OWN = TableName("marts", "x")
TABLES = {
    FLIGHTS: ("dt",),
    WEATHER: ("dt",),
    PARTS: ("year", "month", "day"),
    OWN: ("dt",),
    TableName("marts", "plain"): (),
}


def resolved(
    text: str,
    *,
    grain: str = "day",
    kind: Kind = Kind.INSERT,
    lookback: dict[str, int] | None = None,
) -> Resolved:
    rendered, analysis = analysed(text, kind=kind)
    return resolve(
        rendered, analysis, tables=TABLES, sources={"raw.alb"}, grain=grain, lookback=lookback
    )


def test_semantics_26_edges_and_sources() -> None:
    result = resolved("SELECT a FROM staging.flights JOIN raw.alb USING (a) JOIN plain USING (a)")
    assert [str(read.table) for read in result.reads] == ["staging.flights", "marts.plain"]
    assert result.sources == ("raw.alb",)
    assert result.faults == ()


@pytest.mark.parametrize(
    ("text", "column", "found", "advice"),
    [
        ("SELECT a FROM staging.fligths", 15, "staging.fligths", "staging.flights"),
        ("SELECT a FROM flights", 15, "marts.flights", "staging.flights"),
        ("SELECT a FROM raw.elb", 15, "raw.elb", "raw.alb"),
        ("SELECT a FROM quite.another", 15, "quite.another", "sources:"),
        ("SELECT a FROM {{ ref('staging.wether') }}", 15, "staging.wether", "staging.weather"),
    ],
)
def test_semantics_26_unknown_tables(text: str, column: int, found: str, advice: str) -> None:
    (fault,) = resolved(text).faults
    assert (fault.code, fault.place) == ("unknown-table", Place(PATH, 1, column))
    assert fault.found.startswith(f"{found},")
    assert advice in fault.advice


WINDOW = "dt BETWEEN '{{ start }}' AND '{{ end }}'"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"SELECT a FROM staging.flights WHERE {WINDOW}", [0], id="between"),
        pytest.param("SELECT a FROM staging.flights", [None], id="no filter"),
        pytest.param(
            "SELECT a FROM staging.flights WHERE dt <= '{{ end }}'", [None], id="open below"
        ),
        pytest.param(
            "SELECT a FROM staging.flights WHERE '{{ start }}' <= dt", [0], id="turned around"
        ),
        pytest.param(
            "SELECT a FROM staging.flights WHERE other >= '{{ start }}'", [None], id="other column"
        ),
        pytest.param(
            "SELECT a FROM staging.flights WHERE dt >= '2013-01-01'", [None], id="no mark"
        ),
        pytest.param(
            "SELECT a FROM staging.flights WHERE dt >= '{{ start }}' OR a = 1", [None], id="or"
        ),
        pytest.param(
            "SELECT a FROM staging.flights WHERE dt = '{{ start }}' "
            "OR dt = '{{ start.add(days=-7) }}'",
            [7],
            id="or on one column",
        ),
        pytest.param(
            "SELECT a FROM staging.flights WHERE dt IN ('{{ start }}', '{{ end }}')", [0], id="in"
        ),
        pytest.param(
            "SELECT a FROM staging.flights f LEFT JOIN staging.weather w "
            "ON w.dt >= '{{ start }}' AND f.dt >= '{{ start }}'",
            [None, 0],
            id="ON of a left join keeps the left rows",
        ),
        pytest.param(
            "SELECT a FROM staging.flights f JOIN staging.weather w ON f.dt = w.dt "
            "WHERE f.dt >= '{{ start }}'",
            [0, 0],
            id="carried over an equality",
        ),
        pytest.param(
            "SELECT a FROM staging.flights f JOIN staging.weather w USING (dt) "
            "WHERE dt >= '{{ start }}'",
            [0, 0],
            id="using",
        ),
        pytest.param(
            "SELECT f.a FROM staging.flights f JOIN staging.flights g ON f.a = g.a "
            "WHERE f.dt >= '{{ start }}'",
            [None],
            id="one of two mentions",
        ),
        pytest.param(
            "WITH q AS (SELECT *, a AS b FROM staging.flights) "
            "SELECT b FROM q WHERE dt = '{{ start }}'",
            [0],
            id="through a CTE",
        ),
        pytest.param(
            "WITH q AS (SELECT a, dt AS day FROM staging.flights) "
            "SELECT a FROM q WHERE day = '{{ start }}' UNION ALL SELECT a FROM q",
            [None],
            id="CTE read twice, bounded once",
        ),
        pytest.param(
            "SELECT a FROM (SELECT dt, a, lag(a) OVER (ORDER BY dt) AS p FROM staging.flights) "
            "WHERE dt = '{{ start }}'",
            [None],
            id="not through a window function",
        ),
        pytest.param(
            "SELECT a FROM (SELECT dt, a FROM staging.flights LIMIT 9) WHERE dt = '{{ start }}'",
            [None],
            id="not through a limit",
        ),
        pytest.param(
            "SELECT a FROM (SELECT dt AS d, a FROM staging.flights UNION ALL "
            "SELECT dt, a FROM staging.weather) WHERE d >= '{{ start }}'",
            [0, 0],
            id="through a union, by position",
        ),
    ],
)
def test_semantics_20_filtered_by_the_window(text: str, expected: list[int | None]) -> None:
    reads = resolved(text).reads
    assert [read.lookback if read.windowed else None for read in reads] == expected


@pytest.mark.parametrize(
    ("condition", "grain", "lookback"),
    [
        ("dt >= '{{ start.add(days=-7) }}'", "day", 7),
        ("dt >= '{{ start.add(days=-7) }}'", "hour", 168),
        ("dt >= '{{ start.add(days=-7) }}'", "month", 1),
        ("dt >= '{{ start.add(weeks=-2) }}'", "day", 14),
        ("dt >= '{{ start.add(months=-1) }}'", "day", 31),
        ("dt >= '{{ start.add(months=-1) }}'", "month", 1),
        ("dt >= '{{ start.add(years=-1) }}'", "month", 12),
        ("dt >= '{{ start.add(years=-1) }}'", "year", 1),
        ("dt >= '{{ start.add(hours=-3) }}'", "day", 1),
        ("dt >= '{{ start.add(hours=-3) }}'", "hour", 3),
        ("dt >= '{{ start.month_start }}'", "day", 30),
        ("dt >= '{{ start.month_start }}'", "month", 0),
        ("dt >= '{{ start.year_start }}'", "month", 11),
        ("dt >= '{{ start.week_start }}'", "day", 6),
        ("dt >= '{{ start.add(days=3) }}'", "day", 0),
        ("dt > '{{ end.add(days=-2) }}'", "day", 2),
        ("dt >= CAST(DATE '{{ start }}' - INTERVAL '7' DAY AS varchar)", "day", 7),
        ("date(dt) >= date_add('day', -3, DATE '{{ start }}')", "day", 3),
        ("dt >= '{{ start.add(days=-2) }}' AND dt >= '{{ start }}'", "day", 2),
    ],
)
def test_semantics_19_look_back(condition: str, grain: str, lookback: int) -> None:
    text = f"SELECT a FROM staging.flights WHERE {condition}"
    assert resolved(text, grain=grain).reads == (Read(FLIGHTS, windowed=True, lookback=lookback),)


def test_semantics_19_the_earliest_mention_counts() -> None:
    text = (
        "SELECT a FROM staging.flights WHERE dt = '{{ start }}' UNION ALL "
        "SELECT a FROM staging.flights WHERE dt = '{{ start.add(days=-28) }}'"
    )
    assert resolved(text).reads == (Read(FLIGHTS, windowed=True, lookback=28),)


def test_semantics_19_the_header_overrides() -> None:
    text = "SELECT a FROM staging.flights WHERE dt >= my_date('{{ start }}')"
    result = resolved(text, lookback={"staging.flights": 3})
    assert result.reads == (Read(FLIGHTS, windowed=True, lookback=3),)


YEAR = "year = '{{ start.format('yyyy') }}'"
MONTH = "month = '{{ start.format('MM') }}'"


@pytest.mark.parametrize(
    ("condition", "lookback"),
    [
        (f"{YEAR} AND {MONTH} AND day = '{{{{ start.format('dd') }}}}'", 0),
        (f"{YEAR} AND {MONTH}", 30),
        (YEAR, 365),
        ("month = '{{ start.format('MM') }}'", None),
    ],
)
def test_several_time_columns(condition: str, lookback: int | None) -> None:
    (read,) = resolved(f"SELECT a FROM staging.parts WHERE {condition}").reads
    assert (read.lookback if read.windowed else None) == lookback


PAST = "SELECT a FROM marts.x WHERE dt >= '{{ start.add(days=-1) }}' AND dt < '{{ start }}'"


@pytest.mark.parametrize(
    ("kind", "text", "codes"),
    [
        (Kind.INSERT, PAST, []),
        (Kind.INSERT, PAST.replace("marts.x", "x"), []),
        (Kind.CTAS, PAST, ["self-reference"]),
        (Kind.INSERT, "SELECT a FROM marts.x", ["self-reference"]),
        (Kind.INSERT, f"SELECT a FROM marts.x WHERE {WINDOW}", ["self-reference"]),
    ],
)
def test_semantics_21_self_reference(kind: Kind, text: str, codes: list[str]) -> None:
    result = resolved(text, kind=kind)
    assert [fault.code for fault in result.faults] == codes
    assert [read.table for read in result.reads] == [OWN]


def test_several_faults_are_collected() -> None:
    faults = resolved("SELECT a FROM nope JOIN marts.x USING (a) JOIN nada USING (a)").faults
    assert sorted(fault.code for fault in faults) == [
        "self-reference",
        "unknown-table",
        "unknown-table",
    ]
