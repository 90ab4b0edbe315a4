"""The asyncio thread: results come back, cancelling arrives, stopping is clean."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError

import pytest

from client.runtime import Runtime


@pytest.fixture
def runtime():
    one = Runtime()
    yield one
    one.stop()


def threads() -> int:
    return sum(thread.name == "deskside-core" for thread in threading.enumerate())


def test_it_starts_no_thread_before_it_is_used(runtime: Runtime) -> None:
    assert threads() == 0


def test_a_result_comes_back_from_another_thread(runtime: Runtime) -> None:
    async def where() -> str:
        return threading.current_thread().name

    assert runtime.submit(where()).result(5) == "deskside-core"
    assert threads() == 1


def test_an_error_comes_back_as_it_was_raised(runtime: Runtime) -> None:
    async def fail() -> None:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        runtime.submit(fail()).result(5)


def test_cancelling_the_future_cancels_the_coroutine(runtime: Runtime) -> None:
    begun, cleaned = threading.Event(), threading.Event()

    async def wait() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.set()

    future = runtime.submit(wait())
    assert begun.wait(5)
    future.cancel()
    assert cleaned.wait(5)


def test_stopping_cancels_what_runs_and_ends_the_thread() -> None:
    runtime = Runtime()
    begun, cleaned = threading.Event(), threading.Event()

    async def wait() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.set()

    future = runtime.submit(wait())
    assert begun.wait(5)
    runtime.stop()
    runtime.stop()
    assert cleaned.is_set()
    assert threads() == 0
    with pytest.raises(CancelledError):
        future.result(1)


def test_nothing_can_be_submitted_after_the_end() -> None:
    runtime = Runtime()
    runtime.stop()

    async def nothing() -> None: ...

    with pytest.raises(RuntimeError, match="stopped"):
        runtime.submit(nothing())
