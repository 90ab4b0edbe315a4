"""Starting with the session, and the entry in the launcher. Each writes and removes exactly one file of its own.

Linux: XDG autostart and a desktop entry. Windows: the user's Run key. macOS: a LaunchAgent. What a package has installed for
everybody is not touched; on Linux the user's entry of the same name overrides it, and a hidden one turns it off.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Final

from client.errors import StorageFault
from client.platform.paths import ensure_folder

NAME: Final = "deskside"
RUN_KEY: Final = r"Software\Microsoft\Windows\CurrentVersion\Run"
_LABEL: Final = "io.github.deskside"
_HIDDEN: Final = "Hidden=true"
_RESERVED: Final = set(" \t\n\"'\\><~|&;$*?#()`")  # characters that make a desktop entry's argument need quotes
AT_SIGN_IN: Final = "DESKSIDE_AT_SIGN_IN"  # in the environment of a start that nobody asked for just now: no window
_ENTRY: Final = """\
[Desktop Entry]
Type=Application
Version=1.0
Name=Deskside
GenericName=IT help
Comment=See what is wrong with this computer, fix it, or ask IT
Exec={command}
Icon={icon}
Terminal=false
Categories=System;
Keywords=help;support;ticket;IT;network;repair;
StartupNotify=false
"""


def is_enabled() -> bool:
    """Whether Deskside starts with this user's session: by the user's entry or, on Linux, by everybody's."""
    if sys.platform == "win32":
        return _run_value() is not None
    try:
        return _HIDDEN not in _autostart_file().read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _for_everybody()


def enable(program: tuple[str, ...]) -> None:
    """Starts `program` with this user's session from now on.

    Raises:
        StorageFault: the entry cannot be written.
    """
    if sys.platform == "win32":
        import subprocess  # noqa: PLC0415 -- Windows only

        _set_run_value(subprocess.list2cmdline(program))
    elif sys.platform == "darwin":
        import plistlib  # noqa: PLC0415 -- macOS only

        agent: dict[str, Any] = {
            "Label": _LABEL,
            "ProgramArguments": list(program),
            "RunAtLoad": True,
            "ProcessType": "Interactive",
        }
        agent["EnvironmentVariables"] = {AT_SIGN_IN: "1"}
        _write(_autostart_file(), plistlib.dumps(agent))
    else:
        entry = (
            _ENTRY.format(command=_command(("env", f"{AT_SIGN_IN}=1", *program)), icon=NAME)
            + "X-GNOME-Autostart-enabled=true\n"
        )
        _write(_autostart_file(), entry.encode())


def disable() -> None:
    """Does not start with this user's session any more; fine when it did not.

    Raises:
        StorageFault: the entry cannot be removed.
    """
    if sys.platform == "win32":
        _set_run_value(None)
    elif _for_everybody():
        _write(_autostart_file(), f"[Desktop Entry]\nType=Application\nName=Deskside\n{_HIDDEN}\n".encode())
    else:
        _remove(_autostart_file())


def add_launcher(program: tuple[str, ...], *, icon: Path | None = None) -> None:
    """Puts Deskside into this user's launcher. For a checkout: packages bring their own entry. Linux only; nothing elsewhere.

    Raises:
        StorageFault: the entry cannot be written.
    """
    if sys.platform not in {"win32", "darwin"}:
        _write(_launcher_file(), _ENTRY.format(command=_command(program), icon=_escape(str(icon or NAME))).encode())


def remove_launcher() -> None:
    """Takes this user's launcher entry away; fine when there is none.

    Raises:
        StorageFault: it cannot be removed.
    """
    if sys.platform not in {"win32", "darwin"}:
        _remove(_launcher_file())


def _autostart_file() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "LaunchAgents" / f"{_LABEL}.plist"
    return _xdg("XDG_CONFIG_HOME", ".config") / "autostart" / f"{NAME}.desktop"


def _for_everybody() -> bool:
    """Whether a package has installed an entry for all users."""
    folders = os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    places = [Path(folder) / "autostart" / f"{NAME}.desktop" for folder in folders.split(":") if os.path.isabs(folder)]  # noqa: PTH117 -- "" is no path
    return sys.platform == "linux" and any(place.is_file() for place in places)


def _launcher_file() -> Path:
    return _xdg("XDG_DATA_HOME", ".local/share") / "applications" / f"{NAME}.desktop"


def _xdg(variable: str, default: str) -> Path:
    given = os.environ.get(variable, "")
    return Path(given) if os.path.isabs(given) else Path.home() / default  # noqa: PTH117 -- "" is no path


def _command(program: tuple[str, ...]) -> str:
    """The program as the Exec key wants it: quoted by its own rules, which are not the shell's."""
    return " ".join(_argument(word) for word in program)


def _argument(word: str) -> str:
    word = word.replace("%", "%%")
    if word and not _RESERVED & set(word):
        return word
    quoted = "".join(f"\\{c}" if c in '"`$\\' else c for c in word)
    return _escape(f'"{quoted}"')


def _escape(text: str) -> str:
    """The value of a key: a backslash is doubled, and a line break cannot end it early."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def _write(file: Path, content: bytes) -> None:
    ensure_folder(file.parent)
    fresh = file.with_name(f".{file.name}.new")
    try:
        fresh.write_bytes(content)
        fresh.replace(file)
    except OSError as error:
        raise StorageFault(f"Deskside could not write {file}: {error.strerror}.") from error


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except NotADirectoryError:
        return
    except OSError as error:
        raise StorageFault(f"Deskside could not remove {file}: {error.strerror}.") from error


def _run_value() -> str | None:
    winreg = _winreg()
    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, RUN_KEY) as key:
            return str(winreg.QueryValueEx(key, NAME)[0])
    except OSError:
        return None


def _set_run_value(command: str | None) -> None:
    winreg = _winreg()
    try:
        with winreg.CreateKeyEx(winreg.HKEY_CURRENT_USER, RUN_KEY, 0, winreg.KEY_SET_VALUE) as key:
            if command is not None:
                winreg.SetValueEx(key, NAME, 0, winreg.REG_SZ, command)
            else:
                winreg.DeleteValue(key, NAME)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageFault(
            f"Windows did not let Deskside change what starts with the session: {error.strerror}."
        ) from error


def _winreg() -> Any:
    import winreg  # noqa: PLC0415 -- exists on Windows only

    return winreg
