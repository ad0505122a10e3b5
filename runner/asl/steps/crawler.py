"""A `crawler` step: a crawl of its own, from its start to its end.

    begin -> before -> ready? -> crawl -> pause -> look -> ended? -> done | failed | timeout

A crawl that somebody else began may have passed by before our data were there: the step waits for
its end and then starts one of its own.  The catalogue knows the last crawl only; it is ours when it
began at another time than the one that was the last before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.asl import retries
from runner.asl.expressions import expression, quote
from runner.asl.flow import State, catcher, state_name, task
from runner.asl.steps import awaited as waiting
from runner.asl.steps.awaited import CALL_TIMEOUT_S, GIVEN, LOOKS, PASSED_ON, RESULT
from runner.asl.steps.marks import marked
from runner.model.durations import seconds

if TYPE_CHECKING:
    from runner.asl.steps.scope import Scope
    from runner.model.steps_sources import CrawlerStep

_SDK = "arn:aws:states:::aws-sdk:glue:"
_BUSY = "Glue.CrawlerRunningException"
_LAST = f"{RESULT}.Crawler.LastCrawl"
_STARTED = f'$exists({_LAST}.StartTime) ? $string({_LAST}.StartTime) : ""'


def states(scope: Scope, name: str, step: CrawlerStep) -> tuple[State, ...]:
    """Give the states of a crawl, behind a gate if other steps are needed."""
    timeout_s = seconds(step.timeout or scope.project.config.defaults.load_timeout)
    crawler = marked(scope, step.name)
    what = f"Crawler {step.name}" if crawler == step.name else f"The crawler of {name}"
    failure = f"{GIVEN}.message"
    inner = (
        waiting.begin(name, state_name(name, "before")),
        *_starting(name, crawler, timeout_s),
        *_watching(name, crawler, timeout_s),
        waiting.done(name, "{}"),
        waiting.failed(name, "Crawler.Failed", f"{quote(f'{what} ended ')} & {failure}"),
        waiting.timed_out(name, "Crawler.Timeout", what=what, timeout_s=timeout_s),
    )
    return waiting.awaited(scope, name, step, states=inner)


def _starting(name: str, crawler: str, timeout_s: int) -> tuple[State, ...]:
    """Start the crawl when no other is at work."""
    found = f'{{"state": {RESULT}.Crawler.State, "before": {_STARTED}}}'
    ready = {
        "Condition": expression(f'{GIVEN}.state = "READY"'),
        "Next": state_name(name, "crawl"),
    }
    late = {"Condition": waiting.has_taken(timeout_s), "Next": state_name(name, "timeout")}
    again = state_name(name, "again")
    return (
        _get(name, "before", crawler, output=waiting.looked(found), following="ready?"),
        State(
            state_name(name, "ready?"),
            {"Type": "Choice", "Choices": [ready, late], "Default": again},
            looks=LOOKS,
        ),
        waiting.pause(name, "again", state_name(name, "before")),
        State(
            state_name(name, "crawl"),
            task(
                f"{_SDK}startCrawler",
                {"Name": crawler},
                timeout_s=CALL_TIMEOUT_S,
                Output=PASSED_ON,
                Retry=retries.glue(),
                Catch=[catcher([_BUSY], again, Output=PASSED_ON)],
                Next=state_name(name, "pause"),
            ),
        ),
    )


def _watching(name: str, crawler: str, timeout_s: int) -> tuple[State, ...]:
    """Look until the crawler is ready again and the last crawl is another than before."""
    status = f'$exists({_LAST}.Status) ? {_LAST}.Status : ""'
    message = f'$exists({_LAST}.ErrorMessage) ? ": " & {_LAST}.ErrorMessage : ""'
    found = (
        f'{{"state": {RESULT}.Crawler.State, "started": {_STARTED}, "status": ({status}), '
        f'"message": ({status}) & ({message})}}'
    )
    ended = f'{GIVEN}.state = "READY" and {GIVEN}.started != {GIVEN}.before'
    choices = [
        {
            "Condition": expression(f'{ended} and {GIVEN}.status = "SUCCEEDED"'),
            "Next": state_name(name, "done"),
        },
        {"Condition": expression(ended), "Next": state_name(name, "failed")},
        {"Condition": waiting.has_taken(timeout_s), "Next": state_name(name, "timeout")},
    ]
    return (
        waiting.pause(name, "pause", state_name(name, "look")),
        _get(name, "look", crawler, output=waiting.looked(found), following="ended?"),
        State(
            state_name(name, "ended?"),
            {"Type": "Choice", "Choices": choices, "Default": state_name(name, "pause")},
            looks=LOOKS,
        ),
    )


def _get(name: str, verb: str, crawler: str, *, output: str, following: str) -> State:
    fields = task(
        f"{_SDK}getCrawler",
        {"Name": crawler},
        timeout_s=CALL_TIMEOUT_S,
        Output=output,
        Retry=retries.glue(),
        Next=state_name(name, following),
    )
    return State(state_name(name, verb), fields, looks=LOOKS)
