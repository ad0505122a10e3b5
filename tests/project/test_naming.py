from __future__ import annotations

import pytest

from runner.project.naming import name_files


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("sql/marts/daily.sql", None),
        ("sql/marts/a1_b.sql", None),
        (f"sql/marts/{'a' * 100}.sql", None),
        (f"sql/marts/{'a' * 101}.sql", "bad-name"),
        ("sql/marts/1a.sql", "bad-name"),
        ("sql/marts/Daily.sql", "bad-name"),
        ("sql/marts/da-ily.sql", "bad-name"),
        ("sql/marts/ä.sql", "bad-name"),
        ("sql/Marts/daily.sql", "bad-name"),
        ("sql/marts/date.sql", "reserved-name"),
        ("sql/table/daily.sql", "reserved-name"),
        ("sql/marts__stage/daily.sql", "reserved-name"),
        ("sql/daily.sql", "misplaced-file"),
        ("sql/marts/eu/daily.sql", "misplaced-file"),
        ("sql/macros/money.sql", None),
        ("sql/macros/eu/money.sql", None),
        ("workflows/daily.yaml", None),
        ("workflows/eu/daily.yaml", "misplaced-file"),
        ("workflows/daily-load.yaml", "bad-name"),
    ],
)
def test_names_of_files(path: str, code: str | None) -> None:
    """SEMANTICS 27."""
    assert [fault.code for fault in name_files((path,)).faults] == ([code] if code else [])


def test_two_files_for_one_name_are_refused() -> None:
    """SEMANTICS 27."""
    found = name_files(("sql/a/b.SQL", "sql/a/b.sql", "workflows/d.yaml", "workflows/d.yml"))
    assert [(str(f.place), f.code) for f in found.faults] == [
        ("sql/a/b.sql", "duplicate-file"),
        ("workflows/d.yml", "duplicate-file"),
    ]
