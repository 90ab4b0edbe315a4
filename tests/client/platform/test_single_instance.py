"""Two instances for real: who is first, what the second says, what a crash leaves behind, and who is kept out."""

from __future__ import annotations

import os
import select
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from client.errors import StorageFault, UsageError
from client.platform.single_instance import LONGEST_LINE, SingleInstance, instance_folder

FIRST = """
import sys, time
from pathlib import Path
from client.platform.single_instance import SingleInstance
with SingleInstance(Path(sys.argv[1])) as instance:
    print("first" if instance.claim() else "second", flush=True)
    sys.stdin.read()
"""
SECOND = """
import sys
from pathlib import Path
from client.platform.single_instance import SingleInstance
with SingleInstance(Path(sys.argv[1])) as instance:
    first = instance.claim()
    print("first" if first else f"second {instance.send(sys.argv[2])}")
"""


@pytest.fixture
def first(tmp_path: Path) -> Iterator[SingleInstance]:
    with SingleInstance(tmp_path / "run") as instance:
        assert instance.claim()
        yield instance


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", FIRST, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def second(folder: Path, wish: str = "open") -> str:
    done = subprocess.run([sys.executable, "-c", SECOND, folder, wish], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def receive_soon(instance: SingleInstance) -> str | None:
    assert select.select([instance.fileno], [], [], 10)[0]
    return instance.receive()


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_the_second_process_hands_its_wish_to_the_first(first: SingleInstance, tmp_path: Path) -> None:
    said: list[str] = []
    thread = in_thread(lambda: said.append(second(tmp_path / "run", "open article printer-offline")))
    assert receive_soon(first) == "open article printer-offline"
    thread.join()
    assert said == ["second True"]


def test_after_the_first_has_ended_the_next_is_first(tmp_path: Path) -> None:
    with SingleInstance(tmp_path / "run") as one:
        assert one.claim()
    assert second(tmp_path / "run") == "first"
    assert not (tmp_path / "run" / "instance.socket").exists()


def test_a_killed_first_leaves_nothing_that_stops_the_next(tmp_path: Path) -> None:
    with start(tmp_path / "run") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "first\n"
        assert second(tmp_path / "run") == "second False"  # it is alive and does not serve its socket
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (tmp_path / "run" / "instance.socket").exists()
    with SingleInstance(tmp_path / "run") as next_one:
        assert next_one.claim()
        thread = in_thread(lambda: second(tmp_path / "run"))
        assert receive_soon(next_one) == "open"
        thread.join()


def test_of_many_that_start_at_once_one_is_first(tmp_path: Path) -> None:
    processes = [start(tmp_path / "run") for _ in range(6)]
    try:
        said = [process.stdout.readline().strip() for process in processes if process.stdout]
    finally:
        for process in processes:
            process.communicate("")
    assert sorted(said) == ["first", *["second"] * 5]


def test_users_and_folders_are_apart(first: SingleInstance, tmp_path: Path) -> None:
    assert second(tmp_path / "other user") == "first"
    assert first.receive() is None


def test_only_this_user_can_reach_the_socket(first: SingleInstance, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "run" / "instance.socket").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "run" / "instance.lock").stat().st_mode) == 0o600


def test_nothing_is_said_without_anybody_asking(first: SingleInstance) -> None:
    assert first.receive() is None


@pytest.mark.parametrize(
    "noise",
    [b"", b"\n", b"\xff\xfe\n", b"open\x1b[31m\n", b"a" * 100_000 + b"\n", b"no end", b"\x00\n"],
    ids=["nothing", "empty", "no text", "escape", "endless", "cut off", "NUL"],
)
def test_noise_is_no_wish(first: SingleInstance, tmp_path: Path, noise: bytes) -> None:
    def send() -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(tmp_path / "run" / "instance.socket"))
            try:
                connection.sendall(noise)
            except OSError:
                return  # it hung up before the end, as it should

    thread = in_thread(send)
    assert receive_soon(first) is None
    thread.join()
    thread = in_thread(lambda: second(tmp_path / "run"))
    assert receive_soon(first) == "open"
    thread.join()


def test_whoever_sends_byte_by_byte_does_not_hold_up_the_window(first: SingleInstance, tmp_path: Path) -> None:
    stop = threading.Event()

    def drip() -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(tmp_path / "run" / "instance.socket"))
            while not stop.wait(0.05):
                try:
                    connection.sendall(b"a")
                except OSError:
                    return

    thread = in_thread(drip)
    assert select.select([first.fileno], [], [], 10)[0]
    began = time.monotonic()
    assert first.receive() is None
    assert time.monotonic() - began < 5
    stop.set()
    thread.join()


@pytest.mark.parametrize("line", ["a" * (LONGEST_LINE + 1), "two\nlines", "escape\x1b"])
def test_what_is_no_line_is_not_sent(first: SingleInstance, line: str) -> None:
    with pytest.raises(UsageError):
        first.send(line)


def test_without_a_first_nothing_is_taken(tmp_path: Path) -> None:
    assert not SingleInstance(tmp_path).send("open")


def test_a_path_too_long_for_a_socket_still_makes_one_instance(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    with SingleInstance(deep) as one, SingleInstance(deep) as two:
        assert one.claim()
        assert one.fileno == -1
        assert not two.claim()
        assert not two.send("open")


def test_a_folder_that_cannot_be_written_to_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(StorageFault), SingleInstance(tmp_path / "run") as instance:
        instance.claim()


def test_the_lock_does_not_pass_to_children(tmp_path: Path) -> None:
    code = "import sys; print(flush=True); sys.stdin.read()"
    with SingleInstance(tmp_path / "run") as one:
        assert one.claim()
        child = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False
        )
    assert child.stdout is not None
    child.stdout.readline()  # by then the kernel has closed what is not to be inherited
    try:
        with SingleInstance(tmp_path / "run") as two:
            assert two.claim()
    finally:
        child.communicate()


# --- where it is


def test_the_sessions_runtime_folder_is_used_when_it_is_safe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    runtime, state = tmp_path / "runtime", tmp_path / "state"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    assert instance_folder(state) == runtime / "deskside"
    runtime.chmod(0o755)
    assert instance_folder(state) == state
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "gone"))
    assert instance_folder(state) == state
    monkeypatch.setenv("XDG_RUNTIME_DIR", os.path.relpath(runtime))
    assert instance_folder(state) == state
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert instance_folder(state) == state


# --- the way of Windows, which works everywhere


@pytest.fixture
def by_port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SingleInstance]:
    monkeypatch.setattr("client.platform.single_instance._lock", lambda _: True)
    monkeypatch.setattr("client.platform.single_instance.sys.platform", "win32")
    with SingleInstance(tmp_path / "run") as instance:
        assert instance.claim()
        yield instance


def test_by_port_the_password_opens(by_port: SingleInstance, tmp_path: Path) -> None:
    said: list[bool] = []
    thread = in_thread(lambda: said.append(SingleInstance(tmp_path / "run").send("open")))
    assert receive_soon(by_port) == "open"
    thread.join()
    assert said == [True]


@pytest.mark.parametrize("password", ["wrong", ""])
def test_by_port_without_the_password_nothing_is_taken(by_port: SingleInstance, tmp_path: Path, password: str) -> None:
    file = tmp_path / "run" / "instance.port"
    file.write_text(f"{file.read_text().split()[0]} {password}")
    said: list[bool] = []
    thread = in_thread(lambda: said.append(SingleInstance(tmp_path / "run").send("open")))
    assert receive_soon(by_port) is None
    thread.join()
    assert said == [False]
