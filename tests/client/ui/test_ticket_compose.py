"""Writing a ticket, its files, the preview and the sending, in the real window around a fake app."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from fake_app import CABLE, DNS, FakeApp, report
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLineEdit, QTextBrowser, QWidget
from ticket_looking import drop, said, start

from client.errors import DeskUnreachable, SignInNeeded, StorageFault
from client.model import Attachment, Earlier
from client.ui import screenshot

__all__ = ["start"]  # a fixture

# --- writing


def test_subject_is_the_cause_and_the_cursor_is_in_the_words(start):
    app = FakeApp.empty()
    app.report = report(DNS)
    seen = start(app, "compose")
    assert seen.field(QLineEdit, "Subject").text() == DNS.title
    assert seen.page.first_focus() is seen.words


def test_what_is_typed_is_saved_without_being_asked(start, qtbot):
    app = FakeApp.empty()
    seen = start(app, "compose")
    qtbot.keyClicks(seen.words, "Nothing prints")
    seen.until(lambda: said(app, "save_draft"))
    assert said(app, "save_draft")[-1].words == "Nothing prints"
    seen.see("Saved on this computer. Nothing has been sent yet.")


def test_an_untouched_form_leaves_no_draft(start):
    app = FakeApp.empty()
    app.report = report(DNS)
    seen = start(app, "compose")
    seen.see("What you wrote")
    seen.window.go("tickets")
    seen.see("You have no tickets")
    assert app.drafts_here == {}


def test_leaving_saves_at_once(start, qtbot):
    app = FakeApp.empty()
    seen = start(app, "compose")
    qtbot.keyClicks(seen.words, "Half a sen")
    seen.window.go("tickets")
    seen.until(lambda: said(app, "save_draft"))
    assert said(app, "save_draft")[-1].words == "Half a sen"


def test_saves_never_overtake_each_other(start, qtbot):
    app = FakeApp.empty()
    app.pause_s = 0.05
    seen = start(app, "compose")
    for word in ("one ", "two ", "three "):
        qtbot.keyClicks(seen.words, word)
        seen.page._keeper.flush()
    seen.until(lambda: seen.page._keeper.idle)
    saved = [one.words for one in said(app, "save_draft")]
    assert saved[-1] == "one two three "
    assert saved == sorted(saved, key=len)


def test_a_disk_that_does_not_take_it_is_said_and_the_words_stay(start, qtbot):
    app = FakeApp.empty()
    app.storage_error = StorageFault("There is no room left to save it.")
    seen = start(app, "compose")
    qtbot.keyClicks(seen.words, "Important")
    seen.see("Not saved: what you write is only on the screen.")
    seen.see("There is no room left to save it.")
    seen.press("Look at it and send")
    seen.until(lambda: seen.window.here == "preview")
    seen.press("Go back and change")
    seen.until(lambda: seen.window.here == "compose")
    seen.until(lambda: seen.words.toPlainText() == "Important")


def test_an_unfinished_ticket_is_offered(start):
    app = FakeApp.filled()
    seen = start(app, "compose")
    seen.see("Go on with your unfinished ticket")
    seen.press(
        "Go on with your unfinished ticket. "
        + DNS.title
        + " · "
        + seen.page._offers.itemAt(0).widget().accessibleName().split(" · ")[-1]
    )
    seen.until(lambda: seen.words.toPlainText() == "Nothing opens")
    seen.gone("Go on with your unfinished ticket")


def test_discard_can_be_undone(start, qtbot):
    app = FakeApp.empty()
    seen = start(app, "compose")
    qtbot.keyClicks(seen.words, "Oops")
    seen.until(lambda: said(app, "save_draft"))
    draft = said(app, "save_draft")[-1].id
    seen.press("Discard")
    seen.until(lambda: said(app, "discard_draft") == [draft])
    assert seen.words.toPlainText() == ""
    seen.press("Undo")
    assert seen.words.toPlainText() == "Oops"
    seen.until(lambda: app.drafts_here.get(draft) is not None)


def test_a_check_fills_in_what_is_known(start, qtbot):
    app = FakeApp.empty()
    app.next_report = report(CABLE)
    seen = start(app, "compose")
    seen.see("This computer has not been checked yet. A check tells IT what is wrong.")
    seen.press("Check now")
    seen.until(lambda: seen.field(QLineEdit, "Subject").text() == CABLE.title)
    assert seen.page._draft.report.diagnosis == app.next_report.diagnosis


def test_a_subject_of_ones_own_is_kept(start, qtbot):
    app = FakeApp.empty()
    app.next_report = report(CABLE)
    seen = start(app, "compose")
    qtbot.keyClicks(seen.field(QLineEdit, "Subject"), "My words")
    seen.window.shell.checkup.start()
    seen.until(lambda: seen.page._draft.report is not None)
    assert seen.field(QLineEdit, "Subject").text() == "My words"


def test_parts_can_be_left_out_and_required_ones_cannot(start):
    app = FakeApp.empty()
    seen = start(app, "compose")
    seen.until(lambda: len(seen.page.findChildren(QCheckBox)) > 1)
    boxes = {one.text(): one for one in seen.page.findChildren(QCheckBox)}
    assert not boxes["What you wrote"].isEnabled()
    boxes["This computer"].click()
    seen.press("Look at it and send")
    seen.until(lambda: seen.window.here == "preview")
    seen.see("This is everything")
    assert not seen.has("Debian GNU/Linux 12 on a Latitude 5440")
    seen.press("Send the ticket")
    seen.until(lambda: said(app, "send"))
    assert "Debian" not in said(app, "send")[0].payload.body


# --- files


def test_files_are_dropped_taken_out_and_put_back(start, tmp_path):
    app = FakeApp.empty()
    (tmp_path / "log.txt").write_bytes(b"line one\n")
    seen = start(app, "compose")
    assert drop(seen.page, tmp_path / "log.txt")
    seen.press("Show log.txt")
    seen.see("line one")
    seen.press("Take out log.txt")
    seen.see("“log.txt” was taken out.")
    assert seen.page._draft.attachments == ()
    seen.press("Put log.txt back")
    assert [one.data for one in seen.page._draft.attachments] == [b"line one\n"]


def test_a_folder_is_refused_in_words(start, tmp_path):
    app = FakeApp.empty()
    seen = start(app, "compose")
    drop(seen.page, tmp_path)
    seen.see("is a folder. Open it and choose the files")


def test_a_drop_that_is_not_a_file_is_not_ours(start):
    app = FakeApp.empty()
    seen = start(app, "compose")
    data = QMimeData()
    data.setUrls([QUrl("https://example.com/a.txt")])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    event.ignore()
    seen.page.dropEvent(event)
    assert not event.isAccepted()


def test_size_limit_of_the_desk_is_said_before(start):
    seen = start(FakeApp.empty(), "compose")
    seen.see("up to 10.0 MB each")


def test_picture_of_the_screen_is_added_and_can_be_covered(start, monkeypatch):
    app = FakeApp.empty()
    image = QImage(640, 480, QImage.Format.Format_RGB32)
    image.fill(QColor("#3080c0"))
    monkeypatch.setattr(screenshot, "grab", lambda: image)
    seen = start(app, "compose")
    seen.press("Picture of the screen")
    seen.until(lambda: seen.page._draft.attachments)
    before = seen.page._draft.attachments[0]
    assert (before.name, before.media_type) == ("screen.png", "image/png")
    seen.see("it is painted black, for good")
    canvas = next(one for one in seen.page.findChildren(QWidget) if one.accessibleName() == "Picture screen.png")
    QTest.keyClick(canvas, Qt.Key.Key_Space)
    seen.press("Done with the picture")
    seen.until(lambda: seen.page._draft.attachments[0].data != before.data)
    seen.gone("it is painted black, for good")


# --- preview and sending


def to_preview(start, qtbot, app):
    seen = start(app, "compose")
    qtbot.keyClicks(seen.words, "Nothing prints")
    seen.press("Look at it and send")
    seen.until(lambda: seen.window.here == "preview")
    seen.see("This is everything")
    return seen


def test_preview_is_the_payload(start, qtbot):
    app = FakeApp.empty()
    seen = to_preview(start, qtbot, app)
    preview = seen.page._preview
    body = seen.field(QTextBrowser, "Text of the ticket")
    assert body.toPlainText() == preview.payload.body
    seen.see("Passwords, keys and the like were covered: 3.")
    for one in preview.payload.attachments:
        seen.press(f"Show {one.name}")
        content = seen.field(QTextBrowser, f"Content of {one.name}")
        assert content.toPlainText() == one.data.decode()
    seen.press("Send the ticket")
    seen.until(lambda: said(app, "send"))
    assert said(app, "send")[0] is preview


def test_a_file_with_a_secret_in_it_is_named(start):
    app = FakeApp.empty()
    files = (
        Attachment(name="app.log", media_type="text/plain", data=b"password=hunter2"),
        Attachment(name="b.log", media_type="text/plain", data=b"fine"),
    )
    seen = start(app, "preview", msgspec.structs.replace(app.new_draft(words="x"), attachments=files))
    seen.see("app.log: goes as it is, and holds what looks like a password or key.")


def test_the_same_cause_again_can_be_added_to_the_ticket_that_is_open(start, qtbot):
    app = FakeApp.empty()
    app.writing.before = Earlier(created_at=datetime.now(UTC) - timedelta(days=1), ticket="412", ref="IT-412")
    seen = to_preview(start, qtbot, app)
    seen.see("You reported this yesterday (IT-412). Add to it instead?")
    alone = seen.page._preview
    seen.button("Add to IT-412").click()
    seen.see("This is added to IT-412")
    seen.until(lambda: seen.page._preview is not alone)
    preview = seen.page._preview
    assert seen.field(QTextBrowser, "Text of the ticket").toPlainText() == preview.payload.body
    assert (preview.payload.subject, preview.payload.fields) == ("", {})
    assert preview.payload.attachments == alone.payload.attachments
    seen.press("Write a new ticket instead")
    seen.until(lambda: seen.page._preview is alone)
    seen.press("Add to IT-412")
    seen.until(lambda: seen.page._preview is not alone)
    seen.page._go()
    seen.until(lambda: said(app, "add"))
    ticket, sent = said(app, "add")[0]
    assert (ticket, sent.payload.key, said(app, "send")) == ("412", alone.payload.key, [])
    assert sent is seen.page._preview


def test_a_ticket_of_the_same_cause_that_waits_is_named(start, qtbot):
    app = FakeApp.empty()
    app.writing.before = Earlier(created_at=datetime.now(UTC))
    seen = to_preview(start, qtbot, app)
    seen.see("You wrote about this today; it waits to be sent")
    seen.press("Send the ticket")
    seen.until(lambda: said(app, "send"))


def test_sent_is_said_only_when_it_is(start, qtbot):
    app = FakeApp.empty()
    app.error = DeskUnreachable("The help desk cannot be reached from here.")
    seen = to_preview(start, qtbot, app)
    seen.press("Send the ticket")
    seen.see("Saved, will be sent")
    assert not seen.has("Sent")
    app.error = None
    seen.window.shell.courier.arrange()
    seen.see("Your ticket is IT-413.")
    assert app.drafts_here == {}


def test_a_full_disk_keeps_the_ticket_on_the_page(start, qtbot):
    app = FakeApp.empty()
    seen = to_preview(start, qtbot, app)
    app.storage_error = StorageFault("There is no room left to save it.")
    seen.press("Send the ticket")
    seen.see("There is no room left to save it.")
    assert not seen.has("Saved, will be sent")
    app.storage_error = None
    seen.press("Send the ticket")
    seen.see("The help desk has it.")


def test_after_sending_the_form_is_empty(start, qtbot):
    app = FakeApp.empty()
    seen = to_preview(start, qtbot, app)
    seen.press("Send the ticket")
    seen.see("The help desk has it.")
    seen.window.go("compose")
    qtbot.wait(50)  # the answer of the outbox, which might bring the sent text back
    assert seen.words.toPlainText() == ""


def test_back_from_the_preview_brings_the_words(start, qtbot):
    app = FakeApp.empty()
    seen = to_preview(start, qtbot, app)
    seen.window.back()
    seen.until(lambda: seen.words.toPlainText() == "Nothing prints")


def test_sign_in_where_it_is_needed_and_everything_goes_out(start, qtbot):
    app = FakeApp.empty()
    app.error = SignInNeeded("The help desk does not know this computer's user.")
    seen = to_preview(start, qtbot, app)
    seen.press("Send the ticket")
    seen.see("Saved, will be sent")
    app._put(msgspec.structs.replace(app.entries[0], last_error="The help desk asks you to sign in."))
    seen.window.shell.courier.outbox_changed.emit()
    seen.see("Please sign in to the help desk")
    token = seen.field(QLineEdit, "Access token")
    assert token.echoMode() == QLineEdit.EchoMode.Password
    qtbot.keyClicks(token, " wrong ")
    seen.press("Sign in")
    seen.see("The help desk does not know this token.")
    app.error = None
    seen.press("Sign in")
    seen.see("Your ticket is IT-413.")
    assert said(app, "sign_in") == ["wrong"]
    assert len(said(app, "send")) == 1
