"""The picture of the screen: it is taken without our window, carries no metadata, and what is covered is gone."""

from __future__ import annotations

import zlib

import pytest
from PySide6.QtCore import QBuffer, QIODevice, QPoint, QRect, Qt
from PySide6.QtGui import QColor, QImage, QImageWriter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from client.errors import ActionFault
from client.model import Attachment
from client.ui import portal, screenshot
from client.ui.portal import _file
from client.ui.screenshot import Screenshot, bare_png, grab, png
from client.ui.widgets.cover import Canvas, Cover, covered


def picture(width=40, height=30, colour="#3080c0"):
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    return image


def chunks(data):
    at, names = 8, []
    while at < len(data):
        length = int.from_bytes(data[at : at + 4])
        names.append(data[at + 4 : at + 8])
        at += 12 + length
    return names


def load(data):
    image = QImage()
    assert image.loadFromData(data, "PNG")
    return image


def test_metadata_is_taken_out(qapp):
    image = picture()
    image.setText("Author", "alex.morgan")
    image.setDotsPerMeterX(3000)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert QImageWriter(buffer, b"PNG").write(image)
    raw = bytes(buffer.data().data())
    assert b"alex.morgan" in raw or b"zTXt" in raw or b"tEXt" in raw  # else this test proves nothing
    bare = bare_png(raw)
    assert set(chunks(bare)) == {b"IHDR", b"IDAT", b"IEND"}
    assert load(bare).pixelColor(3, 3) == QColor("#3080c0")


def test_a_broken_png_is_refused():
    whole = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0IEND" + zlib.crc32(b"IEND").to_bytes(4)
    assert bare_png(whole) == whole
    for broken in (b"GIF89a", whole[:-1], whole[:-1] + b"x"):
        with pytest.raises(ValueError, match="PNG"):
            bare_png(broken)


def test_window_hides_and_comes_back(qtbot, bridge):
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    camera = Screenshot(window, bridge, window)
    with qtbot.waitSignal(camera.taken, timeout=5000) as taken:
        camera.take()
        assert not window.isVisible()
        camera.take()  # a second press while one is being taken does nothing
        assert camera.busy
    assert window.isVisible()
    assert set(chunks(taken.args[0])) <= {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
    assert load(taken.args[0]).size() == grab().size()


def test_a_screen_that_cannot_be_read_is_said(qtbot, bridge, monkeypatch):
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    monkeypatch.setattr(screenshot, "grab", QImage)
    camera = Screenshot(window, bridge, window)
    with qtbot.waitSignal(camera.failed, timeout=5000) as failed:
        camera.take()
    assert "add it as a file" in failed.args[0]
    assert window.isVisible()


def test_wayland_asks_the_desktop(qtbot, bridge, monkeypatch, tmp_path):
    file = tmp_path / "Screenshot from today.png"
    assert picture().save(str(file))
    monkeypatch.setattr(screenshot.QGuiApplication, "platformName", lambda: "wayland")
    monkeypatch.setattr(portal, "screenshot", lambda: file)
    window = QWidget()
    qtbot.addWidget(window)
    camera = Screenshot(window, bridge, window)
    with qtbot.waitSignal(camera.taken, timeout=5000) as taken:
        camera.take()
    assert load(taken.args[0]).size() == picture().size()
    assert not file.exists()  # no copy is left in the employee's pictures


def test_wayland_without_a_portal_says_what_to_do(qtbot, bridge, monkeypatch):
    monkeypatch.setattr(screenshot.QGuiApplication, "platformName", lambda: "wayland")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    window = QWidget()
    qtbot.addWidget(window)
    camera = Screenshot(window, bridge, window)
    with qtbot.waitSignal(camera.failed, timeout=5000) as failed:
        camera.take()
    assert failed.args[0] == f"This desktop lets no program take a picture of the screen. {portal.INSTEAD}"


@pytest.mark.parametrize(
    ("response", "results", "words"),
    [
        (1, {}, "it was declined"),
        (2, {}, "it was declined"),
        (0, {}, "did not say where"),
        (0, {"uri": ("s", "https://example.com/a.png")}, "did not say where"),
    ],
)
def test_portal_answers_that_bring_no_picture(response, results, words):
    with pytest.raises(ActionFault, match=words):
        _file(response, results)


def test_portal_answer_with_a_picture():
    assert str(_file(0, {"uri": ("s", "file:///home/a/Pictures/A%20B.png")})) == "/home/a/Pictures/A B.png"


def test_what_is_covered_is_gone(qapp):
    image = picture()
    result = load(png(covered(image, (QRect(5, 5, 10, 10),))))
    assert result.pixelColor(5, 5) == QColor("black")
    assert result.pixelColor(14, 14) == QColor("black")
    assert result.pixelColor(15, 15) == QColor("#3080c0")
    assert image.pixelColor(5, 5) == QColor("#3080c0")  # the original was not touched


def test_covering_with_the_mouse(qtbot):
    canvas = Canvas(picture(400, 300), "Picture")
    qtbot.addWidget(canvas)
    canvas.resize(200, 150)  # shown at half its size
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(60, 60))
    QTest.mouseMove(canvas, QPoint(20, 10))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(20, 10))
    (area,) = canvas.areas
    assert (area.left(), area.top(), area.right(), area.bottom()) == (40, 20, 120, 120)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(90, 90))
    assert len(canvas.areas) == 1  # a click covers nothing


def test_covering_with_the_keyboard(qtbot):
    canvas = Canvas(picture(400, 300), "Picture")
    qtbot.addWidget(canvas)
    QTest.keyClick(canvas, Qt.Key.Key_Space)
    before = canvas.areas[0]
    QTest.keyClick(canvas, Qt.Key.Key_Left)
    QTest.keyClick(canvas, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    after = canvas.areas[0]
    assert (after.left(), after.height()) == (before.left() - 10, before.height() + 10)
    QTest.keyClick(canvas, Qt.Key.Key_Delete)
    assert canvas.areas == ()


def test_done_gives_the_covered_picture(qtbot):
    editor = Cover(Attachment(name="screen.png", media_type="image/png", data=png(picture(400, 300))))
    qtbot.addWidget(editor)
    with qtbot.waitSignal(editor.closed):
        editor._finish()  # nothing covered: it stays as it was
    QTest.keyClick(editor.canvas, Qt.Key.Key_Space)
    with qtbot.waitSignal(editor.done) as done:
        editor._finish()
    assert load(done.args[0]).pixelColor(200, 150) == QColor("black")
