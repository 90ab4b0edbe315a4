"""The window without a screen: a fake app, a real bridge and loop, the real widgets."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QTextBrowser

sys.path.insert(0, str(Path(__file__).parent))  # `fake_app` is shared by the tests of this folder and the screenshots

from fake_app import FakeApp, fake_errands

from client.ui.bridge import Bridge
from client.ui.checkup import Checkup
from client.ui.courier import Courier
from client.ui.page import Shell
from client.ui.repair import Repair
from client.ui.theme import Theme
from client.ui.window import Window


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    """The session's one QApplication comes before any test's fence: say it here that there is no screen."""
    return ["deskside-tests", "-platform", "offscreen"]


@pytest.fixture
def app() -> FakeApp:
    """A fresh installation; a test fills it or takes another situation."""
    return FakeApp.empty()


@pytest.fixture
def bridge(qapp: QObject) -> Iterator[Bridge]:
    """The real bridge with its loop; stopped afterwards."""
    made = Bridge()
    yield made
    made.stop()
    shiboken6.delete(
        made
    )  # now and here, with its children: the collector may run in a loop's thread, and cannot stop Qt's timers there


@pytest.fixture
def make_shell(bridge: Bridge) -> Callable[[FakeApp], Shell]:
    """Builds what pages are given, around an app."""

    def make(app: FakeApp) -> Shell:
        checkup = Checkup(app=app, bridge=bridge, parent=bridge)
        courier = Courier(app=app, start=fake_errands(app, bridge), parent=bridge)
        repair = Repair(app=app, bridge=bridge, parent=bridge)
        return Shell(app=app, bridge=bridge, checkup=checkup, repair=repair, courier=courier)

    return make


@pytest.fixture
def make_window(qtbot, make_shell: Callable[[FakeApp], Shell], qapp: QObject) -> Iterator[Callable[[FakeApp], Window]]:
    """Builds a window around an app and shows it."""
    Theme(qapp).apply()
    made: list[Window] = []

    def make(app: FakeApp) -> Window:
        window = Window(make_shell(app))
        made.append(window)
        window.resize(920, 680)
        window.show()
        return window

    yield make
    for window in made:
        window.hide()
        shiboken6.delete(
            window
        )  # now and here: the collector may run in the loop's thread, where Qt's timers cannot be stopped


class Eye:
    """Looks at a window as a person does: words that can be seen, buttons that can be pressed."""

    def __init__(self, window: Window, qtbot) -> None:
        self.window = window
        self._qtbot = qtbot

    def words(self) -> str:
        seen = [one.text() for one in self.window.findChildren(QLabel) if one.isVisible()]
        seen += [one.toPlainText() for one in self.window.findChildren(QTextBrowser) if one.isVisible()]
        return "\n".join(seen)

    def sees(self, words: str) -> None:
        self._qtbot.waitUntil(lambda: words in self.words())

    def sees_not(self, words: str) -> None:
        self._qtbot.waitUntil(lambda: words not in self.words())

    def button(self, words: str) -> QAbstractButton:
        def found() -> list[QAbstractButton]:
            everything = self.window.findChildren(QAbstractButton)
            return [one for one in everything if one.isVisible() and words in {one.text(), one.accessibleName()}]

        self._qtbot.waitUntil(lambda: bool(found()))
        return found()[0]

    def press(self, words: str) -> None:
        self._qtbot.mouseClick(self.button(words), Qt.MouseButton.LeftButton)

    def until(self, condition) -> None:
        self._qtbot.waitUntil(condition)


@pytest.fixture
def look(qtbot, make_window):
    """Opens a page of a window around an app."""

    def open_at(app: FakeApp, page: str = "home", argument: object = None) -> Eye:
        window = make_window(app)
        window.go(page, argument)
        return Eye(window, qtbot)

    return open_at
