"""Runs of these tests happen in the test's own process, and wait for nothing."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

import runner.app.local_places
from tests.matrix.clock import SwiftClock

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _swift(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Skip pauses; undo what a run does for a process that ends after it."""
    monkeypatch.setattr(runner.app.local_places, "WallClock", SwiftClock)
    yield
    gc.unfreeze()
