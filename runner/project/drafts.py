"""One SQL file by itself: header, rendered SQL, facts; what other files say comes later.

In: the text of a SQL file, the macros, the variables.  Out: a `Draft`, which depends on nothing
else and is therefore cached by content, and faults.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from runner.errors import Fault, Place, ProjectError
from runner.model.header import Header, Kind
from runner.project.validate import validate
from runner.project.yamltext import read_yaml
from runner.query import (
    analyse,
    fingerprint,
    read_test_sql,
    render,
    split_header,
    time_key,
)
from runner.query.source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.model.names import TableName
    from runner.model.places import Places
    from runner.query import (
        Analysis,
        HeaderSplit,
        MacroLibrary,
        MaskedSource,
        Rendered,
        TestSql,
    )
    from runner.query.rendered import Locator


_UNMASKED: Mapping[str, MaskedSource] = {}


@dataclass(frozen=True, slots=True)
class SqlFile:
    """A SQL file before it is read: what a draft is made from."""

    path: str
    name: TableName
    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A SQL file without faults of its own."""

    file: str
    name: TableName
    header: Header
    places: Places
    """Of the header's keys, in the SQL file."""
    kind: Kind
    rendered: Rendered
    analysis: Analysis
    sql_line: int
    fingerprint: str
    test_sql: tuple[TestSql, ...] = ()
    """Of the header's tests that have SQL of their own."""

    @property
    def time_columns(self) -> tuple[str, ...]:
        """Name the partition columns that may hold the time; of a ddl, all that it has."""
        if self.kind is Kind.DDL:
            return self.analysis.partition_columns
        key = time_key(self.header)
        return key.columns if key is not None else ()

    @property
    def grain(self) -> str:
        """Name the grain of the table's own windows."""
        key = time_key(self.header)
        return key.grain if key is not None else "day"


@dataclass(frozen=True, slots=True)
class Drafted:
    """What drafting made of a file: a draft, or faults; the header's tags in either case."""

    draft: Draft | None
    header: Header | None
    faults: tuple[Fault, ...]
    fresh: bool = True
    """Whether it was made now, not remembered."""


def draft_table(
    file: SqlFile,
    *,
    macros: MacroLibrary,
    variables: Mapping[str, object],
    variables_known: bool = True,
    default_format: str = "parquet",
    masked: Mapping[str, MaskedSource] = _UNMASKED,
) -> Drafted:
    """Split, validate, render and analyse one file, finding as many faults as can be found."""
    try:
        split = split_header(file.text, file=file.path)
    except ProjectError as error:
        return Drafted(None, None, error.faults)
    header, places, faults = _read_header(file, split, default_format)
    source = SourceFile(file.path, file.text, split.body_offset)
    key = time_key(header) if header is not None else None
    try:
        rendered = render(
            source,
            macros=macros,
            variables=variables,
            time_format=key.format if key is not None else None,
        )
    except ProjectError as error:
        return Drafted(None, header, (*faults, *_certain(error, header, known=variables_known)))
    if header is None:
        return Drafted(None, None, faults)
    kind = header.resolved_kind()
    test_sql, wrong = read_test_sql(header, places, file.name)
    faults = (*faults, *wrong)
    try:
        rendered = _masked(rendered, file, header, places, masked)
        analysis = analyse(rendered, name=file.name, kind=kind)
        faults = (*faults, *literal_key_faults(rendered, analysis))
    except ProjectError as error:
        return Drafted(None, header, (*faults, *error.faults))
    draft = Draft(
        file=file.path,
        name=file.name,
        header=header,
        places=places,
        kind=kind,
        rendered=rendered,
        analysis=analysis,
        sql_line=_first_line(rendered, split),
        fingerprint=fingerprint(rendered, header),
        test_sql=test_sql,
    )
    return Drafted(draft, header, faults)


def _masked(
    rendered: Rendered,
    file: SqlFile,
    header: Header,
    places: Places,
    sources: Mapping[str, MaskedSource],
) -> Rendered:
    if not header.mask and not sources:
        return rendered
    from runner.query import put_masks  # noqa: PLC0415 - for files with masks

    return put_masks(rendered, name=file.name, header=header, places=places, sources=sources)


def literal_key_faults(rendered: Rendered, analysis: Analysis) -> Iterator[Fault]:
    """Refuse the key of a keyed hash in a file, a definition or a log (SEMANTICS 32)."""
    if "hmac_" not in rendered.sample.lower():
        return
    from runner.query import literal_keys  # noqa: PLC0415 - rarely any

    for offset in literal_keys(rendered, analysis):
        yield rendered.fault(
            offset,
            "mask-key",
            found="a keyed hash whose key stands in the statement",
            expected="a key that Athena reads from a table: files, definitions and Athena's "
            "history show a statement's text",
            advice="write {{ mask.hash('column', 'database.table.key') }}",
        )


def _read_header(
    file: SqlFile, split: HeaderSplit, default_format: str
) -> tuple[Header | None, Places, tuple[Fault, ...]]:
    yaml = read_yaml(split.header_yaml, file=file.path, line=split.header_line)
    if yaml.faults and yaml.data is None:
        return None, yaml.places, yaml.faults
    header, faults = validate(Header, yaml.data, yaml.places)
    faults = yaml.faults + faults
    if header is None or faults:
        return None, yaml.places, faults
    if ("format",) not in yaml.places.keys and default_format != header.format:
        header = header.model_copy(update={"format": default_format})
    return header, yaml.places, faults


def _certain(error: ProjectError, header: Header | None, *, known: bool) -> tuple[Fault, ...]:
    """Drop faults that may only follow from a wrong header, or from an unreadable config.yaml."""
    doubtful = set() if header is not None else {"mark-without-quotes"}
    if not known:
        doubtful |= {"jinja-unknown-variable"}
    return tuple(fault for fault in error.faults if fault.code not in doubtful)


def _first_line(rendered: Rendered, split: HeaderSplit) -> int:
    """Give the line on which the SQL itself begins, after the header, empty lines and Jinja."""
    body = split.body
    if body.lstrip().startswith("{"):
        place = rendered.locate(0)
        return place.line if place.file == rendered.file else split.body_line
    return split.body_line + body[: len(body) - len(body.lstrip())].count("\n")


class _Nowhere:
    """A locator for cached drafts, which do not know places: whoever needs one drafts again."""

    __slots__ = ("file",)

    def __init__(self, file: str) -> None:
        self.file = file

    def trace(self, offset: int) -> tuple[Place, ...]:
        del offset
        return (Place(self.file),)


def without_places(draft: Draft) -> Draft:
    """Make a draft that can be pickled: its rendered text forgets the way back to the file."""
    locator = cast("Locator", _Nowhere(draft.file))
    return replace(draft, rendered=replace(draft.rendered, locator=locator))


def knows_places(draft: Draft) -> bool:
    """Tell whether faults of this draft get lines and columns."""
    return not isinstance(draft.rendered.locator, _Nowhere)
