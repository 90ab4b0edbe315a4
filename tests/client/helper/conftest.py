"""The helper as it is installed, in namespaces of its own: a real bus, a real polkit, real users."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

HERE = Path(__file__).parent
POLKITD = Path("/usr/lib/polkit-1/polkitd")
TRUSTED, STRANGER = "nobody", "daemon"  # a polkit rule of the lab trusts the first; both exist on every Linux
CGROUPS = (
    Path("/sys/fs/cgroup/unified"),
    Path("/sys/fs/cgroup"),
)  # where libsystemd looks for the session of a process
PREAMBLE = """
import json, os, subprocess, sys, threading, time
from xml.etree import ElementTree
import jeepney, jeepney.io.blocking, jeepney.wrappers
user = int(sys.argv[1])
if user:
    os.setgroups([]); os.setgid(user); os.setuid(user)
from jeepney import DBusAddress, new_method_call
from jeepney.wrappers import unwrap_msg, DBusErrorResponse
NAME = "io.github.deskside.Helper1"
HELPER = DBusAddress("/io/github/deskside/Helper1", bus_name=NAME, interface=NAME)
BUS = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
def connect():
    return jeepney.io.blocking.open_dbus_connection("unix:path=/run/dbus/system_bus_socket")
bus = connect()
def raw(method, signature=None, body=(), to=HELPER, over=None):
    message = new_method_call(to, method, signature, body)
    return unwrap_msg((over or bus).send_and_get_reply(message, timeout=20))
def ask(method, id, parameters=None):
    return list(raw(method, "sa{ss}", (id, parameters or {})))
def say(what):
    print(json.dumps(what), flush=True)
"""


class Lab:
    """The machine inside this one. `call` runs code there as a user, with `ask("Run", id, {...})`, `raw` and `say(anything)`."""

    def __init__(self, folder: Path, process: subprocess.Popen) -> None:
        self.folder = folder
        self._process = process
        self.inside = psutil.Process(process.pid).children()[0].pid
        self.root = Path(f"/proc/{self.inside}/root")

    def enter(self, *words: str, **more) -> subprocess.CompletedProcess[str]:
        command = ["nsenter", f"--target={self.inside}", "--mount", "--net", "--pid", "--wd=/", "--", *words]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, **more)

    @contextlib.contextmanager
    def running(self, *words: str, **more):
        """A program that goes on running there, once it waits for something to happen or has ended."""
        command = ["nsenter", f"--target={self.inside}", "--mount", "--net", "--pid", "--", *words]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more) as process:
            waits = {psutil.STATUS_SLEEPING, psutil.STATUS_ZOMBIE}
            wait_for(lambda: process.poll() is not None or any(one.status() in waits for one in below(process.pid)))
            yield process
            for one in below(process.pid):
                one.kill()
            process.kill()

    def running_code(self, user: str, code: str, *, before: str = ""):
        """As `call`, and goes on meanwhile."""
        return self.running(
            sys.executable, "-c", before + PREAMBLE + textwrap.dedent(code), str(pwd.getpwnam(user).pw_uid)
        )

    @staticmethod
    def wait_for(condition, *, seconds: float = 10.0) -> None:
        """Waits until it is so, or fails."""
        wait_for(condition, seconds=seconds)

    @property
    def command(self) -> list[str]:
        """How the bus starts the helper."""
        text = (self.root / "usr/share/dbus-1/system-services/io.github.deskside.Helper1.service").read_text()
        return next(line for line in text.splitlines() if line.startswith("Exec=")).removeprefix("Exec=").split()

    def process(self, name: str) -> psutil.Process:
        return next(one for one in psutil.Process(self.inside).children(recursive=True) if one.name() == name)

    def processes(self, *names: str) -> list[str]:
        """What runs there under these names."""
        found = []
        for one in below(self.inside):
            with contextlib.suppress(psutil.Error):  # it has just ended
                found.append(one.name())
        return [name for name in found if name in names]

    def reload_bus(self) -> None:
        """Makes the bus look for its services again."""
        self.call("root", "raw('ReloadConfig', to=BUS)")

    def start_polkit(self) -> None:
        self.call("root", "raw('StartServiceByName', 'su', ('org.freedesktop.PolicyKit1', 0), to=BUS)")

    @contextlib.contextmanager
    def active_session(self, user: str):
        """Gives code that makes its process a part of an active local session of the user, as logind would note it down."""
        number = pwd.getpwnam(user).pw_uid
        sessions, users = self.root / "run/systemd/sessions", self.root / "run/systemd/users"
        for folder in (sessions, users):
            folder.mkdir(parents=True, exist_ok=True)
        (users / str(number)).write_text(f"NAME={user}\nSTATE=active\nSESSIONS=c9\n")
        (sessions / "c9").write_text(
            f"UID={number}\nUSER={user}\nACTIVE=1\nSTATE=active\nREMOTE=0\nTYPE=x11\nCLASS=user\nSEAT=seat0\n"
        )
        top = next((place for place in CGROUPS if (place / "cgroup.procs").exists()), None)
        if top is None:
            pytest.skip("needs control groups")
        group = top / f"user.slice/user-{number}.slice/session-c9.scope"
        made = [one for one in (group, *group.parents) if not one.exists()]
        group.mkdir(parents=True)
        try:
            yield f"open({str(group / 'cgroup.procs')!r}, 'w').write('0')\n"
        finally:
            for one in made:
                one.rmdir()
            (sessions / "c9").unlink()
            (users / str(number)).unlink()

    def call(self, user: str, code: str, *, before: str = "", **more):
        """What the code says, as a list. `before` is done as root."""
        words = (sys.executable, "-c", before + PREAMBLE + textwrap.dedent(code), str(pwd.getpwnam(user).pw_uid))
        done = self.enter(*words, **more)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def one(self, user: str, code: str, **more):
        (said,) = self.call(user, f"say({code})", **more)
        return said

    def log(self) -> str:
        return (self.folder / "log").read_text() if (self.folder / "log").exists() else ""

    def helpers(self) -> list[psutil.Process]:
        """The helpers that run there."""
        found = []
        for process in below(self.inside):
            with contextlib.suppress(psutil.Error):  # it has just ended
                if "client.helper" in process.cmdline() and process.uids().real == 0:
                    found.append(process)
        return found

    def fresh(self) -> None:
        """Ends the helper; the next request starts another, whose counts begin anew."""
        for process in self.helpers():
            process.terminate()
        wait_for(lambda: not self.helpers())

    def recorded(self, program: str) -> str:
        """What a stand-in of the lab wrote down."""
        file = self.root / "run/recorded" / program
        return file.read_text() if file.exists() else ""

    def tell(self, name: str, text: str = "") -> None:
        """`slow` (seconds), PROGRAM.says or PROGRAM.fails, for the stand-ins."""
        (self.root / "run/recorded" / name).write_text(text)

    def policy(self, text: str | None, name: str = "50-test.toml") -> None:
        folder = self.root / "etc/deskside/policy.d"
        shutil.rmtree(folder.parent, ignore_errors=True)
        if text is not None:
            folder.mkdir(parents=True)
            for one in (folder, folder.parent):
                one.chmod(0o755)
            (folder / name).write_text(text)
            (folder / name).chmod(0o644)


def below(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:  # it has ended
        return []


def wait_for(condition, *, seconds: float = 10.0) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def machine_inside(tmp_path_factory: pytest.TempPathFactory):
    if os.geteuid() != 0 or not POLKITD.exists() or not shutil.which("dbus-daemon"):
        pytest.skip("needs root, dbus-daemon and polkitd")
    folder = tmp_path_factory.mktemp("inside")
    folder.chmod(0o755)
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable]
    command += [str(HERE / "bus_lab.py"), str(folder), sys.executable, TRUSTED]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", "the lab did not start"
        lab = Lab(folder, process)
        yield lab
        process.kill()


@pytest.fixture
def lab(machine_inside: Lab) -> Lab:
    """The machine, with a helper that has counted nothing yet and no policy."""
    machine_inside.fresh()
    machine_inside.policy(None)
    for file in (machine_inside.root / "run/recorded").iterdir():
        file.unlink()
    return machine_inside
