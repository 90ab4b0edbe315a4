"""What is written to the help desk: the preview that is the payload, and the outbox that keeps it with its receipt.

A part of the composition root: it joins the report and the outbox, which know nothing of each other. It is imported with the first
coroutine and not by a tray at rest.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from client.model import Attachment, Draft, Earlier, OutboxEntry, Payload, Preview

if TYPE_CHECKING:
    from client.outbox.store import Outbox
    from client.report.pseudonyms import Pseudonyms
    from diagnostics.model import Privacy, Report


class Writing:
    """What leaves this computer for the help desk. One per app.

    Args:
        outbox: where it is kept until it has arrived.
        healthy: the last report before one in which nothing was wrong; reads a file.
        pseudonyms: the stand-ins that were used before.
        who: `client`, `device` and `platform`.
        routing: IT's rules from the cause to the help desk's fields.
        hide_network: whether addresses and names of networks get stand-ins too.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        healthy: Callable[[Report | None], Report | None],
        pseudonyms: Pseudonyms,
        who: Mapping[str, str],
        routing: Sequence[str] = (),
        hide_network: bool = False,
    ) -> None:
        self._outbox = outbox
        self._healthy = healthy
        self._pseudonyms = pseudonyms
        self._who = who
        self._routing = routing
        self._hide_network = hide_network

    async def preview(self, draft: Draft) -> Preview:
        """The ticket exactly as it would be sent; see `App.preview`."""
        from client.report.compose import compose  # noqa: PLC0415 -- brings the report's templates

        healthy = await asyncio.to_thread(self._healthy, draft.report)
        return await asyncio.to_thread(
            compose,
            draft,
            who=self._who,
            healthy=healthy,
            pseudonyms=self._pseudonyms,
            routing=self._routing,
            hide=hidden(network=self._hide_network),
        )

    async def write_report(self, report: Report, target: Path) -> Path:
        """Writes a report as one zip file after redaction; see `App.write_report`."""
        from client.report.build import write  # noqa: PLC0415 -- as above

        healthy = await asyncio.to_thread(self._healthy, report)
        return await asyncio.to_thread(
            write,
            report,
            target,
            self._who,
            healthy=healthy,
            pseudonyms=self._pseudonyms,
            hide=hidden(network=self._hide_network),
        )

    async def send(self, preview: Preview) -> OutboxEntry:
        """Keeps exactly the previewed payload; see `App.send`."""
        return await asyncio.to_thread(self._outbox.add, preview.payload)

    # --- replies

    async def covered(self, words: str) -> tuple[str, int]:
        """A reply's words without secrets, as they would be sent, and how many places were covered."""
        from client.report.reply import covered  # noqa: PLC0415 -- brings the patterns of secrets

        return await asyncio.to_thread(covered, words)

    async def reply(self, ticket_id: str, words: str, attachments: tuple[Attachment, ...] = ()) -> OutboxEntry:
        """Keeps a reply, after redaction; see `App.reply`."""
        from client.report.reply import reply  # noqa: PLC0415 -- as above

        payload = await asyncio.to_thread(reply, str(uuid.uuid4()), words, attachments)
        return await asyncio.to_thread(self._outbox.add, payload, reply_to=ticket_id)

    # --- the same cause again

    async def earlier(self, payload: Payload) -> Earlier | None:
        """The own ticket about the same cause that is still open, as far as this computer knows; None where there is none."""
        return await asyncio.to_thread(self._earlier, payload)

    def _earlier(self, payload: Payload) -> Earlier | None:
        from client.outbox.repeats import earlier  # noqa: PLC0415 -- only for whoever writes a ticket

        return earlier(
            payload,
            receipts=self._outbox.receipts.of_tickets(),
            tickets=self._outbox.mailbox.kept_tickets(),
            entries=self._outbox.entries(),
            listed_s=self._outbox.mailbox.listed_s(),
        )

    async def addition(self, preview: Preview) -> Preview:
        """The same evidence as a reply to a ticket that is there already: exactly what would be sent."""
        from client.report.reply import addition  # noqa: PLC0415 -- as above

        return addition(preview)

    async def add(self, ticket_id: str, preview: Preview) -> OutboxEntry:
        """Keeps exactly this addition as a reply; the draft of the same key is gone with the commit.

        Raises:
            StorageFault: the disk did not take it; the draft is still there.
        """
        return await asyncio.to_thread(self._outbox.add, preview.payload, reply_to=ticket_id)


def hidden(*, network: bool) -> frozenset[Privacy]:
    """The classes of facts that get stand-ins in whatever leaves."""
    from client.report.redact import ALL_HIDDEN, HIDDEN  # noqa: PLC0415 -- brings the patterns of secrets

    return ALL_HIDDEN if network else HIDDEN
