"""Settings files of a test, in folders of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from client.platform.paths import Paths
from client.settings import linux
from client.settings.layers import Loaded, load

ME = os.getuid()


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    names = ("config", "data", "state", "cache", "log", "resources", "policy")
    found = Paths(**{name: tmp_path / "home" / name for name in names})
    found.config.mkdir(parents=True)
    found.policy.mkdir()
    found.policy.chmod(0o755)
    return found


@pytest.fixture
def merge(paths: Paths) -> Callable[..., Loaded]:
    """Writes policy files and the user's, merges them as Linux does, and gives the result."""

    def merge(user: str | bytes | None = None, **policies: str | bytes) -> Loaded:
        for name, text in policies.items():
            write(paths.policy / f"{name}.toml", text)
        if user is not None:
            write(paths.settings_file, user)
        return load(paths, policy=linux.read(paths.policy, also=(), owner=ME))

    return merge


def write(path: Path, text: str | bytes) -> None:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(0o644)


@pytest.fixture
def other_owner() -> int:
    """The id of somebody else; files can be given to them by root only, so others look from the other side."""
    return 12345 if ME != 12345 else 12346
