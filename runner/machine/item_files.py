"""The items in a text: JSON, JSON lines, delimited values, and the two kinds of manifests.

In: the text of an object, and a ReaderConfig.  Out: values.  A text that is not what the config
says raises States.ItemReaderFailed.
"""

from __future__ import annotations

import csv
import itertools
import json
from typing import TYPE_CHECKING

from runner.machine.failures import READ_FAILED, ReportedError
from runner.machine.items import Items

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.model.ports import Json

_BOM = "\ufeff"
_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
_MOST_HEADER_BYTES = 10_240
_BUCKET_ARN = ":s3:::"


def read_failed(cause: str) -> ReportedError:
    """Make the error of a dataset that cannot be read."""
    return ReportedError(READ_FAILED, cause)


def parse_items(text: str, config: Mapping[str, Json], most: int | None) -> Items:
    """Read the items of an object's text, the first `most` of them."""
    kind = config.get("InputType", "JSON")
    text = text.removeprefix(_BOM)
    if kind == "CSV":
        return Items(_delimited(text, config, most))
    try:
        if kind == "JSONL":
            return Items(_lines(text, most))
        if kind == "JSON":
            return _document(text, config, most)
    except (ValueError, RecursionError) as error:
        raise read_failed(f"The content of the file is not valid {kind}: {error}") from error
    raise read_failed(f"InputType {kind} is not supported")


def _strictly(text: str) -> Json:
    return json.loads(text, parse_constant=_no_constant)


def _no_constant(name: str) -> Json:
    message = f"{name} is no JSON value"
    raise ValueError(message)


def _lines(text: str, most: int | None) -> list[Json]:
    lines = (line for line in text.split("\n") if line.strip())
    return [_strictly(line) for line in itertools.islice(lines, most)]


def _document(text: str, config: Mapping[str, Json], most: int | None) -> Items:
    value = _strictly(text)
    pointer = str(config.get("ItemsPointer", ""))
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (LookupError, TypeError, ValueError) as error:
            raise read_failed(f"ItemsPointer {pointer} leads nowhere") from error
    if isinstance(value, list):
        return Items(value[:most])
    if pointer and isinstance(value, dict):
        chosen = dict(itertools.islice(value.items(), most))
        return Items(tuple(chosen.values()), tuple(chosen))
    raise read_failed("Attempting to map over non-iterable node.")


def _delimited(text: str, config: Mapping[str, Json], most: int | None) -> list[Json]:
    rows = _rows(text, str(config.get("CSVDelimiter", "COMMA")))
    if config.get("CSVHeaderLocation") == "GIVEN":
        given = config.get("CSVHeaders", [])
        if not isinstance(given, list):
            raise read_failed("CSVHeaders must be an array of strings.")
        headers = [str(name) for name in given]
    else:
        headers = next(rows, [])
    if len(set(headers)) != len(headers):
        raise read_failed("CSV headers cannot contain duplicates.")
    if sum(len(name.encode()) + 1 for name in headers) > _MOST_HEADER_BYTES:
        raise read_failed(f"The CSV header is longer than {_MOST_HEADER_BYTES} bytes.")
    return _with_headers(headers, itertools.islice(rows, most))


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Read rows; a backslash takes the meaning from the next character, empty lines are skipped."""
    if delimiter not in _DELIMITERS:
        raise read_failed(f"CSVDelimiter {delimiter} is not supported")
    end = "\n" if "\n" in text else "\r"
    lines = (f"{line}\n" for line in text.removesuffix(end).split(end))
    reader = csv.reader(lines, delimiter=_DELIMITERS[delimiter], escapechar="\\")
    try:
        yield from (row for row in reader if row)
    except csv.Error as error:
        raise read_failed(f"The content of the file is not valid CSV: {error}") from error


def _with_headers(headers: Sequence[str], rows: Iterator[list[str]]) -> list[Json]:
    width = len(headers)
    missing = [""] * width
    return [dict(zip(headers, (row + missing)[:width], strict=True)) for row in rows]


class Inventory:
    """An S3 inventory's manifest: which objects hold the list, and what its columns are."""

    def __init__(self, text: str) -> None:
        """Read the text of a `manifest.json`."""
        try:
            manifest = _strictly(text.removeprefix(_BOM))
            self.bucket = str(manifest["destinationBucket"]).rpartition(_BUCKET_ARN)[2]
            self.keys = tuple(str(file["key"]) for file in manifest["files"])
            self._headers = [name.strip() for name in manifest["fileSchema"].split(",")]
            form = manifest["fileFormat"]
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise read_failed("The manifest file is not one of an S3 inventory") from error
        if form != "CSV":
            raise read_failed(f"The format {form} of the S3 inventory is not supported: only CSV")

    def parse(self, text: str, most: int | None) -> list[Json]:
        """Read the rows of one of the objects."""
        return _with_headers(self._headers, itertools.islice(_rows(text, "COMMA"), most))


def parse_athena_manifest(text: str) -> list[tuple[str, str]]:
    """Read bucket and key of every object that a statement of Athena wrote."""
    found = []
    for row in _rows(text.removeprefix(_BOM), "COMMA"):
        scheme, _, path = row[0].strip().partition("://")
        bucket, _, key = path.partition("/")
        if scheme not in {"s3", "s3a", "s3n"} or not key:
            raise read_failed(f"The manifest file lists no S3 object: {row[0]}")
        found.append((bucket, key))
    return found
