"""SEMANTICS 20: the fingerprint covers the token stream and the fields that change bytes."""

from __future__ import annotations

import hashlib

import pytest

from runner.model.header import Header
from runner.query import fingerprint
from tests.query.cases import rendered

DAILY = {"partition": {"dt": {"type": "date", "format": "yyyy-MM-dd", "range": "2013-01-01,NOW"}}}
BASE = "SELECT a, '{{ start }}' AS b FROM staging.flights WHERE c = 1.5"


def of(text: str, **header: object) -> str:
    return fingerprint(rendered(text), Header.model_validate(header))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a,\n   '{{ start }}' AS b -- why\nFROM staging.flights /* x */ WHERE c=1.5",
        "{% set x = 'a' %}SELECT {{ x }}, '{{start}}' AS b FROM staging.flights WHERE c = 1.5;",
        "/*---\ndescription: x\n---*/\n"
        + BASE.replace("staging.flights", "{{ ref('staging.flights') }}"),
    ],
)
def test_semantics_20_equal_tokens(text: str) -> None:
    assert of(text) == of(BASE)


@pytest.mark.parametrize(
    "text",
    [
        BASE.replace("1.5", "1.6"),
        BASE.replace("start", "end"),
        BASE.replace("start", "start.add(days=-1)"),
        BASE.replace("start", "start.format('yyyy')"),
        BASE.replace("'{{ start }}'", "' {{ start }}'"),
        BASE.replace("a, ", "a , b, "),
        BASE.replace("AS b", "ASb"),
        BASE.replace("{{ start }}", "start;"),
    ],
)
def test_semantics_20_other_tokens(text: str) -> None:
    assert of(text) != of(BASE)


@pytest.mark.parametrize(
    "header",
    [
        {"description": "other"},
        {"tags": ["daily"]},
        {"timeout": "5m"},
        {"tests": [{"min_rows": 1}]},
        {"load": {"table": "x"}},
        {"kind": "ctas"},  # the default, written out
    ],
)
def test_semantics_20_fields_that_change_no_bytes(header: dict[str, object]) -> None:
    assert of(BASE, **header) == of(BASE)


@pytest.mark.parametrize(
    "header",
    [
        {"kind": "view"},
        {"format": "orc"},
        {"compression": "snappy"},
        {"bucket": {"columns": ["a"], "count": 2}},
        {"keys": ["a"]},
        DAILY,
    ],
)
def test_semantics_20_fields_that_change_bytes(header: dict[str, object]) -> None:
    assert of(BASE, **header) != of(BASE)


def test_it_is_64_hex_digits_that_never_change() -> None:
    """A change of this value makes every published partition stale: change it on purpose only."""
    document = (
        '[1,"ctas",{"bucket":null,"compression":null,"format":"parquet","keys":[],'
        '"partition":{},"properties":{}},["SELECT","1","AS","a"]]'
    )
    assert of("SELECT 1 AS a") == hashlib.sha256(document.encode()).hexdigest()
