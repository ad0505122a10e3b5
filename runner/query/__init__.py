"""One SQL file, from text to facts: split, render, parse, analyse, check; nothing is read here.

In: the text of a SQL file and of the macro files, variables, the names and columns of the other
tables.  Out: plain values (`SqlText`, `Analysis`, `Column`s, fingerprints) and faults placed in the
files that the user edits.  Every function is pure; jinja2 and sqlglot are imported when first used.

The stages, in order::

    split_header(text, file=path)                        -> HeaderSplit           | ProjectError
    load_macros(files, cache=None)                       -> (MacroLibrary, faults)
    render(source, macros=, variables=, time_format=)    -> Rendered              | ProjectError
    read_test_sql(header, places, name)                  -> (TestSqls, faults)
    put_masks(rendered, name=, header=, places=, sources=) -> Rendered            | ProjectError
    analyse(rendered, name=, kind=)                      -> Analysis              | ProjectError
    resolve(rendered, analysis, tables=, sources=, grain=, lookback=) -> Resolved (with faults)
    check_columns(rendered, analysis, schemas)           -> (columns, faults)
    trace(rendered, analysis, tagged=, schemas=)         -> Lineage (of personal data)
    trace_statement(statement, tagged=, schemas=)        -> Lineage (of one of Redshift)
    physical(rendered, analysis, tables=, databases=)    -> SqlText
    fingerprint(rendered, header)                        -> str (64 hex digits)

`Analysis` depends on the file, the macros and the variables only, never on other tables: it can be
cached by their content.  It holds strings, numbers and tuples, so it pickles and compares.

Partition projection is a stage of its own, on the header alone::

    check_projection(header, timezone=)  -> tuple[HeaderProblem, ...]   (each: .fault(place))
    projection_parameters(header)        -> dict[str, str]              (projection.* properties)
    time_key(header)                     -> TimeKey | None              (columns, grain, format)
    combinations(header)                 -> int                         (values beside the time)
    partition_count(header)              -> int | None                  (None: grows with time)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.query.analysis import analyse
    from runner.query.columns import check_columns
    from runner.query.facts import (
        Analysis,
        Carried,
        Lineage,
        MaskedSource,
        Mention,
        WindowFilter,
    )
    from runner.query.fingerprint import fingerprint
    from runner.query.header_sql import TestSql, read_test_sql
    from runner.query.library import MacroLibrary, load_macros
    from runner.query.lineage import literal_keys, trace
    from runner.query.masks import put_masks
    from runner.query.physical import physical, without_itself
    from runner.query.projection import (
        TimeKey,
        column_values,
        combinations,
        partition_count,
        projection_parameters,
        time_key,
    )
    from runner.query.projection_checks import HeaderProblem, check_projection
    from runner.query.reads import Resolved, resolve
    from runner.query.render import render
    from runner.query.rendered import Rendered
    from runner.query.source import HeaderSplit, SourceFile, split_header
    from runner.query.template import CodeCache
    from runner.query.warehouse import external_schemas, trace_statement

__all__ = [
    "Analysis",
    "Carried",
    "CodeCache",
    "HeaderProblem",
    "HeaderSplit",
    "Lineage",
    "MacroLibrary",
    "MaskedSource",
    "Mention",
    "Rendered",
    "Resolved",
    "SourceFile",
    "TestSql",
    "TimeKey",
    "WindowFilter",
    "analyse",
    "check_columns",
    "check_projection",
    "column_values",
    "combinations",
    "external_schemas",
    "fingerprint",
    "literal_keys",
    "load_macros",
    "partition_count",
    "physical",
    "projection_parameters",
    "put_masks",
    "read_test_sql",
    "render",
    "resolve",
    "split_header",
    "time_key",
    "trace",
    "trace_statement",
    "without_itself",
]

_MODULES = {
    "analysis": ("analyse",),
    "columns": ("check_columns",),
    "facts": ("Analysis", "Carried", "Lineage", "MaskedSource", "Mention", "WindowFilter"),
    "fingerprint": ("fingerprint",),
    "header_sql": ("TestSql", "read_test_sql"),
    "library": ("MacroLibrary", "load_macros"),
    "lineage": ("literal_keys", "trace"),
    "masks": ("put_masks",),
    "physical": ("physical", "without_itself"),
    "projection": (
        "TimeKey",
        "column_values",
        "combinations",
        "partition_count",
        "projection_parameters",
        "time_key",
    ),
    "projection_checks": ("HeaderProblem", "check_projection"),
    "reads": ("Resolved", "resolve"),
    "render": ("render",),
    "rendered": ("Rendered",),
    "source": ("HeaderSplit", "SourceFile", "split_header"),
    "template": ("CodeCache",),
    "warehouse": ("external_schemas", "trace_statement"),
}


def __getattr__(name: str) -> object:
    """Import a public name's module when it is first used: jinja2 and sqlglot are heavy."""
    for module, names in _MODULES.items():
        if name in names:
            value: object = getattr(importlib.import_module(f"runner.query.{module}"), name)
            globals()[name] = value
            return value
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
