"""Compares the program's tray with a bare tray icon of the toolkit, side by side in one run, and holds it to its bars.

Run on a desktop: `python tests/desktop.py python tests/bench_tray.py` (or `make bench`). Prints a table; exit code 1 when a bar
is missed. Ratios compare on a noisy machine; the clicks and the check have times of their own.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PySide6.QtCore import QRect
from PySide6.QtGui import QGuiApplication

FLOOR: Final = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon
app = QApplication([])
app.setQuitOnLastWindowClosed(False)
picture = QPixmap(22, 22)
picture.fill(QColor("#27a"))
menu = QMenu()
menu.addAction("Quit", app.quit)
tray = QSystemTrayIcon(QIcon(picture))
tray.setContextMenu(menu)
tray.show()
QTimer.singleShot(0, lambda: print("tray ready", file=sys.stderr, flush=True))
app.exec()
"""
READY_LINE: Final = "tray ready"
START_DEADLINE_S: Final = 30.0
PAINT_DEADLINE_S: Final = 10.0
PANEL_PX: Final = 40  # the tray host's own strip at the top of the screen
COLOURS: Final = 12  # a window with text in it has more of them than a bare frame
MIB: Final = 1024.0


@dataclass(frozen=True)
class Bar:
    """What a measure is held to: `limit` bounds the program divided by the floor, less the floor, or alone."""

    measure: str
    unit: str
    kind: str  # "ratio", "more", "alone" or "" where the measure is only shown
    limit: float = 0.0

    def judge(self, floor: float | None, program: float) -> tuple[float, bool]:
        """The value that the limit bounds, and whether it does."""
        if self.kind == "ratio":
            value = program / floor if floor else float("inf")
        elif self.kind == "more":
            value = program - (floor or 0.0)
        else:
            value = program
        return value, not self.kind or value <= self.limit


BARS: Final = (
    Bar("ready", "ms", "ratio", 1.5),
    Bar("memory (RSS)", "MiB", "ratio", 1.35),
    Bar("memory (PSS)", "MiB", ""),
    Bar("private memory", "MiB", ""),
    Bar("wake-ups a minute", "", "more", 6),
    Bar("clock ticks a minute", "", "more", 2),
    Bar("click to window, first", "ms", "alone", 400),
    Bar("click to window, after", "ms", "alone", 100),
    Bar("full check", "s", "alone", 3),
)


# --- processes


def family(pid: int) -> list[int]:
    """A process and everything it has started."""
    found = [pid]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += [int(child) for child in children.read_text().split()]
    return found


def memory(pids: Sequence[int]) -> dict[str, float]:
    """MiB of the processes together; RSS counts shared pages once per process."""
    names = {"Rss": "memory (RSS)", "Pss": "memory (PSS)", "Private_Dirty": "private memory"}
    total = dict.fromkeys(names.values(), 0.0)
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            word = line.split(":")[0]
            if word in names:
                total[names[word]] += int(line.split()[1]) / MIB
    return total


def activity(pids: Sequence[int]) -> dict[tuple[int, str], tuple[int, int]]:
    """For every thread: how often it slept and was woken, and the clock ticks it has used."""
    seen = {}
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            switches = next(
                int(line.split()[1])
                for line in (task / "status").read_text().splitlines()
                if line.startswith("voluntary_ctxt_switches")
            )
            fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
            seen[pid, task.name] = switches, int(fields[11]) + int(fields[12])
    return seen


@contextlib.contextmanager
def started(command: Sequence[str]) -> Iterator[tuple[subprocess.Popen[str], float]]:
    """A tray in a home of its own, from the moment it says that it is ready; with the milliseconds that took."""
    with tempfile.TemporaryDirectory() as home:
        env = os.environ | {"DESKSIDE_TRACE_START": "1", "HOME": home}
        env |= {f"XDG_{name}_HOME": f"{home}/{name.lower()}" for name in ("CONFIG", "DATA", "CACHE", "STATE")}
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env, text=True
        )
        lines: queue.Queue[tuple[float, str]] = queue.Queue()

        def drain() -> None:
            for line in process.stderr or ():
                lines.put((time.perf_counter(), line.strip()))
            lines.put((time.perf_counter(), ""))

        reader = threading.Thread(target=drain, daemon=True)
        reader.start()
        try:
            while True:
                at, line = lines.get(timeout=START_DEADLINE_S)
                if line == READY_LINE:
                    break
                if not line and process.poll() is not None:
                    raise SystemExit(f"{shlex.join(command)} ended without saying {READY_LINE!r}")
            yield process, (at - begun) * 1000
        except queue.Empty:
            raise SystemExit(f"{shlex.join(command)} did not say {READY_LINE!r}") from None
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            reader.join()
            if process.stderr is not None:
                process.stderr.close()


def at_rest(command: Sequence[str], *, settle_s: float, idle_s: float) -> dict[str, float]:
    """Start, memory and idleness of a tray that nobody touches."""
    with started(command) as (process, ready_ms):
        time.sleep(settle_s)  # what a tray does after its start counts as start, not as rest
        pids = family(process.pid)
        result = {"ready": ready_ms} | memory(pids)
        before = activity(pids)
        time.sleep(idle_s)
        after = activity(family(process.pid))
    woken, ticks = (sum(now[at] - before.get(task, (0, 0))[at] for task, now in after.items()) for at in (0, 1))
    return result | {"wake-ups a minute": woken * 60 / idle_s, "clock ticks a minute": ticks * 60 / idle_s}


# --- clicks


class Screen:
    """Sees the whole screen from outside the program."""

    def __init__(self) -> None:
        self._app = QGuiApplication(["bench"])
        self._screen = self._app.primaryScreen()

    def points(self) -> list[int]:
        """The colours of a grid of points below the panel."""
        size = self._screen.geometry()
        area = QRect(0, PANEL_PX, size.width(), size.height() - PANEL_PX)
        image = self._screen.grabWindow(0, area.x(), area.y(), area.width(), area.height()).toImage()
        pixels, line = memoryview(image.constBits()).cast("I"), image.bytesPerLine() // 4
        return [
            colour for y in range(0, image.height(), 6) for colour in pixels[y * line : y * line + image.width() : 6]
        ]

    def painted_after(self, empty: list[int], begun: float) -> float:
        """Milliseconds from `begun` until something with text in it stands where the screen was empty."""
        while (now := time.perf_counter()) - begun < PAINT_DEADLINE_S:
            changed = [new for old, new in zip(empty, self.points(), strict=True) if new != old]
            if len(changed) > len(empty) // 20 and len(set(changed)) >= COLOURS:
                return (now - begun) * 1000
        raise SystemExit("a click on the icon brought no window")

    def emptied(self, empty: list[int]) -> None:
        """Waits until the screen is as it was, but for something as small as a tooltip."""
        end = time.monotonic() + PAINT_DEADLINE_S
        while sum(new != old for old, new in zip(empty, self.points(), strict=True)) > len(empty) // 100:
            if time.monotonic() > end:
                raise SystemExit("the window did not close")
            time.sleep(0.05)


def icon_place(pid: int) -> tuple[int, int]:
    """Where the XEmbed icon of a process is: its mapped window inside the tray host's panel."""
    end = time.monotonic() + PAINT_DEADLINE_S
    while time.monotonic() < end:
        found = run("xdotool", "search", "--onlyvisible", "--pid", str(pid)).split()
        for window in found or run("xdotool", "search", "--onlyvisible", "--class", "deskside").split():
            shell = run("xdotool", "getwindowgeometry", "--shell", window)
            place = {key: int(value) for key, value in (line.split("=") for line in shell.splitlines())}
            if 16 <= place.get("WIDTH", 0) <= PANEL_PX and 0 <= place["Y"] < PANEL_PX:
                return place["X"] + place["WIDTH"] // 2, place["Y"] + place["HEIGHT"] // 2
        time.sleep(0.05)
    raise SystemExit("the icon is not in the tray")


def run(*command: str) -> str:
    """What a small program prints; nothing when it fails."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def clicks(command: Sequence[str], screen: Screen, *, times: int) -> dict[str, float]:
    """Milliseconds from a click on the icon to a painted window: the first, and the median of those after it."""
    with started(command) as (process, _):
        x, y = icon_place(process.pid)
        run("xdotool", "mousemove", str(x), str(y))
        time.sleep(1)  # a tooltip of the tray may come now, before the screen counts as empty
        empty = screen.points()
        taken = []
        for _ in range(times + 1):
            begun = time.perf_counter()
            with subprocess.Popen(
                ["xdotool", "click", "1"]
            ):  # it lingers after the click; the clock does not wait for it
                taken.append(screen.painted_after(empty, begun))
            run("xdotool", "key", "alt+F4")
            screen.emptied(empty)
    return {"click to window, first": taken[0], "click to window, after": statistics.median(taken[1:])}


def full_check(command: Sequence[str]) -> dict[str, float]:
    """Seconds of one whole check from the command line."""
    begun = time.perf_counter()
    done = subprocess.run([*command, "check", "--json"], capture_output=True, check=False, timeout=60)
    if done.returncode not in {0, 1}:
        raise SystemExit(f"the check itself failed: {done.stderr.decode(errors='replace')}")
    return {"full check": time.perf_counter() - begun}


# --- the table


def table(floor: dict[str, float], program: dict[str, float]) -> tuple[str, bool]:
    """The figures beside their bars, and whether every bar was kept."""
    lines = [f"{'':26}{'floor':>9}{'program':>9}{'':>9}  bar"]
    fine = True
    for bar in BARS:
        if bar.measure not in program:
            continue
        value, kept = bar.judge(floor.get(bar.measure), program[bar.measure])
        fine &= kept
        name = f"{bar.measure} {bar.unit and f'({bar.unit})'}"
        left = f"{floor[bar.measure]:9.1f}" if bar.measure in floor else f"{'-':>9}"
        shown = {"ratio": f"{value:8.2f}x", "more": f"{value:+9.1f}"}.get(bar.kind, f"{'':9}")
        limit = {"ratio": f"<= {bar.limit} x", "more": f"<= +{bar.limit}", "alone": f"<= {bar.limit} {bar.unit}"}.get(
            bar.kind, ""
        )
        verdict = "" if not bar.kind else "  kept" if kept else "  MISSED"
        lines.append(f"{name:26}{left}{program[bar.measure]:9.1f}{shown}  {limit}{verdict}")
    return "\n".join(lines), fine


def main() -> int:
    """Measures and prints; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=f"{Path(sys.executable).with_name('deskside')}", help="starts the tray")
    parser.add_argument("--runs", type=int, default=5, help="pairs of starts, after one that warms the disk cache")
    parser.add_argument("--settle", type=float, default=8, help="seconds before memory is read")
    parser.add_argument("--idle", type=float, default=20, help="seconds of idleness watched")
    parser.add_argument("--clicks", type=int, default=5, help="clicks after the first")
    options = parser.parse_args()
    if not os.environ.get("DISPLAY"):
        parser.error("there is no display: python tests/desktop.py python tests/bench_tray.py")
    commands = {"floor": [sys.executable, "-c", FLOOR], "program": shlex.split(options.program)}
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for number in range(options.runs + 1):
        for name, command in commands.items():
            if number == 0:
                with started(command):
                    continue
            seen[name].append(at_rest(command, settle_s=options.settle, idle_s=options.idle))
    middle = {
        name: {key: statistics.median(one[key] for one in runs) for key in runs[0]} for name, runs in seen.items()
    }
    program = middle["program"] | clicks(commands["program"], Screen(), times=options.clicks)
    program |= full_check(commands["program"])
    text, fine = table(middle["floor"], program)
    print(text)  # noqa: T201 -- a command's output
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
