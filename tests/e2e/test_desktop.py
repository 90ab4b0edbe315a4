"""The private desktop itself: what the other tests rely on is really there, and nothing of it is left."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from desktop import KEYRING_PASSWORD, MARK, DesktopFault, desktop, wait_until
from desktop_hands import Hands

pytestmark = pytest.mark.desktop

# a tray icon of the toolkit alone: it shows that the desktop works, whatever the program under test does
PROBE = """
import sys
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QSystemTrayIcon, QVBoxLayout, QWidget
app = QApplication([]); app.setApplicationName("probe"); app.setQuitOnLastWindowClosed(False)
window = QWidget(); layout = QVBoxLayout(window)
button = QPushButton("Press me"); button.clicked.connect(lambda: print("pressed", flush=True)); layout.addWidget(button)
field = QLineEdit(); field.setAccessibleName("Words"); layout.addWidget(field)
pixmap = QPixmap(22, 22); pixmap.fill(QColor("#2a7"))
tray = QSystemTrayIcon(QIcon(pixmap)); tray.activated.connect(lambda _: window.show()); tray.show()
app.exec()
"""


@pytest.mark.parametrize("tray", ["xembed", "sni"])
def test_icon_is_clicked_and_widgets_are_worked(make_desktop, tray):
    one = make_desktop(tray=tray)
    one.spawn("probe", [sys.executable, "-c", PROBE])
    with Hands(one, app="probe") as hands:
        hands.click(hands.open_by_icon("Press me"))
        hands.write("Words", "Grüße & more")
        assert wait_until("the press", lambda: "pressed" in one.log("probe"))


def test_notification_is_read_and_clicked(make_desktop):
    one = make_desktop()
    one.spawn("sender", ["notify-send", "--action", "default=Open", "A summary", "a body"])
    with Hands(one, app="dunst") as hands:
        shown = wait_until("the notification", hands.notifications)
        assert [(item.summary, item.body) for item in shown] == [("A summary", "a body")]
        hands.click_notification()
        assert wait_until("the click to arrive", lambda: "default" in one.log("sender"))


def test_keyring_is_unlocked(make_desktop):
    one = make_desktop(tray="none", notifications=False, a11y=False)
    one.spawn("store", ["secret-tool", "store", "--label=a", "of", "probe"], stdin=b"a secret").wait(20)
    assert one.run("secret-tool", "lookup", "of", "probe").stdout == "a secret"
    assert KEYRING_PASSWORD not in one.logs()


STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"


def test_nothing_is_left_afterwards():
    with desktop(tray="none") as one:
        one.spawn("stubborn", [sys.executable, "-c", STUBBORN])
        wait_until("it to be deaf", lambda: "deaf" in one.log("stubborn"))
        mark = f"{MARK}={one.folder}".encode()
        assert [pid for pid in Path("/proc").glob("[0-9]*") if mark in environment(pid)]
    assert not one.folder.exists()
    assert [pid for pid in Path("/proc").glob("[0-9]*") if mark in environment(pid)] == []


def test_a_fault_carries_the_logs():
    with pytest.raises(DesktopFault) as caught, desktop(tray="none") as one:  # noqa: PT012 -- the fault is raised on the desktop
        one.spawn("speaker", [sys.executable, "-c", "print('what it said')"]).wait(20)
        wait_until("a miracle", lambda: None, deadline_s=0)
    assert any("what it said" in note for note in caught.value.__notes__)


def environment(process):
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def test_waiting_has_an_end():
    with pytest.raises(DesktopFault, match=r"waited 0\.1 s in vain: a miracle"):
        wait_until("a miracle", lambda: None, deadline_s=0.1)
