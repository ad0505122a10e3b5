"""Drafts of all SQL files: from the cache where nothing changed, else made now.

In: texts of the files, the setting, a cache.  Out: `Drafted`s.  The macro library, and with it
jinja2, is loaded when the first draft has to be made.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from runner.project.cache import Cache, key_of, versions
from runner.project.drafts import Draft, Drafted, SqlFile, draft_table, without_places
from runner.project.personal import masked_sources
from runner.query import Lineage, load_macros
from runner.query.source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.errors import Fault
    from runner.model.project import Column
    from runner.project.configuration import Setting
    from runner.project.naming import Naming
    from runner.query import MacroLibrary, MaskedSource


@dataclass(frozen=True)
class Workshop:
    """What drafts are made with; no slots, because the macros are loaded when first used."""

    texts: Mapping[str, str]
    digests: Mapping[str, str]
    """SHA-256 of each file by path."""
    naming: Naming
    setting: Setting
    cache: Cache

    @cached_property
    def _library(self) -> tuple[MacroLibrary, tuple[Fault, ...]]:
        paths = [path for path in self.naming.macros if path in self.texts]
        return load_macros([SourceFile(path, self.texts[path]) for path in paths])

    @property
    def library(self) -> MacroLibrary:
        """Give the macros of the project."""
        return self._library[0]

    @cached_property
    def _common_key(self) -> str:
        """Hash what every draft depends on beside its own file."""
        macros = [text for path in self.naming.macros for text in (path, self.digests[path])]
        values = [f"{n}={v!r}" for n, v in sorted(self.setting.variables.items())]
        masked = [f"{name}={source!r}" for name, source in sorted(self.masked.items())]
        return key_of([versions(), *macros, "/", *values, "/", self._default_format, *masked])

    @cached_property
    def masked(self) -> dict[str, MaskedSource]:
        """Give the sources that are read through masks."""
        return masked_sources(self.setting)

    @property
    def _default_format(self) -> str:
        config = self.setting.config
        return config.defaults.format if config is not None else "parquet"

    def draft_all(self) -> tuple[tuple[Drafted, ...], tuple[Fault, ...]]:
        """Draft every SQL file; beside them the faults of the macro files."""
        drafted = tuple(
            self._draft(SqlFile(path, name, self.texts[path], self.digests[path]))
            for path, name in self.naming.tables
        )
        fresh = any(one.draft is None or one.fresh for one in drafted)
        broken = fresh or (not drafted and self.naming.macros)
        return drafted, self._library[1] if broken else ()

    def key(self, file: SqlFile) -> str:
        """Hash everything that decides a file's draft."""
        return key_of([self._common_key, file.path, file.digest])

    def key_of_draft(self, draft: Draft) -> str:
        """Hash everything that decided a draft."""
        path = draft.file
        return self.key(SqlFile(path, draft.name, self.texts[path], self.digests[path]))

    def _draft(self, file: SqlFile) -> Drafted:
        key = self.key(file)
        known = self.cache.get(key)
        if isinstance(known, Draft):
            return Drafted(known, known.header, (), fresh=False)
        made = self._make(file)
        if made.draft is not None and not made.faults and not self._library[1]:
            self.cache.put(key, without_places(made.draft))
        return made

    def _make(self, file: SqlFile) -> Drafted:
        return draft_table(
            file,
            macros=self._library[0],
            variables=self.setting.variables,
            variables_known=self.setting.variables_known,
            default_format=self._default_format,
            masked=self.masked,
        )

    def trace(
        self,
        draft: Draft,
        tagged: Mapping[str, frozenset[str]],
        schemas: Mapping[str, tuple[Column, ...]],
    ) -> Lineage:
        """Follow tagged columns through a file; remembered with its draft and what it reads."""
        parts = [f"{table} {sorted(columns)}" for table, columns in sorted(tagged.items())]
        known = [f"{table} {columns!r}" for table, columns in sorted(schemas.items())]
        key = key_of([self.key_of_draft(draft), "lineage", *parts, "/", *known])
        found = self.cache.get(key)
        if isinstance(found, Lineage):
            return found
        from runner.query import trace  # noqa: PLC0415 - sqlglot, on a miss only

        made = trace(draft.rendered, draft.analysis, tagged=tagged, schemas=schemas)
        self.cache.put(key, made)
        return made

    def redraft(self, draft: Draft) -> Draft:
        """Make a cached draft again, for the places that it forgot."""
        text, digest = self.texts[draft.file], self.digests[draft.file]
        made = self._make(SqlFile(draft.file, draft.name, text, digest)).draft
        return made if made is not None else draft
