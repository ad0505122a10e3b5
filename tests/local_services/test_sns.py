"""SNS on this machine: one line per message, and what SNS refuses is refused."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from runner.local.sns import Sns
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from pathlib import Path

NOON = dt.datetime(2013, 1, 2, 12, tzinfo=dt.UTC)


def test_every_message_is_a_line(tmp_path: Path) -> None:
    sns = Sns(tmp_path / "state" / "sns.jsonl", lambda: NOON)
    first = sns("publish", {"TopicArn": "arn:t", "Message": "a\nb", "Subject": "s"})
    second = sns("publish", {"TopicArn": "arn:t", "Message": {"k": "ü"}})
    lines = (tmp_path / "state" / "sns.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {
            "MessageId": first["MessageId"],
            "TopicArn": "arn:t",
            "Subject": "s",
            "Message": "a\nb",
            "Timestamp": "2013-01-02T12:00:00+00:00",
        },
        {
            "MessageId": second["MessageId"],
            "TopicArn": "arn:t",
            "Subject": "",
            "Message": '{"k": "\\u00fc"}',
            "Timestamp": "2013-01-02T12:00:00+00:00",
        },
    ]
    assert first["MessageId"] != second["MessageId"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"Message": "m"}, "TopicArn"),
        ({"TopicArn": "t", "Message": ""}, "Empty message"),
        ({"TopicArn": "t"}, "Empty message"),
        ({"TopicArn": "t", "Message": "x" * 262_145}, "too long"),
        ({"TopicArn": "t", "Message": "m", "Subject": "x" * 100}, "Subject"),
        ({"TopicArn": "t", "Message": "m", "Subject": "ü"}, "Subject"),
    ],
)
def test_what_sns_refuses_is_refused(tmp_path: Path, arguments: dict[str, Any], word: str) -> None:
    with pytest.raises(ServiceError, match=word) as caught:
        Sns(tmp_path / "sns.jsonl", lambda: NOON)("publish", arguments)
    assert caught.value.error == "SNS.InvalidParameterException"
    assert not (tmp_path / "sns.jsonl").exists()


def test_an_action_that_is_not_known_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="sns:createTopic"):
        Sns(tmp_path / "sns.jsonl", lambda: NOON)("createTopic", {})


def test_attributes_and_group_are_kept(tmp_path: Path) -> None:
    sns = Sns(tmp_path / "sns.jsonl", lambda: NOON)
    more = {
        "MessageAttributes": {"kind": {"DataType": "String", "StringValue": "report"}},
        "MessageGroupId": "g",
        "MessageDeduplicationId": "d",
    }
    sns("publish", {"TopicArn": "arn:t.fifo", "Message": "m", **more})
    (line,) = (tmp_path / "sns.jsonl").read_text().splitlines()
    assert {key: json.loads(line)[key] for key in more} == more


def test_a_fifo_topic_wants_a_group(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="MessageGroupId"):
        Sns(tmp_path / "sns.jsonl", lambda: NOON)(
            "publish", {"TopicArn": "arn:t.fifo", "Message": "m"}
        )
