"""Ending a program that hangs, on real processes: the right one, only one's own, and never the desktop itself."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import msgspec
import psutil
import pytest

from client.errors import ActionFault
from client.fixes.actions import restart_program
from client.fixes.machine import Local, Process

BUSY = "while True: pass"
DEAF = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)\nwhile True: pass"


@pytest.fixture
def program(tmp_path: Path):
    """Starts a program under a name of its own, which is a copy of nothing that the system needs."""
    link = tmp_path / "hanging-editor"
    link.symlink_to(sys.executable)
    started: list[subprocess.Popen] = []

    def start(code: str) -> subprocess.Popen:
        # A new session: what runs below the tests is Deskside's own and is never offered.
        process = subprocess.Popen(
            [str(link), "-c", code], stdout=subprocess.PIPE, start_new_session=True, cwd=tmp_path
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(10)
        process.stdout.close()


def plan(machine):
    return asyncio.run(restart_program.plan("", machine))


def execute(machine, step):
    assert restart_program.accepts(step, "", machine) == ""
    return asyncio.run(restart_program.execute(step, machine, lambda _: None))


def seen(process: subprocess.Popen) -> Process:
    one = psutil.Process(process.pid)
    return Process(
        pid=one.pid,
        started=one.create_time(),
        parent=one.ppid(),
        uid=os.getuid(),
        name="hanging-editor",
        argv=tuple(one.cmdline()),
        folder="",
        cpu_percent=99.0,
        memory_bytes=10,
        stuck="keeps the processor busy",
    )


class Starting(Local):
    """The real machine; what it starts is remembered, so that the test can end it."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[subprocess.Popen] = []

    async def start(self, argv) -> None:
        begin = partial(subprocess.Popen, argv, start_new_session=True)
        self.begun.append(await asyncio.to_thread(begin))


def test_a_busy_program_is_ended_and_started_again_the_same_way(program) -> None:
    process, machine = program(BUSY), Starting()
    assert execute(machine, restart_program._step(seen(process))) == "hanging-editor is ended and started again."
    assert process.wait(10) != 0
    (new,) = machine.begun
    assert (new.poll(), new.args) == (None, tuple(process.args))
    new.kill()
    new.wait(10)


def test_what_does_not_listen_is_made_to_end(program, monkeypatch) -> None:
    monkeypatch.setattr(restart_program, "PATIENCE_S", 0.5)
    process = program(DEAF)
    assert process.stdout.readline() == b"deaf\n"
    step = restart_program._step(msgspec.structs.replace(seen(process), argv=()))
    assert execute(Local(), step) == "hanging-editor is ended. Start it again as usual."
    assert process.wait(10) == -9


def test_another_process_of_the_same_number_is_left_alone(program) -> None:
    process = program(BUSY)
    old = msgspec.structs.replace(seen(process), started=psutil.Process(process.pid).create_time() - 60)
    with pytest.raises(ActionFault, match="has ended by itself"):
        execute(Local(), restart_program._step(old))
    assert process.poll() is None


def test_what_is_stuck_comes_first_and_helpers_go_with_their_program(machine) -> None:
    base = Process(
        pid=0,
        started=1.0,
        parent=1,
        uid=machine.uid,
        name="x",
        argv=("/usr/bin/x",),
        folder="",
        cpu_percent=0,
        memory_bytes=0,
    )
    make = lambda **more: msgspec.structs.replace(base, **more)  # noqa: E731 -- one line says it
    machine.alive = [
        make(pid=100001, name="browser", memory_bytes=400_000_000),
        make(pid=100002, name="browser", parent=100001, memory_bytes=900_000_000, stuck="keeps the processor busy"),
        make(pid=100003, name="huge", memory_bytes=9_000_000_000),
        make(pid=100004, name="small", memory_bytes=5_000_000),
        make(pid=100005, name="gnome-shell", stuck="does not respond"),
        make(pid=100006, name="others", uid=machine.uid + 1, stuck="does not respond"),
    ]
    planned = plan(machine)
    assert planned.choice == "one"
    assert [step.parameters["pid"] for step in planned.steps] == ["100001", "100003"]
    assert "1.3 GB" in planned.steps[0].details[0]
    assert not any(step.picked for step in planned.steps)
    machine.alive = [make(pid=100004, name="small")]
    assert "None of your programs seems to hang" in plan(machine).refused


@pytest.mark.parametrize("name", ["gnome-shell", "systemd", "explorer.exe", "Finder", "deskside", "sshd"])
def test_the_desktop_itself_is_never_ended(machine, name) -> None:
    one = Process(
        pid=100001, started=1.0, parent=1, uid=machine.uid, name=name, argv=(), folder="", cpu_percent=0, memory_bytes=0
    )
    machine.alive = [msgspec.structs.replace(one, stuck="does not respond")]
    assert plan(machine).refused
    assert restart_program.accepts(restart_program._step(one), "", machine)


def test_deskside_does_not_offer_itself() -> None:
    ours = {os.getpid(), os.getppid()}
    planned = plan(Local())
    assert not ours & {int(step.parameters["pid"]) for step in planned.steps}


def test_a_command_line_is_kept_and_shown_nowhere(machine) -> None:
    one = Process(
        pid=100001, started=1.0, parent=1, uid=machine.uid, name="db", argv=("db", "--password=geheim"), folder="",
        cpu_percent=90, memory_bytes=1, stuck="does not respond",
    )  # fmt: skip
    step = restart_program._step(one)
    assert "geheim" not in step.words + " ".join(step.details)
