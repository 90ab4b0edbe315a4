"""A private desktop: bus, display, window manager, tray host, notification daemon, unlocked keyring, accessibility.

Nothing of it touches the desktop of whoever runs the tests, and nothing of it is left afterwards. Tests use `desktop(...)`;
from a terminal, `python tests/desktop.py [options] COMMAND...` runs a command on such a desktop and gives back its exit code.
How the desktop is looked at and touched is in `desktop_hands.py`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, Literal, TypeVar

T = TypeVar("T")
Tray = Literal["xembed", "sni", "none"]

READY_S: Final = 30.0  # a part of the desktop that needs longer on a loaded machine is broken
POLL_S: Final = 0.05
KEYRING_PASSWORD: Final = "correct horse"
MARK: Final = "TEST_DESKTOP"  # in the environment of every process of one desktop; says whose it is
TOOLS: Final = {
    "dbus-daemon": "dbus",
    "Xvfb": "xvfb",
    "openbox": "openbox",
    "xprop": "x11-utils",
    "xdotool": "xdotool",
    "import": "imagemagick",
    "trayer": "trayer",
    "lxqt-panel": "lxqt-panel",
    "dunst": "dunst",
    "gnome-keyring-daemon": "gnome-keyring",
}
DUNST: Final = """[global]
monitor = 0
origin = top-right
offset = 12x56
width = 360
mouse_left_click = do_action, close_current
mouse_right_click = close_current
idle_threshold = 0
[urgency_low]
timeout = 0
[urgency_normal]
timeout = 0
[urgency_critical]
timeout = 0
[record]
summary = "*"
script = {script}
"""
# dunst calls this for everything it shows; a NUL cannot occur in any of the fields
RECORD: Final = """#!/bin/sh
printf '%s\\0%s\\0%s\\0%s\\0' "$DUNST_ID" "$DUNST_APP_NAME" "$DUNST_SUMMARY" "$DUNST_BODY" >> '{file}'
"""
PANEL: Final = """[General]
panels=top
[top]
plugins=statusnotifier
position=Top
width=100
width-percent=true
panelSize=32
iconSize=22
[statusnotifier]
type=statusnotifier
alignment=Right
"""


# a bus that starts nothing by itself: else the keyring that a test does without would come with the first question for it
QUIET_BUS: Final = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


class DesktopFault(RuntimeError):
    """The private desktop could not be started, or what was waited for did not happen."""


def missing_tools() -> tuple[str, ...]:
    """The Debian packages whose programs are not on this machine."""
    return tuple(sorted({package for tool, package in TOOLS.items() if shutil.which(tool) is None}))


def wait_until(what: str, ask: Callable[[], T], *, deadline_s: float = READY_S) -> T:
    """Asks again and again until the answer is true, and gives it.

    Raises:
        DesktopFault: it never was; `what` is named, and the last answer.
    """
    end = time.monotonic() + deadline_s
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > end:
            raise DesktopFault(f"waited {deadline_s:g} s in vain: {what}; last answer: {answer!r}")
        time.sleep(POLL_S)


@dataclass
class Desktop:
    """One private desktop while it runs. `env` is the environment for what is started on it, `folder` holds its files and logs."""

    folder: Path
    tray: Tray
    env: dict[str, str]
    children: list[tuple[str, subprocess.Popen[bytes]]] = field(default_factory=list)

    @property
    def home(self) -> Path:
        """The home of whoever sits at this desktop."""
        return self.folder / "home"

    @property
    def bus(self) -> str:
        """The address of the session bus, empty without one."""
        return self.env.get("DBUS_SESSION_BUS_ADDRESS", "")

    def spawn(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        stdout: int | None = None,
        keep_open: tuple[int, ...] = (),
    ) -> subprocess.Popen[bytes]:
        """Starts a program on the desktop; it is ended with the desktop. Its output goes to `log(name)`.

        Args:
            env: laid over the desktop's environment; an empty value takes a variable away.
            stdin: what the program reads, None for nothing.
            stdout: where its output goes instead, as for Popen.
            keep_open: descriptors that the program inherits.
        """
        laid = dict(env or {})
        with self._log_file(name).open("ab") as log:
            child = subprocess.Popen(
                [str(word) for word in command],
                env={key: value for key, value in (self.env | laid).items() if value or key not in laid},
                cwd=self.home,
                stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                stdout=stdout or log,
                stderr=log,
                start_new_session=True,
                pass_fds=keep_open,
            )
        self.children.append((name, child))
        if stdin is not None and child.stdin is not None:
            with child.stdin:
                child.stdin.write(stdin)
        return child

    def run(
        self, *command: str | Path, env: Mapping[str, str] | None = None, timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Runs a program on the desktop to its end."""
        return subprocess.run(
            [str(word) for word in command],
            env=self.env | dict(env or {}),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def log(self, name: str) -> str:
        """What a program of the desktop has printed so far."""
        file = self._log_file(name)
        return file.read_text(errors="replace") if file.exists() else ""

    def logs(self) -> str:
        """The end of every log, those that programs keep in the home included, for a failed test."""
        files = [*sorted(self.folder.glob("*.log")), *sorted((self.folder / "state").rglob("*.log"))]
        said = {file: file.read_text(errors="replace").strip() for file in files}
        return "\n".join(f"--- {file.relative_to(self.folder)}\n{text[-4000:]}" for file, text in said.items() if text)

    def has_owner(self, name: str) -> bool:
        """Whether somebody answers to a name on the session bus."""
        from jeepney.bus_messages import message_bus
        from jeepney.io.blocking import open_dbus_connection

        with open_dbus_connection(bus=self.bus) as connection:
            reply = connection.send_and_get_reply(message_bus.NameHasOwner(name), timeout=5)
        return bool(reply.body[0])

    def screenshot(self, file: Path) -> Path:
        """Writes what is on the screen now as PNG."""
        done = self.run("import", "-window", "root", file)
        if done.returncode != 0:
            raise DesktopFault(f"no picture of the screen: {done.stderr.strip()}")
        return file

    def end(self, child: subprocess.Popen[bytes], *, deadline_s: float = 10) -> int:
        """Asks one program to end, insists after the deadline, and gives its exit code."""
        if child.poll() is None:
            child.terminate()
        try:
            return child.wait(deadline_s)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait(deadline_s)

    def stop(self) -> None:
        """Ends everything that was started on this desktop, also what its services have started, newest first."""
        for _, child in reversed(self.children):
            if child.poll() is None:
                child.terminate()
        end = time.monotonic() + 5
        while (left := self._processes()) and time.monotonic() < end:
            self._reap()
            time.sleep(POLL_S)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for _, child in self.children:
            child.wait(5)

    def _reap(self) -> None:
        for _, child in self.children:
            child.poll()

    def _processes(self) -> list[int]:
        """Every live process that carries this desktop's mark."""
        mark = f"{MARK}={self.folder}".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if int(process.name) != os.getpid() and mark in (process / "environ").read_bytes().split(b"\0"):
                    found.append(int(process.name))
        return found

    def _log_file(self, name: str) -> Path:
        return self.folder / f"{name}.log"


def read_line(pipe: IO[bytes], what: str, child: subprocess.Popen[bytes]) -> str:
    """The first line that a starting program writes to its pipe."""
    ready, _, _ = select.select([pipe], [], [], READY_S)
    line = pipe.readline().decode().strip() if ready else ""
    if not line:
        raise DesktopFault(f"{what} did not start (exit code {child.poll()})")
    return line


@contextlib.contextmanager
def desktop(
    *,
    tray: Tray = "xembed",
    notifications: bool = True,
    keyring: bool = True,
    a11y: bool = True,
    bus: bool = True,
    size: str = "1280x900",
    keep: bool = False,
) -> Iterator[Desktop]:
    """A private desktop for as long as the block runs.

    Args:
        tray: which kind of tray host: XEmbed (trayer), StatusNotifierItem (lxqt-panel), or none, as on GNOME.
        notifications: whether dunst shows them (`desktop_hands.notifications` reads them).
        keyring: whether a Secret Service runs, unlocked with KEYRING_PASSWORD.
        a11y: whether the accessibility bus runs, so that widgets can be found by name.
        bus: whether there is a session bus at all; without one, none of tray="sni", notifications, keyring, a11y.
        size: of the screen, in pixels.
        keep: leaves the folder with its logs.

    Raises:
        DesktopFault: a part did not start; says which, with the logs.
    """
    if lacking := missing_tools():
        raise DesktopFault(f"not installed: {' '.join(lacking)} (installers/linux/prepare test)")
    folder = Path(tempfile.mkdtemp(prefix="desktop-"))
    env = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("XDG_", "WAYLAND_", "DBUS_", "QT_", "AT_SPI"))
    }
    for name in (
        "DISPLAY",
        "XAUTHORITY",
        "GNOME_KEYRING_CONTROL",
        "SSH_AUTH_SOCK",
        "DESKTOP_SESSION",
        "PYTHON_KEYRING_BACKEND",
    ):
        env.pop(name, None)
    for name in ("home", "config", "data", "cache", "state", "runtime"):
        (folder / name).mkdir(mode=0o700)
    env.setdefault("LANG", "C.UTF-8")  # without one, xdotool cannot type beyond ASCII
    env |= {"HOME": str(folder / "home"), "XDG_RUNTIME_DIR": str(folder / "runtime"), MARK: str(folder)}
    env |= {f"XDG_{name.upper()}_HOME": str(folder / name) for name in ("config", "data", "cache", "state")}
    one = Desktop(folder=folder, tray=tray, env=env)
    try:
        start_session(one, size=size, bus=bus, activation=keyring)
        if bus and a11y:
            one.env["QT_LINUX_ACCESSIBILITY_ALWAYS_ON"] = "1"
            one.spawn("a11y", ["/usr/libexec/at-spi-bus-launcher", "--launch-immediately"])
            wait_until("the accessibility bus", lambda: one.has_owner("org.a11y.Bus"))
        start_tray(one)
        if bus and notifications:
            start_notifications(one)
        if bus and keyring:
            one.spawn(
                "keyring",
                ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
                stdin=KEYRING_PASSWORD.encode(),
            )
            wait_until("the keyring", lambda: one.has_owner("org.freedesktop.secrets"))
        yield one
    except Exception as fault:
        fault.add_note(one.logs())
        raise
    finally:
        one.stop()
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def start_session(one: Desktop, *, size: str, bus: bool, activation: bool) -> None:
    """The bus, the display and the window manager. Without `activation` the bus starts no service by itself."""
    if bus:
        command = ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1"]
        if not activation:
            file = one.folder / "bus.conf"
            file.write_text(QUIET_BUS)
            command[1] = f"--config-file={file}"
        child = one.spawn("bus", command, stdout=subprocess.PIPE)
        if child.stdout is not None:
            with child.stdout:
                one.env["DBUS_SESSION_BUS_ADDRESS"] = read_line(child.stdout, "the session bus", child)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe:
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset"]
        child = one.spawn("display", command, keep_open=(writing,))
        os.close(writing)
        one.env |= {"DISPLAY": ":" + read_line(pipe, "the display", child), "XDG_SESSION_TYPE": "x11"}
    one.env["XDG_CURRENT_DESKTOP"] = "LXQt" if one.tray == "sni" else "openbox"
    one.spawn("windows", ["openbox"])
    wait_until(
        "the window manager", lambda: "window id" in one.run("xprop", "-root", "_NET_SUPPORTING_WM_CHECK").stdout
    )


def start_tray(one: Desktop) -> None:
    """The tray host of the asked kind."""
    if one.tray == "xembed":
        looks = "--edge top --align right --widthtype request --height 32 --SetDockType true --SetPartialStrut true"
        one.spawn("tray", ["trayer", *looks.split(), "--expand", "true"])
        wait_until("the tray", lambda: one.run("xdotool", "search", "--class", "trayer").stdout)
    elif one.tray == "sni":
        file = one.folder / "config" / "lxqt" / "panel.conf"
        file.parent.mkdir()
        file.write_text(PANEL)
        one.spawn("tray", ["lxqt-panel"])
        wait_until("the tray", lambda: one.has_owner("org.kde.StatusNotifierWatcher"))


def start_notifications(one: Desktop) -> None:
    """Dunst, with a record of all it shows."""
    script = one.folder / "record"
    script.write_text(RECORD.format(file=one.folder / "notifications"))
    script.chmod(0o700)
    file = one.folder / "config" / "dunst" / "dunstrc"
    file.parent.mkdir()
    file.write_text(DUNST.format(script=script))
    one.spawn("notifications", ["dunst", "-config", file])
    wait_until("the notification daemon", lambda: one.has_owner("org.freedesktop.Notifications"))


def main() -> int:
    """Runs a command on a private desktop; gives its exit code, 97 when the desktop did not start."""
    parser = argparse.ArgumentParser(description="Run a command on a private desktop.")
    parser.add_argument("--tray", choices=["xembed", "sni", "none"], default="xembed")
    parser.add_argument("--no-notifications", action="store_true")
    parser.add_argument("--no-keyring", action="store_true")
    parser.add_argument("--no-a11y", action="store_true")
    parser.add_argument("--size", default="1280x900")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if not options.command:
        parser.error("which command?")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with desktop(
            tray=options.tray,
            notifications=not options.no_notifications,
            keyring=not options.no_keyring,
            a11y=not options.no_a11y,
            size=options.size,
        ) as one:
            return subprocess.run(options.command, env=one.env, check=False).returncode
    except DesktopFault as fault:
        print(f"The private desktop: {fault}", *getattr(fault, "__notes__", ()), sep="\n", file=sys.stderr)  # noqa: T201 -- a command
        return 97


if __name__ == "__main__":
    sys.exit(main())
