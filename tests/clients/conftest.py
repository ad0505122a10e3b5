"""One server for all scenarios of a process: each keeps to a bucket and databases of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.clients import Clients, find_clients, served

if TYPE_CHECKING:
    from collections.abc import Iterator

collect_ignore = ["scenarios"]


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    home = find_clients()
    with served(tmp_path_factory.mktemp("clients")) as url:
        yield Clients(home, url)
