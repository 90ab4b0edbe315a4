"""Sends what waits and asks for answers, without being asked to: the only timers of a resting tray, and none where nothing waits.

Delivery has a timer only while the outbox holds something that is due at some time. Answers are asked for only while a ticket
is open, at intervals that differ from computer to computer, so that a company's clients do not ask all at once.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

if TYPE_CHECKING:
    from client.app import App
    from client.errors import DesksideError
    from client.model import Comment, OutboxEntry, Ticket
    from client.ui.bridge import Bridge, Call

LEAST_MS: Final = 500  # between two deliveries: a clock that jumps must not make a storm
LONGEST_MS: Final = 6 * 3600 * 1000  # a timer may oversleep a suspended computer; look again at least this often
MINUTE_MS: Final = 60 * 1000
CLOSED_MIN: Final = 5  # answers are asked for at most this often while no window is open
OPEN_MIN: Final = 2  # how often while one is
JITTER: Final = 0.4  # of the interval, on top: nobody asks earlier than said


class Courier(QObject):
    """Delivers the outbox and fetches agents' answers.

    Signals:
        delivered: the outbox entries whose state has changed (tuple).
        answered: new answers (tuple of ticket and comment).
        outbox_changed: something was added, sent or taken out.
    """

    delivered = Signal(object)
    answered = Signal(object)
    outbox_changed = Signal()

    def __init__(self, *, app: App, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app = app
        self._bridge = bridge
        self._window_open = False
        self._sending: Call | None = None
        self._asking: Call | None = None
        self._due = self._timer(self._deliver)
        self._ask = self._timer(self._fetch)

    @Slot()
    def begin(self) -> None:
        """Looks once, after the start, whether anything waits or is open."""
        if (self._app.paths.data / "outbox.sqlite3").exists():
            self.arrange()
            self._look_for_open()

    @Slot()
    def arrange(self) -> None:
        """Call when the outbox has changed: sets the timer for what is due next, or takes it away."""
        self.outbox_changed.emit()
        if self._sending is not None:
            return  # it arranges anew when it is done
        seconds = self._app.next_delivery()
        if seconds is None:
            self._due.stop()
        else:
            self._due.start(min(max(int(seconds * 1000), LEAST_MS), LONGEST_MS))

    def set_window_open(self, wanted: bool) -> None:  # noqa: FBT001 -- a setter takes what it sets
        """Asks for answers more often while somebody may be looking."""
        self._window_open = wanted
        if self._ask.isActive():
            self._plan()

    def watch_tickets(self, tickets: tuple[Ticket, ...]) -> None:
        """Takes the tickets as last seen: asks for answers while one is open, and not otherwise."""
        if any(ticket.is_open for ticket in tickets):
            if not self._ask.isActive() and self._asking is None:
                self._plan()
        else:
            self._ask.stop()

    @property
    def sending(self) -> bool:
        """Whether something is on its way to the help desk right now."""
        return self._sending is not None

    @property
    def resting(self) -> bool:
        """Whether no timer is set and nothing is under way."""
        return not (self._due.isActive() or self._ask.isActive() or self._sending or self._asking)

    def _timer(self, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(slot)
        return timer

    def _plan(self) -> None:
        minutes = self._app.settings.values.schedule.news_every_min
        if minutes == 0:
            return  # IT has switched it off
        minutes = min(minutes, OPEN_MIN) if self._window_open else max(minutes, CLOSED_MIN)
        self._ask.start(int(minutes * MINUTE_MS * random.uniform(1, 1 + JITTER)))  # noqa: S311 -- spreading, not secrecy

    @Slot()
    def _deliver(self) -> None:
        if self._sending is None:
            self._sending = self._bridge.submit(
                self._app.deliver(), owner=self, on_result=self._delivered, on_error=self._not_delivered
            )

    def _delivered(self, entries: tuple[OutboxEntry, ...]) -> None:
        self._sending = None
        if entries:
            self.delivered.emit(entries)
        self.arrange()
        self._look_for_open()

    def _not_delivered(self, _error: DesksideError) -> None:
        self._sending = None
        self._due.start(
            CLOSED_MIN * MINUTE_MS
        )  # the outbox itself is broken; the page says so, the timer only looks again

    def _look_for_open(self) -> None:
        if self._app.capabilities.own_list:
            self._bridge.submit(self._app.tickets(refresh=False), owner=self, on_result=self.watch_tickets)

    @Slot()
    def _fetch(self) -> None:
        if self._asking is None:
            self._asking = self._bridge.submit(
                self._app.news(), owner=self, on_result=self._fetched, on_error=self._not_fetched
            )

    def _fetched(self, news: tuple[tuple[Ticket, Comment], ...]) -> None:
        self._asking = None
        if news:
            self.answered.emit(news)
        self._look_for_open()

    def _not_fetched(self, _error: DesksideError) -> None:
        self._asking = None
        self._plan()
