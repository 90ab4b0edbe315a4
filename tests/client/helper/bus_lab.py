"""A machine inside this machine, for the helper as it is installed: a system bus, polkit and a log of its own at their real places.

Run by `conftest.py` inside namespaces of its own (mounts and processes), so that nothing outside is touched: `bus_lab.py FOLDER
PYTHON`. It says "ready" and ends with its standard input. What programs log goes to FOLDER/log.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

PACKAGING = Path(__file__).parents[3] / "installers/linux/helper"
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
RULES = """polkit.addRule(function(action, subject) {
    if (action.id.indexOf("io.github.deskside.helper.") == 0 && subject.user == "%s") {
        if (action.id == "io.github.deskside.helper.repair-system") return polkit.Result.NO;
        return polkit.Result.YES;
    }
});
"""


def run(*words: str) -> None:
    subprocess.run(words, check=True)


def private(folder: Path, place: str) -> None:
    """Changes below `place` go to the folder, and only we see them."""
    upper, work = (folder / kind / place.replace("/", "_") for kind in ("upper", "work"))
    for one in (upper, work):
        one.mkdir(parents=True)
    run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={place},upperdir={upper},workdir={work}", place)


def let_everybody_read(folder: Path) -> None:
    """Python and the project may lie in a home that others may not enter, such as root's."""
    for place in (Path(sys.base_prefix), PACKAGING):
        for above in reversed(place.parents):
            if not above.stat().st_mode & 0o005:
                private(folder, str(above))
                above.chmod(0o755)


def own_devices(folder: Path) -> None:
    kept = folder / "dev"
    kept.mkdir()
    run("mount", "--bind", "/dev", str(kept))
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/dev")
    for name in DEVICES:
        Path("/dev", name).touch()
        run("mount", "--bind", str(kept / name), f"/dev/{name}")
    Path("/dev/fd").symlink_to("/proc/self/fd")


def keep_log(folder: Path) -> None:
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind("/dev/log")
    Path("/dev/log").chmod(0o666)
    with (folder / "log").open("ab", buffering=0) as file:
        while True:
            file.write(log.recv(65536).rstrip(b"\0\n") + b"\n")


def install(python: str, trusted: str) -> None:
    """As a package would."""
    texts = {path.name: path.read_text().replace("@PYTHON@", python) for path in PACKAGING.iterdir()}
    for name, place in (
        ("io.github.deskside.Helper1.service", "/usr/share/dbus-1/system-services"),
        ("io.github.deskside.Helper1.conf", "/usr/share/dbus-1/system.d"),
        ("io.github.deskside.helper.policy", "/usr/share/polkit-1/actions"),
    ):
        Path(place).mkdir(parents=True, exist_ok=True)
        Path(place, name).write_text(texts[name])
    rules = Path("/etc/polkit-1/rules.d")
    rules.mkdir(parents=True, exist_ok=True)
    (rules / "00-test.rules").write_text(RULES % trusted)
    for path in (rules, rules.parent, rules / "00-test.rules"):
        path.chmod(0o755)


RECORDER = """#!/bin/sh
{ echo "$0 $*"; env; echo "umask=$(umask) folder=$(pwd) user=$(id -u)"
  for one in /proc/self/fd/*; do echo "open ${one##*/}"; done; } \
    >> /run/recorded/NAME
[ ! -e /run/recorded/slow ] || sleep "$(cat /run/recorded/slow)"
[ ! -e /run/recorded/NAME.says ] || cat /run/recorded/NAME.says
[ ! -e /run/recorded/NAME.fails ]
"""


def stand_ins(folder: Path) -> None:
    """Programs that would touch the machine outside, or that it does not have: they write down what they were given."""
    Path("/run/recorded").mkdir()
    for place in ("/usr/bin/apt-get", "/usr/bin/dpkg", "/usr/sbin/nscd", "/usr/sbin/shutdown"):
        script = folder / Path(place).name
        script.write_text(RECORDER.replace("NAME", script.name))
        script.chmod(0o755)
        if place.startswith("/usr/sbin"):
            Path(place).unlink(missing_ok=True)
            shutil.copy(script, place)
        else:
            run("mount", "--bind", str(script), place)
    for sign in ("/run/nscd/socket", "/run/systemd/netif/state"):
        Path(sign).parent.mkdir(parents=True)
        Path(sign).touch()
    run("ip", "link", "add", "desk0", "type", "veth", "peer", "name", "desk1")
    run("ip", "link", "set", "desk0", "up")


def main(folder: Path, python: str, trusted: str) -> None:
    own = folder / "own"
    own.mkdir()
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(own))
    for place in ("/etc", "/usr/share/dbus-1", "/usr/share/polkit-1", "/usr/sbin", "/var"):
        private(own, place)
    let_everybody_read(own)
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for name in ("dbus", "polkit-1", "lock"):
        Path("/run", name).mkdir()
    own_devices(own)
    threading.Thread(target=keep_log, args=(folder,), daemon=True).start()
    stand_ins(own)
    install(python, trusted)
    shutil.rmtree("/etc/deskside", ignore_errors=True)
    with (folder / "daemons").open("ab") as said:
        for words in (
            ("dbus-daemon", "--system", "--nofork", "--nopidfile"),
            ("/usr/lib/polkit-1/polkitd", "--no-debug"),
        ):
            subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
            while not Path("/run/dbus/system_bus_socket").exists():
                time.sleep(0.01)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # we are the first process here: whoever has ended is not kept
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
