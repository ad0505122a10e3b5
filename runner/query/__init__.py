"""One SQL file, from text to facts: split, render, parse, analyse, check; nothing is read here.

In: the text of a SQL file and of the macro files, variables, the names and columns of the other
tables.  Out: plain values (`SqlText`, `Analysis`, `Column`s, fingerprints) and faults placed in the
files that the user edits.  Every function is pure; jinja2 and sqlglot are imported when first used.

The stages, in order::

    split_header(text, file=path)                        -> HeaderSplit           | ProjectError
    load_macros(files, cache=None)                       -> (MacroLibrary, faults)
    render(source, macros=, variables=, time_format=)    -> Rendered              | ProjectError
    analyse(rendered, name=, kind=)                      -> Analysis              | ProjectError
    resolve(rendered, analysis, tables=, sources=, grain=, lookback=) -> Resolved (with faults)
    check_columns(rendered, analysis, schemas)           -> (columns, faults)
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
