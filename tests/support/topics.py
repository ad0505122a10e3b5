"""A topic of moto's SNS, heard by a queue."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import boto3


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic and what was published to it."""

    arn: str
    queue: str

    def messages(self) -> list[dict[str, Any]]:
        """Take what has been published since the last time."""
        answer = boto3.client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        found = answer.get("Messages", ())
        for one in found:
            boto3.client("sqs").delete_message(
                QueueUrl=self.queue, ReceiptHandle=one["ReceiptHandle"]
            )
        return [json.loads(one["Body"]) for one in found]


def heard_topic() -> Topic:
    """Make a topic."""
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    arn = sns.create_topic(Name="alerts")["TopicArn"]
    url = sqs.create_queue(QueueName="alerts")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue["QueueArn"])
    return Topic(arn, url)
