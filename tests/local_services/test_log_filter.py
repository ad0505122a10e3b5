"""Filter patterns of CloudWatch Logs; the cases are those of AWS's page on their syntax."""

from __future__ import annotations

import pytest

from runner.local.log_filter import UnknownFilterError, parse_filter

BAD, UNAUTHORIZED, MISSING = (
    "[ERROR 400] BAD REQUEST",
    "[ERROR 401] UNAUTHORIZED REQUEST",
    "[ERROR 419] MISSING ARGUMENTS",
)
ALL = (BAD, UNAUTHORIZED, MISSING)


@pytest.mark.parametrize(
    ("pattern", "passing"),
    [
        ("", ALL),
        ("   ", ALL),
        ("ERROR", ALL),
        ("error", ()),
        ("ERROR ARGUMENTS", (MISSING,)),
        ("?REQUEST ?ARGUMENTS", ALL),
        ("?BAD ?MISSING", (BAD, MISSING)),
        ('"BAD REQUEST"', (BAD,)),
        ('"[ERROR 401]"', (UNAUTHORIZED,)),
        ("ERROR -BAD", (UNAUTHORIZED, MISSING)),
        ('ERROR -"MISSING ARG"', (BAD, UNAUTHORIZED)),
        ("-ERROR", ()),
        ('?"BAD R" ?"419]"', (BAD, MISSING)),
    ],
)
def test_words_decide(pattern: str, passing: tuple[str, ...]) -> None:
    wanted = parse_filter(pattern)
    assert tuple(message for message in ALL if wanted.matches(message)) == passing


def test_a_phrase_may_hold_quotation_marks() -> None:
    wanted = parse_filter(r'"a \"b\" c"')
    assert (wanted.matches('x a "b" c'), wanted.matches("a b c")) == (True, False)


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ('{ $.level = "ERROR" }', "a JSON pattern"),
        ("[ip, user, ...]", "a pattern of columns"),
        ("%ERR[0-9]+%", "a regular expression"),
        ("status=500", "`status=500`"),
        ('"open', '`"open`'),
        ("ERROR %x%", "`%x%`"),
        ("?ERROR WARN", "?words together with others"),
    ],
)
def test_other_forms_are_refused_by_name(pattern: str, told: str) -> None:
    with pytest.raises(UnknownFilterError) as refused:
        parse_filter(pattern)
    assert str(refused.value).startswith(told)
