"""Whether what was sent is what the preview showed: receipts against what is kept here and what the help desk shows.

A part of the composition root: it joins the outbox and what the help desk says. Imported by whoever asks.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from client.errors import StorageFault, UsageError
from client.model import Compared, Proof
from client.outbox.packing import pack
from client.outbox.proof import with_desk, with_payload

if TYPE_CHECKING:
    from client.correspondence import Correspondence
    from client.model import Conversation, Receipt
    from client.outbox.store import Outbox

NOT_SEEN = Compared(same=None, words="What the help desk shows was not seen on this computer yet.")
NOT_KEPT = Compared(same=None, words="What was sent is no longer kept on this computer; its receipt is.")


class Proving:
    """The receipts of this account. One per app.

    Args:
        outbox: keeps receipts, and what was sent for some days.
        correspondence: what the help desk says.
    """

    def __init__(self, *, outbox: Outbox, correspondence: Correspondence) -> None:
        self._outbox = outbox
        self._correspondence = correspondence

    async def ticket(self, ticket_id: str, *, refresh: bool = True) -> tuple[Proof, ...]:
        """The receipts of a ticket that was written here and of the replies to it, oldest first, each compared.

        Args:
            ticket_id: the desk's id.
            refresh: whether to ask the help desk; otherwise as it was last seen.

        Raises:
            UsageError: nothing of it was written here, or longer than a year ago.
            DeskFault: the desk could not be asked.
        """
        receipts = await asyncio.to_thread(self._outbox.receipts.of_ticket, ticket_id)
        if not receipts:
            raise UsageError(
                "There is no receipt for this ticket on this computer.",
                hint="Receipts are kept for a year, on the computer that has sent the ticket.",
            )
        conversation: Conversation | None = None
        try:
            conversation = await self._correspondence.conversation(ticket_id, refresh=refresh)
        except UsageError:
            if refresh:
                raise
        return tuple([await self._proof(one, conversation) for one in receipts])

    async def _proof(self, receipt: Receipt, conversation: Conversation | None) -> Proof:
        seen = (NOT_SEEN,) if conversation is None else with_desk(receipt, conversation)
        return Proof(receipt=receipt, compared=(*await asyncio.to_thread(self._kept, receipt), *seen))

    def _kept(self, receipt: Receipt) -> tuple[Compared, ...]:
        try:
            payload = self._outbox.payload(receipt.key)
        except UsageError:
            return (NOT_KEPT,)
        except StorageFault as fault:
            return (Compared(same=False, words=fault.message),)
        whole = pack(payload, reply_to=receipt.ticket if receipt.kind == "reply" else None).sha256
        return with_payload(receipt, payload, whole=whole)
