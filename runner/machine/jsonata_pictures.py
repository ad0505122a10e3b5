"""The rules for the pictures of `$formatNumber`, in the order in which JSONata checks them.

In: a picture and options.  Out: nothing, or D3080 to D3093.  The library checks fewer of them.
"""

from __future__ import annotations

from typing import NamedTuple

from runner.machine.jsonata_errors import Complaint


class _Marks(NamedTuple):
    """The characters that mean something in a picture."""

    point: str
    group: str
    exponent: str
    percent: str
    mille: str
    optional: str
    split: str
    digits: frozenset[str]

    def is_active(self, sign: str) -> bool:
        signs = {self.point, self.group, self.exponent, self.optional}
        return sign in signs or sign in self.digits


_NAMES = (
    ("decimal-separator", "."),
    ("grouping-separator", ","),
    ("exponent-separator", "e"),
    ("percent", "%"),
    ("per-mille", "\u2030"),
    ("digit", "#"),
    ("pattern-separator", ";"),
)


def check_picture(picture: str, options: object) -> None:
    """Refuse a picture that breaks a rule."""
    given = options if isinstance(options, dict) else {}
    zero = ord((str(given.get("zero-digit", "0")) or "0")[0])
    digits = frozenset(chr(min(zero + step, 0x10FFFF)) for step in range(10))
    point, group, exponent, percent, mille, optional, split = (
        str(given.get(name, sign)) for name, sign in _NAMES
    )
    marks = _Marks(point, group, exponent, percent, mille, optional, split, digits)
    parts = picture.split(marks.split) if marks.split else [picture]
    if len(parts) > 2:  # noqa: PLR2004
        raise Complaint("D3080")
    for part in parts:
        _check_part(part, marks)


def _check_part(part: str, marks: _Marks) -> None:
    for code, sign in (("D3081", marks.point), ("D3082", marks.percent), ("D3083", marks.mille)):
        if part.count(sign) > 1:
            raise Complaint(code)
    if marks.percent in part and marks.mille in part:
        raise Complaint("D3084")
    places = [
        at for at, sign in enumerate(part) if marks.is_active(sign) and sign != marks.exponent
    ]
    first, last = (places[0], places[-1] + 1) if places else (len(part), len(part))
    active = part[first:last]
    mantissa, found, exponent = active.partition(marks.exponent)
    if not any(sign in marks.digits or sign == marks.optional for sign in mantissa):
        raise Complaint("D3085")
    if not all(map(marks.is_active, active)):
        raise Complaint("D3086")
    whole, pointed, fraction = mantissa.partition(marks.point)
    _check_groups(part, whole, marks)
    _check_order(whole, fraction if pointed else part[last:], marks)
    if found and exponent and (marks.percent in part or marks.mille in part):
        raise Complaint("D3092")
    if found and (not exponent or not all(sign in marks.digits for sign in exponent)):
        raise Complaint("D3093")


def _check_groups(part: str, whole: str, marks: _Marks) -> None:
    if marks.point in part:
        beside = (marks.group + marks.point, marks.point + marks.group)
        if any(pair in part for pair in beside):
            raise Complaint("D3087")
    elif whole.endswith(marks.group):
        raise Complaint("D3088")
    if marks.group * 2 in part:
        raise Complaint("D3089")


def _check_order(whole: str, fraction: str, marks: _Marks) -> None:
    before = whole.partition(marks.optional)[0] if marks.optional in whole else ""
    if any(sign in marks.digits for sign in before):
        raise Complaint("D3090")
    behind = fraction.rpartition(marks.optional)[2] if marks.optional in fraction else ""
    if any(sign in marks.digits for sign in behind):
        raise Complaint("D3091")
