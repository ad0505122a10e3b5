"""One set of scenes for all tests of the matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.matrix.scenes import Scenes
from tests.support.forks import preload, swift_folder

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def scenes() -> Iterator[Scenes]:
    """The compiled project, and clean runs of it as they are needed."""
    preload()
    with swift_folder() as folder:
        yield Scenes(folder)
