"""A MariaDB for the runs that load into one."""

from __future__ import annotations

from tests.support.mariadb import mariadb

__all__ = ["mariadb"]
