"""The real embedded help desk, started once for all contract tests, and the faulty one, made anew for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from client.demo import launch
from tests.faulty_server import FaultyServer


@pytest.fixture(scope="session")
def demo_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[launch.DemoDesk]:
    with launch.start(tmp_path_factory.mktemp("desk"), rate=0) as desk:
        yield desk


@pytest.fixture
def faulty_server() -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        yield server
