"""Objects that a deploy stores: definitions, packages, templates, each named by its content."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Artifact:
    """One object; another body has another URI, so that what is there is never replaced."""

    uri: str
    body: bytes
