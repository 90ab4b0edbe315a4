"""Stable stand-ins for what identifies a person or a device: "mac-1" stays "mac-1". The map stays on this computer."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from pathlib import Path
from typing import Final

import msgspec

MOST: Final = 5000  # of one kind; a map that grew beyond that is full of things that only looked like identities

log = logging.getLogger(__name__)


class Pseudonyms:
    """Gives each value a number of its kind, the same one every time.

    Args:
        path: where the map is kept (mode 0600), so that the next ticket says the same; None: only as long as this object lives.
            A map that cannot be read or written costs the stability, never the privacy.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._numbers: dict[str, dict[str, int]] = {} if path is None else _read(path)
        self._changed = False

    def name(self, kind: str, value: str) -> str:
        """The stand-in of a value, such as "mac-3"; upper and lower case are the same."""
        with self._lock:
            known = self._numbers.setdefault(kind, {})
            key = value.casefold()
            number = known.get(key)
            if number is None:
                number = max(known.values(), default=0) + 1
                if len(known) < MOST:
                    known[key] = number
                    self._changed = True
            return f"{kind}-{number}"

    def keep(self) -> None:
        """Writes the map, if it has grown."""
        with self._lock:
            if self._path is None or not self._changed:
                return
            data = msgspec.json.encode(self._numbers, order="deterministic")
            new = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
            try:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with contextlib.suppress(FileNotFoundError):
                    new.unlink()
                handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                new.replace(self._path)
            except OSError:
                log.warning("the map of pseudonyms could not be written", exc_info=True)
                with contextlib.suppress(OSError):
                    new.unlink()
            else:
                self._changed = False


def _read(path: Path) -> dict[str, dict[str, int]]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, int]])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError):
        log.warning("the map of pseudonyms could not be read; numbers start anew")
        return {}
