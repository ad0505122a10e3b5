"""Small projects that tests write: a good one, and changes to it."""

from __future__ import annotations

import shutil
from pathlib import Path

BASE = Path(__file__).parent.parent / "broken" / "_base"
INSERT = """/*---
partition:
  dt: {type: date, format: yyyy-MM-dd, range: "2013-01-01,NOW+1DAYS"}
---*/
SELECT shop, dt FROM staging.events
WHERE dt BETWEEN '{{ start }}' AND '{{ end }}'
"""


def good_project(folder: Path) -> Path:
    root = folder / "project"
    shutil.copytree(BASE, root)
    return root


def write_files(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return root
