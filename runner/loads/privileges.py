"""What a user may do with a schema, read from SHOW GRANTS.

In: its lines and the schema's name.  Out: privileges, or None when the lines do not tell: roles,
revocations and grants on single tables are left to the server.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAME = r"\*|`(?:[^`]|``)*`"
_GRANT = re.compile(
    rf"GRANT (?P<what>.+?) ON (?:TABLE )?(?P<schema>{_NAME})\.(?P<table>{_NAME}) TO ", re.IGNORECASE
)
_ELSEWHERE = re.compile(r"GRANT .+? ON (?:FUNCTION|PROCEDURE|PACKAGE) |GRANT PROXY ", re.IGNORECASE)
_ALL = frozenset({"ALL", "ALL PRIVILEGES"})
ALL_PRIVILEGES = frozenset({"ALL PRIVILEGES"})


def privileges_of(lines: Iterable[str], database: str) -> frozenset[str] | None:
    """Give the privileges on a schema.

    >>> sorted(privileges_of(["GRANT INSERT, SELECT ON `mart`.* TO `ana`@`%`"], "mart"))
    ['INSERT', 'SELECT']
    """
    found: set[str] = set()
    for line in lines:
        match = _GRANT.match(line)
        if match is None:
            if _ELSEWHERE.match(line):
                continue
            return None
        if not _covers(match["schema"], database):
            continue
        if match["table"] != "*":
            return None
        words = {word.strip().upper() for word in match["what"].split(",")}
        found |= ALL_PRIVILEGES if words & _ALL else words
    return frozenset(found)


def _covers(pattern: str, database: str) -> bool:
    """Match a schema's name with a grant's pattern, in which _ and % are wildcards."""
    if pattern == "*":
        return True
    text = pattern[1:-1].replace("``", "`")
    pieces = re.findall(r"\\[_%]|.", text, re.DOTALL)
    wild = {"_": ".", "%": ".*"}
    return bool(
        re.fullmatch("".join(wild.get(p, re.escape(p[-1])) for p in pieces), database, re.DOTALL)
    )
