"""What waits for a way to the help desk goes as soon as there is one: a real tray, a real kernel, a real route that comes back."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

sys.path.insert(0, str(Path(__file__).parent))  # the lab is plain scripts, so that people can run them too

from guard import Guard

ROOT = Path(__file__).parents[2]
KEYRING = ROOT / "tests" / "client" / "cli"
DESK, PORT = "198.51.100.9", 8443
SOON_S = 2.0
SLACK = 2.0  # as in test_netlab: a machine that is busy with other tests is slower
PATIENCE_S = 60.0
GROUPS = "00000441"  # links, IPv4 routes, IPv6 routes

pytestmark = [
    pytest.mark.netlab,
    pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root: make lab"),
]


def wait(until: Callable[[], object], what: str) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < ends, what
        time.sleep(0.02)


class Far:
    """An employee's computer, a cable, and a help desk behind a route that is not there yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mark = f"dskfar{os.getpid()}"
        self.here, self.there = f"{self._mark}-emp", f"{self._mark}-desk"
        self._processes: list[subprocess.Popen[str]] = []
        self._guard = Guard(self._mark, folder / "lab")

    def build(self) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.folder / "ca.pem")
        authority.issue_cert(DESK).private_key_and_cert_chain_pem.write_to_path(self.folder / "desk.pem")
        settings = self.folder / "config" / "deskside" / "settings.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text(
            f'[desk]\nkind = "webhook"\nurl = "https://{DESK}:{PORT}/hook"\n'
            f'[network]\nproxy = "none"\nca_file = "{self.folder / "ca.pem"}"\n'
        )
        for name in (self.here, self.there):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "link", "add", "e0", "netns", self.here, "type", "veth", "peer", "name", "d0", "netns", self.there)
        for name, link, address in ((self.here, "e0", "10.9.0.2/24"), (self.there, "d0", "10.9.0.1/24")):
            run("ip", "-n", name, "addr", "add", address, "dev", link)
            run("ip", "-n", name, "link", "set", link, "up")
        run("ip", "-n", self.there, "addr", "add", f"{DESK}/32", "dev", "lo")
        script = Path(__file__).with_name("far_desk.py")
        self.desk = self._start(self.there, str(script), str(self.folder / "desk.pem"), str(PORT))
        assert self.desk.stdout is not None
        assert self.desk.stdout.readline() == "ready\n"

    def deskside(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = ["ip", "netns", "exec", self.here, sys.executable, "-P", "-m", "client", *words]
        return subprocess.run(
            command, input=stdin, text=True, capture_output=True, check=False, cwd=ROOT, env=self._environment()
        )

    def tray(self) -> subprocess.Popen[str]:
        """The resident program, when it watches the network."""
        made = self._start(self.here, "-P", "-m", "client")
        watched = Path(f"/proc/{made.pid}/net/netlink")
        wait(lambda: GROUPS in watched.read_text(), "the tray does not watch the network")
        return made

    def way(self, what: str) -> None:
        run("ip", "-n", self.here, "route", what, f"{DESK}/32", "via", "10.9.0.1")

    def database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / "data" / "deskside" / "outbox.sqlite3", isolation_level=None)

    def close(self) -> None:
        for one in self._processes:
            one.kill()
            one.communicate()
        self._guard.done()

    def _environment(self) -> dict[str, str]:
        folders = {f"XDG_{name.upper()}_HOME": str(self.folder / name) for name in ("config", "data", "cache", "state")}
        mine = {
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(KEYRING))),
            "PYTHON_KEYRING_BACKEND": "keyring_of_tests.FileKeyring",
            "TEST_KEYRING": str(self.folder / "keyring.json"),
            "QT_QPA_PLATFORM": "offscreen",
            "HOME": str(self.folder),
        }
        return {**os.environ, **folders, **mine}

    def _start(self, where: str, *words: str) -> subprocess.Popen[str]:
        command = ["ip", "netns", "exec", where, sys.executable, *words]
        made = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=self._environment())
        self._processes.append(made)
        return made


def run(*command: str) -> None:
    subprocess.run(command, check=True)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    made = Far(tmp_path)
    try:
        made.build()
        yield made
    finally:
        made.close()


def test_a_ticket_goes_when_the_route_returns(far: Far) -> None:
    far.way("add")
    signed_in = far.deskside("login", "--token-stdin", stdin="robin:key-of-robin\n")
    assert signed_in.returncode == 0, signed_in.stderr
    far.way("del")
    kept = far.deskside("ticket", "create", "--words", "No way", "--subject", "Later", "--no-check", "--yes")
    assert kept.returncode == 4, kept.stderr
    with contextlib.closing(
        far.database()
    ) as database:  # as after an hour without a network: the timer alone would take ten minutes
        now = time.time()
        database.execute("UPDATE pause SET failures = 9, until = ?, set_at = ?", (now + 600, now))
        database.execute("UPDATE entry SET due_at = ?, due_set_at = ?", (now + 600, now))
    far.tray()
    far.way("add")
    began = time.time()
    assert far.desk.stdout is not None
    moment, _, subject = far.desk.stdout.readline().strip().partition(" ")
    assert subject == "Later"
    assert float(moment) - began < SOON_S * SLACK
    with contextlib.closing(far.database()) as database:
        wait(lambda: database.execute("SELECT state FROM entry").fetchone() == ("sent",), "the ticket is not sent")
