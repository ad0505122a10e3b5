"""A value's refusal by a field's validator, with what a fault needs to say."""

from __future__ import annotations


class RefusedValueError(ValueError):
    """A value that a field does not accept: what would be right, and what to do."""

    def __init__(self, expected: str, advice: str) -> None:
        """Take the two lines of the fault that only the validator knows."""
        self.expected = expected
        self.advice = advice
        super().__init__(f"expected {expected}; {advice}")
