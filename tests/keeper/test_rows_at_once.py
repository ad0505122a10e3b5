"""Records of many tables, read with several requests at once: the same as one after the other."""

from __future__ import annotations

import bisect
import io
import json
import threading
from typing import Any

import pytest

from runner.keeper import records, rows
from runner.keeper.storage import Storage

_AT = "20130201T030000.{:06d}Z"
_PAGE = 1000


class ManyObjects:
    """A bucket in memory, as boto3's client shows it; counts what it is asked."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self._objects = objects
        self._keys = sorted(objects)
        self._lock = threading.Lock()
        self.calls = 0

    def list_objects_v2(
        self,
        *,
        Bucket: str,  # noqa: N803 - boto3's names
        Prefix: str,  # noqa: N803
        StartAfter: str = "",  # noqa: N803
        ContinuationToken: str = "",  # noqa: N803
        Delimiter: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        assert Bucket == "lake"
        self._count()
        if Delimiter:
            below = {key[len(Prefix) :] for key in self._keys if key.startswith(Prefix)}
            names = sorted({rest.partition("/")[0] for rest in below if "/" in rest})
            found = [{"Prefix": f"{Prefix}{name}/"} for name in names]
            return {"CommonPrefixes": found, "IsTruncated": False}
        after = max(StartAfter, ContinuationToken)
        first = max(bisect.bisect_right(self._keys, after), bisect.bisect_left(self._keys, Prefix))
        page = [key for key in self._keys[first : first + _PAGE] if key.startswith(Prefix)]
        there = self._keys[first + _PAGE : first + _PAGE + 1]
        more = len(page) == _PAGE and bool(there) and there[0].startswith(Prefix)
        return {
            "Contents": [{"Key": key, "Size": 1, "ETag": '"e"'} for key in page],
            "IsTruncated": more,
            "NextContinuationToken": page[-1] if more else "",
        }

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - likewise
        assert Bucket == "lake"
        self._count()
        return {"Body": io.BytesIO(self._objects[Key]), "ETag": '"e"'}

    def _count(self) -> None:
        with self._lock:
            self.calls += 1


def many(tables: int, days: int) -> tuple[dict[str, bytes], list[str]]:
    """Make a lake: of each table single records of every state, and a pack."""
    objects: dict[str, bytes] = {}
    names = [f"marts.t{number:03d}" for number in range(tables)]
    for name in names:
        base = f"prod/_runner/records/{name.replace('.', '/')}/"
        old = (_AT.format(0), "2012-12-31", "2012-12-31", "abc", "daily.r0.0.1")
        objects[f"{base}packed/{_AT.format(1)}.json"] = json.dumps(
            records.write_columns([old])
        ).encode()
        for number in range(days):
            ending = "writing" if number == 1 else "failed" if number == 2 else "json"
            day = f"2013-01-{number % 28 + 1:02d}"
            key = f"{base}{day}_{day}/{_AT.format(number)}_abc_daily.r1.0.1.{ending}"
            objects[key] = b"{}"
    return objects, names


@pytest.fixture(scope="module")
def lake() -> tuple[dict[str, bytes], list[str]]:
    return many(60, 300)


def test_a_long_list_is_the_same_in_parts(lake: tuple[dict[str, bytes], list[str]]) -> None:
    """18,060 keys: the first ten pages in one LIST, the other tables each by itself."""
    objects, names = lake
    one, several = ManyObjects(objects), ManyObjects(objects)
    expected = dict(rows.rows(Storage(one, "s3://lake/prod/", workers=1), names))
    found = dict(rows.rows(Storage(several, "s3://lake/prod/", workers=4), names))
    assert list(found) == names
    assert len(expected["marts.t059"].published) == 298
    assert [sorted(found[name].published) for name in names] == [
        sorted(expected[name].published) for name in names
    ]
    assert [(found[n].begun, found[n].failed, found[n].packs) for n in names] == [
        (expected[n].begun, expected[n].failed, expected[n].packs) for n in names
    ]
    assert one.calls == 19 + len(names)
    assert several.calls == 10 + 27 + len(names)


def test_few_tables_are_listed_by_themselves(lake: tuple[dict[str, bytes], list[str]]) -> None:
    objects, names = lake
    client = ManyObjects(objects)
    found = dict(rows.rows(Storage(client, "s3://lake/prod/", workers=4), names[40:42]))
    assert list(found) == names[40:42]
    assert [len(one.published) for one in found.values()] == [298, 298]
    assert client.calls == 2 + 2


def test_a_table_without_records_is_left_out(lake: tuple[dict[str, bytes], list[str]]) -> None:
    objects, _ = lake
    storage = Storage(ManyObjects(objects), "s3://lake/prod/", workers=4)
    assert dict(rows.rows(storage, ["marts.t0", "marts.t001x"])) == {}


def test_tables_are_named_without_listing_their_records(
    lake: tuple[dict[str, bytes], list[str]],
) -> None:
    objects, names = lake
    client = ManyObjects(objects)
    assert rows.tables(Storage(client, "s3://lake/prod/")) == set(names)
    assert client.calls == 2
    assert rows.tables(Storage(ManyObjects({}), "s3://lake/prod/")) == set()
