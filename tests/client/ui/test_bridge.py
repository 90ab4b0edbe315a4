"""The bridge: results come back in the window's thread, errors as sentences, and nothing reaches who is gone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import shiboken6
from PySide6.QtCore import QObject

from client.errors import DesksideBug, DesksideError, StorageFault
from client.ui.bridge import Bridge


class Asker(QObject):
    """An owner that keeps what it was told, and on which thread."""

    def __init__(self) -> None:
        super().__init__()
        self.results: list[object] = []
        self.errors: list[DesksideError] = []
        self.threads: list[threading.Thread] = []

    def take(self, result: object) -> None:
        self.results.append(result)
        self.threads.append(threading.current_thread())

    def fail(self, error: DesksideError) -> None:
        self.errors.append(error)
        self.threads.append(threading.current_thread())


async def answer(value: object) -> object:
    await asyncio.sleep(0)
    return value


async def break_with(error: BaseException) -> None:
    await asyncio.sleep(0)
    raise error


def test_a_result_arrives_in_the_windows_thread(qtbot, bridge: Bridge) -> None:
    asker = Asker()
    bridge.submit(answer(42), owner=asker, on_result=asker.take, on_error=asker.fail)
    qtbot.waitUntil(lambda: asker.results == [42])
    assert asker.threads == [threading.main_thread()]


def test_a_known_error_arrives_as_it_is(qtbot, bridge: Bridge) -> None:
    asker = Asker()
    fault = StorageFault("The disk is full.")
    bridge.submit(break_with(fault), owner=asker, on_result=asker.take, on_error=asker.fail)
    qtbot.waitUntil(lambda: asker.errors == [fault])
    assert asker.results == []


def test_an_unforeseen_error_arrives_as_our_mistake_and_is_logged(qtbot, bridge: Bridge, caplog) -> None:
    asker = Asker()
    bridge.submit(break_with(KeyError("secret of the code")), owner=asker, on_error=asker.fail)
    qtbot.waitUntil(lambda: len(asker.errors) == 1)
    assert isinstance(asker.errors[0], DesksideBug)
    assert "secret" not in asker.errors[0].message
    assert "KeyError" in caplog.text


def test_a_plain_function_runs_in_a_thread_of_its_own(qtbot, bridge: Bridge) -> None:
    asker = Asker()
    bridge.run(threading.current_thread, owner=asker, on_result=asker.take)
    qtbot.waitUntil(lambda: len(asker.results) == 1)
    assert asker.results[0] is not threading.main_thread()


def test_who_is_gone_hears_nothing_and_its_coroutine_is_cancelled(qtbot, bridge: Bridge) -> None:
    began, cancelled = threading.Event(), threading.Event()

    async def long() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    asker = Asker()
    call = bridge.submit(long(), owner=asker, on_result=asker.take, on_error=asker.fail)
    assert began.wait(5)
    asker.deleteLater()
    qtbot.waitUntil(lambda: not call.pending)
    assert cancelled.wait(5)
    assert asker.results == asker.errors == []


def test_a_result_that_is_already_on_its_way_does_not_reach_who_is_gone(qtbot, bridge: Bridge) -> None:
    landed = threading.Event()

    async def quick() -> int:
        landed.set()
        return 1

    asker, witness = Asker(), Asker()
    bridge.submit(quick(), owner=asker, on_result=asker.take)
    assert landed.wait(5)
    shiboken6.delete(asker)
    bridge.submit(answer("after"), owner=witness, on_result=witness.take)
    qtbot.waitUntil(lambda: witness.results == ["after"])
    assert asker.results == []


def test_a_cancelled_call_delivers_nothing(qtbot, bridge: Bridge) -> None:
    asker = Asker()
    call = bridge.submit(asyncio.sleep(60), owner=asker, on_result=asker.take, on_error=asker.fail)
    call.cancel()
    bridge.submit(answer("next"), owner=asker, on_result=asker.take)
    qtbot.waitUntil(lambda: asker.results == ["next"])
    assert asker.errors == []


def test_after_the_end_nothing_starts(qtbot, bridge: Bridge) -> None:
    bridge.stop()
    asker = Asker()
    call = bridge.submit(answer(1), owner=asker, on_result=asker.take)
    assert not call.pending
    assert not bridge.started


def test_nothing_of_asyncio_is_loaded_before_the_first_coroutine() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, client.ui.bridge; sys.exit('asyncio' in sys.modules)"],
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert done.returncode == 0


# PySide6-Essentials 6.12.0 loses a reference to None with every void call on Python 3.10 and 3.11 and aborts after some 5,000.
MANY = """
    import sys
    from PySide6.QtCore import QCoreApplication, QObject, Signal, Slot

    class Bell(QObject):
        rang = Signal()
        heard = 0

        @Slot()
        def hear(self):
            self.heard += 1

    application = QCoreApplication([])
    bell = Bell()
    bell.rang.connect(bell.hear)
    for _ in range(20_000):
        bell.blockSignals(False)
        bell.setObjectName("")
        bell.rang.emit()
    print(bell.heard)
"""


def test_twenty_thousand_void_calls_and_emits_survive() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MANY)], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "20000"
