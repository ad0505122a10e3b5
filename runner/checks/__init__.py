"""Rules over loaded tables: unsafe or meaningless combinations, one file for each topic.

In: a `Scene`.  Out: faults (`find_faults`) and warnings (`find_warnings`).  The registry is the
tuple below, written by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.checks import (
    backfills,
    columns,
    header_tests,
    iceberg,
    inputs,
    kinds,
    load_settings,
    loads,
    pii,
    size,
    storage,
    writers,
)
from runner.checks.scene import Rule, Scene, Subject

if TYPE_CHECKING:
    from runner.errors import Fault

__all__ = ["RULES", "Rule", "Scene", "Subject", "find_faults", "find_warnings"]

RULES: tuple[Rule, ...] = (
    *kinds.RULES,
    *writers.RULES,
    *columns.RULES,
    *loads.RULES,
    *load_settings.RULES,
    *inputs.RULES,
    backfills.RULE,
    *header_tests.RULES,
    *storage.RULES,
    *iceberg.RULES,
    *pii.RULES,
    *size.RULES,
)


def find_faults(scene: Scene) -> tuple[Fault, ...]:
    """Give what must be mended before anything is compiled."""
    return _find(scene, "error")


def find_warnings(scene: Scene) -> tuple[Fault, ...]:
    """Give what is allowed and worth knowing."""
    return _find(scene, "warning")


def _find(scene: Scene, severity: str) -> tuple[Fault, ...]:
    rules = [rule for rule in RULES if rule.severity == severity]
    found = [f for subject in scene.subjects for rule in rules for f in rule.find(subject, scene)]
    return tuple(dict.fromkeys(found))
