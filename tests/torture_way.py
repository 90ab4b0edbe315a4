"""What `torture.py` puts between its clients and a real help desk: a cable, and behind it bad weather."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from cable import Cable


@contextlib.contextmanager
def way(port: int, *, seed: str, calm: float) -> Iterator[Cable]:
    """The cable's near end; the far end is the desk's port on this computer."""
    with weather(port, seed=seed, calm=calm) as stormy, Cable(stormy) as cable:
        yield cable


@contextlib.contextmanager
def weather(port: int, *, seed: str, calm: float) -> Iterator[int]:
    """A port behind which the weather is bad."""
    script = Path(__file__).with_name("weather.py")
    options = ["--to", f"127.0.0.1:{port}", "--seed", seed, "--calm", str(calm)]
    process = subprocess.Popen(
        [sys.executable, str(script), *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()
