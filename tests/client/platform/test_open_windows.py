"""Which windows are on the screen: on a real X server, and which of them IT lists."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from client.platform.open_windows import OpenWindow, listed

VAULT = OpenWindow("Passwords - Vault", ("keepassxc", "KeePassXC"), 10, 10, 100, 50)
MAIL = OpenWindow("Payroll of May", ("mail",), 0, 0, 10, 10)

ASK = """
import json, subprocess, sys, time
from client.platform.open_windows import open_windows
child = subprocess.Popen(["xmessage", "-name", "payroll", "-title", "Gehälter", "-geometry", "300x200+40+60", "salaries"])
try:
    end = time.monotonic() + 20
    while not (seen := [one for one in open_windows(x11=True) or () if one.title]) and time.monotonic() < end:
        time.sleep(0.05)
finally:
    child.terminate()
    child.wait()
print(json.dumps(seen))
"""


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["KeePassXC"], [VAULT]),
        (["*vault*"], [VAULT]),
        (["*PAYROLL*", "keepass*"], [VAULT, MAIL]),
        (["payroll"], []),
        ([], []),
    ],
)
def test_which_windows_are_listed(patterns, found):
    assert list(listed(patterns, (VAULT, MAIL))) == found


@pytest.mark.skipif(not (shutil.which("xvfb-run") and shutil.which("xmessage")), reason="no X server here")
def test_windows_of_a_real_x_server():
    command = ["xvfb-run", "-a", sys.executable, "-c", ASK]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    ((title, names, *place),) = json.loads(done.stdout)
    assert (title, names[0], place) == ("Gehälter", "payroll", [40, 60, 302, 202])  # with its border


@pytest.mark.skipif(sys.platform != "linux", reason="asks for an X server")
def test_without_a_server_nothing_is_known():
    words = "from client.platform.open_windows import open_windows as ask; print(ask(x11=True), ask(x11=False))"
    env = os.environ | {"DISPLAY": ":4094"}
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", words], cwd=root, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.split() == ["None", "None"], done.stderr
