"""The window as a whole: the way through, the keyboard, names for screen readers, narrow windows and large text, its end."""

from __future__ import annotations

import itertools

import pytest
import shiboken6
from fake_app import CABLE, DNS, FakeApp, report
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QTextEdit,
    QWidget,
)

from client.ui import theme
from client.ui.window import PAGES, Window

ARGUMENTS = {"article": "disk-full", "fix": "disk.free_space", "conversation": "412", "articles": ""}
SITUATIONS = ("empty", "filled", "failing")


def visit(window: Window, page: str) -> None:
    """Opens a page as its neighbours would."""
    app = window.shell.app
    argument = ARGUMENTS.get(page)
    if page in {"compose", "preview"}:
        argument = app.new_draft(words="Nothing opens", report=app.last_report())
    window.go(page, argument)


def settled(qtbot, window: Window) -> None:
    """Everything that was asked for has been answered."""
    qtbot.waitUntil(lambda: not window.shell.bridge.busy)
    QApplication.processEvents()


CONTROLS = (QAbstractButton, QLineEdit, QPlainTextEdit, QTextEdit)


def controls(window: QWidget) -> list[QWidget]:
    """What can be pressed or filled in, as it can be seen."""
    return [one for one in window.findChildren(QWidget) if isinstance(one, CONTROLS) and one.isVisible()]


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("page", PAGES)
def test_every_control_of_every_page_has_a_name_and_can_be_reached(qtbot, make_window, page, situation) -> None:
    window = make_window(getattr(FakeApp, situation)())
    visit(window, page)
    settled(qtbot, window)
    nameless, unreachable = [], []
    for one in controls(window):
        interface = QAccessible.queryAccessibleInterface(one)
        if not interface.text(QAccessible.Text.Name).strip():
            nameless.append(one)
        inner = one.objectName().startswith("qt_") or one.parent().objectName().startswith("qt_")
        if (
            not inner
            and one.isEnabled()
            and not one.focusPolicy() & Qt.FocusPolicy.TabFocus
            and one is not window.search
        ):
            unreachable.append(one)
    unreachable = [one for one in unreachable if one.parent() is not window.search]  # the field's own small icons
    assert nameless == []
    assert [(type(one).__name__, one.accessibleName(), one.parent()) for one in unreachable] == []


@pytest.mark.parametrize("page", PAGES)
def test_no_page_is_wider_than_a_narrow_window(qtbot, make_window, page) -> None:
    window = make_window(FakeApp.filled())
    visit(window, page)
    window.resize(480, 640)
    settled(qtbot, window)
    assert window.width() == 480
    area = window.page.findChild(QScrollArea)
    assert area.widget().width() <= area.viewport().width()
    assert area.widget().minimumSizeHint().width() <= area.viewport().width()


@pytest.mark.parametrize("page", PAGES)
def test_text_of_twice_the_size_is_not_cut_off(qtbot, make_window, qapp, page) -> None:
    before = qapp.font()
    large = qapp.font()
    large.setPointSizeF(2 * before.pointSizeF())
    qapp.setFont(large)
    try:
        window = make_window(FakeApp.filled())
        visit(window, page)
        window.resize(800, 900)
        settled(qtbot, window)

        def cut() -> list[str]:
            return [
                one.text()
                for one in window.page.findChildren(QLabel)
                if one.isVisible() and one.wordWrap() and one.height() < one.heightForWidth(one.width())
            ]

        qtbot.waitUntil(lambda: cut() == [])
    finally:
        qapp.setFont(before)


def test_long_words_wrap_or_stay_inside(qtbot, make_window) -> None:
    import msgspec

    app = FakeApp.filled()
    long = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen " * 6
    app.report = report(msgspec.structs.replace(DNS, title=long, explanation=long, advice=long))
    window = make_window(app)
    window.go("home")
    window.resize(480, 700)
    settled(qtbot, window)
    area = window.page.findChild(QScrollArea)
    assert area.widget().width() <= area.viewport().width()


def test_pages_are_built_when_they_are_first_shown_and_kept(qtbot, make_window) -> None:
    window = make_window(FakeApp.filled())
    window.go("home")
    assert list(window._pages) == ["home"]
    home = window.page
    window.go("articles")
    window.back()
    assert window.page is home


def test_back_goes_where_one_came_from(qtbot, make_window) -> None:
    window = make_window(FakeApp.filled())
    window.go("home")
    window.go("articles", "")
    window.go("article", "disk-full")
    window.go("fix", "disk.free_space")
    for expected in ("article", "articles", "home", "home"):
        window.back()
        assert window.here == expected


@pytest.mark.parametrize(
    ("key", "modifier", "page"),
    [
        (Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier, "home"),
        (Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier, "articles"),
        (Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier, "tickets"),
        (Qt.Key.Key_4, Qt.KeyboardModifier.ControlModifier, "device"),
        (Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier, "compose"),
    ],
)
def test_every_place_has_a_shortcut(qtbot, make_window, key, modifier, page) -> None:
    window = make_window(FakeApp.filled())
    window.go("settings")
    with qtbot.waitActive(window):
        window.activateWindow()
    QTest.keyClick(window, key, modifier)
    assert window.here == page


def test_the_search_field_is_one_shortcut_away_and_escape_leads_back(qtbot, make_window) -> None:
    window = make_window(FakeApp.filled())
    window.go("device")
    with qtbot.waitActive(window):
        window.activateWindow()
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert window.search.hasFocus()
    qtbot.keyClicks(window.search, "sound")
    qtbot.waitUntil(lambda: window.here == "articles")
    QTest.keyClick(window.search, Qt.Key.Key_Escape)
    assert window.search.text() == ""
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.here == "device"


def test_the_check_starts_with_one_key(qtbot, make_window) -> None:
    app = FakeApp.empty()
    app.next_report = report(CABLE)
    window = make_window(app)
    window.go("home")
    with qtbot.waitActive(window):
        window.activateWindow()
    QTest.keyClick(window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: app.report is not None)


def test_tab_walks_through_home_and_comes_back(qtbot, make_window) -> None:
    window = make_window(FakeApp.filled())
    window.go("home")
    settled(qtbot, window)
    with qtbot.waitActive(window):
        window.activateWindow()
    seen = []
    for _ in itertools.repeat(None, 60):
        QTest.keyClick(window.focusWidget() or window, Qt.Key.Key_Tab)
        focused = window.focusWidget()
        if focused in seen:
            break
        seen.append(focused)
    names = [one.text() for one in seen if isinstance(one, QAbstractButton)]
    for expected in ("Check again", "Report a problem", "Forget old names", "Show details", "Home", "Settings"):
        assert expected in names
    assert window.search in seen


def test_what_comes_in_above_does_not_push_the_written_field_away(qtbot, make_window) -> None:
    from client.ui.widgets.text import Text

    window = make_window(FakeApp.filled())
    visit(window, "compose")
    settled(qtbot, window)
    with qtbot.waitActive(window):
        window.activateWindow()
    field = window.page.findChild(QPlainTextEdit)
    field.setFocus()
    for _ in range(60):
        window.page.column.insertWidget(0, Text("Something that came in meanwhile", parent=window.page))
    area = window.page.findChild(QScrollArea)

    def in_sight() -> bool:
        place = field.mapTo(area.viewport(), field.rect().center())
        return area.verticalScrollBar().value() > 200 and area.viewport().rect().contains(place)

    qtbot.waitUntil(in_sight)


def test_the_focus_can_be_seen(qtbot, make_window) -> None:
    """A focused control looks different from the same one without the focus."""
    window = make_window(FakeApp.filled())
    window.go("home")
    settled(qtbot, window)
    with qtbot.waitActive(window):
        window.activateWindow()
    for one in controls(window.page)[:6]:
        window.page.setFocus()
        QApplication.processEvents()
        without = one.grab().toImage()
        one.setFocus(Qt.FocusReason.TabFocusReason)
        QApplication.processEvents()
        assert one.grab().toImage() != without, one.accessibleName()


def test_a_narrow_window_shows_icons_with_names(qtbot, make_window) -> None:
    window = make_window(FakeApp.filled())
    window.go("home")
    window.resize(480, 640)
    QApplication.processEvents()
    places = [one for one in window.rail.findChildren(QAbstractButton) if one.isVisible()]
    assert {one.text() for one in places} == {""}
    assert {"Home", "Help", "My tickets", "This computer"} <= {one.accessibleName() for one in places}
    window.resize(1000, 700)
    QApplication.processEvents()
    assert "My tickets" in {one.text() for one in places}


def test_a_page_below_a_place_keeps_the_place_marked(qtbot, make_window) -> None:
    window = make_window(FakeApp.filled())
    window.go("article", "disk-full")
    marked = [one.accessibleName() for one in window.rail.findChildren(QAbstractButton) if one.property("current")]
    assert marked == ["Help"]


def test_what_a_destroyed_window_has_asked_for_is_cancelled(qtbot, make_shell) -> None:
    app = FakeApp.filled()
    app.pause_s = 30
    window = Window(make_shell(app))
    window.go("articles")
    bridge = window.shell.bridge
    assert bridge.busy
    shiboken6.delete(window)
    qtbot.waitUntil(lambda: not bridge.busy)


def test_the_window_opens_on_the_screen_and_says_when_it_is_painted(qtbot, make_shell, qapp) -> None:
    window = Window(make_shell(FakeApp.healthy()))
    qtbot.addWidget(window)
    window.go("home")
    with qtbot.waitSignal(window.painted):
        window.bring()
    screen = window.screen().availableGeometry()
    assert screen.contains(window.geometry().topLeft() + QPoint(1, 1))
    assert window.width() <= screen.width()


def test_a_repaired_outbox_is_told_on_every_page_until_the_employee_closes_it(qtbot, make_shell, qapp) -> None:
    app = FakeApp.filled()
    app.notice_here = "The file with your tickets was damaged. 2 messages came along into a new one."
    window = Window(make_shell(app))
    qtbot.addWidget(window)
    window.go("home")
    window.bring()
    qtbot.waitUntil(window._notice.isVisible)
    assert app.notice_here in window._notice.accessibleName()
    window.go("outbox")
    assert window._notice.isVisible()
    assert ("notice", app.notice_here) not in app.said
    words = app.notice_here
    qtbot.mouseClick(window._notice._close, Qt.MouseButton.LeftButton)
    assert not window._notice.isVisible()
    qtbot.waitUntil(lambda: ("notice", words) in app.said)
    window.hide()
    window.bring()
    qtbot.wait(50)
    assert not window._notice.isVisible()


def test_light_turns_to_dark_while_the_window_is_open(qtbot, make_window, qapp) -> None:
    window = make_window(FakeApp.filled())
    window.go("home")
    settled(qtbot, window)
    look = theme.Theme()
    try:
        look.apply(theme.DARK)
        QApplication.processEvents()
        middle = window.grab().toImage().pixelColor(window.width() - 30, window.height() - 4)
        assert middle.lightness() < 60
    finally:
        look.apply(theme.LIGHT)
