"""Runs of these tests happen in the test's own process."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    """Undo what a run does for a process that ends after it: nothing is collected any more."""
    yield
    gc.unfreeze()
