"""An account on the loopback, and the command line, for every test here."""

from __future__ import annotations

from tests.support.aws import aws, moto_url
from tests.support.commands import cli

__all__ = ["aws", "cli", "moto_url"]
