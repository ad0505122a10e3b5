"""Looking into templates."""

from __future__ import annotations

from typing import Any


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Give the properties of the resources of a type, by logical id."""
    return {
        part: one["Properties"]
        for part, one in template["Resources"].items()
        if one["Type"] == f"AWS::{kind}"
    }


def only(template: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = of_type(template, kind).values()
    return found
