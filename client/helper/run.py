"""Carries out one way of an action: fixed programs, an environment of its own, no input, a time limit, a summary for an answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from typing import Final

from client.helper.actions import SYSTEMD, Action, Command, Way, said
from client.helper.parameters import filled_in

KEPT_BYTES: Final = 64 * 1024  # of what a program prints; its last words are the ones that count
LOOK_S: Final = 0.03  # between two looks whether a program has ended
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
    output = ""
    try:
        for command in way.commands:
            code, text = await _run(
                filled_in(_apart(command, way, action.limit_s), values), action.limit_s, keep=way.apart
            )
            output += text
            if code and not command[0].startswith("-"):
                return _judged(action, output, note=f"code={code} of {command[0]}: {text[-400:]}")
    except TimeoutError:
        return False, TOO_LONG, f"ended after {action.limit_s:.0f} s"
    except OSError as error:
        return False, NOT_DONE, f"{type(error).__name__}: {error}"
    finally:
        note = await _last(way, values)
    return _judged(action, output, note=note)


async def _last(way: Way, values: dict[str, str]) -> str:
    """Puts back what must be, and gives what went wrong with it."""
    if not way.last:
        return ""
    try:
        code, text = await _run(filled_in(way.last, values), LAST_S, keep=True)
    except (OSError, TimeoutError) as error:
        return f"{way.last[0]}: {type(error).__name__}"
    return f"code={code} of {way.last[0]}: {text[-400:]}" if code else ""


def _judged(action: Action, output: str, *, note: str) -> tuple[bool, str, str]:
    """The result by the codes, and by what the output says where that is worse or tells more."""
    good, told = not note, said(action, output)
    if told is not None and (good or not told[0]):
        return told[0], told[1], note
    return good, action.done if good else NOT_DONE, note


def _apart(command: Command, way: Way, limit_s: float) -> Command:
    """In a unit of its own where systemd is in charge: it lives on when the helper ends, and is not bound by the helper's unit."""
    if not way.apart or not os.path.isdir(SYSTEMD):  # noqa: PTH112 -- one call
        return command
    names = [f"--setenv={name}={value}" for name, value in environment().items()]
    limit = f"--property=RuntimeMaxSec={limit_s:.0f}"
    return ("/usr/bin/systemd-run", "--quiet", "--wait", "--pipe", "--collect", limit, *names, "--", *command)


async def _run(command: Command, limit_s: float, *, keep: bool) -> tuple[int, str]:
    """The code and the last words of a program. After its time it is ended, with all that it has started.

    When we are told to end, so is it, unless `keep` says that half of it would be worse. Its words go to a file and not to us, so
    that it does not break when we do.
    """
    windows = sys.platform == "win32"
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: ASYNC220 -- asyncio's own would end the program when we end
            (command[0].removeprefix("-"), *command[1:]),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(),
            cwd=system_folder() if windows else "/",
            start_new_session=not windows,
            umask=-1 if windows else 0o022,  # ours would make what an installation creates unreadable for everybody
        )
        try:
            async with asyncio.timeout(limit_s):
                while process.poll() is None:  # noqa: ASYNC110 -- as above
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            _end(process)
            raise
        except asyncio.CancelledError:
            if not keep:
                _end(process)
            raise
        output.seek(max(0, output.seek(0, os.SEEK_END) - KEPT_BYTES) & ~1)
        text = output.read()
    return process.returncode, text.decode(
        "utf-16-le" if text[1:2] == b"\0" else "utf-8", "replace"
    )  # sfc.exe writes UTF-16


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
