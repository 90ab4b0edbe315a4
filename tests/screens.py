"""Writes a picture of every page: light and dark, empty, filled and failing. `make screenshots` calls it.

    python tests/screens.py [FOLDER] [--pages home,fix] [--situations filled] [--schemes dark] [--width 480] [--text 2.0]

Needs no screen: Qt paints into memory. The data is that of the window's tests.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "client" / "ui")]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import shiboken6  # noqa: E402 -- after the path is set
from fake_app import DNS, OUTAGE, UPKEEP, FakeApp, fake_errands, report  # noqa: E402 -- after the path is set
from PySide6.QtCore import QEventLoop, QTimer  # noqa: E402 -- after the path is set
from PySide6.QtWidgets import QApplication, QLabel, QPushButton  # noqa: E402 -- after the path is set

from client.errors import SignInNeeded  # noqa: E402 -- after the path is set
from client.model import FixResult  # noqa: E402 -- after the path is set
from client.ui import theme  # noqa: E402 -- after the path is set
from client.ui.bridge import Bridge  # noqa: E402 -- after the path is set
from client.ui.checkup import Checkup  # noqa: E402 -- after the path is set
from client.ui.courier import Courier  # noqa: E402 -- after the path is set
from client.ui.page import Shell  # noqa: E402 -- after the path is set
from client.ui.repair import Repair  # noqa: E402 -- after the path is set
from client.ui.widgets.disclosure import Disclosure  # noqa: E402 -- after the path is set
from client.ui.window import PAGES, Window  # noqa: E402 -- after the path is set

SCHEMES = {"light": theme.LIGHT, "dark": theme.DARK}
SITUATIONS = ("empty", "filled", "failing")
ARGUMENTS = {"article": "dns-name-lookup", "fix": "disk.free_space", "conversation": "412"}
LONGEST_MS = 3000
ENOUGH_EVENTS = 14  # half of a check
PAUSE_MS = 60  # for animations and timers of the page


def wait(condition: Callable[[], bool] | None = None) -> None:
    """Runs the event loop until the condition holds, and a moment longer."""
    loop = QEventLoop()
    passed = 0
    while condition is not None and not condition() and passed < LONGEST_MS:
        QTimer.singleShot(10, loop.quit)
        loop.exec()
        passed += 10
    QTimer.singleShot(PAUSE_MS, loop.quit)
    loop.exec()


class Studio:
    """Takes the pictures."""

    def __init__(self, folder: Path, *, width: int, height: int) -> None:
        self._folder = folder
        self._size = width, height
        self._bridge = Bridge()
        self.taken = 0

    def window(self, app: FakeApp) -> Window:
        """A window around an app, with everything real but the app."""
        bridge = self._bridge
        shell = Shell(
            app=app,
            bridge=bridge,
            checkup=Checkup(app=app, bridge=bridge, parent=bridge),
            repair=Repair(app=app, bridge=bridge, parent=bridge),
            courier=Courier(app=app, start=fake_errands(app, bridge), parent=bridge),
        )
        window = Window(shell)
        window.resize(*self._size)
        window.show()
        return window

    def take(self, window: Window, name: str) -> None:
        """Waits until the page has all its answers, then takes its picture."""
        wait(lambda: not self._bridge.busy)
        self._snap(window, name)

    def take_now(self, window: Window, name: str) -> None:
        """Takes a picture of what is going on."""
        wait()
        self._snap(window, name)

    def done(self, window: Window) -> None:
        """Lets go of a window at once."""
        window.hide()
        shiboken6.delete(window)

    def close(self) -> None:
        """Ends the loop's thread."""
        self._bridge.stop()

    def _snap(self, window: Window, name: str) -> None:
        window.grab().save(str(self._folder / f"{name}.png"))
        self.taken += 1


def pages(studio: Studio, wanted: list[str], situations: list[str], scheme: str) -> None:
    """Every page in every situation."""
    for situation in situations:
        with tempfile.TemporaryDirectory() as folder:
            app: FakeApp = getattr(FakeApp, situation)(Path(folder))
            window = studio.window(app)
            for page in wanted:
                argument: object = ARGUMENTS.get(page)
                if page in {"compose", "preview"}:
                    argument = app.new_draft(words="Nothing opens since this morning.", report=app.report)
                window.go(page, argument)
                studio.take(window, f"{page}-{situation}-{scheme}")
            studio.done(window)


def moments(studio: Studio, scheme: str) -> None:
    """What a page shows only for a while, or after something was pressed."""
    app = FakeApp.healthy()
    window = studio.window(app)
    window.go("home")
    studio.take(window, f"home-healthy-{scheme}")
    app.pause_s, app.next_report = 0.08, report(DNS)
    window.shell.checkup.start()
    heard: list[object] = []
    window.shell.checkup.heard.connect(heard.append)
    wait(lambda: len(heard) > ENOUGH_EVENTS)
    studio.take_now(window, f"home-checking-{scheme}")
    window.shell.checkup.cancel()
    studio.done(window)

    app = FakeApp.filled()
    window = studio.window(app)
    window.go("home")
    wait()
    next(one for one in window.findChildren(Disclosure) if one.button.text() == "Show details").set_open(True)
    studio.take(window, f"home-details-{scheme}")
    for words, name in (("printer", "found"), ("zzz", "nothing")):
        window.go("articles", words)
        studio.take(window, f"articles-{name}-{scheme}")
    for result in (FixResult.HELPED, FixResult.NO_CHANGE, FixResult.FAILED):
        app.fix_result = result
        window.go("fix", "disk.free_space")
        wait(lambda: not window.shell.bridge.busy)
        next(one for one in window.findChildren(QPushButton) if one.text().startswith("Go ahead")).click()
        studio.take(window, f"fix-{result.value}-{scheme}")
        window.go("home")
    for fix in ("files.find_large", "programs.restart"):
        window.go("fix", fix)
        studio.take(window, f"fix-{fix.partition('.')[0]}-{scheme}")
    window.go("fix", "network.reconnect")
    studio.take(window, f"fix-refused-{scheme}")
    app.by_company_account, app.error = True, SignInNeeded("Nobody is signed in to the help desk on this computer.")
    window.go("settings")
    studio.take(window, f"settings-sign_in-{scheme}")
    next(one for one in window.findChildren(QPushButton) if one.text().startswith("Use a code")).click()
    wait(lambda: any(one.text() == "WDJB-MJHT" for one in window.findChildren(QLabel)))
    studio.take_now(window, f"settings-code-{scheme}")
    next(one for one in window.findChildren(QPushButton) if one.text() == "Stop waiting").click()
    app.by_company_account, app.error = False, None
    app.bulletin.here = (OUTAGE, UPKEEP)
    window.go("home")
    studio.take(window, f"home-known-{scheme}")
    window.go("compose", app.new_draft(words="Nothing opens since this morning.", report=app.report))
    studio.take(window, f"compose-known-{scheme}")
    studio.done(window)


def main() -> int:
    """Takes what the words ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--pages", default=",".join(PAGES))
    parser.add_argument("--situations", default=",".join(SITUATIONS))
    parser.add_argument("--schemes", default=",".join(SCHEMES))
    parser.add_argument("--width", type=int, default=920)
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--text", type=float, default=1.0, help="the system's text size, 1.0 is normal")
    parser.add_argument("--no-moments", action="store_true", help="pages only, nothing in between")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    application = QApplication([])
    font = application.font()
    font.setPointSizeF(font.pointSizeF() * options.text)
    application.setFont(font)
    look = theme.Theme()
    studio = Studio(options.folder, width=options.width, height=options.height)
    for scheme in options.schemes.split(","):
        look.apply(SCHEMES[scheme])
        pages(studio, options.pages.split(","), options.situations.split(","), scheme)
        if not options.no_moments:
            moments(studio, scheme)
    studio.close()
    sys.stdout.write(f"{studio.taken} pictures in {options.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
