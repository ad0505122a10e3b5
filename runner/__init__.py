"""Athena Runner: one SQL file per table, compiled to Athena and Step Functions, run anywhere."""

__version__ = "0.1.0"
