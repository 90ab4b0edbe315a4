"""Carries out one way of an action: fixed programs, an environment of its own, no input, a time limit, a summary for an answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import Final

from client.helper.actions import SYSTEMD, Action, Command, Way, said
from client.helper.parameters import filled_in

KEPT_BYTES: Final = 64 * 1024  # of what a program prints; its last words are the ones that count
ROOT_FOLDER: Final = "/"
LAST_S: Final = 30.0  # for the command that is run at the end whatever happened
TOO_LONG: Final = "It took too long and was ended."
NOT_DONE: Final = "The system could not do it."


def environment() -> dict[str, str]:
    """What every program gets; nothing of it comes from a caller."""
    if sys.platform == "win32":
        windows = system_folder().rpartition("\\")[0]
        more = {
            "SystemRoot": windows,
            "windir": windows,
            "ComSpec": rf"{windows}\System32\cmd.exe",
            "TEMP": rf"{windows}\Temp",
        }
        return {"PATH": rf"{windows}\System32;{windows}", "TMP": more["TEMP"], "SystemDrive": windows[:2], **more}
    basic = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C.UTF-8",
        "HOME": "/root" if sys.platform == "linux" else "/var/root",
    }
    return {**basic, "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l", "SYSTEMD_PAGER": ""}


def system_folder() -> str:
    r"""The folder of Windows' own programs, C:\Windows\System32, asked from Windows and not from the environment."""
    import ctypes  # noqa: PLC0415 -- Windows only

    buffer = ctypes.create_unicode_buffer(260)
    ctypes.windll.kernel32.GetSystemDirectoryW(buffer, 260)  # type: ignore[attr-defined]
    return buffer.value


async def carry_out(action: Action, way: Way, values: dict[str, str]) -> tuple[bool, str, str]:
    """Runs the commands one after the other until one fails.

    Returns:
        Whether it worked, a sentence for the caller, and for the log the code and the last words of what failed.
    """
    good, words, note, output = True, action.done, "code=0", ""
    try:
        async with asyncio.timeout(action.limit_s):
            for command in way.commands:
                code, text = await _run(filled_in(_apart(command, way), values))
                output += text
                if code and not command[0].startswith("-"):
                    good, words, note = False, NOT_DONE, f"code={code} of {command[0]}: {text[-400:]}"
                    break
    except TimeoutError:
        good, words, note = False, TOO_LONG, f"ended after {action.limit_s:.0f} s"
    except OSError as error:
        good, words, note = False, NOT_DONE, f"{type(error).__name__}: {error}"
    finally:
        if way.last:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(LAST_S):
                    code, text = await _run(filled_in(way.last, values))
                    if code:
                        good, words, note = False, NOT_DONE, f"code={code} of {way.last[0]}: {text[-400:]}"
    if words in {action.done, NOT_DONE} and (told := said(action, output)) is not None:
        good, words = told[0] and good, told[1] if told[0] == good or not told[0] else words
    return good, words, note


def _apart(command: Command, way: Way) -> Command:
    """In a unit of its own where systemd is in charge: it lives on when the helper ends, and is not bound by the helper's unit."""
    if not way.apart or not os.path.isdir(SYSTEMD):  # noqa: PTH112 -- one call
        return command
    names = [f"--setenv={name}={value}" for name, value in environment().items()]
    return ("/usr/bin/systemd-run", "--quiet", "--wait", "--pipe", "--collect", *names, "--", *command)


async def _run(command: Command) -> tuple[int, str]:
    """The code and the last words of a program. When we stop waiting, it and what it has started are ended."""
    windows = sys.platform == "win32"
    process = await asyncio.create_subprocess_exec(
        command[0].removeprefix("-"),
        *command[1:],
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment(),
        cwd=system_folder() if windows else ROOT_FOLDER,
        start_new_session=not windows,
        umask=-1 if windows else 0o022,  # ours would make what an installation creates unreadable for everybody
    )
    kept = b""
    try:
        while process.stdout is not None and (more := await process.stdout.read(8192)):
            kept = (kept + more)[-KEPT_BYTES:]
        code = await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                if windows:
                    process.kill()
                else:
                    os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return code, kept.decode("utf-16-le" if kept[1:2] == b"\0" else "utf-8", "replace")  # sfc.exe writes UTF-16
