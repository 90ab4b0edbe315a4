"""Fences: a unit test cannot touch this machine's home, keyring, desktop or network unless it asks for it by name."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples at every run, so that a change is judged by what it changed; `pytest --hypothesis-profile=seeking` looks for new
# ones. Without a deadline: a busy computer is no finding.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("seeking", deadline=None)
settings.load_profile("repeatable")

LOOPBACK = ("127.", "::1", "localhost")
real_connect = socket.socket.connect


def fenced_connect(self: socket.socket, address: object) -> None:
    if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
        raise AssertionError(f"a test tried to reach {address}; only loopback is allowed here")
    real_connect(self, address)


@pytest.fixture(autouse=True)
def fence(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A home of its own, no session bus, no display, no network beyond loopback. `desktop` and `netlab` tests bring their own."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    for name, folder in (("CONFIG", "config"), ("DATA", "data"), ("CACHE", "cache"), ("STATE", "state")):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / folder))
    for name in [
        name for name in os.environ if name.lower().endswith("_proxy") or name.startswith(("DESKSIDE_", "SSL_CERT"))
    ]:
        monkeypatch.delenv(name)
    if request.node.get_closest_marker("netlab") or request.node.get_closest_marker("desktop"):
        return
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setattr(socket.socket, "connect", fenced_connect)
