"""What is written to the help desk: the preview that is the payload, and the outbox that keeps it with its receipt.

A part of the composition root: it joins the report and the outbox, which know nothing of each other. It is imported with the first
coroutine and not by a tray at rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from client.model import Draft, OutboxEntry, Preview

if TYPE_CHECKING:
    from client.outbox.store import Outbox
    from client.report.pseudonyms import Pseudonyms
    from diagnostics.model import Report


class Writing:
    """What leaves this computer for the help desk. One per app.

    Args:
        outbox: where it is kept until it has arrived.
        healthy: the last report before one in which nothing was wrong; reads a file.
        pseudonyms: the stand-ins that were used before.
        who: `client`, `device` and `platform`.
        routing: IT's rules from the cause to the help desk's fields.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        healthy: Callable[[Report | None], Report | None],
        pseudonyms: Pseudonyms,
        who: Mapping[str, str],
        routing: Sequence[str] = (),
    ) -> None:
        self._outbox = outbox
        self._healthy = healthy
        self._pseudonyms = pseudonyms
        self._who = who
        self._routing = routing

    async def preview(self, draft: Draft) -> Preview:
        """The ticket exactly as it would be sent; see `App.preview`."""
        from client.report.compose import compose  # noqa: PLC0415 -- brings the report's templates

        healthy = await asyncio.to_thread(self._healthy, draft.report)
        return await asyncio.to_thread(
            compose, draft, who=self._who, healthy=healthy, pseudonyms=self._pseudonyms, routing=self._routing
        )

    async def send(self, preview: Preview) -> OutboxEntry:
        """Keeps exactly the previewed payload; see `App.send`."""
        return await asyncio.to_thread(self._outbox.add, preview.payload)
