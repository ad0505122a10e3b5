"""Events that start an execution: which period an object's key names.

In: a trigger as the definition says it, and the key of the object that arrived.  Out: the label of
the period and its grain.  A template is plain text with {year}, {month}, {day} and {hour} in it;
it follows the trigger's prefix, and whatever follows it does not matter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from . import windows
from .faults import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACEHOLDERS = ("year", "month", "day", "hour")
"""From coarse to fine: each needs all before it."""
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_DIGITS = {"year": r"\d{4}", "month": r"\d{2}", "day": r"\d{2}", "hour": r"\d{2}"}
_SEPARATORS = {"year": "", "month": "-", "day": "-", "hour": "T"}


def grain_of(template: str) -> str:
    """Give the grain of the period that a template names; ValueError where it names none.

    >>> grain_of("dt={year}-{month}-{day}/")
    'day'
    """
    names = _PLACEHOLDER.findall(template)
    unknown = [name for name in names if name not in PLACEHOLDERS]
    if unknown:
        raise ValueError(f"{{{unknown[0]}}}, which is no part of a period")
    if "{" in _PLACEHOLDER.sub("", template) or "}" in _PLACEHOLDER.sub("", template):
        raise ValueError("a brace without its other one")
    if not names:
        raise ValueError("no {year} in it")
    finest = max(map(PLACEHOLDERS.index, names))
    missing = [name for name in PLACEHOLDERS[:finest] if name not in names]
    if missing:
        raise ValueError(f"{{{PLACEHOLDERS[finest]}}} without {{{missing[0]}}}")
    return PLACEHOLDERS[finest]


def head_of(template: str) -> str:
    """Give the plain text that a template begins with.

    >>> head_of("dt={year}-{month}/")
    'dt='
    """
    return template.partition("{")[0]


def window(trigger: Mapping[str, Any], key: object, grain: str) -> tuple[str, str]:
    """Give the window, in the workflow's grain, of the period that the key names.

    Keys that arrive URL-encoded are read too.  InvalidInput for a key that does not fit: nothing
    may pass in silence that looks like data and is not loaded.
    """
    template, prefix = trigger["period"], trigger["prefix"]
    if not isinstance(key, str):
        raise InvalidInput("this trigger takes its window from the object's key; give key")
    fits = re.compile(re.escape(prefix) + _expression(template))
    found = fits.match(key) or fits.match(unquote_plus(key))
    if found is None:
        raise InvalidInput(f"the key {key!r} does not fit {prefix + template!r}")
    period_grain = grain_of(template)
    names = PLACEHOLDERS[: PLACEHOLDERS.index(period_grain) + 1]
    label = "".join(_SEPARATORS[name] + found[name] for name in names)
    try:
        windows.parse_civil(label, period_grain)
        return windows.regrain(label, label, period_grain, grain)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            f"the key {key!r} names {label!r}, which is no {period_grain} ({prefix + template!r})"
        ) from error


def _expression(template: str) -> str:
    """Write a template as a regular expression; what is named twice must be the same twice."""
    parts, seen, position = [], set(), 0
    for found in _PLACEHOLDER.finditer(template):
        parts.append(re.escape(template[position : found.start()]))
        name, position = found[1], found.end()
        parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>{_DIGITS[name]})")
        seen.add(name)
    return "".join([*parts, re.escape(template[position:])])
