"""Whose turn it is to send: one at a time on this computer, and never one that has died.

The right to send is a lock of the operating system that ends with its process. So an entry that is "in hand" while the lock can
be taken belongs to a sender that died, and that is known at once and for certain: no expiry to wait for, no clock to trust, no
process number that somebody else may have by now. A sender that is merely stopped (a laptop asleep) keeps its right.
"""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from typing import Final

from client.errors import StorageFault
from client.outbox.lock import FileLock

TRIES: Final = 5  # somebody's glance at the lock is over within microseconds
PAUSE_S: Final = 0.02


class Turn:
    """The right to send. `take` and `give` may be called from different threads.

    Args:
        path: the lock's file.
        in_hand: held while this process has the turn.
    """

    def __init__(self, path: Path, in_hand: threading.Lock) -> None:
        self._lock = FileLock(path)
        self._path = path
        self._in_hand = in_hand
        self._mine = False

    def take(self) -> bool:
        """Takes the turn if nobody has it.

        Raises:
            StorageFault: the lock's file cannot be used.
        """
        if not self._in_hand.acquire(blocking=False):
            return False
        try:
            for again in range(TRIES):
                if again:
                    time.sleep(PAUSE_S)
                if self._lock.take():
                    self._mine = True
                    return True
        except OSError as error:
            raise StorageFault(
                "Deskside may not write into its own folder, so nothing can be sent.",
                hint=f"Tell your IT department that {self._path.parent} cannot be written. Nothing is lost.",
            ) from error
        finally:
            if not self._mine:
                self._in_hand.release()
        return False

    def give(self) -> None:
        """Gives the turn back; nothing happens when it was not ours."""
        if self._mine:
            self._mine = False
            self._lock.give()
            self._in_hand.release()

    def __enter__(self) -> bool:
        return self.take()

    def __exit__(self, *_: object) -> None:
        self.give()


def somebodys(path: Path, in_hand: threading.Lock) -> bool:
    """Whether anybody on this computer is sending right now."""
    if in_hand.locked():
        return True
    with contextlib.suppress(OSError), FileLock(path) as lock:
        return not lock.take()
    return False
