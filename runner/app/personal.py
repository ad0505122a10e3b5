"""Where personal data is: tagged columns, the columns that hold them unmasked, and the masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.model.header import MaskWith

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from runner.model.header import Mask
    from runner.model.project import PersonalColumn, PersonalStep, Project


@dataclass(frozen=True, slots=True)
class Holder:
    """A column of the project that holds a tagged column without a mask."""

    column: str
    """`database.table.column`."""
    way: tuple[str, ...]
    """Columns from the tagged one to this one, each with its SQL file."""


@dataclass(frozen=True, slots=True)
class TaggedColumn:
    """A column that is tagged `pii`."""

    column: str
    """`database.table.column`."""
    place: str
    """The file that tags it."""
    held_by: tuple[Holder, ...]


@dataclass(frozen=True, slots=True)
class MaskedColumn:
    """A column that a source or a header masks."""

    column: str
    """`database.table.column`."""
    mask: str
    """`domain`, `hash: security.mask_key.key` and so on."""
    place: str


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What a project says about personal data."""

    tagged: tuple[TaggedColumn, ...]
    masked: tuple[MaskedColumn, ...]
    databases: tuple[str, ...] | None
    """Databases that may hold it unmasked; None means every one."""


def find_personal_data(
    root: Path, environment: str = "local", variables: Mapping[str, str] | None = None
) -> PersonalData:
    """List tagged columns, where they end up, and masks; ProjectError carries faults."""
    from runner.project import load_project  # noqa: PLC0415 - heavy only when it is needed

    project = load_project(
        root,
        environment=environment,
        variables=variables or {},
        cache_dir=root / ".runner" / "cache",
    )
    holders: dict[str, list[Holder]] = {}
    places = dict(_tags(project))
    for table in project.tables:
        for column in table.pii:
            if len(column.steps) > 1:
                holder = Holder(f"{table.name}.{column.column}", _way(column))
                holders.setdefault(column.tagged, []).append(holder)
    return PersonalData(
        tuple(
            TaggedColumn(name, place, tuple(holders.get(name, ())))
            for name, place in places.items()
        ),
        tuple(_masks(project)),
        project.config.pii_databases,
    )


def _tags(project: Project) -> Iterator[tuple[str, str]]:
    for name, source in project.config.sources.items():
        yield from ((f"{name}.{column}", "config.yaml") for column in source.pii)
    for table in project.tables:
        yield from ((f"{table.name}.{column}", table.file) for column in table.header.pii)


def _way(column: PersonalColumn) -> tuple[str, ...]:
    return tuple(map(_shown, column.steps))


def _shown(step: PersonalStep) -> str:
    name = f"{step.table}.{step.column}"
    return f"{name} ({step.file})" if step.file else name


def _masks(project: Project) -> Iterator[MaskedColumn]:
    for name, source in project.config.sources.items():
        for column, mask in source.mask.items():
            yield MaskedColumn(f"{name}.{column}", _method(mask), "config.yaml")
    for table in project.tables:
        for column, mask in table.header.mask.items():
            yield MaskedColumn(f"{table.name}.{column}", _method(mask), table.file)


def _method(mask: Mask) -> str:
    if isinstance(mask, MaskWith):
        return ", ".join(f"{name}: {getattr(mask, name)}" for name in mask.given())
    return mask or "null"
