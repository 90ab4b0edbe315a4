"""What is said with the help desk: the employee's tickets, and what is new in them.

A part of the composition root: it joins the desk and the outbox, which know nothing of each other. It is imported with the first
coroutine and not by a tray at rest.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from client.confidential import without_secrets
from client.errors import DeskUnreachable, SignInNeeded, TooBusy
from client.model import Comment, Conversation, Ticket
from client.outbox.attempt import SIGN_IN_WAIT_S
from client.outbox.backoff import wait_asked_s

if TYPE_CHECKING:
    from client.accounts import Accounts
    from client.desks.base import Desk
    from client.outbox.store import Outbox

MOST_READ: Final = 8  # conversations that one look for answers fetches; a desk's limits are often for the whole company
MOST_FAILURES: Final = 3  # in a row: then it is the desk that fails, and not a conversation

log = logging.getLogger(__name__)
T = TypeVar("T")


class Correspondence:
    """The configured help desk, as this account. One per app.

    Args:
        accounts: the desk, signed in.
        outbox: where what it said is kept.
    """

    def __init__(self, *, accounts: Accounts, outbox: Outbox) -> None:
        self._accounts = accounts
        self._outbox = outbox

    # --- tickets

    async def tickets(self, *, refresh: bool) -> tuple[Ticket, ...]:
        """My tickets, newest first; see `App.tickets`."""
        if refresh:
            tickets = await self.ask(lambda desk: desk.tickets())
            await asyncio.to_thread(self._outbox.mailbox.keep_tickets, tickets)
        return await asyncio.to_thread(self._outbox.mailbox.kept_tickets)

    async def conversation(self, ticket_id: str, *, refresh: bool) -> Conversation:
        """A ticket with its messages; see `App.conversation`."""
        if refresh:
            conversation = await self.ask(lambda desk: desk.conversation(ticket_id))
            await asyncio.to_thread(self._outbox.mailbox.keep_conversation, conversation)
        return await asyncio.to_thread(self._outbox.mailbox.kept_conversation, ticket_id)

    async def set_open(self, ticket_id: str, *, wanted: bool) -> Conversation:
        """Closes a ticket or opens it again, and gives it as it is then. Nothing is kept for later: it is done, or not.

        Raises:
            DeskFault: the desk could not be asked, or said no.
        """
        await self.ask(lambda desk: desk.set_open(ticket_id, wanted=wanted))
        return await self.conversation(ticket_id, refresh=True)

    async def rate(self, ticket_id: str, *, good: bool, words: str = "") -> None:
        """Tells the help desk whether a ticket that is done has helped. Nothing is kept for later: it is done, or not.

        Raises:
            DeskFault: the desk could not be asked, or said no.
        """
        said = without_secrets(words.strip())[0]
        await self.ask(lambda desk: desk.rate(ticket_id, good=good, words=said))

    async def news(self) -> tuple[tuple[Ticket, Comment], ...]:
        """Agents' answers that were not there before; see `App.news`.

        Nothing is asked while the desk wants to be left alone. What was not read now is read the next time.
        """
        mailbox = self._outbox.mailbox
        if await asyncio.to_thread(mailbox.rest_s) > 0:
            return ()
        try:
            await self.ask(self._list)
        except (TooBusy, SignInNeeded) as refusal:
            await self._rest(refusal)
            if isinstance(refusal, SignInNeeded):
                raise
            return ()
        found: list[tuple[Ticket, Comment]] = []
        failures = 0
        for ticket in (await asyncio.to_thread(mailbox.to_read))[:MOST_READ]:
            try:
                conversation = await self.ask(partial(_conversation, ticket.id))
            except (TooBusy, SignInNeeded) as refusal:
                await self._rest(refusal)
                break
            except DeskUnreachable as fault:
                log.info("asking for answers ends early: %s", fault)
                break
            except Exception as fault:  # the boundary of an adapter: one conversation must not stop the others
                log.warning("the conversation %s could not be read", ticket.id, exc_info=fault)
                await asyncio.to_thread(mailbox.not_read, ticket.id)
                failures += 1
                if failures == MOST_FAILURES:
                    break
                continue
            failures = 0
            news = await asyncio.to_thread(mailbox.keep_conversation, conversation, listed=ticket)
            found += [(ticket, comment) for comment in news]
        return tuple(found)

    async def _list(self, desk: Desk) -> None:
        """Asks for the list with what is known of it, and keeps it."""
        mailbox = self._outbox.mailbox
        desk.recall(await asyncio.to_thread(mailbox.kept_answers))
        await asyncio.to_thread(mailbox.keep_tickets, await desk.tickets())
        await asyncio.to_thread(mailbox.keep_answers, desk.answers())

    async def _rest(self, refusal: TooBusy | SignInNeeded) -> None:
        """Leaves the desk alone for as long as it asks to, or until somebody signs in."""
        wait_s = SIGN_IN_WAIT_S
        if isinstance(refusal, TooBusy):
            wait_s = wait_asked_s(refusal.retry_after_s, failures=1, roll=random.random())  # noqa: S311 -- spreading
        await asyncio.to_thread(self._outbox.mailbox.rest, wait_s)

    # --- the desk

    async def ask(self, work: Callable[[Desk], Awaitable[T]]) -> T:
        """Asks the help desk something that may be asked twice: with another sign-in, should this one be refused.

        Another process may have signed in since (`deskside login`). The same sign-in is not tried again: desks lock accounts.

        Raises:
            DeskFault: the desk could not be asked, or said no.
        """
        try:
            return await work(await self._accounts.desk())
        except SignInNeeded:
            if not await self._accounts.renewed():
                raise
        return await work(await self._accounts.desk())


async def _conversation(ticket_id: str, desk: Desk) -> Conversation:
    return await desk.conversation(ticket_id)
