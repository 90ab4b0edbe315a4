"""The network watch: the kernel's own words where there is a kernel to ask, the documented ones elsewhere."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.platform import network_watch
from client.platform.network_watch import LinuxWatch, MacWatch, open_watch

ROOT = Path(__file__).parents[3]
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="rtnetlink is Linux's")


def netlink(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


def link(flags: int, attribute: int = 3) -> bytes:
    return netlink(16, struct.pack("=BxHiII", 0, 1, 2, flags, 0) + struct.pack("=HH", 8, attribute) + b"eth0")


def route(kind: int, flags: int = 0) -> bytes:
    """A message of macOS's routing socket; its header has 92 bytes."""
    return struct.pack("=HBBHxxi", 92, 5, kind, 4, flags).ljust(92, b"\0")


class Spoken:
    """A watch whose system says what the test says."""

    def __init__(self, kind: type) -> None:
        self.mouth, ear = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.watch = kind.__new__(kind)
        network_watch._SocketWatch.__init__(self.watch, ear)

    def says(self, *messages: bytes) -> bool:
        for one in messages:
            self.mouth.send(one)
        return self.watch.changed()

    def close(self) -> None:
        self.mouth.close()
        self.watch.close()
        self.watch.close()


@pytest.fixture
def linux() -> Iterator[Spoken]:
    made = Spoken(LinuxWatch)
    yield made
    made.close()


@pytest.fixture
def mac() -> Iterator[Spoken]:
    made = Spoken(MacWatch)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("messages", "matters"),
    [
        ((), False),
        ((netlink(24),), True),
        ((netlink(25),), False),  # a route that is gone leads nowhere
        ((link(0x1043),), True),
        ((link(0x1003),), False),  # up, and not running
        ((link(0x1043, attribute=11),), False),  # the Wi-Fi has looked around
        ((netlink(25), netlink(24)), True),
        ((netlink(25) + netlink(24),), True),
        ((netlink(16),), False),
        ((b"\0" * 16,), False),
        ((b"\1\2\3",), False),
    ],
)
def test_what_matters_of_what_linux_says(linux, messages, matters) -> None:
    assert linux.says(*messages) is matters
    assert linux.watch.changed() is False


@pytest.mark.parametrize(
    ("messages", "matters"),
    [
        ((route(0x1, 0x3),), True),  # a way through a gateway
        ((route(0x1, 0x7),), False),  # to one host
        ((route(0x1, 0x5),), False),  # a neighbour that ARP has found
        ((route(0x2, 0x3),), False),
        ((route(0xC),), True),
        ((route(0xE),), True),
        ((route(0x2, 0x3) + route(0x1, 0x3),), True),
        ((b"\0" * 92,), False),
        ((b"\1\0\5\1",), False),
    ],
)
def test_what_matters_of_what_macos_says(mac, messages, matters) -> None:
    assert mac.says(*messages) is matters


def test_a_system_that_cannot_be_watched_is_no_fault(monkeypatch) -> None:
    monkeypatch.setattr(sys, "platform", "plan9")
    assert open_watch() is None
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(network_watch, "LinuxWatch", _refused)
    assert open_watch() is None


def _refused() -> None:
    raise PermissionError("a sandbox")


@linux_only
def test_the_watch_is_silent_while_nothing_changes() -> None:
    watch = open_watch()
    assert watch is not None
    assert not os.get_inheritable(watch.fileno)
    assert watch.changed() is False
    watch.close()
    watch.close()


IN_A_WORLD_OF_ITS_OWN = """
import select, subprocess, sys
from client.platform.network_watch import LinuxWatch, _SocketWatch
if sys.argv[1] == "ours alone":
    import client.platform.network_watch as module
    module._let_pass_only_what_matters = lambda _: None
watch = LinuxWatch()
def heard(command):
    subprocess.run(["ip", *command.split()], check=True)
    woken = bool(select.select([watch.fileno], [], [], 0.5 if sys.argv[1] == "kernel" else 0.05)[0])
    return woken, watch.changed()
for command in sys.stdin.read().splitlines():
    print(command, *heard(command), sep="|")
"""
BEFORE = ("sysctl -qw net.ipv6.conf.all.disable_ipv6=1", "ip link add v0 type veth peer name v1", "ip link set v1 up")
STEPS = (
    ("link set v0 up", True),
    ("addr add 10.199.0.1/24 dev v0", True),
    ("route add 10.200.0.0/24 via 10.199.0.2", True),
    ("route del 10.200.0.0/24", False),
    ("addr del 10.199.0.1/24 dev v0", False),
    ("link set v1 down", False),
    ("link set v1 up", True),
    ("link del v0", False),
)


@pytest.mark.netlab
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root: make lab")
@pytest.mark.parametrize("filtered", ["kernel", "ours alone"])
def test_the_kernel_wakes_nobody_for_what_leads_nowhere(filtered) -> None:
    name = f"dskwatch{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    inside = ["ip", "netns", "exec", name]
    try:
        for command in BEFORE:
            subprocess.run([*inside, *command.split()], check=True)
        said = subprocess.run(
            [*inside, sys.executable, "-c", IN_A_WORLD_OF_ITS_OWN, filtered],
            input="\n".join(command for command, _ in STEPS),
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout.splitlines()
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)
    heard = {line.split("|")[0]: line.split("|")[1:] for line in said}
    for command, matters in STEPS:
        woken, changed = heard[command]
        assert changed == str(matters), command
        if filtered == "kernel":
            assert woken == str(matters), command
