"""A picture of the screen for a ticket, as PNG without metadata. Our own window hides while it is taken.

X11, Windows, macOS and the offscreen platform let a program look at the screen; on Wayland only the desktop itself may, which asks
the employee (the portal's Screenshot call). Where neither is possible a sentence says so, and what to do instead.

Windows that IT lists are black in the picture from the start, with whatever is in front of them. Where the system does not say
which windows there are, the employee is asked to look.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QBuffer, QIODevice, QObject, QPointF, QRect, QRectF, QSizeF, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QGuiApplication, QImage, QImageWriter, QPainter
from PySide6.QtWidgets import QWidget

from client.errors import DesksideError
from client.platform.open_windows import OpenWindow, listed, open_windows
from client.ui import portal
from client.ui.bridge import Bridge

GONE_MS: Final = 350  # a window manager fades windows out; 200 ms is common
SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
PICTURE: Final = (
    b"IHDR",
    b"PLTE",
    b"tRNS",
    b"IDAT",
    b"IEND",
)  # chunks that make the picture; every other one talks about it


class Screenshot(QObject):
    """Takes one picture at a time.

    Signals:
        taken: the PNG (bytes), and a sentence for whoever looks at it, "" for none.
        failed: a sentence that says why there is none.

    Args:
        window: what hides meanwhile, and comes back in every case.
        bridge: runs the portal's call, which blocks.
        hide: the windows that IT lists, by patterns of titles and programs.
    """

    taken = Signal(bytes, str)
    failed = Signal(str)

    def __init__(
        self, window: QWidget, bridge: Bridge, parent: QObject | None = None, *, hide: Sequence[str] = ()
    ) -> None:
        super().__init__(parent)
        self._window = window
        self._bridge = bridge
        self._hide = tuple(hide)
        self._busy = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._look)

    @property
    def busy(self) -> bool:
        """Whether one is being taken."""
        return self._busy

    def take(self, *, delay_s: int = 0) -> None:
        """Hides the window, waits, takes the picture and shows the window again. Does nothing while one is being taken."""
        if self._busy:
            return
        self._busy = True
        self._window.hide()
        self._timer.start(max(delay_s * 1000, GONE_MS))

    @Slot()
    def _look(self) -> None:
        if QGuiApplication.platformName().startswith("wayland"):
            self._bridge.run(portal.screenshot, owner=self, on_result=self._from_file, on_error=self._refused)
            return
        before = self._listed()
        image = grab()
        if image.isNull():
            self._end(
                None,
                self.tr(
                    "The screen could not be read. Take a picture with the system's own tool and add it as a file."
                ),
            )
        elif before is None:
            self._end(png(image), self._look_yourself())
        else:
            windows = {*before, *(self._listed() or ())}  # one may have moved meanwhile: both places are black
            blacken(image, windows)
            self._end(png(image), self._hidden(windows))

    def _listed(self) -> tuple[OpenWindow, ...] | None:
        if not self._hide:
            return ()
        known = open_windows(x11=QGuiApplication.platformName() == "xcb")
        return None if known is None else listed(self._hide, known)

    def _hidden(self, windows: Iterable[OpenWindow]) -> str:
        names = ", ".join(sorted({window.title or window.names[0] for window in windows}))
        return self.tr("Covered, because IT wants it so: {names}.").format(names=names) if names else ""

    def _look_yourself(self) -> str:
        words = self.tr(
            "IT wants these not to be seen, and this system does not tell where they are: {names}. Cover them."
        )
        return words.format(names=", ".join(self._hide)) if self._hide else ""

    def _from_file(self, file: Path) -> None:
        image = QImage(str(file))
        file.unlink(missing_ok=True)  # the desktop wrote it for us; a copy left behind would surprise
        if image.isNull():
            self._end(None, self.tr("The picture that the desktop took could not be read. Add it as a file instead."))
        else:
            self._end(png(image), self._look_yourself())

    def _refused(self, error: DesksideError) -> None:
        self._end(None, f"{error.message} {error.hint}")

    def _end(self, data: bytes | None, words: str) -> None:
        self._busy = False
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()
        if data is None:
            self.failed.emit(words)
        else:
            self.taken.emit(data, words)


def grab() -> QImage:
    """All screens as one image, in the pixels of the sharpest of them; a null image where the system does not allow it."""
    screens = QGuiApplication.screens()
    whole = QRect()
    for screen in screens:
        whole = whole.united(screen.geometry())
    ratio = max((screen.devicePixelRatio() for screen in screens), default=1.0)
    image = QImage(whole.size() * ratio, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    seen = False
    for screen in screens:
        part = screen.grabWindow(0)
        if not part.isNull():
            seen = True
            place = screen.geometry().translated(-whole.topLeft())
            painter.drawPixmap(
                QRect(place.topLeft() * ratio, place.size() * ratio), part, QRect(0, 0, part.width(), part.height())
            )
    painter.end()
    return image if seen else QImage()


def blacken(image: QImage, windows: Iterable[OpenWindow]) -> None:
    """Paints the windows black in a picture that `grab` has made just now."""
    screens = QGuiApplication.screens()
    whole = QRect()
    for screen in screens:
        whole = whole.united(screen.geometry())
    ratio = max((screen.devicePixelRatio() for screen in screens), default=1.0)
    painter = QPainter(image)
    for window in windows:
        for screen in screens:
            # the place of a screen is in real pixels, its size in scaled ones
            scale, at = screen.devicePixelRatio(), screen.geometry().topLeft()
            real = QRect(at, screen.geometry().size() * scale)
            part = real.intersected(QRect(window.left, window.top, window.width, window.height))
            if part.isEmpty():
                continue
            stretch, inside = ratio / scale, part.translated(-at)
            corner = QPointF(inside.topLeft()) * stretch + QPointF(at - whole.topLeft()) * ratio
            exact = QRectF(corner, QSizeF(inside.size()) * stretch)
            painter.fillRect(exact.toAlignedRect(), QColor(0, 0, 0))
    painter.end()


def png(image: QImage) -> bytes:
    """The image as PNG that holds the picture and nothing about when, where or with what it was made."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, b"PNG").write(image.convertToFormat(QImage.Format.Format_RGB32))
    return bare_png(bytes(buffer.data().data()))


def bare_png(data: bytes) -> bytes:
    """A PNG without its metadata chunks.

    Raises:
        ValueError: it is no whole PNG.
    """
    if not data.startswith(SIGNATURE):
        raise ValueError("not a PNG")
    kept = [SIGNATURE]
    at = len(SIGNATURE)
    while at < len(data):
        length = int.from_bytes(data[at : at + 4])
        chunk = data[at : at + 12 + length]
        if len(chunk) != 12 + length or zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:]):
            raise ValueError("the PNG is cut off or damaged")
        if chunk[4:8] in PICTURE:
            kept.append(chunk)
        at += len(chunk)
    return b"".join(kept)
