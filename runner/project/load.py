"""From the user's files to a `Project`, with every fault of every file at once.

In: a snapshot of the files, the name of an environment, variables.  Out: a `Project`, or every
fault.  The stages are functions of the stages before them; only `files` reads, only `cache`
remembers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runner.checks import Scene, Subject, find_faults, find_warnings
from runner.checks.pii import export_faults
from runner.errors import ProjectError
from runner.model.header import Header, Kind
from runner.model.project import Project, Table
from runner.model.sqltext import SqlText
from runner.project.cache import Cache
from runner.project.configuration import read_setting, shared_databases
from runner.project.crosschecks import mart_faults, source_faults
from runner.project.drafts import knows_places
from runner.project.files import CONFIG, LAMBDAS, SETTINGS, decode
from runner.project.functions import read_functions, stream_faults
from runner.project.naming import name_files
from runner.project.personal import personal_faults, personal_of
from runner.project.sinks import exported_columns, exported_tables
from runner.project.step_columns import column_faults
from runner.project.step_queries import step_queries
from runner.project.step_values import schemas_of, value_faults
from runner.project.steps_flow import grain_faults, workflow_cycles
from runner.project.tables import count_partitions, link, place_of_read, writers
from runner.project.triggers import written_by
from runner.project.warehouse import Lake, warehouse_faults
from runner.project.workflows import (
    BUILTIN,
    Surroundings,
    read_workflow,
    retried_loads,
    workflow_faults,
)
from runner.project.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from runner.errors import Fault, Place
    from runner.model.names import TableName
    from runner.model.places import Places
    from runner.model.project import NamedFunction, NamedWorkflow, PersonalStep
    from runner.project.configuration import Setting
    from runner.project.drafts import Draft, Drafted
    from runner.project.files import Snapshot
    from runner.project.keys import Choice
    from runner.project.naming import Naming
    from runner.project.step_queries import Asked
    from runner.project.tables import Linked


@dataclass(frozen=True, slots=True)
class Outcome:
    """What loading found: a project when nothing is wrong, and what is worth knowing."""

    project: Project | None
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    drafts: tuple[Draft, ...]
    """Of the SQL files that can be read, in the order of the paths."""
    order: tuple[TableName, ...]
    """Their tables, upstream first."""
    setting: Setting
    workshop: Workshop
    asked: tuple[Asked, ...]
    """What the `sql` steps of all workflows ask, as far as it can be read."""


def load_fresh(snapshot: Snapshot, choice: Choice, cache_dir: Path | None) -> Project:
    """Load a project that changed; ProjectError carries every fault."""
    cache = draft_cache(cache_dir)
    outcome = assemble(snapshot, choice, cache)
    cache.save()
    if outcome.project is None:
        raise ProjectError(outcome.faults)
    return outcome.project


def draft_cache(cache_dir: Path | None) -> Cache:
    """Open what is remembered of single files."""
    return Cache(cache_dir / "drafts.pickle" if cache_dir is not None else None)


def assemble(snapshot: Snapshot, choice: Choice, cache: Cache) -> Outcome:
    """Read every file of the snapshot and put them together."""
    texts, faults = _texts(snapshot)
    setting = read_setting(
        texts.get(CONFIG),
        environment=choice.environment,
        variables=choice.variables,
        values=choice.values,
    )
    naming = name_files(tuple(texts))
    digests = {file.path: file.digest for file in snapshot.files}
    workshop = Workshop(texts, digests, naming, setting, cache)
    drafted, macro_faults = workshop.draft_all()
    drafts = tuple(one.draft for one in drafted if one.draft is not None)
    names = {name: path for path, name in naming.tables}
    linked = link(
        drafts, names=names, setting=setting, trace=workshop.trace, redraft=workshop.redraft
    )
    functions, function_faults = read_functions(
        texts, snapshot, setting, workflows=[name for _, name in naming.workflows]
    )
    surroundings = _surroundings(snapshot, linked, drafted, naming, setting)
    timed = dict.fromkeys(names, ()) | {draft.name: draft.time_columns for draft in drafts}
    read = _workflows(texts, naming, surroundings, workshop, timed)
    workflows = read.workflows
    scene = _scene(drafts, linked, workshop, workflows)
    faults += [*setting.faults, *naming.faults, *macro_faults]
    faults += [fault for one in drafted for fault in one.faults]
    faults += [*linked.faults, *source_faults(setting, names), *_shared(setting, names)]
    faults += personal_faults(setting, sorted({name.database for name in names}))
    faults += [*find_faults(scene), *mart_faults(scene.subjects, setting), *read.faults]
    faults += _exports(workflows, read.places, scene)
    faults += _personal(read, workshop, linked.tables, scene)
    faults += [*function_faults, *stream_faults(setting, functions, surroundings.functions)]
    found = tuple(sorted(set(faults)))
    project = None if found else _project(snapshot, setting, linked.tables, workflows, functions)
    order = tuple(table.name for table in linked.tables)
    warnings = find_warnings(scene)
    return Outcome(project, found, warnings, drafts, order, setting, workshop, read.asked)


def _texts(snapshot: Snapshot) -> tuple[dict[str, str], list[Fault]]:
    texts: dict[str, str] = {}
    faults: list[Fault] = []
    for file in snapshot.files:
        text, found = decode(file)
        faults += found
        if not found:
            texts[file.path] = text
    return texts, faults


def _shared(setting: Setting, names: Mapping[TableName, str]) -> Iterator[Fault]:
    if setting.config is not None:
        databases = sorted({name.database for name in names})
        yield from shared_databases(setting.config, databases, setting.places)


def _project(
    snapshot: Snapshot,
    setting: Setting,
    tables: tuple[Table, ...],
    workflows: tuple[NamedWorkflow, ...],
    functions: tuple[NamedFunction, ...],
) -> Project:
    if setting.config is None or setting.environment is None:
        raise AssertionError("a wrong config.yaml without a fault")
    return Project(
        root=snapshot.root,
        config=setting.config,
        environment_name=setting.environment_name,
        environment=setting.environment,
        tables=tables,
        workflows=workflows,
        lambdas=tuple(one.name for one in functions if not one.name.startswith(BUILTIN)),
        functions=functions,
    )


# --- rules --------------------------------------------------------------------------------------


def _scene(
    drafts: Sequence[Draft],
    linked: Linked,
    workshop: Workshop,
    workflows: Sequence[NamedWorkflow],
) -> Scene:
    by_name = {draft.name: draft for draft in drafts}
    subjects = tuple(_subject(table, by_name[table.name], workshop) for table in linked.tables)
    timed = {
        table.name: tuple(column for column, _ in table.partitioning.time)
        for table in linked.tables
        if table.partitioning.time and table.kind in (Kind.CTAS, Kind.INSERT)
    }
    environment, config = workshop.setting.environment, workshop.setting.config

    return Scene(
        subjects,
        timed,
        loader="native" if environment is None else environment.loader,
        marts={} if environment is None else {n: m.engine for n, m in environment.marts.items()},
        retried=retried_loads(workflows, linked.tables),
        pii_databases=config.pii_databases if config is not None else None,
        place_of_step=_places_of_steps(drafts, workshop),
    )


def _places_of_steps(
    drafts: Sequence[Draft], workshop: Workshop
) -> Callable[[PersonalStep], Place]:
    by_name = {str(draft.name): draft for draft in drafts}

    def place(step: PersonalStep) -> Place:
        draft = by_name[step.table]
        placed = draft if knows_places(draft) else workshop.redraft(draft)
        return placed.rendered.locate(step.offset)

    return place


def _subject(table: Table, draft: Draft, workshop: Workshop) -> Subject:
    def place(upstream: TableName) -> Place:
        return place_of_read(draft, upstream, workshop.redraft)

    return Subject(
        table=table,
        places=draft.places,
        partition_count=count_partitions(table.header),
        writers=writers(table.header),
        place_of_read=place,
    )


# --- workflows ----------------------------------------------------------------------------------


def _surroundings(
    snapshot: Snapshot,
    linked: Linked,
    drafted: Sequence[Drafted],
    naming: Naming,
    setting: Setting,
) -> Surroundings:
    """Describe the tables to the workflows; a file with faults still stands for its table."""
    linked_names = {table.name for table in linked.tables}
    missing = [
        _stand_in(name, path, one.header)
        for (path, name), one in zip(naming.tables, drafted, strict=True)
        if name not in linked_names
    ]
    paths = {file.path for file in snapshot.files}
    borrowing = tuple(
        name for name in snapshot.incomplete_lambdas if f"{LAMBDAS}/{name}/{SETTINGS}" in paths
    )
    """They have the code of a bundled function, or a fault of their own."""
    return Surroundings(
        tables=(*linked.tables, *missing),
        tables_complete=not missing,
        functions=(*snapshot.lambdas, *borrowing),
        incomplete_functions=tuple(
            name for name in snapshot.incomplete_lambdas if name not in borrowing
        ),
        builtins=snapshot.builtins,
        timezone=setting.timezone,
        written=written_by(setting, sorted({name.database for _, name in naming.tables})),
        setting=setting,
        workflows=tuple(name for _, name in naming.workflows),
        environment=setting.environment,
    )


def _stand_in(name: TableName, path: str, header: Header | None) -> Table:
    known = header if header is not None else Header()
    return Table(name, path, known, known.resolved_kind(), SqlText(()), 0, (), (), (), "")


@dataclass(frozen=True, slots=True)
class _Workflows:
    """The workflow files that can be read, and what is wrong with all of them."""

    workflows: tuple[NamedWorkflow, ...]
    faults: tuple[Fault, ...]
    places: Mapping[str, Places]
    asked: tuple[Asked, ...]


def _workflows(
    texts: Mapping[str, str],
    naming: Naming,
    surroundings: Surroundings,
    workshop: Workshop,
    timed: Mapping[TableName, tuple[str, ...]],
) -> _Workflows:
    found: list[NamedWorkflow] = []
    faults: list[Fault] = []
    places: dict[str, Places] = {}
    asked: list[Asked] = []
    for path, name in naming.workflows:
        file = read_workflow(texts[path], file=path, name=name)
        faults += file.faults
        if file.named is not None:
            faults += workflow_faults(file.named.workflow, file.places, surroundings)
            queries, wrong = step_queries(file.named, file.places, workshop, timed)
            faults += wrong
            faults += column_faults(file.named.workflow, file.places, queries)
            asked += queries
            found.append(replace(file.named, queries={one.step: one.query for one in queries}))
            places[name] = file.places
    by_name = {named.name: named.workflow for named in found}
    faults += [*workflow_cycles(by_name, places), *grain_faults(by_name, places)]
    return _Workflows(tuple(found), tuple(faults), places, tuple(asked))


def _personal(
    read: _Workflows, workshop: Workshop, tables: tuple[Table, ...], scene: Scene
) -> Iterator[Fault]:
    """Refuse what steps ask, or run elsewhere, with personal data unmasked."""
    setting = workshop.setting
    personal = personal_of(tables, setting)
    if not personal.columns:
        return
    columns = schemas_of(tables, setting)
    yield from value_faults(read.asked, personal, columns, scene.place_of_step)
    databases = {table.database: str(table.name.database) for table in tables}
    lake = Lake(personal, columns, databases, scene.place_of_step)
    yield from warehouse_faults(read.workflows, read.places, workshop.texts, lake)


def _exports(
    workflows: Sequence[NamedWorkflow], places: Mapping[str, Places], scene: Scene
) -> Iterator[Fault]:
    """Refuse steps that would bring personal data out of the lake unmasked."""
    tables = [subject.table for subject in scene.subjects]
    for named in workflows:
        for name, step in named.workflow.steps.items():
            for table in exported_tables(step, tables):
                yield from export_faults(
                    table,
                    exported_columns(step, table.name),
                    place=places[named.name].key("steps", name),
                    place_of_step=scene.place_of_step,
                )
