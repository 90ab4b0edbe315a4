"""The real help desks, each started once for all contract tests that ask for it, and the faulty one, made anew for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from client.demo import launch
from tests.faulty_server import FaultyServer
from tests.servers.mailbox import Mailbox
from tests.servers.request_tracker import RequestTracker
from tests.servers.roundup import Roundup


@pytest.fixture(scope="session")
def demo_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[launch.DemoDesk]:
    with launch.start(tmp_path_factory.mktemp("desk"), rate=0) as desk:
        yield desk


@pytest.fixture(scope="session")
def request_tracker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RequestTracker]:
    with RequestTracker(tmp_path_factory.mktemp("rt")) as server:
        yield server


@pytest.fixture(scope="session")
def roundup() -> Iterator[Roundup]:
    with Roundup() as server:
        yield server


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    with Mailbox(tmp_path) as box:
        yield box


@pytest.fixture
def faulty_server() -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        yield server
