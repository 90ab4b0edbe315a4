"""The real embedded help desk, started once for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from client.demo import launch


@pytest.fixture(scope="session")
def demo_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[launch.DemoDesk]:
    with launch.start(tmp_path_factory.mktemp("desk"), rate=0) as desk:
        yield desk


@pytest.fixture
def api(demo_desk: launch.DemoDesk) -> Iterator[httpx.Client]:
    """The employee API as its employee."""
    headers = {"Authorization": f"Bearer {demo_desk.token}"}
    with httpx.Client(base_url=demo_desk.api, headers=headers, trust_env=False, timeout=30) as line:
        yield line
