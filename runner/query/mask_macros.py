"""`mask` in a template: every mask as a call, `{{ mask.domain('email') }}`.

In: SQL of a value as text.  Out: SQL text.  A macro or variable of the user's that is called `mask`
takes its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.model.sqltext import Mark
from runner.query import masking
from runner.query.window_value import MarkedText, TemplateFaultError, WindowValue, described

if TYPE_CHECKING:
    from runner.query.masking import Parts
    from runner.query.window_value import Session

_CODE = "jinja-mask"


class Masks:
    """The object `mask` of templates."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def null(self, value: object) -> str:
        """Print NULL of the value's type."""
        return self._text(masking.null(_sql("null", value)))

    def domain(self, value: object) -> str:
        """Print the domain of an e-mail address."""
        return self._text(masking.domain(_sql("domain", value)))

    def truncate(self, value: object, count: object) -> str:
        """Print the first characters of a text."""
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise _fault("truncate", described(count), "a whole number of characters, 1 or more")
        return self._text(masking.truncate(_sql("truncate", value), count))

    def constant(self, value: object) -> str:
        """Print one value."""
        if not isinstance(value, (str, int, float)) or isinstance(value, MarkedText):
            raise _fault("constant", described(value), "a text, a number, true or false")
        return self._text(masking.constant(value))

    def hash(self, value: object, key: object = None) -> str:
        """Print a keyed hash; the key is what a column of a table holds."""
        if not masking.is_key(key):
            expected = "'database.table.column' of the one row that holds the key"
            raise _fault("hash", "a key that is written out, or none", expected)
        return self._text(masking.keyed_hash(_sql("hash", value), str(key)))

    def age_decade(self, value: object, at: object = None) -> str:
        """Print the age in tens at a day: SQL of a date, `start` or `end` (if absent)."""
        day = masking.last_day()
        if isinstance(at, WindowValue):
            day = ("DATE '", at.format("yyyy-MM-dd").printed(), "'")
        elif at is not None:
            day = masking.day_of(_sql("age_decade", at))
        return self._text(masking.age_decade(_sql("age_decade", value), day))

    def custom(self, value: object) -> str:
        """Print an expression that is a mask because its writer says so."""
        return self._text(masking.enclosed("custom", _sql("custom", value)))

    def _text(self, parts: Parts) -> str:
        text = "".join(self._session.placeholder(p) if isinstance(p, Mark) else p for p in parts)
        return MarkedText(text) if not text.isascii() else text


def _sql(method: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _fault(method, described(value), "SQL of a value between quotes, such as 'email'")
    return value


def _fault(method: str, found: str, expected: str) -> TemplateFaultError:
    examples = {
        "truncate": "mask.truncate('name', 1)",
        "constant": "mask.constant('x')",
        "hash": "mask.hash('email', 'security.mask_key.key')",
        "age_decade": "mask.age_decade('birthday', end)",
    }
    example = examples.get(method, f"mask.{method}('email')")
    return TemplateFaultError(
        _CODE,
        found=f"mask.{method} with {found}",
        expected=expected,
        advice=f"write it like {{{{ {example} }}}}",
        name=method,
    )
