"""One crawl: list, infer, group, write.

In: a crawler.  Out: tables in the catalogue, or a CrawlError that says what could not be read; then
nothing of that path is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from runner.local.crawling.files import read_folder
from runner.local.crawling.layout import find_tables
from runner.local.crawling.schema import UnreadableError
from runner.local.crawling.service import CrawlError
from runner.local.crawling.tables import Written, table_name, write_table
from runner.local.glue import GlueError

if TYPE_CHECKING:
    from runner.local.glue import GlueCatalog
    from runner.local.s3 import FolderS3
    from runner.model.local_sources import LocalCrawler


def crawl(name: str, crawler: LocalCrawler, *, s3: FolderS3, catalog: GlueCatalog) -> Written:
    """Crawl every path; CrawlError for what cannot be read or written."""
    made = Written()
    with duckdb.connect() as connection:
        _make_database(catalog, crawler.database)
        for path in crawler.paths:
            try:
                folder = read_folder(s3, path, crawler.exclude)
                tables = list(
                    find_tables(
                        connection,
                        folder,
                        crawler.classification,
                        one=crawler.table is not None,
                    )
                )
                for found in tables:
                    table = table_name(found.uri, crawler.prefix, crawler.table)
                    written = write_table(
                        catalog, crawler.database, table, crawler=name, found=found
                    )
                    made = Written(made.created + written.created, made.updated + written.updated)
            except (UnreadableError, GlueError) as error:
                raise CrawlError(str(error)) from error
    return made


def _make_database(catalog: GlueCatalog, name: str) -> None:
    try:
        catalog.create_database(DatabaseInput={"Name": name})
    except GlueError as error:
        if error.code != "AlreadyExistsException":
            raise
