"""Sends what waits, asks for answers and announcements, looks after the articles, without being asked to: the only timers of a
resting tray, and none where nothing waits.

Delivery has a timer only while the outbox holds something that is due at some time. Answers are asked for while a ticket is open,
rarely otherwise, newer packs of articles only where IT has some, at intervals that differ from computer to computer, so that a
company's clients do not ask all at once. What IT announces is asked for when somebody may need it: when the window is opened, when
a check has found something, and from time to time while the employee waits for the end of an outage. All are errands: a child of
the same program does them, so that the tray stays small.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from client.ui.errands import Announced, Brought, Delivered, Errand, News, Run

if TYPE_CHECKING:
    from client.app import App
    from client.model import Ticket

LEAST_MS: Final = 500  # between two deliveries: a clock that jumps must not make a storm
LONGEST_MS: Final = 6 * 3600 * 1000  # a timer may oversleep a suspended computer; look again at least this often
MINUTE_MS: Final = 60 * 1000
EARLY_MS: Final = 330 * 1000  # "soon" is spread over five minutes: what is due in less than this was due now
FAILED_MS: Final = 3600 * 1000
CLOSED_MIN: Final = 5  # answers are asked for at most this often while no window is open
OPEN_MIN: Final = 2  # how often while one is
QUIET_MIN: Final = 6 * 60  # while no ticket is open: an agent may open one again, or write one down for the employee
FAILING_MIN: Final = 60  # the longest pause between attempts while the desk cannot be asked, and a ticket is open
JITTER: Final = 0.4  # of the interval, on top: nobody asks earlier than said


class Running(Protocol):
    """An errand on its way."""

    def stop(self) -> None:
        """Ends it; nothing is called any more."""


StartErrand = Callable[[Errand, Callable[[Brought | None], None], QObject], Running]


def child(program: tuple[str, ...]) -> StartErrand:
    """Errands by children of `program`."""

    def start(errand: Errand, on_end: Callable[[Brought | None], None], parent: QObject) -> Running:
        return Run(program, errand, on_end, parent)

    return start


class Courier(QObject):
    """Delivers the outbox and fetches agents' answers.

    Args:
        start: starts an errand; by default a child of the app's program.

    Signals:
        delivered: the outbox entries whose state has changed (tuple).
        answered: new answers (tuple of ticket and comment).
        outbox_changed: something was added, sent or taken out.
        sign_in_changed: another process has signed in or out.
        announced: IT's announcements were asked for; what the employee waited for and is over (tuple).
    """

    delivered = Signal(object)
    answered = Signal(object)
    outbox_changed = Signal()
    sign_in_changed = Signal()
    announced = Signal(object)

    def __init__(self, *, app: App, start: StartErrand | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app = app
        self._start = start or child(app.program)
        self._window_open = False
        self._is_open = False  # a ticket
        self._failures = 0  # of asking, in a row
        self._returned = False  # the network, while something was being sent
        self._sending: Running | None = None
        self._asking: Running | None = None
        self._tending: Running | None = None
        self._hearing: Running | None = None
        self._due = self._timer(self._deliver)
        self._ask = self._timer(self._fetch)
        self._tend = self._timer(self._look_after)
        self._hear = self._timer(self.hear)

    @Slot()
    def begin(self) -> None:
        """Looks once, after the start, whether anything waits or is open."""
        if self._has_outbox():
            self.arrange()
            self._is_open = self._app.has_open_tickets()
            if (seconds := self._app.listed_s()) is not None or self._is_open:
                self._plan(since_min=(seconds or 0.0) / 60)
        self._plan_tending()
        if (self._app.paths.state / "announcements.json").exists():
            self.wait_for_end()

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

    @Slot()
    def resume(self) -> None:
        """The way is clear again (a sign-in, the network): what is due goes now, and answers are not far."""
        self._failures = 0
        self.arrange()
        if self._ask.isActive() and self._asking is None:
            self._plan()

    @Slot()
    def network_returned(self) -> None:
        """Sends at once what waits for a way to the help desk; a computer on which nothing waits does nothing."""
        if not self._has_outbox():
            return
        if self._app.next_delivery() is None:
            self.resume()
        elif self._sending is not None:
            self._returned = True  # what is under way began without a network
        else:
            self._due.stop()
            self._sending = self._start("resume", self._delivered, self)

    def set_window_open(self, wanted: bool) -> None:  # noqa: FBT001 -- a setter takes what it sets
        """Asks for answers more often while somebody may be looking."""
        self._window_open = wanted
        if wanted:
            self.hear()
        if self._ask.isActive():
            self._plan()

    def watch_tickets(self, tickets: tuple[Ticket, ...]) -> None:
        """Takes the tickets as last seen: asks for answers while one is open, rarely while none is, never without any."""
        if tickets:
            self._watch(is_open=any(ticket.is_open for ticket in tickets))
        else:
            self._ask.stop()

    def close(self) -> None:
        """Stops what is under way; what was being sent is sent again later, once."""
        for running in (self._sending, self._asking, self._tending, self._hearing):
            if running is not None:
                running.stop()
        self._sending = self._asking = self._tending = self._hearing = None
        self._due.stop()
        self._ask.stop()
        self._tend.stop()
        self._hear.stop()

    @property
    def busy(self) -> bool:
        """Whether an errand is under way right now."""
        return any(one is not None for one in (self._sending, self._asking, self._tending, self._hearing))

    @property
    def sending(self) -> bool:
        """Whether something is on its way to the help desk right now."""
        return self._sending is not None

    @property
    def resting(self) -> bool:
        """Whether no timer is set and nothing is under way."""
        return not (self.busy or any(one.isActive() for one in (self._due, self._ask, self._tend, self._hear)))

    def _timer(self, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(slot)
        return timer

    def _has_outbox(self) -> bool:
        return (self._app.paths.data / "outbox.sqlite3").exists()

    def _watch(self, *, is_open: bool) -> None:
        changed, self._is_open = self._is_open != is_open, is_open
        if self._asking is None and (changed or not self._ask.isActive()):
            self._plan()

    def _plan(self, *, since_min: float = 0.0) -> None:
        """Sets the timer for the next look; `since_min` minutes of the pause have passed already."""
        minutes: float = self._app.settings.values.schedule.news_every_min
        if minutes == 0 or not self._app.capabilities.own_list:
            return  # IT has switched it off, or the help desk cannot be asked
        if not self._is_open:
            minutes = max(minutes, QUIET_MIN, since_min + CLOSED_MIN) - since_min
        elif self._window_open:
            minutes = min(minutes, OPEN_MIN)
        else:
            minutes = max(minutes, CLOSED_MIN)
        if self._failures:
            minutes = max(minutes, min(minutes * 2.0**self._failures, FAILING_MIN))
        self._ask.start(int(minutes * MINUTE_MS * random.uniform(1, 1 + JITTER)))  # noqa: S311 -- spreading, not secrecy

    @Slot()
    def _deliver(self) -> None:
        if self._sending is None:
            self._sending = self._start("deliver", self._delivered, self)

    def _delivered(self, result: Brought | None) -> None:
        self._sending = None
        if not isinstance(result, Delivered):  # it could not even begin: not at once again, and not never
            self._due.start(CLOSED_MIN * MINUTE_MS)
            self.outbox_changed.emit()
            return
        if result.entries:
            self.delivered.emit(result.entries)
        self.arrange()
        again, self._returned = self._returned, False
        if again:
            self.network_returned()
        if any(one.state == "sent" for one in result.entries):
            self._watch(is_open=True)

    @Slot()
    def _fetch(self) -> None:
        if self._asking is None:
            self._asking = self._start("news", self._fetched, self)

    def _fetched(self, result: Brought | None) -> None:
        self._asking = None
        if isinstance(result, News):
            self._failures = 0
            if result.answers:
                self.answered.emit(result.answers)
            self._is_open = result.is_open
        else:
            self._failures = min(self._failures + 1, 16)
        self._plan()

    def _plan_tending(self) -> None:
        """Sets the timer for the articles; a computer without packs has none."""
        seconds = self._app.next_refresh()
        if seconds is not None:
            self._tend.start(min(int(seconds * 1000), LONGEST_MS))

    @Slot()
    def _look_after(self) -> None:
        seconds = self._app.next_refresh()
        if seconds is not None and seconds * 1000 > EARLY_MS:  # the timer cannot reach so far, or another did it
            self._plan_tending()
        elif self._tending is None:
            self._tending = self._start("articles", self._looked_after, self)

    def _looked_after(self, result: Brought | None) -> None:
        self._tending = None
        if result is None:  # it could not even begin: not at once again
            self._tend.start(FAILED_MS)
        else:
            self._plan_tending()

    @Slot()
    def hear(self) -> None:
        """Asks what IT announces, unless that was done just now."""
        if self._hearing is None and self._app.bulletin.sources:
            self._hearing = self._start("announcements", self._heard, self)

    def wait_for_end(self) -> None:
        """Asks from time to time while the employee waits for the end of an outage; call when that has changed."""
        minutes = self._app.settings.values.schedule.news_every_min
        if minutes and self._app.bulletin.watched():
            minutes = max(minutes, CLOSED_MIN)
            self._hear.start(int(minutes * MINUTE_MS * random.uniform(1, 1 + JITTER)))  # noqa: S311 -- as above
        else:
            self._hear.stop()

    def _heard(self, result: Brought | None) -> None:
        self._hearing = None
        self.announced.emit(result.ended if isinstance(result, Announced) else ())
        self.wait_for_end()
