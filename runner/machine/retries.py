"""How long a retrier waits: interval, back-off, ceiling, jitter."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from runner.machine.definition import Retrier


def delay_s(retrier: Retrier, retry: int, make_random: Callable[[], Random]) -> float:
    """Give the seconds before the retry with that number (from 1).

    >>> from runner.machine.definition import Retrier
    >>> [delay_s(Retrier(("E",), interval_s=2, max_delay_s=5), n, lambda: None) for n in (1, 2, 3)]
    [2.0, 4.0, 5]
    """
    try:
        seconds = retrier.interval_s * retrier.backoff_rate ** (retry - 1)
    except OverflowError:
        seconds = _LONGEST_S if retrier.interval_s else 0
    seconds = min(seconds, _LONGEST_S if retrier.max_delay_s is None else retrier.max_delay_s)
    return make_random().uniform(0, seconds) if retrier.full_jitter else seconds


_LONGEST_S = 31_622_400
"""A year and a day: no wait is longer."""
