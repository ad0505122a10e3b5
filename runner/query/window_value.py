"""`start` and `end` as Jinja sees them: values that can be printed and moved, never looked at.

A printed value is one private character that stands for a `Mark` in the session's list; rendering
exchanges it.  Everything else (comparing, adding, looping, filters) raises a `TemplateFaultError`,
because the window is known only when a run starts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from runner.keeper.windows import split_pattern
from runner.model.sqltext import Mark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.model.names import TableName

FIRST_PLACEHOLDER = 0x100000
PLACEHOLDER = re.compile("[\U00100000-\U0010fffd]")
UNITS = ("hours", "days", "weeks", "months", "years")
_HOPELESS = "the window is known only when a run starts, and Jinja runs before, at compile time"


class TemplateFaultError(Exception):
    """What a template did wrong, without the place; raised inside Jinja's own code."""

    def __init__(
        self, code: str, *, found: str, expected: str, advice: str, name: str | None = None
    ) -> None:
        """Take the parts of the fault; `name` is the word to look for on the line."""
        super().__init__(found)
        self.code = code
        self.found = found
        self.expected = expected
        self.advice = advice
        self.name = name


@dataclass(slots=True)
class Session:
    """What one rendering collects: marks by their placeholders, and tables named by ref()."""

    marks: dict[Mark, str] = field(default_factory=dict)
    refs: list[TableName] = field(default_factory=list)

    def placeholder(self, mark: Mark) -> str:
        """Give the character that stands for the mark in this rendering."""
        return self.marks.setdefault(mark, chr(FIRST_PLACEHOLDER + len(self.marks)))

    def by_placeholder(self) -> dict[str, Mark]:
        """Give the marks by the characters that stand for them."""
        return {character: mark for mark, character in self.marks.items()}


class WindowValue:
    """`start`, `end`, or a value moved from one of them."""

    __slots__ = ("_mark", "_session")

    def __init__(self, mark: Mark, session: Session) -> None:
        self._mark = mark
        self._session = session

    def add(self, *args: object, **moves: object) -> WindowValue:
        """Move by hours, days, weeks, months and years, in the order in which they are written."""
        wrong = [name for name in moves if name not in UNITS]
        if args or wrong or not moves:
            what = f"{self._mark.base}.add({', '.join(map(repr, args)) or ', '.join(wrong)})"
            raise self._method_fault("add", what, f"units by name: {', '.join(UNITS)}")
        for unit, count in moves.items():
            if isinstance(count, bool) or not isinstance(count, int):
                what = f"{self._mark.base}.add({unit}={described(count)})"
                raise self._method_fault("add", what, "a whole number")
        return self._moved(*((unit, int(str(count))) for unit, count in moves.items()))

    def format(self, pattern: object = None, *args: object) -> WindowValue:
        """Print by a Java date pattern instead of the format of the table's time column."""
        base = self._mark.base
        if args or not isinstance(pattern, str) or not pattern:
            raise self._method_fault("format", f"{base}.format(...)", "one Java date pattern")
        try:
            split_pattern(pattern)
        except ValueError as error:
            expected = "a Java date pattern of yyyy, MM, dd, HH and separators"
            raise self._method_fault("format", str(error), expected) from None
        if "'" in pattern:
            expected = "a pattern without quotes, because it stands inside SQL"
            raise self._method_fault("format", f"the pattern {pattern!r}", expected)
        return WindowValue(Mark(base, self._mark.steps, pattern), self._session)

    @property
    def day_start(self) -> WindowValue:
        """The first moment of the value's day."""
        return self._moved(("day_start", 0))

    @property
    def week_start(self) -> WindowValue:
        """The Monday of the value's week."""
        return self._moved(("week_start", 0))

    @property
    def month_start(self) -> WindowValue:
        """The first day of the value's month."""
        return self._moved(("month_start", 0))

    @property
    def month_end(self) -> WindowValue:
        """The last day of the value's month."""
        return self._moved(("month_end", 0))

    @property
    def year_start(self) -> WindowValue:
        """The first day of the value's year."""
        return self._moved(("year_start", 0))

    @property
    def year_end(self) -> WindowValue:
        """The last day of the value's year."""
        return self._moved(("year_end", 0))

    def printed(self) -> str:
        """Give the character that stands for the value in the rendered text."""
        return self._session.placeholder(self._mark)

    def _moved(self, *steps: tuple[str, int]) -> WindowValue:
        mark = self._mark
        return WindowValue(Mark(mark.base, (*mark.steps, *steps), mark.format), self._session)

    def _method_fault(self, method: str, found: str, expected: str) -> TemplateFaultError:
        base = self._mark.base
        example = {"add": f"{base}.add(days=-7)", "format": f"{base}.format('yyyyMM')"}[method]
        return TemplateFaultError(
            "jinja-window-method",
            found=found,
            expected=expected,
            advice=f"write it like {{{{ {example} }}}}",
            name=method,
        )

    def _refuse_comparison(self, *_: object) -> NoReturn:
        base = self._mark.base
        raise logic_fault(
            f"`{base}` in a Jinja comparison or condition",
            f"compare in SQL, where it has its value: CASE WHEN dt >= '{{{{ {base} }}}}' THEN ...",
            base,
        )

    def _refuse_arithmetic(self, *_: object) -> NoReturn:
        base = self._mark.base
        raise logic_fault(
            f"arithmetic on `{base}`", f"move it by name: {{{{ {base}.add(days=-7) }}}}", base
        )

    def _refuse_text(self, *_: object) -> NoReturn:
        base = self._mark.base
        raise logic_fault(
            f"`{base}` used as text (a filter, `~`, or %)",
            f"print it by itself: '{{{{ {base} }}}}', or {{{{ {base}.format('yyyyMM') }}}}",
            base,
        )

    def _refuse_loop(self, *_: object) -> NoReturn:
        base = self._mark.base
        raise logic_fault(
            f"a loop over, or an item of, `{base}`",
            "let SQL do it: WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'",
            base,
        )

    def __getitem__(self, key: object) -> NoReturn:
        """Refuse items; Jinja tries this after an attribute was not found."""
        if isinstance(key, str):
            raise KeyError(key)
        self._refuse_loop()

    def _refuse_call(self, *_: object, **__: object) -> NoReturn:
        base = self._mark.base
        raise logic_fault(f"`{base}(...)`", f"it is a value: {{{{ {base} }}}}", base)

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse_comparison
    __bool__ = __hash__ = _refuse_comparison
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse_arithmetic
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _refuse_arithmetic
    __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __pos__ = _refuse_arithmetic
    __int__ = __float__ = __index__ = _refuse_arithmetic
    __str__ = __format__ = _refuse_text
    __iter__ = __len__ = __contains__ = _refuse_loop
    __call__ = _refuse_call


class MarkedText(str):
    """Text of a macro or a `set` block that holds a printed mark: to be printed, not looked at."""

    __slots__ = ()

    def _refuse(self, *_: object) -> NoReturn:
        raise logic_fault(
            "text that holds a printed `start` or `end`, used in Jinja logic",
            "only print it; compare in SQL",
            None,
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __hash__ = __len__ = __iter__ = __getitem__ = __contains__ = _refuse
    __mod__ = __rmod__ = __mul__ = __rmul__ = _refuse


def logic_fault(found: str, advice: str, name: str | None) -> TemplateFaultError:
    """Say that a run-time value was used at compile time."""
    return TemplateFaultError(
        "jinja-window-logic", found=found, expected=_HOPELESS, advice=advice, name=name
    )


def described(value: object) -> str:
    """Say what a value is, for a fault."""
    match value:
        case WindowValue():
            return "a window value"
        case list() | tuple():
            return f"a list of {len(value)}"
        case dict():
            return "a mapping"
        case str() | int() | float():
            return repr(value)
        case _:
            return f"an object ({type(value).__name__})"


def join_marked(pieces: Iterable[str]) -> str:
    """Join a block's output, remembering when a mark was printed in it (Jinja's `concat`)."""
    text = "".join(pieces)
    if text.isascii() or PLACEHOLDER.search(text) is None:
        return text
    return MarkedText(text)
