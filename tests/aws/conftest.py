"""An account on the loopback, for every test here."""

from __future__ import annotations

from tests.support.aws import aws, moto_url

__all__ = ["aws", "moto_url"]
