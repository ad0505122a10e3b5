"""What a user's file asks for beside what is derived from it: actions on resources."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from runner.model.header import Strict

_Action = Annotated[str, Field(pattern=r"^(\*|[a-z0-9-]+:[A-Za-z0-9*?]+)$")]


class Permission(Strict):
    """Actions that a role is allowed on resources."""

    actions: tuple[_Action, ...] = Field(
        min_length=1, description="Actions of IAM, such as dynamodb:PutItem."
    )
    resources: tuple[str, ...] = Field(min_length=1, description="ARNs; * stands for any.")
