"""What `runner.query` offers, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import runner.query


def test_public_names() -> None:
    assert sorted(runner.query.__all__) == [
        "Analysis",
        "Carried",
        "CodeCache",
        "HeaderProblem",
        "HeaderSplit",
        "Lineage",
        "MacroLibrary",
        "MaskedSource",
        "Mention",
        "Rendered",
        "Resolved",
        "SourceFile",
        "TestSql",
        "TimeKey",
        "WindowFilter",
        "analyse",
        "check_columns",
        "check_projection",
        "column_values",
        "combinations",
        "external_schemas",
        "fingerprint",
        "literal_keys",
        "load_macros",
        "partition_count",
        "physical",
        "projection_parameters",
        "put_masks",
        "read_test_sql",
        "render",
        "resolve",
        "split_header",
        "time_key",
        "trace",
        "trace_statement",
        "without_itself",
    ]
    for name in runner.query.__all__:
        assert getattr(runner.query, name) is not None


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = runner.query.nothing_like_it


def test_cached_facts_need_no_heavy_library() -> None:
    code = (
        "import sys; from runner.query import Analysis, Rendered, resolve, physical, fingerprint;"
        "print([m for m in ('jinja2', 'sqlglot', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
