"""Functions are deployed as they stand, so what two of them need stands in both: the same text."""

from __future__ import annotations

from pathlib import Path

import pytest

FUNCTIONS = Path(__file__).parents[2] / "runner" / "functions"


@pytest.mark.parametrize(
    ("module", "copies"),
    [
        ("flatten.py", {"firehose_flatten", "s3_flatten"}),
        ("often.py", {"firehose_flatten", "s3_flatten"}),
        ("reingest.py", {"dynamodb_to_csv", "firehose_flatten"}),
        (
            "skeleton.py",
            {"dynamodb_to_csv", "dynamodb_to_lake", "firehose_flatten", "s3_flatten"},
        ),
        ("shapes.py", {"dynamodb_to_csv", "dynamodb_to_lake"}),
        ("typed.py", {"dynamodb_to_csv", "dynamodb_to_lake"}),
    ],
)
def test_copies_are_the_same(module: str, copies: set[str]) -> None:
    found = {folder: FUNCTIONS / folder / module for folder in copies}
    assert len({path.read_bytes() for path in found.values()}) == 1
