"""One incident, one message: thresholds, rates, windows, and what happens when telling fails."""

from __future__ import annotations

import json
import re
import traceback
from random import Random
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from runner.functions.logs_alarm import handler as function
from runner.functions.logs_alarm.delivery import NotToldError, Targets, deliver, read_targets
from runner.functions.logs_alarm.memory import ProcessMemory, TableMemory
from runner.functions.logs_alarm.message import link
from runner.functions.logs_alarm.payload import LogEvent
from runner.functions.logs_alarm.rule import Count, Rule, count, judge
from runner.functions.logs_alarm.wire import Wire
from tests.support.stand_ins import log_payload, sent_by_kinesis, sent_by_logs, served
from tests.support.topics import heard_topic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runner.functions.logs_alarm.memory import Memory
    from tests.support.stand_ins import StandIn

T = 1_714_979_280_000
"""2024-05-06T07:08:00Z, where a tenth of five minutes begins."""
S = 1000
LINK = (
    "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/"
    "log-group/$252Fshop$252Fweb/log-events/web-1$3Fstart$3D1714979280000$26end$3D1714979310000"
)
RULE = Rule("a", re.compile("ERR"), None, 3, 300, 3600, 0.0, 20)
NAMES = (
    *("PATTERN", "IGNORE", "THRESHOLD", "WINDOW", "RATE", "MIN_EVENTS", "COOLDOWN", "TABLE"),
    *("TOPIC_ARN", "SECRET_ARN", "WEBHOOK_URL"),
)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A webhook that the function tells, with a threshold of 3 in 5 minutes."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    with served(lambda _: (200, "ok")) as stand_in:
        for name, value in {
            "NAME": "web errors",
            "THRESHOLD": "3",
            "WEBHOOK_URL": f"{stand_in.url}/services/T0/B0/x?a=1",
            "AWS_REGION": "eu-west-1",
        }.items():
            monkeypatch.setenv(name, value)
        forget()
        yield stand_in
        forget()


def forget() -> None:
    function.alarm.cache_clear()
    read_targets.cache_clear()


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch, hook: StandIn, moto_here: None) -> str:
    """A table of DynamoDB, which the function uses."""
    assert (hook.requests, moto_here) == ([], None)
    boto3.client("dynamodb").create_table(
        TableName="alarms",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    monkeypatch.setenv("TABLE", "alarms")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    return "alarms"


def call(event: dict[str, Any]) -> dict[str, Any]:
    wire = read_targets().wire
    assert wire is not None
    wire.sleep = list[float]().append
    try:
        return function.handler(event, None)
    finally:
        wire.close()


def errors(name: str, *seconds: float, message: str = "ERROR no stock") -> dict[str, Any]:
    return sent_by_logs(*((f"{name}{n}", T + int(at * S), message) for n, at in enumerate(seconds)))


def test_the_message_says_what_how_many_since_when_and_where(hook: StandIn) -> None:
    wrong = [(f"e{n}", T + n * S, f"ERROR <{n}> & more\n at x") for n in range(7)]
    told = call(sent_by_logs(("i", T, "INFO fine"), *wrong))
    assert told == {"events": 8, "matches": 7, "told": True}
    (request,) = hook.requests
    assert request.path == "/services/T0/B0/x?a=1"
    assert request.headers["content-type"] == "application/json"
    lines = json.loads(request.body)["text"].splitlines()
    assert lines == [
        "web errors: 7 log events within 5 minutes",
        f"7 events like /{function.PATTERN}/ since 2024-05-06 07:08:00 UTC, in /shop/web (web-1).",
        "",
        *(f"  2024-05-06 07:08:0{n} UTC  ERROR &lt;{n}&gt; &amp; more at x" for n in range(5)),
        "  and 2 more",
        "",
        f"Look: {LINK}",
        "No other message about this for 1 hour.",
    ]


def test_the_console_quotes_names_twice() -> None:
    """As the console itself writes it, for /aws/lambda/f and 2024/05/06/[$LATEST]0a."""
    found = link("us-east-1", "/aws/lambda/f", "2024/05/06/[$LATEST]0a", since_ms=1, until_ms=2)
    assert found.partition("log-group/")[2] == (
        "$252Faws$252Flambda$252Ff/log-events/2024$252F05$252F06$252F$255B$2524LATEST$255D0a"
        "$3Fstart$3D1$26end$3D2"
    )


BOTH = pytest.mark.parametrize("kept", ["process", "table"])


@BOTH
def test_counts_add_up_over_invocations_and_are_told_once(
    kept: str, hook: StandIn, request: pytest.FixtureRequest
) -> None:
    if kept == "table":
        request.getfixturevalue("table")
    assert not call(errors("a", 0, 10))["told"]
    assert not call(errors("a", 0, 10))["told"], "a payload that comes twice counts once"
    assert call(errors("b", 200))["told"]
    assert not call(errors("b", 200))["told"]
    assert not call(errors("c", *range(210, 280)))["told"]
    assert len(hook.requests) == 1
    later = 3600 + 300
    assert call(errors("d", later, later + 1, later + 2))["told"]
    assert len(hook.requests) == 2


@BOTH
def test_a_threshold_is_not_reached_outside_a_window(
    kept: str, hook: StandIn, request: pytest.FixtureRequest
) -> None:
    if kept == "table":
        request.getfixturevalue("table")
    for n in range(6):
        assert not call(errors(f"n{n}", n * 200))["told"]
    assert call(errors("late", 610))["told"], "an event that is late counts where it belongs"
    assert len(hook.requests) == 1


def test_what_is_not_told_is_told_by_the_next_invocation(table: str, hook: StandIn) -> None:
    assert table
    hook.scripted.extend([(404, "no_service")])
    with pytest.raises(NotToldError, match="webhook: 404 no_service"):
        call(errors("a", 0, 1, 2))
    assert call(errors("a", 0, 1, 2))["told"]
    assert [one.path for one in hook.requests] == ["/services/T0/B0/x?a=1"] * 2


def test_an_invocation_that_died_while_telling_holds_it_for_a_minute(table: str) -> None:
    now = [1000.0]
    client = boto3.client("dynamodb")
    first = TableMemory(client, table, "a", part_ms=1, now=lambda: now[0])
    assert first.claim(T)
    assert not first.claim(T)
    now[0] += 61
    assert first.claim(T)
    first.settle(T + 5)
    now[0] += 61
    assert [first.claim(T + at) for at in (0, 5, 6)] == [False, False, True]


def test_counts_are_kept_longer_than_the_window_that_they_count_in(table: str) -> None:
    """A window of two days has tenths of 4.8 hours: the first counts until the last is over."""
    client = boto3.client("dynamodb")
    tenth_s = 2 * 86_400 // 10
    memory = TableMemory(client, table, "a", part_ms=tenth_s * 1000, now=lambda: 1_000_000.0)
    memory.add(["e1"], {0: Count(1, 1)})
    items = client.scan(TableName=table)["Items"]
    assert len(items) == 2
    assert {int(one["expires"]["N"]) for one in items} == {1_000_000 + 2 * 86_400 + 86_400}


def test_counts_that_a_busy_table_puts_off_are_asked_for_after_a_while(table: str) -> None:
    """DynamoDB leaves keys unprocessed where it has no capacity left for them."""
    client = boto3.client("dynamodb")
    asked, waits = list[int](), list[float]()

    class Busy:
        def batch_get_item(self, **members: Any) -> Any:  # noqa: ANN401 - as boto3's
            keys = members["RequestItems"][table]["Keys"]
            asked.append(len(keys))
            if len(asked) < 4:
                return {"Responses": {}, "UnprocessedKeys": {table: {"Keys": keys}}}
            return client.batch_get_item(**members)

    memory = TableMemory(client, table, "a", part_ms=1)
    memory.add(["e1"], {7: Count(1, 2)})
    busy = TableMemory(Busy(), table, "a", part_ms=1, sleep=waits.append)
    assert busy.read([7, 8]) == {7: Count(1, 2)}
    assert (asked, len(waits)) == ([2, 2, 2, 2], 3)


@BOTH
def test_memories_agree(kept: str, request: pytest.FixtureRequest) -> None:
    """Any order, any repetition: each payload counts once."""
    memory: Memory = ProcessMemory()
    if kept == "table":
        name = request.getfixturevalue("table")
        memory = TableMemory(boto3.client("dynamodb"), name, "a", part_ms=30_000, most_updates=4)
    random = Random(3)  # noqa: S311 - the same each time
    payloads = []
    for n in range(5):
        parts = random.sample(range(120), random.choice([1, 3, 9]))
        payloads.append(([f"{n}-{m}" for m in parts], {part: Count(1, 2) for part in parts}))
    for ids, counts in random.choices(payloads, k=5) + payloads:
        memory.add(ids, counts)
    found = memory.read(range(120))
    expected: dict[int, Count] = {}
    for _, counts in payloads:
        for part in counts:
            expected[part] = Count(*(2 * [expected.get(part, Count()).matches + 1]))
    assert found == {part: Count(one.matches, 2 * one.matches) for part, one in expected.items()}


def test_the_window_is_found_whatever_the_events_are() -> None:
    """Compared with looking at every window of ten tenths, one by one."""
    random = Random(5)  # noqa: S311 - the same each time
    for _ in range(60):
        events = [
            LogEvent("", T + random.randrange(0, 900) * S, random.choice(["ERR", "fine"]))
            for _ in range(random.randrange(0, 14))
        ]
        counts, matching = count(events, RULE)
        found = judge(counts, RULE)
        starts = [T + at * 30 * S for at in range(-10, 31)]
        full = max(
            sum(start <= one.time_ms < start + 300 * S for one in matching) for start in starts
        )
        assert (found.found.matches if found else 0) == (full if full >= 3 else 0)


@pytest.mark.parametrize(
    ("matches", "total", "rate", "told"),
    [(5, 100, 5, True), (4, 100, 5, False), (19, 19, 5, False), (10, 20, 50, True)],
)
def test_a_rate_is_of_all_events(
    matches: int,
    total: int,
    rate: int,
    told: bool,  # noqa: FBT001 - a case
    hook: StandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RATE", str(rate))
    forget()
    events = [*["fine"] * (total - matches), *["ERROR"] * matches]
    said = [call(sent_by_logs((f"e{n}", T, text)))["told"] for n, text in enumerate(events)]
    assert said == [*[False] * (total - 1), told]
    assert bool(hook.requests) is told


def test_the_event_that_makes_it_enough_need_not_match(
    hook: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATE", "50")
    forget()
    assert not call(errors("a", *[0] * 19))["told"]
    assert call(errors("b", 1, message="fine"))["told"]
    assert "19 events" in json.loads(hook.requests[0].body)["text"]


def test_patterns_choose_and_leave_out(hook: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERN", r"status=5\d\d")
    monkeypatch.setenv("IGNORE", "healthcheck")
    forget()
    event = sent_by_logs(
        ("a", T, "status=500"), ("b", T, "status=502 healthcheck"), ("c", T, "status=404")
    )
    assert call(event)["matches"] == 1
    assert hook.requests == []


def test_what_cannot_be_read_stops_nothing(
    hook: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    payload = log_payload([(f"e{n}", T, "FATAL") for n in range(3)])
    control = log_payload([], kind="CONTROL_MESSAGE")
    event = sent_by_kinesis(**{"1": "?", "2": payload, "3": control})
    assert call(event) == {"events": 3, "matches": 3, "told": True}
    assert "unreadable: 1 " in capsys.readouterr().out
    assert len(hook.requests) == 1


# --- where it goes -------------------------------------------------------------------------------


def test_a_topic_gets_subject_and_text(
    table: str, monkeypatch: pytest.MonkeyPatch, hook: StandIn
) -> None:
    assert table
    topic = heard_topic()
    monkeypatch.setenv("TOPIC_ARN", topic.arn)
    monkeypatch.setenv("NAME", "Fehler im Geschäft " + "x" * 100)
    forget()
    hook.scripted.append((404, "gone"))  # one of two targets is enough
    assert call(errors("a", 0, 1, 2))["told"]
    (message,) = topic.messages()
    assert message["Subject"].startswith("Fehler im Gesch?ft xxx")
    assert (len(message["Subject"]), message["Subject"][-3:]) == (99, "...")
    assert "ERROR no stock" in message["Message"]


@pytest.mark.usefixtures("moto_here")
@pytest.mark.parametrize("wrapped", [False, True])
def test_the_webhook_may_be_a_secret(
    wrapped: bool,  # noqa: FBT001 - a case
    hook: StandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = f"{hook.url}/hidden"
    text = json.dumps({"url": url}) if wrapped else f"{url}\n"
    secret = boto3.client("secretsmanager").create_secret(Name="hook", SecretString=text)
    monkeypatch.delenv("WEBHOOK_URL")
    monkeypatch.setenv("SECRET_ARN", secret["ARN"])
    forget()
    assert call(errors("a", 0, 1, 2))["told"]
    assert hook.requests[0].path == "/hidden"


def test_a_busy_webhook_is_asked_again(hook: StandIn) -> None:
    hook.scripted.extend([(429, "rate_limited"), (500, "")])
    assert call(errors("a", 0, 1, 2))["told"]
    assert len(hook.requests) == 3


@pytest.mark.parametrize("path", ["/services/s3cret", "/services/s3cret no"])
def test_nothing_shows_the_webhook(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    wire = Wire("http://127.0.0.1:9", sleep=list[float]().append)
    with pytest.raises(NotToldError, match=r"webhook: 127\.0\.0\.1: ") as caught:
        deliver(Targets("", wire, path), "s", "t")
    shown = "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in shown + capsys.readouterr().out


def test_a_changed_secret_is_read_again(hook: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_URL", f"{hook.url}/old")
    hook.scripted.append((404, "no_service"))
    with pytest.raises(NotToldError):
        call(errors("a", 0, 1, 2))
    monkeypatch.setenv("WEBHOOK_URL", f"{hook.url}/new")
    assert call(errors("a", 0, 1, 2))["told"]
    assert [one.path for one in hook.requests] == ["/old", "/new"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PATTERN", "(", "PATTERN is '('; expected a regular expression"),
        ("THRESHOLD", "0", "THRESHOLD is '0'; expected a number from 1"),
        ("RATE", "101", "RATE is '101'; expected a number from 0 to 100"),
        ("WINDOW", "5", "WINDOW is '5'; expected a time span"),
        ("TOPIC_ARN", "alerts", "TOPIC_ARN is 'alerts'; expected the ARN"),
        ("WEBHOOK_URL", "", "TOPIC_ARN and SECRET_ARN are missing"),
        ("WEBHOOK_URL", "s3cret", "the webhook's URL is wrong; expected a URL"),
        ("WEBHOOK_URL", "https://x:s3cret/", "the webhook's URL is wrong; expected a URL"),
        ("WEBHOOK_URL", "https://x/s3 cret", "the webhook's URL is wrong; expected ASCII"),
    ],
)
@pytest.mark.usefixtures("hook")
def test_wrong_settings_are_named(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        function.handler(sent_by_logs(), None)
    assert "s3" not in str(caught.value)


def test_functions_share_their_modules_letter_by_letter(
    read: Callable[[str], str],
) -> None:
    logs = ("logs_to_bigquery", "logs_to_opensearch", "logs_alarm")
    assert len({read(f"{name}/payload.py") for name in logs}) == 1
    assert len({read(f"{name}/wire.py") for name in (*logs, "notify")}) == 1
    assert len({read(f"{name}/delivery.py") for name in ("logs_alarm", "notify")}) == 1
    assert len({read(f"{name}/letters.py") for name in logs[:2]}) == 1


@pytest.fixture
def read() -> Callable[[str], str]:
    from runner.project.files import BUNDLED

    return lambda path: (BUNDLED / path).read_text("utf-8")
