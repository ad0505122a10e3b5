"""Members of a request to Athena, read and checked with Athena's words.

In: the JSON object of a request.  Out: values of the type that is asked for, or a Refusal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from runner.local.wire.json11 import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_PAGE = 50
_WORK_GROUP = re.compile(r"[a-zA-Z0-9._-]{1,128}")
_KINDS = {bool: "a Boolean", int: "an Integer", str: "a String"}


class Members:
    """The members of one request."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        """Take them; a member that is null counts as absent."""
        self._given = {name: value for name, value in given.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        """Tell whether a member is there."""
        return name in self._given

    def raw(self) -> dict[str, Any]:
        """Give all members as they came."""
        return dict(self._given)

    def text(self, name: str, *, least: int = 1, most: int = 0, default: str | None = None) -> str:
        """Give a text; it must be there unless it has a default."""
        value = self._typed(name, str, default)
        if value is None:
            raise invalid_value(name, "Member must not be null")
        if name in self._given and len(value) < least:
            raise invalid_value(name, f"Member must have length greater than or equal to {least}")
        if most and len(value) > most:
            raise invalid_value(name, f"Member must have length less than or equal to {most}")
        return str(value)

    def number(self, name: str, default: int, *, least: int = 0, most: int = 0) -> int:
        """Give a whole number within bounds."""
        value = self._typed(name, int, default)
        if name in self._given and value < least:
            raise invalid_value(name, f"Member must have value greater than or equal to {least}")
        if most and value > most:
            raise invalid_value(name, f"Member must have value less than or equal to {most}")
        return int(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Give a truth value."""
        return bool(self._typed(name, bool, default))

    def structure(self, name: str) -> Members:
        """Give a structure's members; none if it is absent."""
        return Members(self.mapping(name))

    def mapping(self, name: str) -> dict[str, Any]:
        """Give a structure or map as it came; empty if it is absent."""
        value = self._given.get(name, {})
        if not isinstance(value, dict):
            raise Refusal("SerializationException", "Expected null")
        return value

    def texts(self, name: str, *, most: int = MOST_PAGE) -> tuple[str, ...]:
        """Give a list of texts; it must be there and not be empty."""
        values = self.items(name)
        wrong = [each for each in values if not isinstance(each, str)]
        if wrong:
            raise Refusal("SerializationException", _mismatch(wrong[0], str))
        if not values:
            raise invalid_value(name, "Member must have length greater than or equal to 1")
        if len(values) > most:
            raise invalid_value(name, f"Member must have length less than or equal to {most}")
        return tuple(values)

    def items(self, name: str) -> Sequence[Any]:
        """Give a list as it came; empty if it is absent."""
        value = self._given.get(name, [])
        if not isinstance(value, list):
            raise Refusal("SerializationException", "Expected list or null")
        return value

    def work_group(self, name: str = "WorkGroup", *, default: str | None = "primary") -> str:
        """Give a work group's name."""
        found = self.text(name, default=default)
        if not _WORK_GROUP.fullmatch(found):
            raise invalid_value(
                name, "Member must satisfy regular expression pattern: [a-zA-Z0-9._-]{1,128}"
            )
        return found

    def page(self, *, least: int = 1, most: int = MOST_PAGE) -> tuple[str, int]:
        """Give NextToken (empty for the first page) and MaxResults."""
        token = self.text("NextToken", most=1024, default="")
        return token, self.number("MaxResults", most, least=least, most=most) or most

    def _typed(self, name: str, kind: type, default: object) -> Any:  # noqa: ANN401 - any of these
        value = self._given.get(name, default)
        wrong = isinstance(value, bool) and kind is not bool
        if value is not None and (wrong or not isinstance(value, kind)):
            raise Refusal("SerializationException", _mismatch(value, kind))
        return value


def _mismatch(value: object, kind: type) -> str:
    match value:
        case bool():
            found = f"{str(value).upper()}_VALUE"
        case int() | float():
            found = "NUMBER_VALUE"
        case str():
            found = "STRING_VALUE"
        case _:
            return "Start of structure or map found where not expected."
    return f"{found} can not be converted to {_KINDS[kind]}"


def refused(message: str, *, detail: str = "INVALID_INPUT") -> Refusal:
    """Make InvalidRequestException with its AthenaErrorCode."""
    return Refusal("InvalidRequestException", message, details={"AthenaErrorCode": detail})


def invalid_value(name: str, constraint: str) -> Refusal:
    """Make the refusal of a member's value."""
    member = name[0].lower() + name[1:]
    return refused(
        f"1 validation error detected: Value at '{member}' failed to satisfy constraint: "
        f"{constraint}"
    )


def page_of(names: Sequence[str], token: str, most: int) -> tuple[Sequence[str], dict[str, str]]:
    """Give a page of sorted names behind a token, and the next page's NextToken if there is one."""
    behind = [name for name in names if name > token]
    if len(behind) <= most:
        return behind, {}
    return behind[:most], {"NextToken": behind[most - 1]}
