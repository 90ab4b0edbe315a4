"""Checks what a caller says before it gets near a command. Only names that exist on this computer and small numbers pass."""

from __future__ import annotations

import contextlib
import re
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

MINUTES: Final = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
MOST_MINUTES: Final = 1440
INTERFACE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}", re.ASCII)  # IFNAMSIZ is 16 with its end
FRIENDLY: Final = re.compile(r"[^\W_][\w .()#-]{0,63}")  # "Ethernet 2", "Wi-Fi"; no wildcard and no quote
_CONNECTIONS: Final = r"SYSTEM\CurrentControlSet\Control\Network\{4D36E972-E325-11CE-BFC1-08002BE10318}"


class Refused(Exception):
    """The request is not carried out. `reason` is a word for programs, the text a sentence for the caller."""

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason
        self.words = words


def checked(kinds: tuple[str, ...], given: Any, *, interfaces: Callable[[], Iterable[str]]) -> dict[str, str]:
    """What to fill the holes of a command with.

    Args:
        kinds: the parameters that the action takes.
        given: what the caller says, of any shape.
        interfaces: the names of this computer's network adapters.

    Raises:
        Refused: it is not exactly these parameters, or one of them is not what it should be.
    """
    fits = (
        isinstance(given, Mapping) and set(given) == set(kinds) and all(isinstance(one, str) for one in given.values())
    )
    if not fits:
        raise Refused("bad-parameter", "This takes other parameters.")
    filled: dict[str, str] = dict(given)
    if "interface" in filled and filled["interface"] not in set(interfaces()):
        raise Refused("bad-parameter", "This computer has no network adapter of that name.")
    if "minutes" in filled:
        if not MINUTES.fullmatch(filled["minutes"]) or int(filled["minutes"]) > MOST_MINUTES:
            raise Refused("bad-parameter", f"The number of minutes must be between 1 and {MOST_MINUTES}.")
        filled["seconds"] = str(int(filled["minutes"]) * 60)
    return filled


def filled_in(command: tuple[str, ...], values: Mapping[str, str]) -> tuple[str, ...]:
    """The command with its holes filled; the program itself has none."""
    words = list(command)
    for name, value in values.items():
        words[1:] = [word.replace(f"{{{name}}}", value) for word in words[1:]]
    return tuple(words)


def interfaces() -> tuple[str, ...]:
    """The network adapters of this computer that may be named, without the loopback."""
    if sys.platform == "win32":
        return tuple(name for name in _friendly_names() if FRIENDLY.fullmatch(name))
    names = (name for _, name in socket.if_nameindex())
    return tuple(name for name in names if INTERFACE.fullmatch(name) and name not in {"lo", "lo0"})


def _friendly_names() -> list[str]:
    found: list[str] = []
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415 -- exists on Windows only

        with contextlib.suppress(OSError), winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _CONNECTIONS) as adapters:
            for index in range(winreg.QueryInfoKey(adapters)[0]):
                key = winreg.EnumKey(adapters, index) + r"\Connection"
                # "Descriptions" is no adapter.
                with contextlib.suppress(OSError), winreg.OpenKey(adapters, key) as one:
                    found.append(str(winreg.QueryValueEx(one, "Name")[0]))
    return found
