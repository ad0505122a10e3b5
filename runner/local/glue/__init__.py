"""The Glue Data Catalog on this machine: databases, tables, versions and partitions in SQLite."""

from runner.local.glue.catalog import GlueCatalog
from runner.local.glue.errors import GlueError

__all__ = ["GlueCatalog", "GlueError"]
