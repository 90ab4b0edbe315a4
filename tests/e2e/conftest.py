"""The private desktop as a fixture. A failed test shows the logs of the desktop it ran on and keeps a picture of its screen."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

for folder in Path(__file__).parents[:2]:  # the harness is shared with scripts that are no tests
    sys.path.insert(0, str(folder))

from deskside_desktop import Employee  # noqa: E402 -- the path comes first
from desktop import Desktop, DesktopFault, desktop  # noqa: E402 -- as above

DESKTOPS = pytest.StashKey[list[Desktop]]()


@pytest.fixture
def make_desktop(request: pytest.FixtureRequest) -> Iterator[Callable[..., Desktop]]:
    """Starts private desktops, with the options of `desktop.desktop`; they end with the test."""
    started = request.node.stash.setdefault(DESKTOPS, [])
    with ExitStack() as stack:

        def make(**options: Any) -> Desktop:
            one = stack.enter_context(desktop(**options))
            started.append(one)
            return one

        yield make


@pytest.fixture
def make_employee(make_desktop: Callable[..., Desktop]) -> Iterator[Callable[..., Employee]]:
    """Seats somebody at a private desktop: `desk` is the help desk, everything else an option of the desktop."""
    with ExitStack() as stack:

        def make(*, desk: Any = None, **options: Any) -> Employee:
            employee = Employee(make_desktop(**options), desk=desk)
            stack.enter_context(employee.hands)
            return employee

        yield make


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" and report.failed:
        for number, one in enumerate(item.stash.get(DESKTOPS, [])):
            report.sections.append((f"desktop {number} ({one.tray})", one.logs()))
            if folder := os.environ.get("TEST_PICTURES"):
                picture = Path(folder) / f"{item.name.replace('/', '-')}-{number}.png"
                try:
                    one.screenshot(picture)
                except DesktopFault as fault:
                    report.sections.append((f"desktop {number} picture", str(fault)))
    return report
