"""Run by Windows' own Python under Wine: the helper as a real service, asked through its pipe. Prints one JSON object.

Usage: python -I -P windows_helper.py. What is asked changes nothing; Wine has an `ipconfig` that refuses to.
"""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
import threading
import time
import winreg

from client.platform import helper_pipe
from client.platform.helper import PrivilegedHelper

SERVICE = "DesksideHelper"
POLICY = r"Software\Policies\Deskside\fixes"
kernel = ctypes.WinDLL("kernel32", use_last_error=True)
kernel.CreateNamedPipeW.restype = kernel.CreateFileW.restype = ctypes.c_void_p


def sc(*words: str) -> int:
    return subprocess.run(["sc.exe", *words], stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode


def wait_for(condition) -> bool:
    ends = time.monotonic() + 20
    while not condition() and time.monotonic() < ends:
        time.sleep(0.05)
    return condition()


def ask(line: bytes | dict) -> dict | str:
    try:
        return json.loads(helper_pipe.ask(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n", 20))
    except (OSError, ValueError) as error:
        return type(error).__name__


def plan(id: str, **parameters: str) -> str:
    told = ask({"ask": "plan", "id": id, "parameters": parameters})
    return told if isinstance(told, str) else told["reason"]


def allow(*ids: str) -> None:
    with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, POLICY) as key:
        winreg.SetValueEx(key, "privileged", 0, winreg.REG_MULTI_SZ, list(ids))


def silent() -> ctypes.c_void_p:
    """A caller that opens the pipe and says nothing."""
    pipe = kernel.CreateFileW(helper_pipe.PIPE, helper_pipe.ACCESS, 0, None, 3, helper_pipe.IDENTIFY_ONLY, None)
    return ctypes.c_void_p(pipe)


def squatted() -> str:
    """What our side makes of a pipe of that name that somebody else has made."""
    pipe = kernel.CreateNamedPipeW(helper_pipe.PIPE, 3, 0, 4, 4096, 4096, 0, None)
    try:
        return str(ask(b"{}\n"))
    finally:
        kernel.CloseHandle(ctypes.c_void_p(pipe))


def served() -> dict:
    found = {"list": ask({"ask": "list"}), "offers": sorted(PrivilegedHelper(patience_s=20).offers())}
    found["plan"] = ask({"ask": "plan", "id": "restart.plan", "parameters": {"minutes": "15"}})
    found["refused"] = [plan("restart.plan", minutes="0"), plan("adapter.restart", interface="*"), plan("no.such")]
    found["nonsense"] = [ask(b"\n"), ask(b"\xff\n"), ask(b"[" * 4000 + b"\n"), ask(b"x" * 6000 + b"\n")]
    found["failed"] = ask({"ask": "run", "id": "dns.flush", "parameters": {}})
    pipes = [silent() for _ in range(5)]
    found["beside silent callers"] = plan("dns.flush")
    for pipe in pipes:
        kernel.CloseHandle(pipe)
    told: list[str] = []
    threads = [threading.Thread(target=lambda: told.append(plan("dns.flush"))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found["at once"] = told
    second = subprocess.run(
        [sys.executable, "-I", "-P", "-m", "client.helper", "--run"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    found["a second one"] = [second.returncode, b"Traceback" in second.stderr]
    allow("printing.*")
    found["policy"] = [plan("dns.flush"), plan("printing.restart")]
    winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, POLICY)
    return found


def main() -> None:
    found: dict = {"absent": [PrivilegedHelper(patience_s=1).offers() == frozenset(), str(ask(b"{}\n"))]}
    command = f'"{sys.executable}" -I -P -m client.helper --service'
    found["made"] = sc("create", SERVICE, "binPath=", command, "start=", "demand")
    try:
        sc("start", SERVICE)
        found["up"] = wait_for(helper_pipe.exists)
        found |= served()
    finally:
        sc("stop", SERVICE)
        found["down"] = wait_for(lambda: not helper_pipe.exists())
        sc("delete", SERVICE)
    found["squatted"] = squatted()
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
