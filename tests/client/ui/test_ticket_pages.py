"""Writing, previewing, sending and following a ticket in the real window, around a fake app."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import msgspec
import pytest
from fake_app import CABLE, DNS, FakeApp, report
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QLabel, QLineEdit, QPlainTextEdit, QTextBrowser, QWidget

from client.errors import DeskUnreachable, SignInNeeded, StorageFault
from client.model import Capabilities, Comment, Created, OutboxEntry, SendState, Ticket
from client.ui import screenshot

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)


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


def drop(widget, *paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    widget.dropEvent(event)
    return event.isAccepted()


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


# --- the outbox


def entry(state, **more):
    return OutboxEntry(
        id=more.pop("id", "e1"), kind="ticket", state=state, subject="No network", created_at=NOW, **more
    )


def test_unsure_is_decided_by_the_employee(start):
    app = FakeApp.empty()
    app.entries = (entry(SendState.UNSURE, last_error="The line broke."),)
    app.error = DeskUnreachable("x")
    seen = start(app, "outbox")
    seen.see("It may have arrived")
    seen.press("Send it again: No network")
    seen.until(lambda: said(app, "retry") == ["e1"])


def test_taking_out_can_be_undone_and_is_real_after_leaving(start):
    app = FakeApp.empty()
    app.entries = (entry(SendState.REFUSED, last_error="Not this."),)
    seen = start(app, "outbox")
    seen.press("Take it out: No network")
    seen.see("Nothing is waiting")
    assert said(app, "drop") == []
    seen.press("Undo")
    seen.see("Not this.")
    seen.press("Take it out: No network")
    seen.window.go("tickets")
    seen.until(lambda: said(app, "drop") == ["e1"])


def test_what_is_kept_can_be_read(start):
    app = FakeApp.empty()
    app.entries = (entry(SendState.WAITING, last_error="Busy."),)
    seen = start(app, "outbox")
    seen.press("What is in it: No network")
    seen.see("Nothing opens since this morning.")
    seen.press("Hide what is in it")
    seen.gone("Nothing opens since this morning.")


# --- my tickets


def test_list_shows_what_waits_what_is_unfinished_and_what_the_desk_has(start):
    app = FakeApp.filled()
    seen = start(app, "tickets")
    seen.see("On this computer")
    seen.see("Unfinished")
    for ticket in app.tickets_here:
        seen.see(ticket.subject)
    seen.see("New answer")


def test_offline_it_is_as_last_seen(start):
    app = FakeApp.failing()
    seen = start(app, "tickets")
    seen.see("This is as it was last seen. The help desk cannot be reached from here.")
    seen.see(app.tickets_here[0].subject)


def test_signing_in_on_the_list(start, qtbot):
    app = FakeApp.empty()
    app.error = SignInNeeded("Please sign in.")
    seen = start(app, "tickets")
    seen.see("Please sign in to the help desk")
    app.error = None
    app.tickets_here = (Ticket(id="1", ref="IT-1", subject="Mine", status="Open", is_open=True),)
    qtbot.keyClicks(seen.field(QLineEdit, "Access token"), "good-token")
    seen.press("Sign in")
    seen.see("Mine")
    seen.gone("Please sign in to the help desk")
    assert said(app, "sign_in") == ["good-token"]


def test_a_desk_without_a_list_says_where_to_look(start):
    app = FakeApp.empty()
    app.capabilities = Capabilities()
    seen = start(app, "tickets")
    seen.see("Your help desk does not show your tickets here")
    seen.see("it@example.com")


# --- the conversation


def test_conversation_and_reply(start, qtbot, tmp_path):
    app = FakeApp.filled()
    app.error = None
    seen = start(app, "conversation", "412")
    for comment in app.comments["412"]:
        seen.see(comment.author if comment.from_agent else "You")
    (tmp_path / "a.log").write_bytes(b"log")
    qtbot.keyClicks(seen.field(QPlainTextEdit, "Your reply"), "It works now, thank you.")
    drop(seen.page, tmp_path / "a.log")
    seen.button("Show a.log")
    seen.press("Send reply")
    seen.until(lambda: said(app, "reply"))
    ticket, words, files = said(app, "reply")[0]
    assert (ticket, words, [one.data for one in files]) == ("412", "It works now, thank you.", [b"log"])
    seen.until(lambda: seen.field(QPlainTextEdit, "Your reply").toPlainText() == "")


def test_a_reply_stays_with_its_ticket(start, qtbot):
    app = FakeApp.filled()
    seen = start(app, "conversation", "412")
    qtbot.keyClicks(seen.field(QPlainTextEdit, "Your reply"), "for 412")
    seen.window.go("conversation", "398")
    assert seen.field(QPlainTextEdit, "Your reply").toPlainText() == ""
    seen.window.go("tickets")
    seen.window.go("conversation", "412")
    assert seen.field(QPlainTextEdit, "Your reply").toPlainText() == "for 412"


def test_a_reply_that_waits_is_seen_in_its_place(start, qtbot):
    app = FakeApp.filled()
    app.entries = (
        OutboxEntry(
            id="r",
            kind="reply",
            state=SendState.WAITING,
            subject="x",
            created_at=NOW,
            last_error="Offline.",
            ticket=Created(id="412", ref="IT-412"),
        ),
    )
    app.error = DeskUnreachable("No way to the desk.")
    seen = start(app, "conversation", "412")
    seen.see("Nothing opens since this morning.")
    seen.see("Waiting")
    seen.see("This is as it was last seen.")


def test_markdown_is_shown_and_nothing_is_loaded(start, qtbot, tmp_path):
    picture = tmp_path / "a.png"
    picture.write_bytes(b"x")
    app = FakeApp.filled()
    text = f"**Bold** <b>raw</b>\nsecond line\n\n![remote](https://example.com/{quote('a b')}.png) ![local]({picture.as_uri()}) [link](https://example.com/help)"
    app.comments["412"] = (
        Comment(id="1", author="Sam", from_agent=True, text=text, created_at=NOW - timedelta(days=1)),
    )
    seen = start(app, "conversation", "412")
    seen.see("Bold")
    browser = next(one for one in seen.page.findChildren(QTextBrowser) if one.toPlainText().startswith("Bold"))
    lines = browser.toPlainText().splitlines()
    assert "<b>raw</b>" in lines[0]
    assert lines[1] == "second line" or "second line" in browser.toPlainText().replace("\u2028", "\n").splitlines()
    assert browser.loadResource(2, QUrl(picture.as_uri())) is None
    with qtbot.waitSignal(browser.followed) as followed:
        browser.anchorClicked.emit(QUrl("https://example.com/help"))
    assert followed.args == ["https://example.com/help"]
    with qtbot.assertNotEmitted(browser.followed):
        browser.anchorClicked.emit(QUrl("file:///etc/passwd"))


# --- for everyone


@pytest.mark.parametrize("make", [FakeApp.empty, FakeApp.filled, FakeApp.failing])
@pytest.mark.parametrize("page", ["compose", "tickets", "outbox", "conversation", "preview"])
def test_every_control_has_a_name(start, qtbot, page, make):
    app = make()
    argument = {"conversation": "412", "preview": app.new_draft(words="x")}.get(page)
    seen = start(app, page, argument)
    qtbot.wait(100)
    unnamed = [
        one
        for one in seen.page.findChildren(QWidget)
        if one.focusPolicy() & Qt.FocusPolicy.TabFocus
        and one.isVisible()
        and not (one.accessibleName() or getattr(one, "text", str)())
    ]
    assert unnamed == []


def test_the_form_is_complete_by_keyboard(start, qtbot):
    app = FakeApp.empty()
    seen = start(app, "compose")
    seen.see("What you wrote")
    seen.window.activateWindow()
    seen.words.setFocus()
    reached = set()
    for _ in range(40):
        focused = seen.window.focusWidget()
        reached.add(focused.accessibleName() or focused.text())
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert {
        "Subject",
        "Add files…",
        "Picture of the screen",
        "Look at it and send",
        "Discard",
        "This computer",
    } <= reached
    seen.words.setFocus()
    qtbot.keyClicks(seen.words, "x")
    QTest.keyClick(seen.words, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    seen.until(lambda: seen.window.here == "preview")
