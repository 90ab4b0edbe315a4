"""Runs `deskside ...`: in this process where that proves the same, and as a real process where it does not."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from client.__main__ import main

PROGRAM = (sys.executable, "-P", "-m", "client")


class Said(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.out)


Deskside = Callable[..., Said]


@pytest.fixture
def deskside(capfd: pytest.CaptureFixture[str]) -> Iterator[Deskside]:
    """Runs words in this process."""
    root, hook, noisy = logging.getLogger(), sys.excepthook, logging.raiseExceptions
    signals = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    handlers, level = list(root.handlers), root.level

    def run(*words: object) -> Said:
        capfd.readouterr()
        code = main([str(word) for word in words])
        return Said(code, *capfd.readouterr())

    yield run
    for one in [one for one in root.handlers if one not in handlers]:
        root.removeHandler(one)
    root.setLevel(level)
    for number, before in signals.items():
        signal.signal(number, before)
    sys.excepthook, logging.raiseExceptions = hook, noisy


@pytest.fixture
def process() -> Deskside:
    """Runs words in a process of their own, without a terminal."""

    def run(*words: object, stdin: str = "", **environment: str) -> Said:
        done = subprocess.run(
            [*PROGRAM, *map(str, words)],
            input=stdin.encode(),
            capture_output=True,
            check=False,
            env=os.environ | environment,
            timeout=120,
        )
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def keyring_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Gives the processes of a test a keyring."""
    file = tmp_path / "keyring.json"
    monkeypatch.setenv("TEST_KEYRING", str(file))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring_of_tests.FileKeyring")
    return file
