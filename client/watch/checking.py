"""The check run: in a child, its report kept, its outcome in one word for the icon."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from client.errors import DesksideBug, StorageFault
from client.model import State

if TYPE_CHECKING:
    from client.watch.history import History
    from client.watch.reports import Reports
    from diagnostics.model import Event, Report
    from diagnostics.targets import Targets

Listener = Callable[["Event"], None]
OFFLINE = ("link.", "address.", "route.", "gateway.", "internet.")

log = logging.getLogger(__name__)


class Checking:
    """Runs the checks and remembers what they found.

    Args:
        program: the command that starts Deskside.
        targets: gives what the settings say about the company's network, when a run begins.
        reports: keeps the last report.
        history: gives the record of every full run; opened with the first.
    """

    def __init__(
        self,
        *,
        program: tuple[str, ...],
        targets: Callable[[], Targets],
        reports: Reports,
        history: Callable[[], History],
    ) -> None:
        self._program = program
        self._targets = targets
        self._reports = reports
        self._history = history
        self._running = False

    async def run(self, *, only: frozenset[str], listen: Listener | None) -> Report:
        """Runs the checks in a child process; see `App.check`."""
        import asyncio  # noqa: PLC0415 -- a tray at rest asks for the state only

        from diagnostics.supervise import RunFailed, supervise  # noqa: PLC0415 -- not needed at rest

        self._running = True
        try:
            report = await supervise(
                (*self._program, "check", "--events"), targets=self._targets(), only=only, listen=listen
            )
        except RunFailed as error:
            log.error("the check run said: %s", error.said)  # noqa: TRY400 -- whoever reports the bug logs its traceback
            raise DesksideBug("The check itself failed, so nothing was found out.") from error
        finally:
            self._running = False
        if not only:
            try:
                await asyncio.to_thread(self._reports.keep, report)
                await asyncio.to_thread(self._history().record, report)
            except StorageFault as error:  # a full disk is a thing to find out about, not a reason to find out nothing
                log.warning("the report could not be kept: %s", error)
        return report

    def state(self) -> State:
        """What the icon shows. Reads a file."""
        return State.CHECKING if self._running else self.judged()

    def judged(self) -> State:
        """What the last report says, whether a check runs now or not. Reads a file."""
        report = self._reports.last()
        if report is None:
            return State.UNKNOWN
        if not report.diagnosis:
            return State.FINE
        return State.OFFLINE if report.diagnosis[0].cause.startswith(OFFLINE) else State.PROBLEM
