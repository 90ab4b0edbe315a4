"""What the tests of the articles share: makers of packs, and a static HTTPS server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tests.servers.static_https import StaticServer


@pytest.fixture(scope="session")
def static_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StaticServer]:
    """One server for all; whoever uses it empties it first."""
    with StaticServer(tmp_path_factory.mktemp("server")) as made:
        yield made
