"""Tells what a user of a campaign cost."""

from __future__ import annotations

from typing import Any


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Divide; a campaign by which nobody registered has no cost per user."""
    cost, registered = int(event["cost_cents"]), int(event["registered"])
    return {
        "campaign": event["campaign"],
        "cents_per_user": round(cost / registered) if registered else None,
    }
