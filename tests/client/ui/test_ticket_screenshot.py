"""The picture of the screen: it is taken without our window, carries no metadata, and what is covered is gone."""

from __future__ import annotations

import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QBuffer, QIODevice, QPoint, QRect, Qt
from PySide6.QtGui import QColor, QImage, QImageWriter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from client.errors import ActionFault
from client.model import Attachment
from client.platform.open_windows import OpenWindow
from client.ui import portal, screenshot
from client.ui.portal import _file
from client.ui.screenshot import Screenshot, bare_png, grab, png
from client.ui.widgets.canvas import Canvas
from client.ui.widgets.filepanel import FilePanel
from client.ui.widgets.marks import ARROW, Mark, Tool, drawn, kept
from client.ui.widgets.markup import Markup, picture_of


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


def test_windows_that_it_lists_are_black(qtbot, bridge, monkeypatch):
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    there = [
        (OpenWindow("Vault - KeePassXC", ("keepassxc",), 100, 50, 40, 30), OpenWindow("Mail", ("mail",), 0, 0, 20, 20)),
        (OpenWindow("Vault - KeePassXC", ("keepassxc",), 300, 50, 40, 30),),  # moved while the picture was taken
    ]
    white = grab()
    white.fill(QColor("white"))
    monkeypatch.setattr(screenshot, "grab", white.copy)
    monkeypatch.setattr(screenshot, "open_windows", lambda **_: there.pop(0))
    camera = Screenshot(window, bridge, window, hide=("KeePass*",))
    with qtbot.waitSignal(camera.taken, timeout=5000) as taken:
        camera.take()
    image = load(taken.args[0])
    assert [image.pixelColor(x, y).name() for x, y in ((100, 50), (139, 79), (300, 50), (339, 79))] == ["#000000"] * 4
    assert [image.pixelColor(x, y).name() for x, y in ((99, 50), (140, 79), (5, 5))] == ["#ffffff"] * 3
    assert taken.args[1] == "Covered, because IT wants it so: Vault - KeePassXC."


@pytest.mark.parametrize(("hide", "said"), [(("KeePass*",), True), ((), False)])
def test_where_windows_are_not_known_the_employee_is_asked_to_look(qtbot, bridge, hide, said):
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    camera = Screenshot(window, bridge, window, hide=hide)
    with qtbot.waitSignal(camera.taken, timeout=5000) as taken:  # Qt's offscreen platform knows of no other windows
        camera.take()
    assert ("KeePass*" in taken.args[1]) is said


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


def mark(tool, *corners):
    left, top, right, bottom = corners
    return Mark(tool, QPoint(left, top), QPoint(right, bottom))


def test_what_is_covered_is_gone(qapp):
    image = picture()
    result = load(png(drawn(image, (mark(Tool.COVER, 14, 14, 5, 5),))))
    assert result.pixelColor(5, 5) == QColor("black")
    assert result.pixelColor(14, 14) == QColor("black")
    assert result.pixelColor(15, 15) == QColor("#3080c0")
    assert image.pixelColor(5, 5) == QColor("#3080c0")  # the original was not touched


def test_an_arrow_shows_where_it_points_and_uncovers_nothing(qapp):
    image = picture(400, 300)
    result = drawn(image, (mark(Tool.ARROW, 20, 20, 200, 150), mark(Tool.COVER, 90, 60, 120, 90)))
    assert result.pixelColor(195, 146) == ARROW
    assert result.pixelColor(210, 157) == QColor("#3080c0")  # beyond the tip there is nothing
    assert result.pixelColor(91, 89) == QColor("black")
    assert "#3080c0" not in {result.pixelColor(x, y).name() for x in range(90, 121) for y in range(60, 91)}


def test_only_the_part_that_is_kept_is_sent(qapp):
    image = picture(400, 300)
    marks = (mark(Tool.COVER, 0, 0, 99, 99), mark(Tool.CROP, 0, 0, 399, 299), mark(Tool.CROP, 50, 60, 249, 159))
    result = load(png(drawn(image, marks)))
    assert (result.width(), result.height()) == (200, 100)
    assert result.pixelColor(49, 39) == QColor("black")
    assert result.pixelColor(50, 39) == QColor("#3080c0")


def test_marking_with_the_mouse(qtbot):
    canvas = Canvas(picture(400, 300), "Picture")
    qtbot.addWidget(canvas)
    canvas.resize(200, 150)  # shown at half its size
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(60, 60))
    QTest.mouseMove(canvas, QPoint(20, 10))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(20, 10))
    (first,) = canvas.marks
    assert first.area.getCoords() == (40, 20, 120, 120)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(90, 90))
    assert len(canvas.marks) == 1  # a click marks nothing
    canvas.tool = Tool.ARROW
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(500, 500))  # beyond the picture
    assert canvas.marks[1] == mark(Tool.ARROW, 20, 20, 399, 299)
    canvas.undo()
    assert canvas.marks == (first,)


@pytest.mark.parametrize("tool", Tool)
def test_marking_with_the_keyboard(qtbot, tool):
    canvas = Canvas(picture(400, 300), "Picture")
    qtbot.addWidget(canvas)
    canvas.tool = tool
    QTest.keyClick(canvas, Qt.Key.Key_Space)
    before = canvas.marks[0].area
    QTest.keyClick(canvas, Qt.Key.Key_Left)
    QTest.keyClick(canvas, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    after = canvas.marks[0].area
    assert (after.left(), after.height()) == (before.left() - 10, before.height() + 10)
    for _ in range(60):
        QTest.keyClick(canvas, Qt.Key.Key_Left)
        QTest.keyClick(canvas, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert QRect(0, 0, 400, 300).contains(canvas.marks[0].area)
    assert canvas.marks[0].counts
    QTest.keyClick(canvas, Qt.Key.Key_Delete)
    assert canvas.marks == ()


@given(st.lists(st.tuples(st.sampled_from(Tool), *[st.integers(-5, 60)] * 4), max_size=6))
def test_whatever_is_drawn_what_is_covered_is_gone(drags):
    image = picture(50, 40, "#30c080")
    marks = [mark(tool, *(min(max(at, 0), 39) for at in corners)) for tool, *corners in drags]
    part = kept(marks, image.rect())
    result = drawn(image, marks)
    assert result.size() == part.size()
    for one in marks:
        inside = one.area.intersected(part)
        if one.tool is Tool.COVER and not inside.isEmpty():
            for x in (inside.left(), inside.right()):
                for y in (inside.top(), inside.bottom()):
                    assert result.pixelColor(x - part.x(), y - part.y()) != QColor("#30c080")


def test_done_gives_the_marked_picture(qtbot):
    editor = Markup(picture(400, 300), "screen.png")
    qtbot.addWidget(editor)
    with qtbot.waitSignal(editor.closed):
        editor.finish()  # nothing drawn: it stays as it was
    QTest.keyClick(editor.canvas, Qt.Key.Key_Space)
    editor._tools[Tool.CROP].click()
    assert editor.canvas.tool is Tool.CROP
    assert "cut away" in editor._hint.text()
    QTest.keyClick(editor.canvas, Qt.Key.Key_Space)
    with qtbot.waitSignal(editor.done) as done:
        editor.finish()
    result = load(done.args[0])
    assert (result.width(), result.height()) == (320, 240)
    assert result.pixelColor(160, 120) == QColor("black")
    assert set(chunks(done.args[0])) == {b"IHDR", b"IDAT", b"IEND"}


def test_a_photo_becomes_a_picture_without_its_camera(qtbot, make_shell, app):
    image = picture(80, 60)
    image.setText("Description", "taken at home")
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, b"JPEG")
    writer.setText("Comment", "taken at home")
    assert writer.write(image)
    photo = Attachment(name="IMG 7.jpg", media_type="image/jpeg", data=bytes(buffer.data().data()))
    assert b"taken at home" in photo.data
    panel = FilePanel(make_shell(app))
    qtbot.addWidget(panel)
    panel.set_files((photo,))
    with qtbot.waitSignal(panel.marking) as marking:
        panel._open_file(photo)
    QTest.keyClick(marking.args[0].canvas, Qt.Key.Key_Space)
    marking.args[0].finish()
    (sent,) = panel.files
    assert (sent.name, sent.media_type) == ("IMG 7.png", "image/png")
    assert b"taken at home" not in sent.data


def test_what_only_calls_itself_a_picture_is_shown_as_a_file(qtbot):
    assert picture_of(Attachment(name="a.png", media_type="image/png", data=b"no picture")).isNull()
    assert picture_of(Attachment(name="a.txt", media_type="text/plain", data=png(picture()))).isNull()
    assert not picture_of(Attachment(name="a.png", media_type="image/png", data=png(picture()))).isNull()


def test_what_is_drawn_counts_without_done(qtbot, make_shell, app):
    """Somebody covers a name and goes on at once: the picture as it was must not go along."""
    pictures = tuple(
        Attachment(name=f"{name}.png", media_type="image/png", data=png(picture(80, 60))) for name in ("one", "two")
    )
    panel = FilePanel(make_shell(app))
    qtbot.addWidget(panel)
    panel.set_files(pictures)
    for at, go_on in enumerate((lambda: panel._open_file(panel.files[1]), panel.finish)):
        panel._open_file(panel.files[at])
        QTest.keyClick(panel._markup.canvas, Qt.Key.Key_Space)
        go_on()
        assert load(panel.files[at].data).pixelColor(40, 30) == QColor("black")
    panel.set_files(pictures)
    panel._open_file(pictures[0])
    QTest.keyClick(panel._markup.canvas, Qt.Key.Key_Space)
    panel._list.add((msgspec.structs.replace(pictures[1], name="three.png"),))
    assert load(panel.files[0].data).pixelColor(40, 30) == QColor("black")
    assert [one.name for one in panel.files] == ["one.png", "two.png", "three.png"]
