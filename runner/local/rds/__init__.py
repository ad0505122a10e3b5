"""RDS on this machine: databases exported to S3 as RDS and Aurora do it, as Parquet.

types   the type of a column in the export, by its type in MySQL
reading tables and rows of SQLite, MySQL and MariaDB, every value as text
export  one export: the files, at RDS's own keys, and its description
service `describeDBSnapshots`, `describeDBClusterSnapshots`, `startExportTask` and
        `describeExportTasks`
"""

from runner.local.rds.service import Rds

__all__ = ["Rds"]
