"""What is known of statements that differ in whole numbers only, while a process runs.

In: statements and their translations.  Out: the translation of a like statement, where none of
the numbers in which they differ was read; see families.py.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from runner.local.athena.errors import AthenaFailure
from runner.local.athena.lexer import tokenize
from runner.local.athena.shape import Shape, shape_of, whole_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from runner.local.athena.template import Template

_FAMILIES = 256
_TRIALS = 5
"""Translations at most to find the numbers that none reads; then there are none."""
_VARIANTS = 16
"""Templates of a family, which differ in the numbers that are read."""


class Family:
    """Statements that differ in whole numbers only."""

    def __init__(self, database: str, numbers: Collection[int]) -> None:
        """Take the places of the numbers' tokens."""
        self.database = database
        self._free = frozenset(numbers)
        self._seen = 0
        self._templates: dict[str, Template] = {}

    def find(self, sql: str) -> tuple[Template, Shape] | None:
        """Give the template that holds for a statement, if there is one, and its shape."""
        if not self._templates:
            return None
        shape = shape_of(sql, tokenize(sql), self._free)
        template = self._templates.get(shape.text)
        return None if template is None else (template, shape)

    def learn(self, sql: str, plain: Template, translate: Callable[[Shape], Template]) -> None:
        """See which numbers the translation does not read; from the second statement on.

        `plain` is what the statement's own translation gave.
        """
        self._seen += 1
        if self._seen > 1 and self._free:
            self._free = self._tried(sql, plain, translate)

    def _tried(
        self, sql: str, plain: Template, translate: Callable[[Shape], Template]
    ) -> frozenset[int]:
        from runner.local.athena.families import WATCHED, Looked  # noqa: PLC0415 - brings sqlglot

        free, tokens = set(self._free), tokenize(sql)
        for _ in range(_TRIALS if WATCHED else 0):
            shape = shape_of(sql, tokens, free)
            try:
                found = translate(shape)
            except Looked as looked:
                free.discard(shape.numbers[looked.number])
                if free:
                    continue
            except AthenaFailure:
                break
            else:
                if found.fill(shape) == plain and len(self._templates) < _VARIANTS:
                    self._templates[shape.text] = found
                    return frozenset(free)
            break
        return frozenset()


class Families:
    """The families of the statements that a process saw last."""

    def __init__(self) -> None:
        """Start with none."""
        self._known: dict[tuple[str, str], Family] = {}
        self._lock = threading.Lock()

    def of(self, sql: str, database: str) -> Family | None:
        """Give a statement's family; None if it has no numbers that could be others."""
        tokens = tokenize(sql)
        numbers = whole_numbers(sql, tokens)
        if not numbers:
            return None
        key = (database, shape_of(sql, tokens, numbers).text)
        with self._lock:
            family = self._known.pop(key, None) or Family(database, numbers)
            self._known[key] = family
            if len(self._known) > _FAMILIES:
                del self._known[next(iter(self._known))]
        return family
