"""Parts and differences of dates as Trino counts them, and dates read from text."""

from __future__ import annotations

from sqlglot import exp

from runner.local.athena.errors import unsupported
from runner.local.athena.javatime import strftime_pattern

_PARTS = {
    "DAY_OF_WEEK": "isodow",
    "DAYOFWEEK": "isodow",
    "DOW": "isodow",
    "DAY_OF_YEAR": "doy",
    "DAYOFYEAR": "doy",
    "YEAR_OF_WEEK": "isoyear",
    "YOW": "isoyear",
}


def apply(tree: exp.Query) -> exp.Query:
    """Rewrite extract, date_diff, date_parse, date - date, sequences of dates, Joda formats."""
    for part in list(tree.find_all(exp.Extract)):
        name = _PARTS.get(part.name.upper())
        if name:
            part.set("this", exp.var(name))
    for difference in list(tree.find_all(exp.DateDiff)):
        # Trino counts whole units that have passed; DuckDB's date_diff counts borders crossed.
        unit = exp.Literal.string(difference.text("unit").lower())
        arguments = [unit, difference.expression, difference.this]
        difference.replace(exp.Anonymous(this="date_sub", expressions=arguments))
    for parse in list(tree.find_all(exp.StrToTime)):
        _first_year(parse)
    _date_ranges(tree)
    _formats(tree)
    return tree


def _date_ranges(tree: exp.Query) -> None:
    """Make `date - date` an interval, and a sequence of dates one of dates."""
    for minus in list(tree.find_all(exp.Sub)):
        if _is_date(minus.left) and _is_date(minus.right):
            for side in ("this", "expression"):
                stamp = exp.DataType.build("timestamp")
                minus.set(side, exp.cast(minus.args[side].copy(), stamp))
    for series in list(tree.find_all(exp.GenerateSeries)):
        if _is_date(series.args["start"]):
            if series.args.get("step") is None:
                series.set("step", exp.Interval(this=exp.Literal.string("1"), unit=exp.var("DAY")))
            series.replace(exp.cast(series.copy(), exp.DataType.build("ARRAY<DATE>")))


def _is_date(node: exp.Expr) -> bool:
    return node.type is not None and node.type.is_type("date")


def _first_year(parse: exp.StrToTime) -> None:
    """Fields that the format lacks are those of 1970, not of 1900."""
    pattern = parse.args.get("format")
    if isinstance(pattern, exp.Literal) and "%Y" not in pattern.name and "%y" not in pattern.name:
        text = exp.DPipe(this=exp.Literal.string("1970 "), expression=parse.this.copy(), safe=True)
        parse.set("this", exp.paren(text))
        parse.set("format", exp.Literal.string("%Y " + pattern.name))


def _formats(tree: exp.Query) -> None:
    for node in list(tree.find_all(exp.Anonymous)):
        name = node.name.lower()
        if name == "to_iso8601":
            node.set("this", "__to_iso8601")
        elif name in {"format_datetime", "parse_datetime"}:
            pattern = node.expressions[1]
            if name == "parse_datetime" or not isinstance(pattern, exp.Literal):
                raise unsupported(f"This use of {name}")
            try:
                text = strftime_pattern(pattern.name.replace("YYYY", "yyyy"))
            except ValueError as error:
                raise unsupported(f"{name} with {error}") from error
            node.replace(
                exp.Anonymous(
                    this="strftime",
                    expressions=[node.expressions[0].copy(), exp.Literal.string(text)],
                )
            )
