"""Sends what is in the outbox, one entry after the other, while nobody else on this computer does.

What one entry goes through is in `client.outbox.attempt`; what is written down on the way in `client.outbox.ledger`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from client.errors import DesksideError, StorageFault
from client.model import OutboxEntry
from client.outbox.attempt import SEARCH_SETTLES_S, Attempt, Desk
from client.outbox.store import Outbox


class Delivery:
    """Sends due entries.

    Args:
        outbox: where they are kept.
        open_desk: gives the help desk, signed in; it stays its owner's.
        roll: gives random numbers, 0 <= r < 1.
        settle_s: how long a desk's search may need to know a new ticket.
        clock: seconds since 1970, the outbox's.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        open_desk: Callable[[], Awaitable[Desk]],
        roll: Callable[[], float] = random.random,
        settle_s: float = SEARCH_SETTLES_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._outbox = outbox
        self._open_desk = open_desk
        self._roll = roll
        self._settle_s = settle_s
        self._clock = clock

    async def run_due(self) -> tuple[OutboxEntry, ...]:
        """Sends what is due, once, and gives the entries that have changed. Faults of desk and network end up in the entries.

        Nothing happens while somebody else on this computer is sending.

        Raises:
            StorageFault: what happened could not be written down; the next run finds out from the desk.
        """
        turn = self._outbox.turn()
        taking = asyncio.create_task(asyncio.to_thread(turn.take))
        try:
            held = await asyncio.shield(taking)
        except asyncio.CancelledError:
            taking.add_done_callback(lambda _: turn.give())  # the thread may take it after we have left
            raise
        try:
            if not held:
                return ()
            changed = set(await asyncio.to_thread(self._outbox.ledger.recover))
            changed |= await self._send_all()
            return await asyncio.to_thread(self._outbox.find, frozenset(changed))
        except StorageFault:
            self._outbox.trouble()
            raise
        finally:
            turn.give()

    async def _send_all(self) -> set[str]:
        had_turn: set[str] = set()
        changed: set[str] = set()
        desk: Desk | None = None
        while task := await asyncio.to_thread(self._outbox.ledger.take, without=frozenset(had_turn)):
            if isinstance(task, str):
                changed.add(task)
                continue
            had_turn.add(task.id)
            attempt = Attempt(task, self._outbox.ledger, roll=self._roll, settle_s=self._settle_s, clock=self._clock)
            try:
                if desk is None:
                    desk = await self._open_desk()
            except StorageFault:
                raise
            except DesksideError as error:
                changed |= await attempt.cannot_begin(error)
            else:
                changed |= await attempt.run(desk)
            changed.add(task.id)
        return changed
