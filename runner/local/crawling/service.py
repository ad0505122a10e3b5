"""`startCrawler` and `getCrawler` of the local Glue; every other action is the catalogue's.

A crawl is done when its start returns; like on AWS its end, good or bad, is what `getCrawler` says
of the last crawl.  Two processes never crawl as one crawler: the second is refused as on AWS.
"""

from __future__ import annotations

import fcntl
import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.model.nearest import listed
from runner.model.ports import Json, ServiceError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from runner.local.glue import GlueCatalog
    from runner.local.s3 import FolderS3
    from runner.model.local_sources import LocalCrawler
    from runner.model.ports import Service


@dataclass(frozen=True, slots=True)
class Crawlers:
    """The crawlers of one environment, in front of its catalogue."""

    crawlers: Mapping[str, LocalCrawler]
    s3: FolderS3
    open_catalog: Callable[[], GlueCatalog]
    catalog: Service
    folder: Path
    """Where the last crawl of each is noted."""
    now: Callable[[], dt.datetime]

    def __call__(self, action: str, arguments: Mapping[str, Json]) -> Json:
        """Serve an action of Glue."""
        if action == "startCrawler":
            return self._start(str(arguments.get("Name", "")))
        if action == "getCrawler":
            return {"Crawler": self._described(str(arguments.get("Name", "")))}
        return self.catalog(action, arguments)

    def _crawler(self, name: str) -> LocalCrawler:
        found = self.crawlers.get(name)
        if found is None:
            known = f"one of {listed(list(self.crawlers))}" if self.crawlers else "none"
            raise ServiceError(
                "Glue.EntityNotFoundException",
                f"Crawler with name {name} does not exist; `crawlers` of the environment: {known}",
            )
        return found

    def _start(self, name: str) -> Json:
        crawler = self._crawler(name)
        with self._alone(name):
            last: dict[str, Json] = {"StartTime": self.now().isoformat(), "Status": "SUCCEEDED"}
            try:
                self._crawl(name, crawler)
            except CrawlError as error:
                last |= {"Status": "FAILED", "ErrorMessage": str(error)}
            self._note(name, last)
        return {}

    def _crawl(self, name: str, crawler: LocalCrawler) -> None:
        from runner.local.crawling.crawl import crawl  # noqa: PLC0415 - DuckDB loads here

        crawl(name, crawler, s3=self.s3, catalog=self.open_catalog())

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ServiceError(
                    "Glue.CrawlerRunningException",
                    f"Crawler with name {name} has already started",
                ) from error
            yield

    def _note(self, name: str, last: Mapping[str, Json]) -> None:
        written = self.folder / f"{name}.new"
        written.write_text(json.dumps(last), "utf-8")
        written.replace(self.folder / f"{name}.json")

    def _described(self, name: str) -> Json:
        crawler = self._crawler(name)
        found: dict[str, Json] = {
            "Name": name,
            "DatabaseName": crawler.database,
            "TablePrefix": crawler.prefix,
            "Targets": {"S3Targets": [{"Path": path} for path in crawler.paths]},
            "State": "READY",
        }
        try:
            with self._alone(name):
                noted = self.folder / f"{name}.json"
                if noted.is_file():
                    found["LastCrawl"] = json.loads(noted.read_text("utf-8"))
        except ServiceError:
            found["State"] = "RUNNING"
        return found


class CrawlError(Exception):
    """A crawl that ended badly, in words."""
