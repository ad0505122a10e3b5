"""Tags of work groups and data catalogues, by ARN.

In: Athena's tag operations.  Out: AWS's shapes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from runner.local.wire.json11 import Refusal
from runner.local.wire.members import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.local.wire.members import Members
    from runner.local.wire.registry import Registry

_KIND = "tags"
_ARN = re.compile(r"arn:[^:]+:athena:[^:]*:[^:]*:(workgroup/.+|datacatalog/.+)")
_MOST = 50


class Tags:
    """The tags of one Athena's resources."""

    def __init__(self, registry: Registry, *, exists: Callable[[str], bool]) -> None:
        """Take the file, and what tells whether `workgroup/x` or `datacatalog/x` is there."""
        self._registry = registry
        self._exists = exists

    def set(self, resource: str, tags: Sequence[Any]) -> None:
        """Add tags to a resource, or change them; raises Refusal."""
        given = {}
        for tag in tags:
            if not isinstance(tag, dict) or not isinstance(tag.get("Key"), str):
                raise refused("Tags must have a Key and a Value")
            given[tag["Key"]] = str(tag.get("Value") or "")
        if not given:
            return
        self._registry.add(_KIND, resource, {})
        self._registry.change(_KIND, resource, lambda before: _most({**before, **given}))

    def drop(self, resource: str) -> None:
        """Forget a resource's tags."""
        self._registry.remove(_KIND, resource)

    def tag(self, members: Members) -> dict[str, Any]:
        """Add tags."""
        self.set(self._resource(members), members.items("Tags"))
        return {}

    def untag(self, members: Members) -> dict[str, Any]:
        """Remove tags by their keys."""
        keys = set(members.texts("TagKeys", most=200))
        self._registry.change(
            _KIND,
            self._resource(members),
            lambda before: {key: value for key, value in before.items() if key not in keys},
        )
        return {}

    def list(self, members: Members) -> dict[str, Any]:
        """Give a resource's tags; they fit into one page."""
        found = self._registry.get(_KIND, self._resource(members))
        tags = found.content if found else {}
        return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}

    def _resource(self, members: Members) -> str:
        arn = members.text("ResourceARN", most=1011)
        match = _ARN.fullmatch(arn)
        if match is None:
            raise refused(f"Invalid resource ARN: {arn}")
        if not self._exists(match[1]):
            raise Refusal(
                "ResourceNotFoundException",
                f"Resource {arn} was not found",
                details={"ResourceName": arn},
            )
        return match[1]


def _most(tags: dict[str, Any]) -> dict[str, Any]:
    if len(tags) > _MOST:
        raise refused(f"A resource has at most {_MOST} tags")
    return tags
