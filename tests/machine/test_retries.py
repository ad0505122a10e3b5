"""The wait before a retry, where its numbers leave what floats can hold."""

from __future__ import annotations

from random import Random

import pytest

from runner.machine.definition import Retrier
from runner.machine.retries import delay_s

DAYS_366_S = 31_622_400


@pytest.mark.parametrize(
    ("retrier", "retry", "expected"),
    [
        (Retrier(("E",), interval_s=3, backoff_rate=2.0), 3, 12.0),
        (Retrier(("E",), interval_s=1, backoff_rate=10.0), 400, DAYS_366_S),
        (Retrier(("E",), interval_s=1, backoff_rate=10.0, max_delay_s=9), 400, 9),
        (Retrier(("E",), interval_s=0, backoff_rate=10.0), 400, 0),
    ],
)
def test_the_wait_grows_up_to_a_year(retrier: Retrier, retry: int, expected: float) -> None:
    fixed = Random(1)  # noqa: S311 - a fixed sequence
    assert delay_s(retrier, retry, lambda: fixed) == expected
