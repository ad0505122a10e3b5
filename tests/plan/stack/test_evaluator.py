"""The evaluator of policies that other tests rely on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.iam import allows, arn_matches, matches

TEXT = st.text(alphabet="ab*?[]./:-", max_size=12)


def statement(effect: str, action: Any, resource: Any, **condition: Any) -> dict[str, Any]:  # noqa: ANN401
    said = {"Effect": effect, "Action": action, "Resource": resource}
    return {**said, **({"Condition": condition} if condition else {})}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("*", "", True),
        ("s3:Get*", "s3:GetObject", True),
        ("s3:Get?bject", "s3:GetObject", True),
        ("s3:Get", "s3:GetObject", False),
        ("a[b]", "ab", False),
        ("a.c", "abc", False),
        ("arn:aws:s3:::lake/*", "arn:aws:s3:::lake/a/b", True),
        ("arn:aws:s3:::lake/*", "arn:aws:s3:::lake2/a", False),
    ],
)
def test_wildcards(pattern: str, text: str, expected: bool) -> None:  # noqa: FBT001
    assert matches(pattern, text) is expected


@given(TEXT, TEXT, TEXT)
def test_a_star_covers_anything_in_its_place(before: str, middle: str, after: str) -> None:
    plain_before, plain_after = (one.replace("*", "").replace("?", "") for one in (before, after))
    assert matches(f"{plain_before}*{plain_after}", f"{plain_before}{middle}{plain_after}")


@given(TEXT.filter(lambda text: "*" not in text and "?" not in text), TEXT)
def test_a_pattern_without_wildcards_matches_itself_only(pattern: str, text: str) -> None:
    assert matches(pattern, text) == (pattern == text)


@given(st.sampled_from(["Allow", "Deny"]), st.sampled_from(["s3:GetObject", "s3:*", "*"]))
def test_a_deny_always_wins(effect: str, action: str) -> None:
    both = [policy(statement(effect, action, "*")), policy(statement("Deny", "s3:*", "*"))]
    assert not allows(both, "s3:GetObject", "arn:aws:s3:::lake/a")


def test_wildcards_of_arns_stay_in_their_part() -> None:
    assert arn_matches("arn:aws:states:*:1:stateMachine:x", "arn:aws:states:eu:1:stateMachine:x")
    assert not arn_matches("arn:aws:*:x", "arn:aws:states:eu:1:stateMachine:x")


def test_nothing_is_allowed_unasked() -> None:
    assert not allows([], "s3:GetObject", "*")
    assert not allows([policy(statement("Allow", "s3:GetObject", "a"))], "s3:GetObject", "b")
    assert allows([policy(statement("Allow", ["S3:getobject"], ["a", "b"]))], "s3:GetObject", "b")


def test_conditions() -> None:
    prefix = {"StringLike": {"s3:prefix": ["marts/*", "raw/*"]}}
    listing = [policy(statement("Allow", "s3:ListBucket", "lake", **prefix))]
    assert allows(listing, "s3:ListBucket", "lake", s3_prefix="raw/a")
    assert not allows(listing, "s3:ListBucket", "lake", s3_prefix="other/")
    assert not allows(listing, "s3:ListBucket", "lake")
    absent = {"StringLikeIfExists": {"s3:prefix": "marts/*"}}
    lenient = [policy(statement("Allow", "s3:ListBucket", "lake", **absent))]
    assert allows(lenient, "s3:ListBucket", "lake")
    assert not allows(lenient, "s3:ListBucket", "lake", s3_prefix="other/")


def test_what_it_does_not_know_is_an_error() -> None:
    with pytest.raises(ValueError, match="NotAction"):
        allows([policy({**statement("Allow", "a", "*"), "NotAction": "b"})], "a", "*")
    with pytest.raises(KeyError):
        allows([policy(statement("Allow", "a", "*", NumericEquals={"x": "1"}))], "a", "*", x="1")
