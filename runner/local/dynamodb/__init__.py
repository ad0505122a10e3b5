"""DynamoDB on this machine, as far as functions use it: tables in one SQLite file."""

from runner.local.dynamodb.operations import TARGET, DynamoDb
from runner.local.dynamodb.tables import TableShape

__all__ = ["TARGET", "DynamoDb", "TableShape"]
