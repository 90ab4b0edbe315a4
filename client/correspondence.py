"""What is said with the help desk: its adapter and the sign-in, the employee's tickets, and what is new in them.

A part of the composition root: it joins the desk, the outbox and the keyring, which know nothing of each other. It is imported
with the first coroutine and not by a tray at rest; the network and the keyring are imported where they are used.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from client import __version__
from client.errors import StorageFault
from client.model import Comment, Conversation, Identity, Ticket

if TYPE_CHECKING:
    from client.desks.base import Desk
    from client.outbox.store import Outbox
    from client.settings.layers import Loaded


class Correspondence:
    """The configured help desk, as this account. One per app.

    Args:
        settings: which help desk, and the way to it.
        outbox: where what it said is kept.
        secret: a sign-in for this process alone, instead of the one in the keyring.
    """

    def __init__(self, *, settings: Loaded, outbox: Outbox, secret: str | None = None) -> None:
        self._settings = settings
        self._outbox = outbox
        self._secret = secret
        self._desk: Desk | None = None

    # --- tickets

    async def tickets(self, *, refresh: bool) -> tuple[Ticket, ...]:
        """My tickets, newest first; see `App.tickets`."""
        if refresh:
            desk = await self.desk()
            await asyncio.to_thread(self._outbox.keep_tickets, await desk.tickets())
        return await asyncio.to_thread(self._outbox.kept_tickets)

    async def conversation(self, ticket_id: str, *, refresh: bool) -> Conversation:
        """A ticket with its messages; see `App.conversation`."""
        if refresh:
            desk = await self.desk()
            await asyncio.to_thread(self._outbox.keep_conversation, await desk.conversation(ticket_id))
        return await asyncio.to_thread(self._outbox.kept_conversation, ticket_id)

    async def news(self) -> tuple[tuple[Ticket, Comment], ...]:
        """Agents' answers that were not there before; see `App.news`."""
        desk = await self.desk()
        found: list[tuple[Ticket, Comment]] = []
        before = {one.id: one for one in await asyncio.to_thread(self._outbox.kept_tickets)}
        tickets = await desk.tickets()
        await asyncio.to_thread(self._outbox.keep_tickets, tickets)
        for ticket in tickets:
            known = before.get(ticket.id)
            if known is not None and known.updated_at == ticket.updated_at:
                continue
            conversation = await desk.conversation(ticket.id)
            for comment in await asyncio.to_thread(self._outbox.keep_conversation, conversation):
                found.append((ticket, comment))  # noqa: PERF401 -- reads as what it does
        return tuple(found)

    # --- the desk

    async def desk(self) -> Desk:
        """The adapter of the configured help desk, signed in; see `App.desk`."""
        if self._desk is None:
            from client.desks import desk_class, open_desk  # noqa: PLC0415 -- brings httpx, not needed before
            from client.platform.secrets import get_secret  # noqa: PLC0415 -- brings keyring, not needed before

            values = self._settings.values
            desk_class(values.desk.kind)  # without a help desk there is no reason to unlock a keyring
            secret = self._secret or await asyncio.to_thread(get_secret, values.desk.url)
            self._desk = open_desk(values.desk, network=values.network, secret=secret, version=__version__)
        return self._desk

    async def sign_in(self, secret: str, *, keep: bool) -> Identity:
        """Proves a secret at the desk and only then keeps it; see `App.sign_in`."""
        from client.desks import open_desk  # noqa: PLC0415 -- as above
        from client.platform.secrets import set_secret  # noqa: PLC0415 -- as above

        values = self._settings.values
        desk = open_desk(values.desk, network=values.network, secret=secret, version=__version__)
        try:
            identity = await desk.whoami()
        finally:
            await desk.close()
        if keep:
            await asyncio.to_thread(set_secret, values.desk.url, secret)
        self._secret = None if keep else secret
        await self.forget_desk()
        # A sign-in does not fail because of the outbox, which comes to it by itself.
        with contextlib.suppress(StorageFault):
            await asyncio.to_thread(self._outbox.resume)
        return identity

    async def sign_out(self) -> None:
        """Forgets the secret; see `App.sign_out`."""
        from client.platform.secrets import delete_secret  # noqa: PLC0415 -- as above

        await self.forget_desk()
        if self._secret is not None:  # it was never in the keyring
            self._secret = None
            return
        await asyncio.to_thread(delete_secret, self._settings.values.desk.url)

    async def forget_desk(self) -> None:
        """Lets go of the adapter and its connections; the next use opens it anew."""
        desk, self._desk = self._desk, None
        if desk is not None:
            await desk.close()
