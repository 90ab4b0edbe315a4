"""The channel of macOS, a Unix socket, on the sockets of this system: who asks is what the kernel says."""

from __future__ import annotations

import asyncio
import json
import os
import plistlib
import socket
import stat
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from client.helper import local
from client.helper.gate import Gate
from client.helper.local import UnixSocket

ROOT = Path(__file__).parents[3]
PLIST = ROOT / "installers/macos/io.github.deskside.helper.plist"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has a pipe instead")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return Path(os.path.relpath(tmp_path / "s"))  # a socket's address is short


class Served:
    """A socket that serves a gate whose only action runs, while a test talks to it from threads."""

    def __init__(self, place: Path, *, at_console: int, rules=None, idle_s: float = 60.0) -> None:
        self.place, self.at_console, self.rules, self.idle_s = place, at_console, rules, idle_s
        self.lines: list[str] = []

    async def __aenter__(self):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(self.place))
        listener.listen(16)
        gate = Gate(
            self.lines.append,
            platform="darwin",
            find=lambda _: "/bin/true",
            exists=lambda _: True,
            adapters=lambda: ("en0",),
            rules=lambda: self.rules,
        )
        served = UnixSocket(gate, listener, at_console=lambda: self.at_console, idle_s=self.idle_s)
        self.task = asyncio.ensure_future(served.serve())
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        await asyncio.wait([self.task])
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)
        await asyncio.sleep(0)  # what was closed is now

    async def say(self, data: bytes, *, wait: bool = True) -> bytes:
        def talk() -> bytes:
            said = b""
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.connect(str(self.place))
                connection.sendall(data)
                while wait and (more := connection.recv(65536)):
                    said += more
            return said

        return await asyncio.to_thread(talk)

    async def ask(self, **request):
        said = await self.say(json.dumps(request).encode() + b"\n")
        assert said.endswith(b"\n")
        return json.loads(said)


async def test_whoever_sits_at_the_computer_may_do_what_is_light(place: Path) -> None:
    me = os.getuid()
    # As root every answer would be yes, so the kernel's word is replaced in `as_somebody` below.
    async with Served(place, at_console=me) as served:
        told = await served.ask(ask="run", id="dns.flush")
    assert told == {"ok": True, "reason": "done", "words": "The remembered names are cleared."}
    assert f"user={me} process={os.getpid()} " in served.lines[0]


@pytest.mark.parametrize(
    ("user", "console", "rules", "id", "reason"),
    [
        (501, 501, None, "dns.flush", "done"),
        (501, 501, None, "printing.clear", "not-authorised"),  # not light, and no policy names it
        (501, 501, ("printing.*",), "printing.clear", "done"),
        (501, 501, ("dns.*",), "printing.clear", "not-allowed"),
        (502, 501, ("*",), "dns.flush", "not-authorised"),  # somebody who is signed in from elsewhere
        (501, 0, ("*",), "dns.flush", "not-authorised"),  # nobody sits at the computer
        (0, 501, None, "printing.clear", "done"),
        (0, 501, ("dns.*",), "printing.clear", "not-allowed"),
    ],
)
async def test_who_may_do_what(place: Path, monkeypatch, user, console, rules, id, reason) -> None:
    monkeypatch.setattr(local, "peer", lambda _: (user, 77))
    async with Served(place, at_console=console, rules=rules) as served:
        assert (await served.ask(ask="run", id=id))["reason"] == reason
        assert (await served.ask(ask="plan", id=id))["reason"] == reason
    assert served.lines[0].startswith(f"user={user} process=77 ")


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"null\n",
        b"[]\n",
        b'"run"\n',
        b"{}\n",
        b'{"ask": "run"}\n',
        b'{"ask": {"run": 1}, "id": ["dns.flush"], "parameters": 5}\n',
        b'{"ask": "run", "id": "dns.flush", "parameters": null}\n',
        b"\xff\xfe\x00\n",
        b"{" * 4000 + b"\n",
        b"[" * 4000 + b"\n",
        b'{"ask": "run", "id": "dns.flush"} {"ask": "run", "id": "dns.flush"}\n',
    ],
)
async def test_nonsense_gets_an_answer_and_changes_nothing(place: Path, line: bytes) -> None:
    async with Served(place, at_console=os.getuid()) as served:
        told = json.loads(await served.say(line))
        assert told["ok"] is False
        assert told["reason"] in {"unknown-action", "bad-parameter"}
        assert (await served.ask(ask="plan", id="dns.flush"))["ok"]


async def test_a_line_without_end_is_not_read_to_its_end(place: Path) -> None:
    async with Served(place, at_console=os.getuid()) as served:
        with pytest.raises(ConnectionError):  # cut off, with most of it unread
            await served.say(b"x" * 5_000_000)
        assert (await served.ask(ask="plan", id="dns.flush"))["ok"]


async def test_whoever_says_nothing_is_let_go(place: Path, monkeypatch) -> None:
    monkeypatch.setattr(local, "READ_S", 0.1)
    async with Served(place, at_console=os.getuid()) as served:
        assert await served.say(b'{"ask"') == b""
        assert "TimeoutError" in served.lines[-1]


async def test_more_than_a_few_at_once_are_closed_and_the_others_served(place: Path) -> None:
    async with Served(place, at_console=os.getuid()) as served:
        silent = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(local.MOST_AT_ONCE)]
        for one in silent:
            one.connect(str(place))
        assert await served.say(b"") == b""
        for one in silent:
            one.close()
        while len([line for line in served.lines if "asks" in line]) < local.MOST_AT_ONCE:  # noqa: ASYNC110 -- all were noticed
            await asyncio.sleep(0.01)
        assert (await served.ask(ask="plan", id="dns.flush"))["ok"]


async def test_a_caller_that_has_gone_harms_nobody(place: Path) -> None:
    async with Served(place, at_console=os.getuid()) as served:
        await served.say(b'{"ask": "run", "id": "dns.flush"}\n', wait=False)
        assert (await served.ask(ask="plan", id="dns.flush"))["ok"]


async def test_it_ends_when_nobody_asks(place: Path) -> None:
    async with Served(place, at_console=os.getuid(), idle_s=0.05) as served:
        await served.ask(ask="plan", id="dns.flush")
        await asyncio.wait_for(served.task, 10)


def test_the_kernels_word_is_read_as_macos_gives_it(monkeypatch) -> None:
    class Mac:
        def getsockopt(self, level: int, option: int, size: int) -> bytes:
            assert level == 0
            return {1: struct.pack("=IIh2x16I", 0, 501, 1, 20, *[0] * 15), 2: struct.pack("=i", 4242)}[option][:size]

    monkeypatch.setattr(sys, "platform", "darwin")
    assert local._XUCRED.size == 76  # sizeof(struct xucred)
    assert local.peer(Mac()) == (501, 4242)


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="needs root, to become somebody else")
def test_the_kernels_word_is_not_the_callers(place: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(place.absolute()))
        listener.listen(1)
        place.chmod(0o777)
        caller = "import os, socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); os.setuid(65534); s.recv(1)"
        with subprocess.Popen([sys.executable, "-c", caller, str(place.absolute())]) as process:
            connection, _ = listener.accept()
            assert local.peer(connection) == (0, process.pid)  # as it was when it connected
            connection.close()


def test_launchd_is_told_what_the_helper_expects() -> None:
    listed = plistlib.loads(PLIST.read_bytes())
    assert listed["Label"] == PLIST.stem
    assert listed["ProgramArguments"][1:] == ["-I", "-P", "-m", "client.helper"]
    assert listed["Umask"] == 0o77
    assert list(listed["Sockets"]) == [local.SOCKET]
    assert listed["Sockets"][local.SOCKET]["SockPathMode"] == stat.S_IRUSR | stat.S_IWUSR | 0o066
    assert (
        not {"EnvironmentVariables", "UserName", "KeepAlive", "RunAtLoad"} & listed.keys()
    )  # root, and only when asked
