"""What an sns step publishes: attributes, and the order and the id of a FIFO topic's messages."""

from __future__ import annotations

import json
from typing import Any

from runner.asl.build import render
from runner.asl.compile import compile_workflow
from runner.asl.validate import check_machine
from tests.machine.machines import Script, play
from tests.support.projects import project, table, workflow

FIFO = "arn:aws:sns:eu-west-1:123456789012:t.fifo"
WINDOW = {"start": "2013-01-05", "end": "2013-01-05", "grain": "day"}


def published(**step: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Give the arguments of the publication."""
    found = project(table("marts.a"))
    named = workflow(steps={"tell": {"type": "sns", "message": "m", **step}})
    machine = compile_workflow(found, named, {})
    text = render(machine)
    check_machine(machine, text, file=named.file)
    begun = {"Payload": {"window": WINDOW, "selected": []}}
    service = Script(**{"begin": begun, "tell run": {"MessageId": "1"}})
    assert play(json.loads(text), {}, service).status == "SUCCEEDED"
    arguments: dict[str, Any] = service.requests[-1].arguments
    return arguments


def test_a_plain_message_is_as_it_was() -> None:
    told = published(topic="t", subject="s")
    assert set(told) == {"TopicArn", "Message", "Subject"}


def test_attributes_are_texts() -> None:
    assert published(topic="t", attributes={"kind": "report"})["MessageAttributes"] == {
        "kind": {"DataType": "String", "StringValue": "report"}
    }


def test_a_message_of_a_group_is_one_message_however_often_it_is_sent() -> None:
    told = published(topic=FIFO, group="g")
    assert told["TopicArn"] == FIFO
    assert told["MessageGroupId"] == "g"
    assert len(told["MessageDeduplicationId"]) == 64
    assert published(topic=FIFO, group="g") == told
    own = published(topic=FIFO, group="g", deduplication="once")
    assert own["MessageDeduplicationId"] == "once"
