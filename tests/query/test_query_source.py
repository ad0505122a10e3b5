"""The header block, and offsets to places."""

import pytest

from runner.errors import Place
from runner.query import HeaderSplit, SourceFile, split_header
from tests.query.cases import only_fault


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("SELECT 1\n", HeaderSplit("", 1, "SELECT 1\n", 0, 1), id="no header"),
        pytest.param(
            "/*---\nkind: view\n---*/\nSELECT 1",
            HeaderSplit("\nkind: view\n", 1, "\nSELECT 1", 22, 3),
            id="header",
        ),
        pytest.param(
            "\n\n/*--- kind: view ---*/ SELECT 1",
            HeaderSplit(" kind: view ", 3, " SELECT 1", 24, 3),
            id="one line, not at the top",
        ),
        pytest.param(
            "/* an ordinary comment */ SELECT 1",
            HeaderSplit("", 1, "/* an ordinary comment */ SELECT 1", 0, 1),
            id="ordinary comment",
        ),
        pytest.param(
            "\ufeff/*---\na: 1\n---*/\nSELECT 1",
            HeaderSplit("\na: 1\n", 1, "\nSELECT 1", 17, 3),
            id="byte order mark",
        ),
    ],
)
def test_header_and_body(text: str, expected: HeaderSplit) -> None:
    assert split_header(text, file="a.sql") == expected


@pytest.mark.parametrize(
    ("text", "place", "found"),
    [
        (
            "/*---\nkind: view\nSELECT 1",
            Place("a.sql", 1, 1),
            "a header that begins with /*--- and never ends",
        ),
        (
            "\n/*---\nkind: view\n*/\nSELECT 1",
            Place("a.sql", 2, 1),
            (
                "a header that begins with /*--- and never ends; "
                "the comment ends at line 4 with a bare */"
            ),
        ),
    ],
)
def test_unclosed_header(text: str, place: Place, found: str) -> None:
    fault = only_fault(lambda: split_header(text, file="a.sql"))
    assert (fault.code, fault.place, fault.found) == ("header-unclosed", place, found)


@pytest.mark.parametrize(
    ("offset", "line", "column"), [(0, 1, 1), (2, 1, 3), (3, 2, 1), (5, 2, 3), (99, 2, 3)]
)
def test_places_count_from_one(offset: int, line: int, column: int) -> None:
    assert SourceFile("a.sql", "ab\ncd").place(offset) == Place("a.sql", line, column)


def test_padding_keeps_offsets() -> None:
    source = SourceFile("a.sql", "/*---\na\n---*/ SELECT", body_offset=13)
    assert source.padded() == "     \n \n      SELECT"
