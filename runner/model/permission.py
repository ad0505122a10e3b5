"""What a user's file asks for beside what is derived from it: actions on resources."""

from __future__ import annotations

from pydantic import Field

from runner.model.header import Strict


class Permission(Strict):
    """Actions that a role is allowed on resources."""

    actions: tuple[str, ...] = Field(
        min_length=1, description="Actions of IAM, such as dynamodb:PutItem."
    )
    resources: tuple[str, ...] = Field(min_length=1, description="ARNs; * stands for any.")
