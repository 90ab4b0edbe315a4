"""Every fault of the lab is made in a real kernel with real servers, and the right cause must be named first. Needs root."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the lab is plain scripts, so that people can run them too

import variants  # noqa: F401 -- registers more scenarios
from guard import NAMESPACES, SETTINGS, Guard
from lab import ROLES, Lab
from scenarios import HEALTHY, SCENARIOS

WORKERS = 3  # worlds side by side on two cores: a check mostly waits
SLACK = 2.0  # a machine that is busy with other tests is slower; the bars themselves are those of the design
HEALTHY_S, FAULT_S, HARD_S = 3.0, 10.0, 20.0
MAKE = {**{name: make for name, (make, _) in SCENARIOS.items()}, **HEALTHY}
BESIDE = frozenset({"processor.saturated"})  # true on a busy machine, and none of the lab's doing

pytestmark = [
    pytest.mark.netlab,
    pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="the fault lab needs root: make lab"),
]


class Runs:
    """Makes the faults of a session in several worlds at once, each once; a test waits for its own."""

    def __init__(self, names: list[str], folder: Path) -> None:
        self._worlds: queue.SimpleQueue[Lab] = queue.SimpleQueue()
        self._labs = [Lab(folder / str(number), number) for number in range(WORKERS)]
        self._guards = [Guard(mark_of(lab), lab.folder) for lab in self._labs]
        self._pool = ThreadPoolExecutor(WORKERS)
        for lab in self._labs:
            lab.build()
            self._worlds.put(lab)
        self._reports = {name: self._pool.submit(self._run, name) for name in names}

    def _run(self, name: str) -> dict:
        lab = self._worlds.get()
        try:
            lab.reset()
            MAKE[name](lab)
            return lab.check()
        finally:
            self._worlds.put(lab)

    def report(self, name: str) -> dict:
        """The report on a scenario."""
        return self._reports[name].result()

    def close(self) -> None:
        """Ends the runs that nobody waits for, and removes the worlds."""
        self._pool.shutdown(cancel_futures=True)
        for lab, guard in zip(self._labs, self._guards, strict=True):
            lab.close()
            guard.done()


@pytest.fixture(scope="session")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """The scenarios of the tests that were chosen."""
    asked = [item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")]
    made = Runs([name for name in asked if name in MAKE], tmp_path_factory.mktemp("netlab"))
    yield made
    made.close()


def mark_of(lab: Lab) -> str:
    """What the names of a lab's namespaces begin with."""
    return lab.ns("emp").rpartition("-")[0]


def named(report: dict) -> list[tuple[str, str | None]]:
    """The causes and their subjects, without those that a busy machine adds."""
    return [(one["cause"], one["subject"]) for one in report["diagnosis"] if one["cause"] not in BESIDE]


def words(report: dict) -> str:
    """What to show when a test fails: what was named, and what was not fine."""
    findings = [one for one in report["findings"] if one["status"] != "ok"]
    lines = [f"{one['status']:8} {one['check']}: {one['summary']} {one['measures']}" for one in findings]
    return "\n".join([f"named: {named(report)}", *lines])


def as_expected(found: tuple[str, str | None], wanted: tuple[str, str | None]) -> bool:
    """The same cause, and the same subject where one is asked for ("*": any)."""
    return found[0] == wanted[0] and wanted[1] in {"*", found[1]}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_cause_is_named_first(runs: Runs, name: str) -> None:
    _, wanted = SCENARIOS[name]
    report = runs.report(name)
    found = named(report)
    assert found, words(report)
    assert as_expected(found[0], wanted[0]), words(report)
    assert len(found) == len(wanted), words(report)
    for one in wanted[1:]:
        assert any(as_expected(other, one) for other in found), words(report)
    assert report["exit_code"] == 1
    assert report["duration_ms"] / 1000 <= min(FAULT_S * SLACK, HARD_S), words(report)
    assert report["seconds"] <= HARD_S * SLACK


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_named_where_nothing_is_wrong(runs: Runs, name: str) -> None:
    report = runs.report(name)
    assert named(report) == [], words(report)
    assert report["exit_code"] == (1 if report["diagnosis"] else 0)
    assert report["duration_ms"] / 1000 <= HEALTHY_S * SLACK, words(report)


def test_a_lab_whose_owner_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    script = "import sys, time; from pathlib import Path; from lab import Lab; from guard import Guard; "
    script += "lab = Lab(Path(sys.argv[1])); mark = lab.ns('emp').rpartition('-')[0]; guard = Guard(mark, Path(sys.argv[1])); "
    script += "lab.build(); print(mark, flush=True); time.sleep(60)"
    folder = tmp_path / "killed"
    argv = [sys.executable, "-c", script, str(folder)]
    with subprocess.Popen(argv, cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        mark = owner.stdout.readline().strip()
        assert {one.name for one in NAMESPACES.glob(f"{mark}-*")} == {f"{mark}-{role}" for role in ROLES}
        owner.send_signal(signal.SIGKILL)
    until = time.monotonic() + 10
    while folder.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not folder.exists()
    assert [*NAMESPACES.glob(f"{mark}-*"), *SETTINGS.glob(f"{mark}-*")] == []
