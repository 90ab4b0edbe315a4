"""The window: navigation, the search field, and the pages, each built when it is first shown."""

from __future__ import annotations

import importlib
import logging
from typing import Final, cast

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeySequence, QPaintEvent, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from client.errors import DesksideError
from client.ui import theme
from client.ui.icons import state_icon
from client.ui.page import Page, Shell
from client.ui.widgets.banner import Banner, Notice, Toast
from client.ui.widgets.button import IconButton
from client.ui.widgets.glyph import glyph_icon
from client.ui.widgets.navigation import Rail

PAGES: Final[dict[str, tuple[str, str]]] = {
    "home": ("client.ui.pages.home", "HomePage"),
    "articles": ("client.ui.pages.articles", "ArticlesPage"),
    "article": ("client.ui.pages.article", "ArticlePage"),
    "fix": ("client.ui.pages.fixes", "FixPage"),
    "device": ("client.ui.pages.device", "DevicePage"),
    "settings": ("client.ui.pages.settings", "SettingsPage"),
    "tickets": ("client.ui.pages.tickets", "TicketsPage"),
    "conversation": ("client.ui.pages.conversation", "ConversationPage"),
    "compose": ("client.ui.pages.compose", "ComposePage"),
    "preview": ("client.ui.pages.preview", "PreviewPage"),
    "outbox": ("client.ui.pages.outbox", "OutboxPage"),
}
SIZE: Final = QSize(940, 760)
SMALLEST: Final = QSize(420, 420)
TYPING_MS: Final = 40  # a fast typist's keys come 60 ms apart or more: each shows results, a burst only once
LONGEST_HISTORY: Final = 50

log = logging.getLogger(__name__)


class Window(QWidget):
    """The one window of the program.

    Signals:
        closed: the employee has closed it.
        painted: its first frame is on the screen.
    """

    closed = Signal()
    painted = Signal()

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self.shell = shell
        shell.setParent(self)
        self.setObjectName("window")
        self.setWindowTitle(shell.app.settings.values.brand.name or "Deskside")
        self.setMinimumSize(SMALLEST)
        self._pages: dict[str, Page] = {}
        self._history: list[tuple[str, object]] = []
        self._painted = False
        self._build()
        self._shortcuts()
        shell.going.connect(self.go)
        shell.going_back.connect(self.back)
        shell.saying.connect(self.say)
        shell.checkup.changed.connect(self._show_state)
        self._show_state()

    def _build(self) -> None:
        self.rail = Rail(self.windowTitle(), self)
        self.rail.wanted.connect(self._from_rail)
        bar = QFrame(self)
        bar.setObjectName("bar")
        self._back = IconButton("back", self.tr("Back"), parent=bar)
        self._back.clicked.connect(self.back)
        self._back.hide()
        self.search = QLineEdit(bar)
        self.search.setAccessibleName(self.tr("Search help"))
        self.search.setPlaceholderText(self.tr("What is wrong? Try “printer” or “no sound”"))
        self.search.setToolTip(self.tr("Search help (Ctrl+K)"))
        self.search.setClearButtonEnabled(True)
        self.search.setMaximumWidth(theme.COLUMN)
        self._glass = self.search.addAction(
            glyph_icon("search", theme.tokens().muted), QLineEdit.ActionPosition.LeadingPosition
        )
        for number, button in enumerate(self.search.findChildren(QToolButton)):  # the field's own: clear, and the glass
            button.setAccessibleName(self.tr("Clear the search") if number == 0 else self.tr("Search"))
        self.search.textEdited.connect(self._typed)
        self.search.returnPressed.connect(self._search)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MS)
        self._typing.timeout.connect(self._search)
        line = QHBoxLayout(bar)
        line.setContentsMargins(theme.XL, theme.M, theme.XL, theme.M)
        line.setSpacing(theme.S)
        line.addWidget(self._back)
        line.addWidget(self.search, 1)
        self._stack = QStackedWidget(self)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(bar)
        right.addLayout(self._notices())
        right.addWidget(self._stack, 1)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.rail)
        outer.addLayout(right, 1)
        self._toast = Toast(self)

    def _notices(self) -> QHBoxLayout:
        """Where it is said, on every page, what happened to the file with the tickets; gone when there is nothing to say."""
        self._notice = Banner(self)
        self._notice.hide()
        self._notice.closed.connect(self._notice_read)
        line = QHBoxLayout()
        line.setContentsMargins(theme.XL, 0, theme.XL, 0)
        line.addWidget(self._notice)
        self.painted.connect(self._look_for_notice)
        return line

    @Slot()
    def _look_for_notice(self) -> None:
        self.shell.bridge.submit(
            self.shell.app.notice(), owner=self, on_result=self._show_notice, on_error=self._no_notice
        )

    def _show_notice(self, words: str) -> None:
        if words:
            self._notice.tell(
                Notice(title=self.tr("Your tickets were repaired"), words=words, tone="problem", stays=True)
            )

    def _no_notice(self, error: DesksideError) -> None:
        log.info("the outbox could not be looked into: %s", error)  # the pages that need it say so themselves

    @Slot()
    def _notice_read(self) -> None:
        self.shell.bridge.submit(self.shell.app.notice(read=True), owner=self, on_error=self._no_notice)

    def _shortcuts(self) -> None:
        for keys, act in (
            ("Ctrl+K", self.focus_search),
            ("Ctrl+F", self.focus_search),
            ("Alt+Left", self.back),
            ("Escape", self._escape),
            ("F5", self.shell.checkup.start),
            ("Ctrl+R", self.shell.checkup.start),
            ("Ctrl+N", self._report),
            ("Ctrl+W", self.close),
        ):
            QShortcut(QKeySequence(keys), self, act)
        for number, page in enumerate(self.rail.pages, 1):
            shortcut = QShortcut(QKeySequence(f"Ctrl+{number}"), self)
            shortcut.setObjectName(page)
            shortcut.activated.connect(self._jump)

    # --- where we are

    @property
    def page(self) -> Page | None:
        """The page in front."""
        page = self._stack.currentWidget()
        return page if isinstance(page, Page) else None

    @property
    def here(self) -> str:
        """The id of the page in front, "" before the first."""
        return self._history[-1][0] if self._history else ""

    def visit(self, page: str, argument: object = None) -> None:
        """Shows a page from outside: from the tray, a notification or another start. A new ticket starts with what is known."""
        if page == "compose" and argument is None:
            self.shell.report()
        else:
            self.go(page, argument)

    @Slot(str, object)
    def go(self, page: str, argument: object = None) -> None:
        """Shows a page; the one before it can be reached with "back"."""
        if self.here == page:
            self._history[-1] = (page, argument)
        else:
            self._history.append((page, argument))
            del self._history[:-LONGEST_HISTORY]
        self._front(page, argument)

    @Slot()
    def back(self) -> None:
        """Shows the page before this one; on the first one nothing happens."""
        if len(self._history) > 1:
            self._history.pop()
            self._front(*self._history[-1])

    @Slot(object)
    def say(self, notice: Notice) -> None:
        """Shows a short notice at the lower edge."""
        self._toast.tell(notice)

    @Slot()
    def focus_search(self) -> None:
        """Puts the cursor into the search field."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def leave(self) -> None:
        """Has the page in front save what would be lost."""
        if (page := self.page) is not None:
            page.leave()

    def _front(self, id: str, argument: object) -> None:
        before = self.page
        page = self._pages.get(id)
        if page is None:
            module, name = PAGES[id]
            page = self._pages[id] = cast("Page", getattr(importlib.import_module(module), name)(self.shell))
            self._stack.addWidget(page)
        if before is not None and before is not page:
            before.leave()
        self._stack.setCurrentWidget(page)
        self.rail.set_current(id)
        self._back.setVisible(len(self._history) > 1)
        if id != "articles":
            self.search.clear()
        if before is not page:
            page.clear_notice()
            page.to_top()
        page.show_for(argument)
        if before is not page and not (id == "articles" and self.search.hasFocus()):
            (page.first_focus() or page).setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot(str)
    def _from_rail(self, page: str) -> None:
        self._history.clear()
        if page != "home":
            self._history.append(("home", None))
        self.visit(page)

    @Slot()
    def _jump(self) -> None:
        self._from_rail(self.sender().objectName())

    @Slot()
    def _report(self) -> None:
        self.shell.report()

    @Slot()
    def _escape(self) -> None:
        if self.search.hasFocus() and self.search.text():
            self.search.clear()
            if self.here == "articles":
                self.go("articles", "")
        else:
            self.back()

    @Slot()
    def _typed(self) -> None:
        self._typing.start()

    @Slot()
    def _search(self) -> None:
        self._typing.stop()
        words = self.search.text()
        if words.strip() or self.here == "articles":
            self.go("articles", words)

    @Slot()
    def _show_state(self) -> None:
        self.setWindowIcon(state_icon(self.shell.checkup.state))

    # --- on the screen

    def bring(self) -> None:
        """Shows the window, in front, near the tray when it was not on the screen."""
        if not self.isVisible():
            self._place()
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def _place(self) -> None:
        """Puts it into the corner where the panel is; trays rarely say where their icon is, screens say what a panel takes."""
        screen = QGuiApplication.primaryScreen()
        free, whole = screen.availableGeometry(), screen.geometry()
        size = SIZE.boundedTo(free.size() - QSize(2 * theme.L, 2 * theme.XXL)).expandedTo(SMALLEST)
        self.resize(size)
        at_left = free.left() > whole.left()
        at_top = free.top() > whole.top() and free.bottom() == whole.bottom()
        left = free.left() + theme.L if at_left else free.right() - size.width() - theme.L
        top = (
            free.top() + theme.S if at_top else free.bottom() - size.height() - theme.XXL
        )  # the frame's title is above
        self.move(left, max(top, free.top()))

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 -- Qt's name
        """The first paint after each showing is told."""
        self._painted = False
        super().showEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 -- Qt's name
        """Tells, after the first frame, that there is something to see."""
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self.painted.emit)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Makes the navigation narrow in a narrow window."""
        self.rail.set_narrow(self.width() < theme.NARROW + 100)
        self._toast.place()
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 -- Qt's name
        """Draws the search icon anew when light turns to dark."""
        if event.type() == QEvent.Type.PaletteChange:
            self._glass.setIcon(glyph_icon("search", theme.tokens().muted))
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 -- Qt's name
        """Saves, and tells."""
        self.leave()
        super().closeEvent(event)
        self.closed.emit()
