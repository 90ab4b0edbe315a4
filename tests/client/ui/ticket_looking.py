"""Looks at the ticket pages as an employee does, and does what one does there. For the tests of this folder."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QPlainTextEdit, QTextBrowser


class Looking:
    """Finds what the employee sees on the page in front."""

    def __init__(self, qtbot, window):
        self.qtbot, self.window = qtbot, window

    @property
    def page(self):
        return self.window.page

    def button(self, name):
        def shown():
            return [one for one in self.page.findChildren(QAbstractButton) if one.isVisible()]

        def find():
            found = [one for one in shown() if name in {one.text(), one.accessibleName()}]
            assert found, f"no button {name!r} among {[one.accessibleName() or one.text() for one in shown()]}"
            return found[0]

        self.qtbot.waitUntil(lambda: find() is not None, timeout=5000)
        return find()

    def press(self, name):
        button = self.button(name)
        self.qtbot.waitUntil(button.isEnabled, timeout=5000)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def has(self, words):
        shown = [one.text() for one in self.page.findChildren(QLabel) if one.isVisible()]
        shown += [one.toPlainText() for one in self.page.findChildren(QTextBrowser) if one.isVisible()]
        shown += [one.text() for one in self.page.findChildren(QAbstractButton) if one.isVisible()]
        return any(words in one for one in shown)

    def see(self, words):
        self.qtbot.waitUntil(lambda: self.has(words), timeout=5000)

    def gone(self, words):
        self.qtbot.waitUntil(lambda: not self.has(words), timeout=5000)

    def field(self, kind, name):
        def found():
            return [one for one in self.page.findChildren(kind) if one.accessibleName() == name and one.isVisible()]

        self.qtbot.waitUntil(lambda: bool(found()), timeout=5000)
        return found()[0]

    @property
    def words(self):
        return self.field(QPlainTextEdit, "What were you doing, and what happened?")

    def until(self, ask):
        self.qtbot.waitUntil(lambda: bool(ask()), timeout=5000)


@pytest.fixture
def start(make_window, qtbot):
    """Opens a window on a page."""

    def make(app, page, argument=None):
        window = make_window(app)
        window.go(page, argument)
        return Looking(qtbot, window)

    return make


def said(app, what):
    return [value for name, value in app.said if name == what]


def drop(widget, *paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    widget.dropEvent(event)
    return event.isAccepted()
