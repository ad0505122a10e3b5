"""Golden files: what was read by eye once, compared word for word ever after."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

UPDATE = "--update-golden"


def check_golden(path: Path, text: str, *, update: bool) -> None:
    """Compare a text with a golden file, or write the file where that is asked for."""
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{path} is missing; make it with {UPDATE}, then read it"
    assert text == path.read_text(encoding="utf-8"), (
        f"differs from {path.name}; if that is meant, run again with {UPDATE} and read the diff"
    )
