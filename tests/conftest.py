"""No test leaves this machine: connections and look-ups go to the loopback only."""

from __future__ import annotations

import gc
import ipaddress
import socket
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# No test is timed: how long an example takes is the machine's business.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

GUARDED = ("connect", "connect_ex", "sendto")


class NetworkForbiddenError(Exception):
    """A test tried to leave this machine."""


def is_local(host: object) -> bool:
    """Tell whether a host is this machine; a name other than localhost would need a look-up."""
    if host in {None, "", "localhost", b"localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def refuse_unless_local(address: object) -> None:
    """Let Unix sockets (text) and loopback addresses (tuples) pass."""
    if isinstance(address, tuple) and not is_local(address[0]):
        message = f"a test tried to reach {address!r}; tests use the loopback only"
        raise NetworkForbiddenError(message)


def guarded(name: str) -> Any:  # noqa: ANN401 - it stands in for methods of several signatures
    original = getattr(socket.socket, name)

    def method(self: socket.socket, *arguments: Any) -> Any:  # noqa: ANN401 - likewise
        refuse_unless_local(arguments[-1])
        return original(self, *arguments)

    return method


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let golden files be written anew, on purpose."""
    parser.addoption("--update-golden", action="store_true", help="write golden files anew")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Tell whether golden files are to be written."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    look_up = socket.getaddrinfo

    def guarded_look_up(host: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - likewise
        refuse_unless_local((host,))
        return look_up(host, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        for name in GUARDED:
            patch.setattr(socket.socket, name, guarded(name))
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


def pytest_sessionfinish() -> None:
    """Thaw what runs in this process froze, so that libraries can put their objects away."""
    gc.unfreeze()
