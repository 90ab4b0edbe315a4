"""What a page is and how it plugs into the window. A page is a module in `client.ui.pages` with one `Page` subclass.

How pages plug in:

- `client.ui.window.PAGES` maps a page's id to the module and class; the window imports and builds it when it is first shown.
- The window calls `show_for(argument)` every time the page comes to the front (also with "back"), and `leave()` when another
  takes its place. Building must be quick: anything slow is submitted in `show_for`.
- Everything that a page may use is in `self.shell`: `app` (only its plain methods), `bridge` (its coroutines), `checkup` (the
  running check, shared with the icon), `repair` (the running fix), `courier` (outbox and answers), `go(page, argument)`,
  `say(notice)`, `open_link(url)` and `report(words)` (a new ticket with what is known).
- `self.bridge_call(coroutine, on_result, on_error)` submits with the page as owner: when the page is destroyed, the
  call is cancelled and nothing is delivered. `on_result` and `on_error` are methods of the page, called in the window's thread;
  `on_error` takes a `DesksideError` and defaults to `self.show_error`, a calm banner on top of the page.
- Content goes into `self.column`, a vertical layout inside a scroll area, at most `theme.COLUMN` wide.
- Strings go through `self.tr`. Widgets come from `client.ui.widgets`; colours and sizes from `client.ui.theme`, never from here.

Pages and their arguments (`go(id, argument)`; a wrong argument is a fault of the caller):

    home          None
    articles      the words to search for (str) or None
    article       the article's id (str)
    fix           the fix's id (str)
    device        None
    settings      None
    tickets       None
    conversation  the ticket's id (str)
    compose       None for an empty ticket, or a `client.model.Draft` to go on with
    preview       a `client.model.Draft`
    outbox        None
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from PySide6.QtCore import QCoreApplication, QObject, Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from client.errors import DesksideError
from client.model import FixOutcome
from client.platform.opener import open_url
from client.ui.widgets.banner import Banner, Notice
from client.ui.widgets.column import Column

if TYPE_CHECKING:
    from client.app import App
    from client.ui.bridge import Bridge, Call
    from client.ui.checkup import Checkup
    from client.ui.courier import Courier
    from client.ui.repair import Repair

T = TypeVar("T")
TRIED_RECENTLY: Final = timedelta(hours=24)  # what was tried before that belongs to another problem


class Shell(QObject):
    """What the window offers to its pages. One per window.

    Args:
        app: the composition root. Pages call its plain methods directly and its coroutines through the bridge.
    """

    going = Signal(str, object)
    saying = Signal(object)
    going_back = Signal()

    def __init__(
        self,
        *,
        app: App,
        bridge: Bridge,
        checkup: Checkup,
        repair: Repair,
        courier: Courier,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.app = app
        self.bridge = bridge
        self.checkup = checkup
        self.repair = repair
        self.courier = courier

    def go(self, page: str, argument: object = None) -> None:
        """Shows a page, with what it should show."""
        self.going.emit(page, argument)

    def back(self) -> None:
        """Shows the page before this one."""
        self.going_back.emit()

    def say(self, notice: Notice) -> None:
        """Shows a short notice at the window's lower edge; it goes away by itself unless it is an error."""
        self.saying.emit(notice)

    def report(self, *, words: str = "", tried: tuple[FixOutcome, ...] = ()) -> None:
        """Opens a new ticket with what is known: the last check, what was tried in the last day, and these words.

        Args:
            words: what the employee has said already.
            tried: outcomes that the journal may not hold yet.
        """
        known = self.app.journal()
        since = datetime.now(UTC) - TRIED_RECENTLY
        fresh = tuple(one for one in tried if one.id not in {other.id for other in known})
        recent = (*fresh, *(one for one in known if one.started_at >= since))
        self.go("compose", self.app.new_draft(words=words, report=self.app.last_report(), tried=recent))

    @Slot(str)
    def open_link(self, url: str) -> None:
        """Shows where a link from outside goes, and opens it only when the employee says so."""
        self.say(
            Notice(
                title=self.tr("Open this in your browser?"),
                words=url,
                action=self.tr("Open"),
                act=partial(self._open, url),
                stays=True,
            )
        )

    def _open(self, url: str) -> None:
        try:
            open_url(url)
        except DesksideError as error:
            self.say(Notice.of(error))


class Page(QWidget):
    """Base of all pages. Subclasses set the three class attributes and fill `self.column` in their constructor.

    Attributes:
        id: what `go` calls it.
        title: what the heading and the screen reader say (an English source string of the context "Page").
        icon: a name of `resources/icons`.
    """

    id: ClassVar[str]
    title: ClassVar[object]  # what QT_TRANSLATE_NOOP gives is typed like that
    icon: ClassVar[str]

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shell = shell
        self.setObjectName(f"page.{self.id}")
        self.setAccessibleName(self.heading())
        self._column = Column(self)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._column)
        self._banner = Banner(self)
        self._banner.hide()
        self.column.addWidget(self._banner)

    @property
    def column(self) -> QVBoxLayout:
        """Where the page's content goes, from top to bottom."""
        return self._column.content

    def heading(self) -> str:
        """The page's title in the employee's language."""
        return QCoreApplication.translate("Page", str(self.title))

    def show_for(self, argument: object) -> None:
        """The page has come to the front: load or refresh what it shows."""

    def leave(self) -> None:
        """Another page takes over: save what would be lost."""

    def first_focus(self) -> QWidget | None:
        """The control that has the focus when the page opens; None: the first one in the tab order."""
        return None

    def bridge_call(
        self,
        coroutine: Coroutine[Any, Any, T],
        on_result: Callable[[T], None],
        on_error: Callable[[DesksideError], None] | None = None,
    ) -> Call:
        """Runs a coroutine of the app; the callbacks are methods of this page."""
        return self.shell.bridge.submit(
            coroutine, owner=self, on_result=on_result, on_error=on_error or self.show_error
        )

    def show_error(self, error: DesksideError) -> None:
        """Shows what went wrong on top of the page, calmly, with what to do."""
        self.show_notice(Notice.of(error))

    def show_notice(self, notice: Notice) -> None:
        """Shows a notice on top of the page, until it is closed or the next one comes."""
        self._banner.tell(notice)
        self._column.ensureWidgetVisible(self._banner)

    @Slot(object)
    def reveal(self, widget: QWidget) -> None:
        """Scrolls something that has just come in into sight."""
        self._column.reveal(widget)

    def clear_notice(self) -> None:
        """Takes the notice away."""
        self._banner.hide()

    def to_top(self) -> None:
        """Scrolls back to the beginning."""
        self._column.verticalScrollBar().setValue(0)
