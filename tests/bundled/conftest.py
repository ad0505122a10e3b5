"""Bundled functions meet AWS as moto has it, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.aws import REGION, credentials_only

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def moto_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from moto import mock_aws

    credentials_only(monkeypatch)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield
