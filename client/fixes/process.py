"""What runs on this computer, watched for a moment, and how one of it is ended. Import it when needed: it brings psutil."""

from __future__ import annotations

import contextlib
import ctypes
import sys
import time
from typing import Final

import psutil

from client.fixes.machine import Process

BUSY_PERCENT: Final = 60.0  # of one core: a program that waits for a person uses next to nothing
SAME_S: Final = 1.0  # two readings of when a process began differ by less (psutil counts from the boot time)
UNKNOWN_UID: Final = -1


def watched(watch_s: float) -> tuple[Process, ...]:
    """Everything that may be seen, in no order.

    Args:
        watch_s: seconds between the two looks that say how busy each is.
    """
    begun: list[tuple[psutil.Process, float]] = []
    for one in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            begun.append((one, _used(one)))
    clock = time.monotonic()
    time.sleep(watch_s)
    passed = time.monotonic() - clock
    hung = frozenset(_hung_windows())
    found = []
    for one, before in begun:
        with contextlib.suppress(psutil.Error, OSError):
            if one.status() == psutil.STATUS_ZOMBIE:
                continue  # it has ended; only its parent has not asked yet how
            found.append(_seen(one, 100 * (_used(one) - before) / max(passed, 0.01), one.pid in hung))
    return tuple(found)


def signal(process: Process, *, force: bool) -> bool:
    """As `Machine.signal`."""
    try:
        one = psutil.Process(process.pid)
        if abs(one.create_time() - process.started) >= SAME_S or one.status() == psutil.STATUS_ZOMBIE:
            return False
        if force:
            one.kill()
        else:
            one.terminate()
            if sys.platform != "win32":
                one.resume()  # one that was stopped hears nothing before it goes on
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied as error:
        raise PermissionError(f"process {process.pid} is not this user's to end") from error
    return True


def _used(one: psutil.Process) -> float:
    times = one.cpu_times()
    return float(times.user + times.system)


def _seen(one: psutil.Process, cpu_percent: float, hung: bool) -> Process:  # noqa: FBT001 -- one caller, two lines above
    with one.oneshot():
        stuck = ""
        status = one.status()
        if hung:
            stuck = "does not respond"
        elif status == psutil.STATUS_STOPPED:
            stuck = "is stopped"
        elif cpu_percent >= BUSY_PERCENT:
            stuck = f"keeps the processor busy ({cpu_percent:.0f} % of a core)"
        argv: list[str] = []
        folder = ""
        with contextlib.suppress(psutil.Error, OSError):
            argv = one.cmdline()
        with contextlib.suppress(psutil.Error, OSError):
            folder = one.cwd()
        return Process(
            pid=one.pid,
            started=one.create_time(),
            parent=one.ppid() or 0,
            uid=_uid(one),
            name=one.name(),
            argv=tuple(argv),
            folder=folder,
            cpu_percent=round(cpu_percent, 1),
            memory_bytes=int(one.memory_info().rss),
            stuck=stuck,
        )


def _uid(one: psutil.Process) -> int:
    if sys.platform == "win32":
        with contextlib.suppress(psutil.Error, OSError):
            return 0 if one.username() == psutil.Process().username() else UNKNOWN_UID
        return UNKNOWN_UID
    return int(one.uids().real)


def _hung_windows() -> list[int]:
    """The processes with a window that Windows calls hung; none elsewhere."""
    found: list[int] = []
    if sys.platform == "win32":
        user32 = ctypes.windll.user32

        @ctypes.WINFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p)
        def visit(window: int, _: int) -> bool:
            if user32.IsWindowVisible(window) and user32.IsHungAppWindow(window):
                owner = ctypes.c_uint32()
                user32.GetWindowThreadProcessId(window, ctypes.byref(owner))
                found.append(owner.value)
            return True

        user32.EnumWindows(visit, None)
    return found
