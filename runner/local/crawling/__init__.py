"""Glue's crawlers on this machine: what lies below a folder of S3 becomes tables of the catalogue.

files   which objects there are, and the folders and partitions they lie in
schema  the columns of some files, by DuckDB, as Glue's classifiers name their types
layout  which folders are one table
tables  tables and partitions as the crawler writes them into the catalogue
service `startCrawler` and `getCrawler`
"""

from runner.local.crawling.service import Crawlers

__all__ = ["Crawlers"]
