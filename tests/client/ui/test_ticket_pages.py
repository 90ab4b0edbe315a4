"""Following tickets in the real window, around a fake app: the outbox, the list, the conversation; and every page for everyone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import msgspec
import pytest
from fake_app import FakeApp
from PySide6.QtCore import Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QTextBrowser, QWidget
from ticket_looking import drop, said, start

from client.errors import DeskUnreachable, SignInNeeded
from client.model import Capabilities, Comment, Created, OutboxEntry, SendState, Ticket

__all__ = ["start"]  # a fixture

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)


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


def test_a_refused_file_can_be_left_out_with_one_press(start):
    app = FakeApp.empty()
    app.entries = (entry(SendState.REFUSED, last_error="Too large.", refused_files=("trace.zip",)),)
    seen = start(app, "outbox")
    seen.press("Send it without trace.zip: No network")
    seen.until(lambda: said(app, "leave_out") == [("e1", ("trace.zip",))])
    seen.gone("Too large.")


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


def test_a_sign_in_elsewhere_is_seen_on_the_list(start):
    app = FakeApp.empty()
    app.error = SignInNeeded("Please sign in.")
    seen = start(app, "tickets")
    seen.see("Please sign in to the help desk")
    app.error = None
    app.tickets_here = (Ticket(id="1", ref="IT-1", subject="Mine", status="Open", is_open=True),)
    seen.window.shell.courier.sign_in_changed.emit()
    seen.see("Mine")
    seen.gone("Please sign in to the help desk")


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


def test_a_secret_in_a_reply_is_seen_to_go_before_it_is_sent(start, qtbot):
    app = FakeApp.filled()
    app.error = None
    seen = start(app, "conversation", "412")
    field = seen.field(QPlainTextEdit, "Your reply")
    qtbot.keyClicks(field, "I used password: hunter2 there")
    seen.press("Send reply")
    seen.see("A password or key was taken out of your reply")
    assert field.toPlainText() == "I used password: [removed] there"
    assert said(app, "reply") == []
    seen.press("Send reply")
    seen.until(lambda: said(app, "reply"))
    assert said(app, "reply")[0][1] == "I used password: [removed] there"


def test_a_ticket_is_closed_and_opened_again(start):
    app = FakeApp.filled()
    app.error = None
    seen = start(app, "conversation", "412")
    seen.press("Close the ticket")
    seen.see("Closed")
    app.error = DeskUnreachable("No way to the desk.")
    seen.press("It is not solved: open it again")
    seen.see("No way to the desk.")
    app.error = None
    seen.press("It is not solved: open it again")
    seen.see("Reopened")
    assert said(app, "set_open") == [("412", False), ("412", True)]


def test_a_ticket_that_is_done_is_rated_once(start):
    app = FakeApp.filled()
    app.error = None
    seen = start(app, "conversation", "412")
    seen.see("Close the ticket")
    assert not seen.has("It helped")
    seen.press("Close the ticket")
    seen.see("Closed")
    app.error = DeskUnreachable("No way to the desk.")
    seen.press("It did not help")
    seen.see("No way to the desk.")
    app.error = None
    seen.press("It helped")
    seen.until(lambda: said(app, "rate"))
    assert said(app, "rate") == [("412", True, "")]
    assert not seen.has("It helped")


def test_where_only_agents_close_there_is_no_button(start):
    app = FakeApp.filled()
    app.error = None
    app.capabilities = msgspec.structs.replace(app.capabilities, closing=False)
    seen = start(app, "conversation", "412")
    seen.see("Refresh")
    assert not seen.has("Close the ticket")


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
