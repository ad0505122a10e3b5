"""What lies in the lake of a little project."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.app.bundle import open_bundle
from runner.app.local_places import open_places

if TYPE_CHECKING:
    from pathlib import Path

    from runner.app.local_places import Local


def opened(root: Path) -> Local:
    """Open the local environment."""
    return open_places(root, open_bundle(root), now=lambda: datetime.now(UTC))


def files(root: Path) -> set[str]:
    """Give every key of the lake, without the manifests of loads."""
    storage = opened(root).storage()
    return {one.key for one in storage.list("") if not one.key.startswith("_runner/loads/")}
