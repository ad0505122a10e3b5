"""The first call of an execution: its input becomes a window and a choice of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import backfills, catch_up, triggers, windows
from .faults import InvalidInput, WindowTooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .storage import Storage

_KEYS = frozenset({"start", "end", "scheduled_time", "trigger", "key", "only", "backfill"})


def begin(event: Mapping[str, Any], storage: Storage | None = None) -> dict[str, Any]:
    """Validate the input of an execution (SEMANTICS 14, 16, 17, 23).

    The event carries `input`, and from the definition `grain`, `timezone`, `schedule` ({last, unit,
    lag} or null), `tables` (all of the workflow), `max_window` (periods) and, if there are some,
    `triggers`: by name {last, unit, lag}, or {period, prefix} where an object's key tells the
    period.  If the schedule has a `catch_up`, `windowed` maps its tables to their grains, and the
    records are in `storage`, as is the plan that a `backfill` names.
    """
    given = event["input"]
    if not isinstance(given, dict):
        raise InvalidInput(f"the input is {type(given).__name__}, not an object")
    unknown = sorted(set(given) - _KEYS)
    if unknown:
        raise InvalidInput(
            f"unknown keys {', '.join(unknown)}; known are {', '.join(sorted(_KEYS))}"
        )
    backfill = given.get("backfill", "-")
    if not isinstance(backfill, str) or not backfill:
        raise InvalidInput("backfill is not a name")
    start, end, grain = _window(given, event)
    if "scheduled_time" in given and "trigger" not in given and storage is not None:
        start = _caught_up(storage, event, (start, end, grain))
    count = windows.count_periods(start, end, grain)
    if count == 0:
        raise InvalidInput(f"start {start} is after end {end}")
    if count > event["max_window"] and "backfill" not in given:
        raise WindowTooLarge(
            f"{start}..{end} is {count} {grain}s, more than the {event['max_window']} that one "
            f"run writes; use `runner backfill`"
        )
    return {
        "window": {
            "start": start,
            "end": end,
            "grain": grain,
            **({"backfill": backfill} if "backfill" in given else {}),
        },
        "selected": _planned(given, storage, _selected(given, event["tables"])),
    }


def _planned(given: Mapping[str, Any], storage: Storage | None, selected: list[str]) -> list[str]:
    """Leave the tables that the backfill's plan names: the others have no windows in it."""
    if "backfill" not in given or storage is None:
        return selected
    plan = backfills.read(storage, given["backfill"])
    planned = {told["name"] for told in plan["tables"].values()}
    return [name for name in selected if name in planned]


def _window(given: Mapping[str, Any], event: Mapping[str, Any]) -> tuple[str, str, str]:
    explicit = {"start", "end"} & set(given)
    if explicit and {"scheduled_time", "trigger", "key"} & set(given):
        raise InvalidInput("give either start and end, or scheduled_time")
    try:
        if "trigger" in given or "key" in given:
            return _triggered(given, event)
        if "scheduled_time" in given:
            return _scheduled(given["scheduled_time"], event)
        if len(explicit) != len(("start", "end")):
            raise InvalidInput("start and end are both needed")
        for name in ("start", "end"):
            windows.parse_civil(given[name], event["grain"])
        windows.regrain(given["start"], given["end"], event["grain"], "hour")
    except (ValueError, OverflowError) as error:  # overflow: the end of the calendar
        raise InvalidInput(str(error)) from error
    return given["start"], given["end"], event["grain"]


def _triggered(given: Mapping[str, Any], event: Mapping[str, Any]) -> tuple[str, str, str]:
    """Give the window of an execution that an event started."""
    if "scheduled_time" not in given:
        raise InvalidInput("trigger and key come with scheduled_time, the time of the event")
    if "trigger" not in given:
        raise InvalidInput("key comes with trigger")
    known, name = event.get("triggers") or {}, given["trigger"]
    if not isinstance(name, str) or name not in known:
        has = f"its triggers are {', '.join(sorted(known))}" if known else "it has none"
        raise InvalidInput(f"the trigger {name!r} is not one of this workflow; {has}")
    trigger = known[name]
    if "period" in trigger:
        start, end = triggers.window(trigger, given.get("key"), event["grain"])
        return start, end, event["grain"]
    if "key" in given:
        raise InvalidInput(f"the trigger {name} counts from the event's time and takes no key")
    return _counted(given["scheduled_time"], trigger, event)


def _scheduled(scheduled_time: object, event: Mapping[str, Any]) -> tuple[str, str, str]:
    schedule = event.get("schedule")
    if schedule is None:
        raise InvalidInput("this workflow has no schedule; give start and end")
    return _counted(scheduled_time, schedule, event)


def _counted(
    scheduled_time: object, counted: Mapping[str, Any], event: Mapping[str, Any]
) -> tuple[str, str, str]:
    """Count back from the period that contains an instant (SEMANTICS 16)."""
    if not isinstance(scheduled_time, str):
        raise InvalidInput("scheduled_time is not text")
    start, end = windows.scheduled_window(
        scheduled_time,
        event["timezone"],
        last=counted["last"],
        unit=counted["unit"],
        lag=counted["lag"],
    )
    if counted["unit"] != event["grain"]:
        start, end = windows.regrain(start, end, counted["unit"], event["grain"])
    return start, end, event["grain"]


def _caught_up(storage: Storage, event: Mapping[str, Any], window: tuple[str, str, str]) -> str:
    """Begin earlier if scheduled runs did not happen and the workflow wants them made up for."""
    schedule = event["schedule"]
    if "catch_up" not in schedule:
        return window[0]
    return catch_up.widen(
        storage,
        event["windowed"],
        window,
        policy=schedule["catch_up"],
        unit=schedule["unit"],
        max_window=event["max_window"],
    )


def _selected(given: Mapping[str, Any], tables: list[str]) -> list[str]:
    only = given.get("only")
    if only is None:
        return tables
    if not isinstance(only, list) or not only or not all(isinstance(n, str) for n in only):
        raise InvalidInput("only is not a list of table names")
    unknown = sorted(set(only) - set(tables))
    if unknown:
        raise InvalidInput(f"only names {', '.join(unknown)}, which this workflow does not write")
    return [name for name in tables if name in only]
