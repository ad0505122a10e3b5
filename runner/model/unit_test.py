"""An analyst's unit test of a table's SQL, as `tests/sql/<database>.<table>.yaml` says it."""

from __future__ import annotations

from pydantic import Field, JsonValue

from runner.model.header import Strict

Row = dict[str, JsonValue]
"""Column and value, as written."""


class CaseWindow(Strict):
    """The window that a test runs the SQL over."""

    start: str = Field(description="First value, e.g. 2013-01-05.")
    end: str = Field(description="Last value; it belongs to the window.")


class UnitTest(Strict):
    """One case: rows that the SQL reads, and the rows that it must give."""

    description: str = Field("", description="What the case is about.")
    window: str | CaseWindow | None = Field(
        None,
        description="A value such as 2013-01-05, or {start, end}. If absent, the one period that "
        "the expected rows name.",
    )
    vars: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="Variables that differ from config.yaml."
    )
    given: dict[str, tuple[Row, ...]] = Field(
        default_factory=dict,
        description="Rows of each table and source that the SQL reads; a table that is left out "
        "is empty, a view is computed from what it reads, a column that is left out is NULL.",
    )
    expect: tuple[Row, ...] = Field(
        description="The rows that come out, in any order. Columns that no row names are not "
        "compared; a named column that a row leaves out is NULL there."
    )
    ordered: bool = Field(default=False, description="Compare the order of the rows as well.")
    tolerance: float = Field(
        1e-9, ge=0, description="Greatest relative difference of two floating point numbers."
    )
