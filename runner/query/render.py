"""Jinja at compile time: a SQL file and its macros become SQL text with run-time marks.

In: the file, the macro library, the variables, the format of the table's time column.  Out:
`Rendered`, or a ProjectError with every fault.  SEMANTICS 18: a mark may stand in a string literal
or as a number of digits; anywhere else it is a fault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jinja2

from runner.errors import Fault, ProjectError
from runner.model.sqltext import Mark, SqlText
from runner.query.jinja_faults import (
    RUNTIME_ERRORS,
    private_characters,
    runtime_fault,
    syntax_fault,
)
from runner.query.lexer import SqlToken, is_hive, lex
from runner.query.library import MacroLibrary, define_macros
from runner.query.namespace import make_namespace
from runner.query.placement import check_placement
from runner.query.positions import Instrument, OffsetMap, read_markers
from runner.query.rendered import CIVIL_FORMAT, Locator, Printed, Rendered, sample_value
from runner.query.template import compile_template, run_template, tokens
from runner.query.window_value import PLACEHOLDER, Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.query.source import SourceFile


def render(
    source: SourceFile,
    *,
    macros: MacroLibrary,
    variables: Mapping[str, object],
    time_format: str | None = None,
) -> Rendered:
    """Render one SQL file; ProjectError carries the faults.

    `time_format` is the Java pattern of the table's time column; None when there is none.
    """
    session = Session()
    text = _run(source, macros=macros, variables=variables, session=session)

    def draw() -> OffsetMap | None:
        return _draw_map(source, text, macros=macros, variables=variables)

    locator = Locator(source, text, draw=draw)
    cut, plain = _trim(text)
    rendered = _assemble(
        source, plain, session=session, locator=locator, cut=cut, time_format=time_format
    )
    faults = [*_lexical_faults(rendered), *check_placement(rendered, time_format or CIVIL_FORMAT)]
    if faults:
        raise ProjectError(faults)
    return rendered


def _run(
    source: SourceFile,
    *,
    macros: MacroLibrary,
    variables: Mapping[str, object],
    session: Session,
) -> str:
    private = private_characters(source)
    if private is not None:
        raise ProjectError([private])
    namespace: dict[str, object] = {}
    try:
        template = compile_template(macros.environment, source, cache=macros.cache)
        namespace = make_namespace(session, macros=macros, variables=variables)
        return run_template(template, namespace)
    except jinja2.TemplateSyntaxError as error:
        raise ProjectError([syntax_fault(macros.environment, source, error)]) from error
    except RUNTIME_ERRORS as error:
        fault = runtime_fault(
            error,
            environment=macros.environment,
            sources={source.path: source, **macros.sources()},
            namespace=namespace,
        )
        raise ProjectError([fault]) from error


def _draw_map(
    source: SourceFile,
    text: str,
    *,
    macros: MacroLibrary,
    variables: Mapping[str, object],
) -> OffsetMap | None:
    """Render with markers in the sources; None when that changes what is rendered."""
    environment = macros.environment
    instrument = Instrument()
    sources = {source.path: source, **macros.sources()}
    try:
        marked = {
            path: compile_template(
                environment,
                file,
                text=instrument.mark(file, tokens(environment, file.padded())),
            )
            for path, file in sources.items()
        }
        library = MacroLibrary(environment)
        namespace = make_namespace(Session(), macros=library, variables=variables)
        pairs = [(marked[file.source.path], file.names) for file in macros.files]
        define_macros(pairs, namespace)
        output = run_template(marked[source.path], namespace)
        plain, offset_map = read_markers(output, instrument.origins, sources)
    except RUNTIME_ERRORS:
        return None
    return offset_map if plain == text else None


def _trim(text: str) -> tuple[int, str]:
    """Cut white space at both ends, and one semicolon with the comments after it."""
    start = len(text) - len(text.lstrip())
    body = text.strip()
    end = body.rfind(";")
    if end < 0:
        return start, body
    last: SqlToken | None = None
    for token in lex(body, hive=is_hive(body)):
        if token.meaningful:
            last = token
    if last is not None and last.text == ";":
        body = body[: last.start].rstrip()
    return start, body


def _assemble(
    source: SourceFile,
    plain: str,
    *,
    session: Session,
    locator: Locator,
    cut: int,
    time_format: str | None,
) -> Rendered:
    marks = session.by_placeholder()
    parts: list[str | Mark] = []
    sample: list[str] = []
    printed: list[Printed] = []
    length = position = 0
    for match in PLACEHOLDER.finditer(plain):
        piece = plain[position : match.start()]
        mark = marks[match[0]]
        value = sample_value(mark, time_format)
        begin = length + len(piece)
        length = begin + len(value)
        printed.append(Printed(mark, begin, length, match.start()))
        parts += [piece, mark] if piece else [mark]
        sample += [piece, value]
        position = match.end()
    rest = plain[position:]
    return Rendered(
        file=source.path,
        sql=SqlText((*parts, rest) if rest else tuple(parts)),
        sample="".join((*sample, rest)),
        plain=plain,
        printed=tuple(printed),
        refs=tuple(dict.fromkeys(session.refs)),
        cut=cut,
        locator=locator,
    )


def _lexical_faults(rendered: Rendered) -> list[Fault]:
    sample = rendered.sample
    if not any(token.meaningful for token in lex(sample, hive=False)):
        return [
            rendered.fault(
                0,
                "sql-empty",
                found="no SQL",
                expected="a statement after the header",
                advice="write a SELECT",
            )
        ]
    for token in lex(sample, hive=is_hive(sample)):
        if token.kind == "open":
            what = {"/*": "a comment", "'": "a text"}.get(token.text, "a quoted name")
            closing = {"/*": "*/"}.get(token.text, token.text)
            return [
                rendered.fault(
                    token.start,
                    "sql-syntax",
                    found=f"{what} that begins here and never ends",
                    expected=closing,
                    advice=f"close it with {closing}",
                )
            ]
    return []
