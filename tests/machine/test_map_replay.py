"""A distributed Map continues from every prefix of its journal, with the same items and names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from runner.machine import Event, EventKind, MemoryJournal, VirtualClock
from tests.machine.machines import Fails, play
from tests.machine.maps import READ, TASK, WRITE, Store, map_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.machine import Outcome, TaskRequest

Json = Any
KEY = {"key": "k"}
DEFINITION = map_of(
    {"W": {"Type": "Wait", "Seconds": "{% $states.input.n %}", "Next": "I"}, **TASK},
    ItemReader={**READ, "ReaderConfig": {"InputType": "JSONL"}},
    ItemSelector={"n": "{% $states.context.Map.Item.Value %}"},
    MaxConcurrency=2,
    ToleratedFailureCount=1,
    ResultWriter=WRITE,
)


def _answer(request: TaskRequest) -> Json:
    if request.arguments == {"n": 2}:
        return Fails("E", "why")
    return request.arguments["n"]


class Parts(Store):
    """Gives texts in parts of three characters; what it holds may change meanwhile."""

    def __init__(self, text: str) -> None:
        super().__init__({"k": text}, I=_answer)
        self.keys_called: list[str] = []

    def call(self, request: TaskRequest) -> Json:
        self.keys_called.append(request.key)
        answer = super().call(request)
        if request.resource == READ["Resource"]:
            begin = int(request.arguments.get("Part", 0))
            text = answer["Body"]
            more = {"Next": str(begin + 3)} if begin + 3 < len(text) else {}
            return {"Body": text[begin : begin + 3], **more}
        return answer


def go(store: Store, events: Sequence[Event] = ()) -> tuple[Outcome, tuple[Event, ...]]:
    journal = MemoryJournal(events)
    start = events[-1].time if events else None
    clock = VirtualClock() if start is None else VirtualClock(start)
    outcome = play(DEFINITION, KEY, store, journal=journal, clock=clock)
    return outcome, journal.events()


def essence(events: Sequence[Event]) -> list[tuple[str, str, Json]]:
    return [
        (event.kind.value, event.key, json.loads(json.dumps(event.to_json()["data"])))
        for event in events
        if event.kind is not EventKind.EXECUTION_RESUMED
    ]


def test_every_cut_of_a_journal_continues_to_the_same_end() -> None:
    store = Parts("3\n2\n1\n4\n")
    outcome, full = go(store)
    assert outcome.status == "SUCCEEDED"
    read = [key for key in store.keys_called if "~read" in key]
    assert read == ["M#1.0~read", "M#1.0~read1", "M#1.0~read2"]
    files = store.s3.objects
    for cut in range(1, len(full)):
        ended = {e.key for e in full[:cut] if e.kind is EventKind.TASK_SUCCEEDED}
        again = Parts("3\n2\n1\n4\n")
        same, events = go(again, full[:cut])
        assert same.output == outcome.output, cut
        assert not ended & set(again.keys_called), cut
        assert _without_dates(events) == _without_dates(full), cut
        for key in again.s3.objects.keys() - {"b/k"}:
            if key in files:
                assert _records(again.s3.objects[key]) == _records(files[key]), (cut, key)


def _without_dates(events: Sequence[Event]) -> list[Json]:
    return [one for one in essence(events) if one[0] not in {"timer_set", "execution_started"}]


def _records(text: str) -> Json:
    told = json.loads(text)
    if isinstance(told, dict):
        return sorted(told)
    dates = {"StartDate", "StopDate"}
    return [{name: one[name] for name in one if name not in dates} for one in told]


def test_a_replay_reads_what_was_there_at_first() -> None:
    outcome, full = go(Parts("3\n2\n1\n4\n"))
    ends = [n for n, e in enumerate(full) if e.kind is EventKind.TASK_SUCCEEDED]
    changed = Parts("9\n9\n9\n9\n")
    same, _ = go(changed, full[: ends[2] + 1])
    assert same.output == outcome.output
    assert not [key for key in changed.keys_called if "~read" in key]


def test_what_is_written_is_not_journalled_again() -> None:
    _, full = go(Parts("1\n"))
    scheduled = [e for e in full if "~write" in e.key and e.kind is EventKind.TASK_SCHEDULED]
    assert len(scheduled) == len(["SUCCEEDED_0.json", "manifest.json"])
    assert all(set(e.data["arguments"]) == {"Bucket", "Key"} for e in scheduled)
